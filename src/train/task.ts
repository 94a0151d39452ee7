/**
 * A task: what is trained, as the trainer sees it. It is data and functions over trees of tensors, into which the trainer does not look:
 * parameters `P`, batches `B`, and random numbers `D`. `tasks/` has one folder for each, and their registry.
 */
import type { Share } from '../evaluation/judgement.ts'
import type { ModelState } from '../nn/stateScope.ts'
import type { TE } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import type { Device } from '../tensor/device.ts'
import type { Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TrainError } from './trainError.ts'

/** What a person reads of a task. */
export interface TaskWords {
  /** What is trained: `U-Net 16×16`. */
  readonly model: string
  /** Towards what: `predicts v, cosine schedule`. */
  readonly goal: string
  /** What an example is called. The metrics count `imagesPerSecond`, by `many`. */
  readonly example: { readonly one: string; readonly many: string; readonly short: string }
  /** What a sheet is called; default `samples`. */
  readonly sheet?: string
  /** What was measured, from the shortest form to the longest; nothing where nothing was. */
  readonly measured: (values: Measured) => readonly string[]
}

/** What was measured of parameters, by its names in the metrics. */
export type Measured = Readonly<Record<string, number>>

/** A measured value that is a loss: a run in which it is no number has diverged. */
export interface MeasuredLoss {
  /** Its name in the metrics. */
  readonly name: string
  /** What it is, in a sentence: `the loss on held-out pictures`. */
  readonly about: string
  /** What its curve is called, beside that of the training loss. */
  readonly curve: string
  /** Whether the averaged weights with the least of it are kept as the best of the run. */
  readonly chooses?: boolean
}

/** What was found of the examples on a sheet, and of more that were drawn with them. */
export interface SheetWatch {
  /** By their names in the metrics. */
  readonly measured: Measured
  /** How many are copies of examples of training, beside how many real ones would be called so. */
  readonly copies: Share
}

/** A file for a person to look at. */
export interface Sheet {
  /** `png`, without the dot. */
  readonly extension: string
  readonly bytes: Uint8Array
  /** Absent where nothing of it is measured. */
  readonly watch?: SheetWatch
}

/** The mean loss of a batch, a scalar. */
export type Loss<P, B, D> = (params: P, batch: B, draws: D) => Tensor

/** What a model with a state consists of: what it learns, and its state beside that, as running statistics, which no optimizer sees. */
export interface Variables<P> {
  readonly params: P
  /** `stateOf(model)` at first. */
  readonly modelState: ModelState
}

/**
 * The loss of a model with a state: the task's `P` is {@link Variables}, of whose `modelState` no gradient is taken, and the loss gives the next one.
 * Checkpoints hold it with the parameters; averages have one of their own, with which they are evaluated.
 */
export interface LossWithState<P, B, D> {
  /** The mean loss of a batch, a scalar, and the next state. */
  readonly lossAndState: (
    variables: P,
    batch: B,
    draws: D,
  ) => readonly [loss: Tensor, aux: { readonly modelState: ModelState }]
}

/** The value of a loss and its gradient, by the precision and the loss scale of the run. */
export type Differentiate = <Q>(loss: (params: Q) => Tensor, params: Q) => readonly [value: Tensor, gradient: Q]

/** From some step on, what is learned, and what its losses count. */
export interface Phase {
  /** Of `Learning.phases`. */
  readonly name: string
  /** Numbers of this step, by name: they enter the step as buffers. */
  readonly weights: Readonly<Record<string, number>>
  /** The learning rate of this step; absent where it is that of the run. */
  readonly learningRate?: number
}

/** A batch, and all that a step is given with it. */
export interface LearningStep<B, D> {
  /** The name of the phase. */
  readonly phase: string
  readonly batch: B
  readonly draws: D
  /** f32 [] each. */
  readonly weights: Readonly<Record<string, Tensor>>
  readonly differentiate: Differentiate
}

/** The gradients of a step, and the losses that they are of. */
export interface LearnedBy<P> {
  /** Those of the branches that do not move in this phase are not looked at. */
  readonly gradients: P
  /** The loss that is told, a scalar. */
  readonly loss: Tensor
  /** All of `Learning.parts`, scalars. */
  readonly parts: Readonly<Record<string, Tensor>>
}

