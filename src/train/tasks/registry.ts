/**
 * All tasks, by the `task` of a configuration. Whoever trains asks here, and names no task.
 *
 * A new task is an entry of the tables, and a member of the union of configurations.
 */
import { oneOf, show } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { isRecord, keysOf } from '../../prelude/record.ts'
import { settingError, type TrainError } from '../trainError.ts'
import { withSteps, type AutoencoderRun } from './autoencoder/autoencoderConfig.ts'
import { autoencoderSettings } from './autoencoder/autoencoderSettings.ts'
import type { ClassificationRunConfig } from './classification/classificationConfig.ts'
import { classificationSettings } from './classification/classificationSettings.ts'
import type { DiffusionRun } from './diffusion/diffusionConfig.ts'
import { diffusionSettings } from './diffusion/diffusionSettings.ts'
import { decodedBy } from './settings.ts'
import type { TextRunConfig } from './text/textConfig.ts'
import { textSettings } from './text/textSettings.ts'

/** Everything that a run is determined by: the settings that every run has, and those of its task. A union on `task`. */
export type TrainConfig = DiffusionRun | AutoencoderRun | ClassificationRunConfig | TextRunConfig

/** The name of a task. */
export type TaskName = NonNullable<TrainConfig['task']>

/** The task of the runs that name none: they were written when there was one. */
const defaultTask = 'diffusion' satisfies TaskName

/**
 * The task of a configuration.
 *
 * @example
 * ```ts
 * import { autoencoderPresets, presets, taskOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'run', preset: '', seed: 0, device: 'wasm' }
 * taskOf({ ...presets.tiny, ...names }) // => 'diffusion'
 * taskOf({ ...autoencoderPresets['vae-64'], ...names }) // => 'autoencoder'
 * ```
 */
export const taskOf = ({ task = defaultTask }: TrainConfig): TaskName => task

/** Whether a configuration trains a diffusion model. */
export const isDiffusion = (config: TrainConfig): config is DiffusionRun => taskOf(config) === defaultTask

/** A whole configuration of each task, as a run has written it. */
const decoders: { readonly [K in TaskName]: (input: unknown) => E.Either<TrainError, TrainConfig> } = {
  diffusion: decodedBy(diffusionSettings),
  autoencoder: decodedBy(autoencoderSettings),
  classification: decodedBy(classificationSettings),
  text: decodedBy(textSettings),
}

/**
 * A whole configuration, as it was written by a run.
 *
 * @example
 * ```ts
 * import { decodeConfig, presets } from 'fathom/train'
 *
 * const { purpose, ...tiny } = presets.tiny
 * const written = { ...tiny, folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'cpu' }
 * decodeConfig(JSON.parse(JSON.stringify(written))) // => right({ out: 'runs/sea', steps: 600, … })
 * decodeConfig({ ...written, ema: 1 }) // => left({ code: 'CFG', message: 'ema must be a number in [0, 1), …', … })
 * decodeConfig({ ...written, task: 'difusion' }) // => left({ message: 'task must be one of diffusion, …', … })
 * ```
 */
export const decodeConfig = (input: unknown): E.Either<TrainError, TrainConfig> => {
  const task = isRecord(input) ? (input['task'] ?? defaultTask) : defaultTask
  return pipe(
    oneOf(...keysOf<TaskName>(decoders))(task),
    E.mapLeft((fault) => settingError({ ...fault, path: 'task', got: show(task) })),
    E.chain((name) => decoders[name](input)),
  )
}

/** The configuration of a run that goes on for so many steps in all. */
export const forSteps = (config: TrainConfig, steps: number): TrainConfig =>
  config.task === 'autoencoder' ? withSteps(config, steps) : { ...config, steps }
