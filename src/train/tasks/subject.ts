/** A task with its data: what a run is made of. */
import type { E, TE } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import type { Told } from '../pictures/told.ts'
import type { RunConfig } from '../runConfig.ts'
import type { Source, Task } from '../task.ts'
import type { TrainError } from '../trainError.ts'

/** Settings of a run that are chosen when it begins, or change on its way. */
export interface Changed extends Pick<RunConfig, 'steps' | 'folder' | 'device'> {
  /** By which phases go, where a task has some and they do not go by `steps`. */
  readonly phaseSteps?: number
}

/** A task and its data. */
export interface Subject<P, B, D> {
  readonly task: Task<P, B, D>
  /** The same task, with settings of a run that are chosen when it begins, or change on its way. */
  readonly with: (changes: Changed) => Subject<P, B, D>
  /** Opens the data. @param device on which they may have to be encoded; @param tell how far that is */
  readonly open: (device: Device, tell: Told) => TE.TaskEither<TrainError, Source<P, B>>
  /** The data as a plan needs them: opened, but not encoded. */
  readonly survey: (tell: Told) => TE.TaskEither<TrainError, Pick<Source<P, B>, 'summary' | 'warnings'>>
  /** Left when it is certain, before data are opened and a plan is made, that a step does not fit. */
  readonly requireLeast: (device: Pick<Device, 'name' | 'memoryLimit'>) => E.Either<TrainError, void>
  /** Floating-point operations a second that the device reaches in what most of a step consists of. */
  readonly measureRate: (device: Device) => Promise<number>
}

/** A task whose parameters, batches and draws nobody else needs to know: give it a function that takes any. */
export type AnySubject = <R>(use: <P, B, D>(subject: Subject<P, B, D>) => R) => R
