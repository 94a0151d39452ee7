/**
 * Learning rates of later papers: warm-up, stable and decay; the inverse square root; and one cycle. Like those of schedules.ts they are computed on
 * the host in f64.
 */
import { requireKnown, requireNotNegative, requirePositive, requireShare, requireWhole } from '../prelude/options.ts'
import { byStep, requireRateOptions, warmed, type RateOptions, type RateSchedule } from './rates.ts'

/** How a rate falls from 1 to 0 while the progress goes from 0 to 1. */
const falls = {
  linear: (p: number): number => 1 - p,
  cosine: (p: number): number => (1 + Math.cos(Math.PI * p)) / 2,
  sqrt: (p: number): number => 1 - Math.sqrt(p),
} as const

const requireFall = (who: string, name: string, fall: string): void => {
  if (!Object.hasOwn(falls, fall))
    throw new RangeError(`${who}: ${name} is '${fall}'; it must be one of ${Object.keys(falls).join(', ')}`)
}

/** What {@link warmupStableDecay} takes. */
export interface StableOptions extends RateOptions {
  /** Steps of the decay at the end; default a fifth of all. */
  readonly decaySteps?: number
  /** The rate of the last step and after it; default 0. */
  readonly end?: number
  /** How it falls: along a line, along half a cosine, or by 1 − √p; default `sqrt`. */
  readonly decay?: keyof typeof falls
}

/**
 * A warm-up, the peak for most of the steps, and a decay at the end (Hu et al. 2024, "MiniCPM", section 4; 1 − √p is Hägele et al. 2024, eq. 1). A run
 * may go on from any step of its stable part, whatever its length was to be.
 *
 * @throws RangeError where warm-up and decay are longer than all steps
 * @example
 * ```ts
 * import { warmupStableDecay } from 'fathom/optim'
 *
 * const rate = warmupStableDecay({ learningRate: 1, warmupSteps: 10, steps: 110, decaySteps: 20 })
 * rate(5) // => 0.5
 * rate(10) // => 1
 * rate(90) // => 1
 * rate(95) // => 0.5
 * rate(110) // => 0
 * ```
 */
export const warmupStableDecay = (options: StableOptions): RateSchedule => {
  const who = 'warmupStableDecay'
  requireRateOptions(who, options, ['decaySteps', 'end', 'decay'])
  const { learningRate, warmupSteps = 0, steps, end = 0, decay = 'sqrt' } = options
  const { decaySteps = Math.min(Math.ceil(steps / 5), steps - warmupSteps) } = options
  requireWhole(who, 'decaySteps', decaySteps)
  requireNotNegative(who, 'end', end)
  requireFall(who, 'decay', decay)
  if (warmupSteps + decaySteps > steps)
    throw new RangeError(
      `${who}: ${warmupSteps} warmupSteps and ${decaySteps} decaySteps are more than all ${steps} steps, which include both`,
    )
  const from = steps - decaySteps
  const rise = warmed(who, { learningRate, warmupSteps, steps: warmupSteps }, () => 1)
  return byStep(who, (step) =>
    step <= from || decaySteps === 0
      ? rise(step)
      : end + (learningRate - end) * falls[decay](Math.min(1, (step - from) / decaySteps)),
  )
}

/**
 * A linear warm-up, then the peak times √(warmupSteps / step): a rate without an end.
 *
 * @throws RangeError without a warm-up
 * @example
 * ```ts
 * import { inverseSqrt } from 'fathom/optim'
 *
 * const rate = inverseSqrt({ learningRate: 1, warmupSteps: 100 })
 * rate(50) // => 0.5
 * rate(100) // => 1
 * rate(400) // => 0.5
 * ```
 */
export const inverseSqrt = (options: { readonly learningRate: number; readonly warmupSteps: number }): RateSchedule => {
  const who = 'inverseSqrt'
  requireKnown(who, options, ['learningRate', 'warmupSteps'])
  const { learningRate, warmupSteps } = options
  requireNotNegative(who, 'learningRate', learningRate)
  requireWhole(who, 'warmupSteps', warmupSteps, 1)
  return byStep(who, (step) => learningRate * (step < warmupSteps ? step / warmupSteps : Math.sqrt(warmupSteps / step)))
}

