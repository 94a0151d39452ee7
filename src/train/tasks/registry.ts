/**
 * All tasks, by the `task` of a configuration. Whoever trains asks here, and names no task.
 *
 * A new task is an entry of the table, and a member of the union of its configurations.
 */
import { modelWith } from '../../models/registry.ts'
import { oneOf, type Fields } from '../../prelude/decode.ts'
import type { E } from '../../prelude/fp.ts'
import { keysOf } from '../../prelude/record.ts'
import type { TrainError } from '../trainError.ts'
import {
  checkDiffusion,
  diffusionFields,
  withDiffusionChoices,
  type DiffusionConfig,
  type DiffusionRun,
} from './diffusion/diffusionConfig.ts'
import { diffusionTask, type DiffusionTask } from './diffusion/diffusionTask.ts'
import { presets as diffusionPresets } from './diffusion/presets.ts'

/** The settings of a task: a union on `task`. */
export type TaskConfig = DiffusionConfig

/** Everything that a run is determined by: the settings that every run has, and those of its task. */
export type TrainConfig = DiffusionRun

/** The name of a task. */
export type TaskName = NonNullable<TaskConfig['task']>

/** The task of the runs that name none: they were written when there was one. */
export const defaultTask: TaskName = 'diffusion'

/** How the settings of a task are decoded. */
interface Settings {
  readonly fields: Fields<Omit<TaskConfig, 'task'>>
  /** The settings with what was no choice yet when they were written. */
  readonly withChoices: (settings: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** Settings that are records, such as a model: what is named, over what a preset has chosen. */
  readonly inside: (
    chosen: Pick<TrainConfig, 'model'>,
    named: Readonly<Record<string, unknown>>,
  ) => Readonly<Record<string, unknown>>
  /** What the values must be to one another. */
  readonly check: (config: TrainConfig) => E.Either<TrainError, TrainConfig>
}

const tasks: { readonly [K in TaskName]: Settings & { readonly make: (config: TrainConfig) => DiffusionTask } } = {
  diffusion: {
    fields: diffusionFields,
    withChoices: withDiffusionChoices,
    inside: (chosen, named) => ({ model: modelWith(chosen.model, named['model']) }),
    check: checkDiffusion,
    make: (config) => diffusionTask(config),
  },
}

/** Whole configurations by name, of every task. */
export const presets = diffusionPresets

/** The name of a preset. */
export type PresetName = keyof typeof presets

/** The preset of those who name none. */
export const defaultPreset: PresetName = 'tiny'

/** The name in a `task` setting; where there is none, that of the default. */
export const decodeTaskName = oneOf(...keysOf(tasks))

/** How the settings of a task are decoded. */
export const settingsOf = (name: TaskName): Settings => tasks[name]

/** The task of a configuration. */
export const taskOf = (config: TrainConfig): DiffusionTask => tasks[config.task ?? defaultTask].make(config)
