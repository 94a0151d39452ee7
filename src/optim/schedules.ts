/**
 * Learning rates by step, computed on the host in f64 and given as a buffer:
 * `update(…, { learningRate: scalar(rate(step)) })`.
 *
 * Source: the formulas of diffusers' `optimization.py`, there as multiples of the optimizer's rate, here as the rate
 * itself. After the last step a rate stays what it was there.
 */
import { requireKnown, requireNotNegative, requirePositive, requireWhole } from '../prelude/options.ts'
import { byStep, requireRateOptions, warmed, type RateOptions, type RateSchedule } from './rates.ts'

export type { RateOptions, RateSchedule } from './rates.ts'

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
export const constantRate = (learningRate: number): RateSchedule => {
  requireNotNegative('constantRate', 'the learning rate', learningRate)
  return byStep('constantRate', () => learningRate)
}

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
export const constantWithWarmup = (
  options: Pick<RateOptions, 'learningRate'> & { readonly warmupSteps: number },
): RateSchedule => {
  const who = 'constantWithWarmup'
  requireKnown(who, options, ['learningRate', 'warmupSteps'])
  const { learningRate, warmupSteps } = options
  requireNotNegative(who, 'learningRate', learningRate)
  requireWhole(who, 'warmupSteps', warmupSteps)
  return warmed(who, { learningRate, warmupSteps, steps: warmupSteps }, () => 1)
}

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
export const linearDecay = (options: RateOptions): RateSchedule => {
  requireRateOptions('linearDecay', options)
  return warmed('linearDecay', options, (p) => 1 - p)
}

/**
 * After the warm-up ½(1 + cos 2π·cycles·p); half a cycle, the default, falls to 0 once (Loshchilov & Hutter 2017, eq.
 * 5).
 *
 * @throws RangeError for a warm-up longer than all steps, and for options that are no counts or rates, or do not exist
 * @example
 * ```ts
 * import { cosineDecay } from 'fathom/optim'
 *
 * const rate = cosineDecay({ learningRate: 1, steps: 90 })
 * rate(0) // => 1
 * rate(30) // => 0.75
 * rate(45) // => 0.5
 * rate(90) // => 0
 * rate(180) // => 0
 * cosineDecay({ learningRate: 1, warmupSteps: 20, steps: 10 }) // throws RangeError: cosineDecay: 20 warmupSteps are more than all 10 steps, …
 * ```
 */
export const cosineDecay = (options: RateOptions & { readonly cycles?: number }): RateSchedule => {
  requireRateOptions('cosineDecay', options, ['cycles'])
  const { cycles = 0.5 } = options
  requirePositive('cosineDecay', 'cycles', cycles)
  return warmed('cosineDecay', options, (p) => Math.max(0, (1 + Math.cos(2 * Math.PI * cycles * p)) / 2))
}

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
export const cosineWithRestarts = (options: RateOptions & { readonly cycles?: number }): RateSchedule => {
  requireRateOptions('cosineWithRestarts', options, ['cycles'])
  const { cycles = 1 } = options
  requireWhole('cosineWithRestarts', 'cycles', cycles, 1)
  return warmed('cosineWithRestarts', options, (p) =>
    p >= 1 ? 0 : Math.max(0, (1 + Math.cos(Math.PI * ((cycles * p) % 1))) / 2),
  )
}

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
export const polynomialDecay = (options: PolynomialOptions): RateSchedule => {
  requireRateOptions('polynomialDecay', options, ['end', 'power'])
  const { learningRate: peak, end = 1e-7, power = 1 } = options
  requireNotNegative('polynomialDecay', 'end', end)
  requirePositive('polynomialDecay', 'power', power)
  if (!(end < peak))
    throw new RangeError(`polynomialDecay: the rate at the end, ${end}, must be below the rate at the start, ${peak}`)
  return warmed('polynomialDecay', options, (p) => ((peak - end) * (1 - p) ** power + end) / peak)
}

/** One piece of {@link piecewiseConstant}: `factor` times the rate before step `until`. */
export interface RatePiece {
  readonly until: number
  readonly factor: number
}

const requirePiece = (who: string, piece: RatePiece): void => {
  requireKnown(who, piece, ['until', 'factor'])
  requireWhole(who, 'until', piece.until, 1)
  requireNotNegative(who, 'factor', piece.factor)
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
  const who = 'piecewiseConstant'
  requireNotNegative(who, 'the learning rate', learningRate)
  requireNotNegative(who, 'last', last)
  for (const piece of pieces) requirePiece(who, piece)
  const sorted = pieces.toSorted((a, b) => a.until - b.until)
  const twice = sorted.find(({ until }, i) => sorted[i + 1]?.until === until)
  if (twice !== undefined) throw new RangeError(`${who}: two pieces end at step ${twice.until}; leave one of them out`)
  return byStep(who, (step) => learningRate * (sorted.find(({ until }) => step < until)?.factor ?? last))
}