/**
 * The rate of the first transformers, factor · width^−½ · min(s^−½, s · warmupSteps^−1.5) at their step s, counted from 1 (Vaswani et al. 2017, eq. 3):
 * {@link inverseSqrt} with a peak of factor / √(width · warmupSteps), one step ahead.
 *
 * @param options `width`, of the network; `factor`, default 1
 * @example
 * ```ts
 * import { noamSchedule } from 'fathom/optim'
 *
 * const rate = noamSchedule({ width: 400, warmupSteps: 100 })
 * rate(99) // => 0.005
 * rate(399) // => 0.0025
 * ```
 */
export const noamSchedule = (options: {
  readonly width: number
  readonly warmupSteps: number
  readonly factor?: number
}): RateSchedule => {
  const who = 'noamSchedule'
  requireKnown(who, options, ['width', 'warmupSteps', 'factor'])
  const { width, warmupSteps, factor = 1 } = options
  requireWhole(who, 'width', width, 1)
  requireWhole(who, 'warmupSteps', warmupSteps, 1)
  requireNotNegative(who, 'factor', factor)
  const rate = inverseSqrt({ learningRate: factor / Math.sqrt(width * warmupSteps), warmupSteps })
  return byStep(who, (step) => rate(step + 1))
}

/** What {@link oneCycle} takes; the defaults are PyTorch's. */
export interface OneCycleOptions {
  /** The highest rate. */
  readonly learningRate: number
  readonly steps: number
  /** Share of the steps in which the rate rises, in [0, 1], PyTorch's `pct_start`; default 0.3. */
  readonly pctStart?: number
  /** The first rate is so many times smaller than the highest; default 25. */
  readonly divFactor?: number
  /** The last rate is so many times smaller than the first; default 10⁴. */
  readonly finalDivFactor?: number
  /** Default `cosine`. */
  readonly anneal?: 'cosine' | 'linear'
}

/**
 * Up along half a cosine from η/25 to η, and down to η/250,000 at the last step, steps − 1 (Smith & Topin 2018), as PyTorch's `OneCycleLR`.
 *
 * @throws RangeError for a `pctStart` that is no share, or so small that the rate rises in no step
 * @example
 * ```ts
 * import { oneCycle } from 'fathom/optim'
 *
 * const rate = oneCycle({ learningRate: 1, steps: 101, pctStart: 0.5 })
 * rate(0) // => 0.04
 * rate(49.5) // => 1
 * rate(100) // => 0.000004
 * ```
 */
export const oneCycle = (options: OneCycleOptions): RateSchedule => {
  const who = 'oneCycle'
  requireKnown(who, options, ['learningRate', 'steps', 'pctStart', 'divFactor', 'finalDivFactor', 'anneal'])
  const { learningRate, steps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, anneal = 'cosine' } = options
  requireNotNegative(who, 'learningRate', learningRate)
  requireWhole(who, 'steps', steps, 1)
  requireShare(who, 'pctStart', pctStart)
  requirePositive(who, 'divFactor', divFactor)
  requirePositive(who, 'finalDivFactor', finalDivFactor)
  requireFall(who, 'anneal', anneal)
  const [top, last] = [pctStart * steps - 1, steps - 1]
  if (!(top > 0 && top < last))
    throw new RangeError(
      `${who}: a share of ${pctStart} of ${steps} steps is ${pctStart * steps}; rise and fall must have more than one step each: take more steps, or another share`,
    )
  const first = learningRate / divFactor
  const between = (from: number, to: number, p: number): number => to + (from - to) * falls[anneal](p)
  return byStep(who, (step) =>
    step <= top
      ? between(first, learningRate, step / top)
      : between(learningRate, first / finalDivFactor, Math.min(1, (step - top) / (last - top))),
  )
}
