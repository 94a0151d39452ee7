/** What a run tells while it goes on; the command prints it, a program may draw it. */
import type { TrainConfig } from './trainConfig.ts'
import type { HeldOut } from './heldOut.ts'
import type { DeviceChoice } from './openDevice.ts'

/** What is known before the first step. */
export interface RunFacts {
  readonly config: TrainConfig
  /** What computes, in one line. */
  readonly device: string
  /** One line about the pictures. */
  readonly pictures: string
  readonly parameters: number
  /** Bytes that a step takes, by its plan: arguments, results and temporary values. */
  readonly memory: number
  /** Bytes of one copy of the weights. */
  readonly weights: number
  /** Floating-point operations of a step on the whole batch, by its plan. */
  readonly flops: number
}

/** One event of a run. */
export type TrainEvent =
  | { readonly _tag: 'Started'; readonly facts: RunFacts; readonly from: number }
  | { readonly _tag: 'Warning'; readonly message: string }
  | {
      readonly _tag: 'Stepped'
      readonly step: number
      readonly steps: number
      readonly loss: number
      readonly imagesPerSecond: number
    }
  | ({ readonly _tag: 'HeldOut'; readonly step: number } & HeldOut)
  | { readonly _tag: 'Saved'; readonly step: number; readonly path: string }
  | { readonly _tag: 'Sampled'; readonly step: number; readonly path: string }

/** How a caller watches and stops a run. */
export interface TrainHooks {
  /** Called with everything that happens, as it happens. */
  readonly onEvent?: (event: TrainEvent) => void
  /** When aborted, the step is finished, the state saved, and the summary says `interrupted`. */
  readonly signal?: AbortSignal
  /** How the device is opened: its threads, whether flags of V8 may be set, and whether convolutions are computed in tiles. */
  readonly deviceOptions?: DeviceChoice
}

/** What a run came to. */
export interface TrainSummary {
  readonly directory: string
  /** Steps that are done, of how many. */
  readonly step: number
  readonly steps: number
  readonly interrupted: boolean
  /** The training loss of the last step that was run; absent when there was none to run. */
  readonly loss?: number
  /** The last measurement on held-out pictures, raw weights. */
  readonly heldOut?: number
  /** That as a multiple of the best constant predictor's loss. */
  readonly heldOutRelative?: number
  /** Seconds that this call took. */
  readonly seconds: number
}
