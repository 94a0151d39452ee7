/** What learning-rate schedules share: the rate of a step, its warm-up, and what they refuse. */
import { requireKnown, requireNotNegative, requireWhole } from '../prelude/options.ts'

/** The learning rate of each step; the first is step 0. */
export type RateSchedule = (step: number) => number

/** What every schedule with a warm-up and an end takes. */
export interface RateOptions {
  /** The rate at the end of the warm-up. */
  readonly learningRate: number
  /** Steps of linear rise from 0; default 0. */
  readonly warmupSteps?: number
  /** Steps of the whole training, warm-up included. */
  readonly steps: number
}

/** The names of {@link RateOptions}. */
const rateOptions: readonly (keyof RateOptions)[] = ['learningRate', 'warmupSteps', 'steps']

/** Refuses options with which the rate would be wrong, or no number. @param more options besides those of every schedule */
export const requireRateOptions = (who: string, options: RateOptions, more: readonly string[] = []): void => {
  const { learningRate, warmupSteps = 0, steps } = options
  requireKnown(who, options, [...rateOptions, ...more])
  requireNotNegative(who, 'learningRate', learningRate)
  requireWhole(who, 'steps', steps, 1)
  requireWhole(who, 'warmupSteps', warmupSteps)
  if (warmupSteps > steps)
    throw new RangeError(
      `${who}: ${warmupSteps} warmupSteps are more than all ${steps} steps, which include them; the rate would never reach ${learningRate}`,
    )
}

/** A schedule that refuses what is no step. */
export const byStep =
  (who: string, rate: (step: number) => number): RateSchedule =>
  (step) => {
    requireNotNegative(who, 'the step', step)
    return rate(step)
  }

/**
 * A fraction of the peak during and after the warm-up; `after` takes the progress since, 0 at its end and 1 from the
 * last step on.
 */
export const warmed = (
  who: string,
  { learningRate, warmupSteps = 0, steps }: RateOptions,
  after: (progress: number) => number,
): RateSchedule =>
  byStep(
    who,
    (step) =>
      learningRate *
      (step < warmupSteps
        ? step / Math.max(1, warmupSteps)
        : after(Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps)))),
  )