/**
 * How a task learns that is more than the gradient of one loss: in phases, by losses with weights that change, or as several networks that
 * train against one another. Each branch of the parameters' top level has an optimizer of its own, with its own moments and its own clipping, so
 * that a branch moves by nothing but the gradients that are given for it.
 */
export interface Learning<P, B, D> {
  /** The names of all phases, each with the branches of the parameters that move in it. */
  readonly phases: Readonly<Record<string, readonly string[]>>
  /** The phase of a step, counted from 1, and what its losses count. */
  readonly phaseAt: (step: number) => Phase
  /** What is told of each step beside its loss, by its name in the metrics. */
  readonly parts: readonly string[]
  /** What a step learns, as a function of tensors: it is compiled, once for each phase. */
  readonly gradients: (params: P, step: LearningStep<B, D>) => LearnedBy<P>
}

/** Whether a loss is a {@link Learning}: its phases are named. */
export const isLearning = <P, B, D>(loss: unknown): loss is Learning<P, B, D> => isRecord(loss) && 'phases' in loss

/** What is trained. */
export interface Task<P, B, D> {
  readonly words: TaskWords
  /** The parameters before the first step. */
  readonly init: (key: Key) => P
  /** What every step does with the parameters, behind the optimizer and before they are averaged; absent for nothing. */
  readonly project?: (params: P) => P
  /**
   * The random numbers of `count` examples; those of more examples begin with those of fewer.
   *
   * @param key of the step
   * @param first u32 [], examples of the step before these: a part of a step draws its part of the whole step's numbers, and no more
   */
  readonly draws: (key: Key, count: number, first?: Tensor) => D
  /** The loss whose gradient moves all parameters, one that gives a state too, or how else they learn. */
  readonly loss: Loss<P, B, D> | LossWithState<P, B, D> | Learning<P, B, D>
  /** A batch of `count` examples of no particular content: by its shapes a step is planned. */
  readonly blank: (count: number) => B
  /** The losses among what is measured. By the first of them a run that keeps several averages of its parameters chooses among these. */
  readonly losses: readonly MeasuredLoss[]
  /** Prepares what shows what parameters have learned; absent where there is nothing to see. */
  readonly sheets?: (device: Device) => (params: P) => TE.TaskEither<TrainError, Sheet>
}

/** Examples as batches: `count` of them from the `first` on. */
export type Examples<B> = (first: number, count: number) => B

/** The data of a task, open. */
export interface Source<P, B> {
  /** The endless stream that training goes through. */
  readonly examples: Examples<B>
  /** The first examples, for a person to look at. */
  readonly preview?: () => Sheet
  /** Files, by name, without which what the run learns means nothing: they are kept with it from its beginning. */
  readonly files?: ReadonlyMap<string, Uint8Array>
  /** What shows what parameters have learned, where that takes what lies with the data; in the place of the task's. */
  readonly sheets?: Task<P, B, unknown>['sheets']
  /** Whether what is drawn for a sheet is watched: what is found stands in the metrics of that step. Default not. */
  readonly watches?: boolean
  /** Prepares files, by name, that stand for the averaged parameters; they are written with each checkpoint. */
  readonly kept?: (device: Device) => (average: P) => TE.TaskEither<TrainError, ReadonlyMap<string, Uint8Array>>
  /** Prepares the measurement of parameters, and of their average where it is given; absent where nothing is measured but the loss of each step. */
  readonly measure?: (device: Device) => Promise<(params: P, average?: P) => Promise<Measured>>
  /** A text that changes when the data do; a checkpoint holds it. */
  readonly fingerprint: string
  /** `1,284 usable · 9 skipped (6 HEIC, 2 truncated, 1 too small) · 64 held out` */
  readonly summary: string
  readonly warnings: readonly string[]
  /**
   * What a person should know of the data of a run that goes on: whether they are those that it was trained on.
   *
   * @param then the fingerprint in the checkpoint
   * @param before the folder in which they lay
   */
  readonly changes: (then: string, before: string | null) => readonly string[]
}
