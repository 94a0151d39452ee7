/**
 * Sinks: where the reports of a run go, step by step. The loop only trains; whether its numbers are written down, drawn, shown or kept is a
 * list of sinks. A process that shares a run with others may have none.
 */
import { TE } from '../../prelude/fp.ts'
import type { TrainState } from '../recipe.ts'
import type { TrainError } from '../trainError.ts'

/** What is known after a step. */
export interface Report<P> {
  readonly step: number
  /** Steps in all. */
  readonly steps: number
  /** The state after the step; the next step consumes it, so a sink uses it before it returns. */
  readonly state: TrainState<P>
  /** The loss that the step measured. */
  readonly loss: number
  readonly examplesPerSecond: number
  /** Steps that were skipped so far, because gradients overflowed; there where the loss is scaled. */
  readonly skipped?: number
  /** What the task tells of the step beside its loss, by its name in the metrics. */
  readonly parts?: Readonly<Record<string, number>>
}

/** Where reports go. */
export interface Sink<P> {
  /** Takes the report of a step. */
  readonly take: (report: Report<P>) => TE.TaskEither<TrainError, unknown>
  /** Takes notice that the loss of a step is no number: its report is not given to anyone. */
  readonly diverged?: (step: number) => TE.TaskEither<TrainError, unknown>
  /** Does what is left when the run stops. @param last the last report; undefined where no step was made */
  readonly end?: (last: Report<P> | undefined) => TE.TaskEither<TrainError, unknown>
}

/** Whether something that is done every so many steps is done after this one: also after the last. */
export const isDue = ({ step, steps }: Pick<Report<unknown>, 'step' | 'steps'>, every: number): boolean =>
  step % every === 0 || step === steps

/** Nothing to do. */
export const nothing: TE.TaskEither<TrainError, unknown> = TE.right(undefined)
