/**
 * The decay of the moving average by step: ema_pytorch's, that of diffusers, and the power function's, whose horizon grows with the run. It is
 * computed on the host in f64.
 *
 * Sources: lucidrains' `ema_pytorch`; `EMAModel` of Hugging Face's diffusers; Karras et al. 2024, "Analyzing and Improving the Training Dynamics of
 * Diffusion Models" (EDM2), section 3.
 */
import { requireKnown, requireNotNegative, requirePositive, requireShare, requireWhole } from '../prelude/options.ts'

/** A decay for each step of training, the first of which is step 0. */
export type DecaySchedule = (step: number) => number

/** Checks a count of updates. */
const requireCount = (who: string, k: number): void => {
  requireWhole(who, 'the number of the update', k)
}

const requireWarmup = (who: string, { updateAfterStep = 0, invGamma = 1, power = 1 }: WarmupOptions): void => {
  requireWhole(who, 'updateAfterStep', updateAfterStep)
  requirePositive(who, 'invGamma', invGamma)
  requireNotNegative(who, 'power', power)
}

const requireBounds = (who: string, low: readonly [string, number], high: readonly [string, number]): void => {
  requireShare(who, ...low)
  requireShare(who, ...high)
  if (low[1] > high[1]) throw new RangeError(`${who}: ${low[0]} is ${low[1]}, above ${high[0]}, ${high[1]}`)
}

const warmupNames: readonly (keyof WarmupOptions)[] = ['updateAfterStep', 'invGamma', 'power']

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))

/** What the warm-up of both schedules takes. */
export interface WarmupOptions {
  /** No averaging before this many updates. */
  readonly updateAfterStep?: number
  /** Larger is slower; default 1. */
  readonly invGamma?: number
  /** 2/3 reaches 0.999 after 31,600 updates, 3/4 after 10,000. */
  readonly power?: number
}

/** 1 − (1 + s/γ⁻¹)^−power, and 0 for s ≤ 0. */
const warmup = (s: number, invGamma: number, power: number): number => (s <= 0 ? 0 : 1 - (1 + s / invGamma) ** -power)

/** What {@link emaDecay} takes. */
export interface EmaDecayOptions extends WarmupOptions {
  /** The largest decay; default 0.9999, lucidrains' trainer takes 0.995. */
  readonly beta?: number
  /** The smallest decay once averaging has begun; default 0. */
  readonly minValue?: number
}

/**
 * The decay of ema_pytorch at its k-th update, counted from 1; by default the first 101 copy the parameters.
 *
 * @example
 * ```ts
 * import { emaDecay } from 'fathom/optim'
 *
 * const decay = emaDecay({ beta: 0.995 })
 * decay(101) // => 0
 * decay(200) // => 0.953584
 * decay(10_000) // => 0.995
 * ```
 */
export const emaDecay = (options: EmaDecayOptions = {}): ((k: number) => number) => {
  requireKnown('emaDecay', options, ['beta', 'minValue', ...warmupNames])
  requireWarmup('emaDecay', options)
  const { beta = 0.9999, updateAfterStep = 100, invGamma = 1, power = 2 / 3, minValue = 0 } = options
  requireBounds('emaDecay', ['minValue', minValue], ['beta', beta])
  return (k) => {
    requireCount('emaDecay', k)
    const s = k - updateAfterStep - 1
    return s <= 0 ? 0 : clamp(warmup(s, invGamma, power), minValue, beta)
  }
}

/** What {@link emaSchedule} takes. */
export interface EmaScheduleOptions extends EmaDecayOptions {
  /** The average follows at every n-th step only; default 10. */
  readonly updateEvery?: number
}

/**
 * The decay by step of training as ema_pytorch runs it: 1 (no change) at the steps between, 0 (a copy) up to
 * `updateAfterStep`, then {@link emaDecay}. Its own update counter is one ahead of the step.
 *
 * @example
 * ```ts
 * import { emaSchedule } from 'fathom/optim'
 *
 * const decay = emaSchedule({ beta: 0.995 })
 * decay(10) // => 0
 * decay(11) // => 1
 * decay(10_000) // => 0.995
 * ```
 */
export const emaSchedule = (given: EmaScheduleOptions = {}): DecaySchedule => {
  requireKnown('emaSchedule', given, ['updateEvery', 'beta', 'minValue', ...warmupNames])
  const { updateEvery = 10, ...options } = given
  requireWhole('emaSchedule', 'updateEvery', updateEvery, 1)
  const decay = emaDecay(options)
  return (step) => (step % updateEvery === 0 ? decay(step + 1) : 1)
}

