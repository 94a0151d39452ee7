/** All tasks with their data, by the `task` of a configuration: what a run on this machine is made of. */
import type { E, TE } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Source, Task } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import type { Params } from './diffusion/diffusion.ts'
import { diffusionTask, type Draws } from './diffusion/diffusionTask.ts'
import { requireLeast } from './diffusion/leastMemory.node.ts'
import { measureRate } from './diffusion/rate.ts'
import type { Told } from './diffusion/latents.node.ts'
import { openSource } from './diffusion/open.node.ts'
import { sheetsOf } from './diffusion/sheet.ts'
import { defaultTask, type TaskName, type TrainConfig } from './registry.ts'

/** A task and its data. */
export interface Subject<P, B, D> {
  readonly task: Task<P, B, D>
  /** The same task by other settings. */
  readonly of: (config: TrainConfig) => Subject<P, B, D>
  /** Opens the data. @param device on which they may have to be encoded; @param tell how many of how many are */
  readonly open: (device: Device, tell: Told) => TE.TaskEither<TrainError, Source<P, B>>
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
    open: (device, tell) => openSource(config, task, device, tell),
    requireLeast: (device) => requireLeast(device, config),
    measureRate: (device) => measureRate(device, config),
  }
}

const subjects: { readonly [K in TaskName]: (config: TrainConfig) => AnySubject } = {
  diffusion: (config) => (use) => use(diffusionSubject(config)),
}

/** What a configuration trains. */
export const subjectOf = (config: TrainConfig): AnySubject => subjects[config.task ?? defaultTask](config)
