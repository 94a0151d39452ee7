/**
 * Learning rates by step, computed on the host in f64 and given as a buffer:
 * `update(…, { learningRate: scalar(rate(step)) })`.
 *
 * Source: the formulas of diffusers' `optimization.py`, there as multiples of the optimizer's rate, here as the rate
 * itself.
 */

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

/**
 * A fraction of the peak during and after the warm-up; `after` takes the progress since, 0 at its end and 1 at the last
 * step.
 */
const warmed =
  ({ learningRate, warmupSteps = 0, steps }: RateOptions, after: (progress: number) => number): RateSchedule =>
  (step) =>
    learningRate *
    (step < warmupSteps
      ? step / Math.max(1, warmupSteps)
      : after((step - warmupSteps) / Math.max(1, steps - warmupSteps)))

/**
 * The same rate at every step.
 *
 * @example
 * ```ts
 * import { constantRate } from 'fathom/optim'
 *
 * constantRate(1e-3)(5000) // => 0.001
 * ```
 */
export const constantRate =
  (learningRate: number): RateSchedule =>
  () =>
    learningRate

/**
 * A linear rise from 0 over `warmupSteps`, then the same rate.
 *
 * @example
 * ```ts
 * import { constantWithWarmup } from 'fathom/optim'
 *
 * const rate = constantWithWarmup({ learningRate: 1, warmupSteps: 100 })
 * rate(0) // => 0
 * rate(50) // => 0.5
 * rate(100) // => 1
 * rate(5000) // => 1
 * ```
 */
export const constantWithWarmup = ({
  learningRate,
  warmupSteps,
}: Pick<RateOptions, 'learningRate'> & { readonly warmupSteps: number }): RateSchedule =>
  warmed({ learningRate, warmupSteps, steps: warmupSteps }, () => 1)

/**
 * After the warm-up a straight line to 0 at the last step.
 *
 * @example
 * ```ts
 * import { linearDecay } from 'fathom/optim'
 *
 * const rate = linearDecay({ learningRate: 1, warmupSteps: 10, steps: 110 })
 * rate(5) // => 0.5
 * rate(10) // => 1
 * rate(60) // => 0.5
 * rate(110) // => 0
 * ```
 */
export const linearDecay = (options: RateOptions): RateSchedule => warmed(options, (p) => Math.max(0, 1 - p))

/**
 * After the warm-up ½(1 + cos 2π·cycles·p); half a cycle, the default, falls to 0 once (Loshchilov & Hutter 2017, eq.
 * 5).
 *
 * @example
 * ```ts
 * import { cosineDecay } from 'fathom/optim'
 *
 * const rate = cosineDecay({ learningRate: 1, steps: 90 })
 * rate(0) // => 1
 * rate(30) // => 0.75
 * rate(45) // => 0.5
 * rate(90) // => 0
 * ```
 */
export const cosineDecay = ({ cycles = 0.5, ...options }: RateOptions & { readonly cycles?: number }): RateSchedule =>
  warmed(options, (p) => Math.max(0, (1 + Math.cos(2 * Math.PI * cycles * p)) / 2))

/**
 * After the warm-up `cycles` half cosines, each from the peak to 0 (SGDR, Loshchilov & Hutter 2017); 0 after the last
 * step.
 *
 * @example
 * ```ts
 * import { cosineWithRestarts } from 'fathom/optim'
 *
 * const rate = cosineWithRestarts({ learningRate: 1, steps: 100, cycles: 2 })
 * rate(0) // => 1
 * rate(25) // => 0.5
 * rate(50) // => 1
 * rate(75) // => 0.5
 * rate(100) // => 0
 * ```
 */
export const cosineWithRestarts = ({
  cycles = 1,
  ...options
}: RateOptions & { readonly cycles?: number }): RateSchedule =>
  warmed(options, (p) => (p >= 1 ? 0 : Math.max(0, (1 + Math.cos(Math.PI * ((cycles * p) % 1))) / 2)))

/** What {@link polynomialDecay} takes. */
export interface PolynomialOptions extends RateOptions {
  /** The rate of the last step and after it; default 1e-7. */
  readonly end?: number
  /** Default 1: a straight line. */
  readonly power?: number
}

/**
 * After the warm-up end + (peak − end)·(1 − p)^power.
 *
 * @throws RangeError unless end < peak
 * @example
 * ```ts
 * import { polynomialDecay } from 'fathom/optim'
 *
 * const rate = polynomialDecay({ learningRate: 1, end: 0.2, power: 2, steps: 100 })
 * rate(0) // => 1
 * rate(50) // => 0.4
 * rate(100) // => 0.2
 * rate(200) // => 0.2
 * ```
 */
export const polynomialDecay = ({ end = 1e-7, power = 1, ...options }: PolynomialOptions): RateSchedule => {
  const peak = options.learningRate
  if (!(end < peak))
    throw new RangeError(`polynomialDecay: the rate at the end, ${end}, must be below the rate at the start, ${peak}`)
  return warmed(options, (p) => ((peak - end) * Math.max(0, 1 - p) ** power + end) / peak)
}

/** One piece of {@link piecewiseConstant}: `factor` times the rate before step `until`. */
export interface RatePiece {
  readonly until: number
  readonly factor: number
}

/**
 * `factor` times the rate up to each boundary, `last` times after the last one.
 *
 * diffusers' `"1:10,0.1:20,0.005"` is this example:
 *
 * @example
 * ```ts
 * import { piecewiseConstant } from 'fathom/optim'
 *
 * const rate = piecewiseConstant(1, [{ until: 10, factor: 1 }, { until: 20, factor: 0.1 }], 0.005)
 * rate(0) // => 1
 * rate(9) // => 1
 * rate(10) // => 0.1
 * rate(19) // => 0.1
 * rate(20) // => 0.005
 * ```
 */
export const piecewiseConstant = (learningRate: number, pieces: readonly RatePiece[], last: number): RateSchedule => {
  const sorted = pieces.toSorted((a, b) => a.until - b.until)
  return (step) => learningRate * (sorted.find(({ until }) => step < until)?.factor ?? last)
}