/** What {@link diffusersEmaDecay} takes. */
export interface DiffusersEmaOptions extends WarmupOptions {
  /** The largest decay; default 0.9999. */
  readonly decay?: number
  /** The smallest decay once averaging has begun; default 0. */
  readonly minDecay?: number
  /** Whether the decay follows the power law (else (1 + s) / (10 + s)); default false. */
  readonly useEmaWarmup?: boolean
}

/**
 * The decay of diffusers' `EMAModel` at its k-th update, counted from 1; it averages at every step.
 *
 * @example
 * ```ts
 * import { diffusersEmaDecay } from 'fathom/optim'
 *
 * const decay = diffusersEmaDecay()
 * decay(1) // => 0
 * decay(11) // => 0.55
 * decay(1_000_000) // => 0.9999
 * ```
 */
export const diffusersEmaDecay = (options: DiffusersEmaOptions = {}): ((k: number) => number) => {
  const who = 'diffusersEmaDecay'
  requireKnown(who, options, ['decay', 'minDecay', 'useEmaWarmup', ...warmupNames])
  requireWarmup(who, options)
  const { decay = 0.9999, minDecay = 0, updateAfterStep = 0, invGamma = 1, power = 2 / 3 } = options
  requireBounds(who, ['minDecay', minDecay], ['decay', decay])
  const { useEmaWarmup = false } = options
  return (k) => {
    requireCount(who, k)
    const s = k - updateAfterStep - 1
    return s <= 0 ? 0 : clamp(useEmaWarmup ? warmup(s, invGamma, power) : (1 + s) / (10 + s), minDecay, decay)
  }
}

/** The width of the mean of all weights so far, γ = 0: no average of rising weights is wider. */
const widest = 1 / Math.sqrt(12)

/**
 * The relative width of the power function's average: the standard deviation of its weights tᵞ over the run, as a share of the run.
 *
 * @param gamma γ ≥ 0; 0 weighs all steps alike
 * @example
 * ```ts
 * import { widthOfPower } from 'fathom/optim'
 *
 * widthOfPower(16.97) // => 0.050005
 * widthOfPower(0) // => 0.288675
 * ```
 */
export const widthOfPower = (gamma: number): number => {
  requireNotNegative('widthOfPower', 'gamma', gamma)
  return Math.sqrt(gamma + 1) / ((gamma + 2) * Math.sqrt(gamma + 3)) // σ_rel (Karras et al. 2024, appendix C)
}

/**
 * The γ with which the power function's average has a relative width.
 *
 * @param width σ_rel in (0, 1/√12]; 1/√12, about 0.2887, is the mean of all weights so far
 * @example
 * ```ts
 * import { powerOfWidth } from 'fathom/optim'
 *
 * powerOfWidth(0.05) // => 16.97
 * powerOfWidth(0.1) // => 6.94
 * ```
 */
export const powerOfWidth = (width: number): number => {
  if (!(width > 0 && width <= widest))
    throw new RangeError(
      `powerOfWidth: the width is ${width}, and must be above 0 and at most ${widest.toFixed(4)}, that of the mean of all weights; 0.05 and 0.1 are usual`,
    )
  // (γ + 2)²(γ + 3) − (γ + 1)/σ² = 0, a cubic that is convex for γ ≥ 0 and positive at 1/σ: Newton's method falls from there to its largest root.
  const inverse = width ** -2
  let gamma = 1 / width
  for (;;) {
    const value = (gamma + 2) ** 2 * (gamma + 3) - (gamma + 1) * inverse
    const slope = (3 * gamma + 8) * (gamma + 2) - inverse
    const next = Math.max(0, gamma - value / slope)
    if (!(next < gamma)) return gamma
    gamma = next
  }
}

/** What {@link powerEmaDecay} takes. */
export interface PowerEmaOptions {
  /** σ_rel: the standard deviation of the average's weights over the run, as a share of the run so far; in (0, 1/√12]. */
  readonly width: number
}

/**
 * The decay of the power function's average at its t-th update, counted from 1: the weights of step i count iᵞ, so that the average has the same
 * shape over a run of any length, and forgets its beginning by itself.
 *
 * @example
 * ```ts
 * import { powerEmaDecay } from 'fathom/optim'
 *
 * const decay = powerEmaDecay({ width: 0.1 })
 * decay(1) // => 0
 * decay(100) // => 0.923327
 * decay(10_000) // => 0.999207
 * ```
 */
export const powerEmaDecay = (options: PowerEmaOptions): ((t: number) => number) => {
  requireKnown('powerEmaDecay', options, ['width'])
  const gamma = powerOfWidth(options.width)
  return (t) => {
    requireWhole('powerEmaDecay', 'the number of the update', t, 1)
    return (1 - 1 / t) ** (gamma + 1) // β_t (Karras et al. 2024, section 3.1)
  }
}
