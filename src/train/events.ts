/** What a run tells while it goes on; the command prints it, a program may draw it. */
import type { Share } from '../evaluation/judgement.ts'
import type { Counted } from '../evaluation/scores/fisher.ts'
import type { DeviceChoice } from './openDevice.ts'
import type { Preparation } from './pictures/told.ts'
import type { RunConfig } from './runConfig.ts'
import type { Measured, TaskWords } from './task.ts'

/** What is known before the first step. */
export interface RunFacts {
  readonly config: RunConfig
  /** What is trained, for people. */
  readonly words: TaskWords
  /** What computes, in one line. */
  readonly device: string
  /** One line about the data. */
  readonly data: string
  readonly parameters: number
  /** Bytes that a step takes, by its plan: arguments, results and temporary values. */
  readonly memory: number
  /** Bytes of one copy of the weights. */
  readonly weights: number
  /** How many averages of the weights are kept. */
  readonly averages: number
  /** Floating-point operations of a step on the whole batch, by its plan. */
  readonly flops: number
}

/** One event of a run. */
export type TrainEvent =
  | { readonly _tag: 'Started'; readonly facts: RunFacts; readonly from: number }
  | { readonly _tag: 'Warning'; readonly message: string }
  /** A part of the run begins that is a run of its own: the training of its autoencoder, or what follows. */
  | {
      readonly _tag: 'Stage'
      readonly number: number
      readonly of: number
      readonly what: string
      /** What the stage before came to, where that was measured. */
      readonly before?: string
    }
  | {
      /** The steps that fit into the time of the run were found, by measuring some. */
      readonly _tag: 'Timed'
      readonly steps: number
      readonly secondsPerStep: number
      /** Seconds that measurements, sheets and checkpoints will take, as measured too. */
      readonly aside: number
    }
  /** Pictures are compared with one another, or encoded, before the first step: what share of them is, from 0 to 1. */
  | { readonly _tag: 'Prepared'; readonly what: Preparation; readonly share: number }
  | {
      readonly _tag: 'Stepped'
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly examplesPerSecond: number
      /** Steps that were skipped so far, because gradients overflowed; there where the loss is scaled. */
      readonly skipped?: number
    }
  | {
      readonly _tag: 'Measured'
      readonly step: number
      /** By their names in the metrics. */
      readonly values: Measured
      /** The same for a person, from the shortest form to the longest. */
      readonly words: readonly string[]
    }
  | {
      /** The loss on held-out examples has risen for good: from the step of its least value on, examples are learned by heart. */
      readonly _tag: 'Passed'
      readonly step: number
      readonly best: number
      /** Which loss, in a sentence. */
      readonly about: string
      readonly loss: number
      readonly least: number
    }
  | { readonly _tag: 'Saved'; readonly step: number; readonly path: string }
  | {
      readonly _tag: 'Sampled'
      readonly step: number
      readonly path: string
      /** How many of those drawn are copies of examples of training; there where they are watched. */
      readonly copies?: Counted
    }
  /** For the first time more of what is drawn are copies of examples of training than chance explains, by what real examples would be called. */
  | ({ readonly _tag: 'Copied'; readonly step: number } & Share)
  | {
      /** The device was lost, with what was computed since a checkpoint. It is opened again, and the run goes on from there; `Started` follows. */
      readonly _tag: 'DeviceLost'
      /** In the device's words. */
      readonly reason: string
      /** The step of the checkpoint; 0 where the run begins anew. */
      readonly step: number
      /** Which loss it is within an hour, and after how many the run ends. */
      readonly times: number
      readonly most: number
    }

/** How a caller watches and stops a run. */
export interface TrainHooks {
  /** Called with everything that happens, as it happens. */
  readonly onEvent?: (event: TrainEvent) => void
  /** When the time of a run whose configuration gives one began, as `Date.now` counts; default: when it is called. */
  readonly since?: number
  /** When aborted, the step is finished, the state saved, and the summary says `interrupted`. */
  readonly signal?: AbortSignal
  /** How the device is opened: its threads, whether flags of V8 may be set, and whether convolutions are computed in tiles. */
  readonly deviceOptions?: DeviceChoice
}

/** The names of {@link TrainHooks}. */
export const trainHooks = ['onEvent', 'since', 'signal', 'deviceOptions'] as const

/** What a run came to. */
export interface TrainSummary {
  readonly directory: string
  /** Steps that are done, of how many. */
  readonly step: number
  readonly steps: number
  readonly interrupted: boolean
  /** What it was in the midst of, where the run has several stages and was interrupted in the first. */
  readonly stage?: string
  /** The training loss of the last step that was run; absent when there was none to run. */
  readonly loss?: number
  /** What was measured last of the raw weights, by the names in the metrics. */
  readonly measured?: Measured
  /** That for a person, in the longest form. */
  readonly words?: string
  /** Seconds that this call took. */
  readonly seconds: number
}
