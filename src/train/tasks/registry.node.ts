/** All tasks with their data, by the `task` of a configuration: what a run on this machine is made of. */
import { pipe, TE, type E } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Source, Task } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import { openData } from './diffusion/data.node.ts'
import type { Params } from './diffusion/diffusion.ts'
import { diffusionTask, type Draws } from './diffusion/diffusionTask.ts'
import { requireLeast } from './diffusion/leastMemory.node.ts'
import { measureRate } from './diffusion/rate.ts'
import { previewOf, sheetsOf } from './diffusion/sheet.ts'
import { pictureSource } from './diffusion/source.ts'
import { defaultTask, type TaskName, type TrainConfig } from './registry.ts'

/** A task and its data. */
export interface Subject<P, B, D> {
  readonly task: Task<P, B, D>
  /** The same task by other settings. */
  readonly of: (config: TrainConfig) => Subject<P, B, D>
  /** Opens the data. */
  readonly open: TE.TaskEither<TrainError, Source<P, B>>
  /** Left when it is certain, before data are opened and a plan is made, that a step does not fit. */
  readonly requireLeast: (device: Pick<Device, 'name' | 'memoryLimit'>) => E.Either<TrainError, void>
  /** Floating-point operations a second that the device reaches in what most of a step consists of. */
  readonly measureRate: (device: Device) => Promise<number>
}

/** A task whose parameters, batches and draws nobody else needs to know: give it a function that takes any. */
export type AnySubject = <R>(use: <P, B, D>(subject: Subject<P, B, D>) => R) => R

const diffusionSubject = (config: TrainConfig): Subject<Params, Tensor, Draws> => {
  const plain = diffusionTask(config)
  const task = { ...plain, sheets: sheetsOf(plain) }
  return {
    task,
    of: diffusionSubject,
    open: pipe(
      openData(config),
      TE.map((opened) => ({ ...pictureSource(task, opened), preview: previewOf(task, opened.data) })),
    ),
    requireLeast: (device) => requireLeast(device, config),
    measureRate: (device) => measureRate(device, config),
  }
}

const subjects: { readonly [K in TaskName]: (config: TrainConfig) => AnySubject } = {
  diffusion: (config) => (use) => use(diffusionSubject(config)),
}

/** What a configuration trains. */
export const subjectOf = (config: TrainConfig): AnySubject => subjects[config.task ?? defaultTask](config)
