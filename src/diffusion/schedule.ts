/**
 * Noise schedules: how much of the image and how much noise x_t holds at each time t = 0 … T − 1.
 *
 * Everything is computed once on the host in f64; what a step needs is gathered from these tables in f32
 * (`gatherTable`).
 * Source: Ho et al. 2020 (linear), Nichol & Dhariwal 2021 (cosine), Jabri et al. 2022 (sigmoid), in lucidrains' form.
 */
import { requireKnown, requireNotNegative, requirePositive } from '../prelude/options.ts'

/** The tables of a noise schedule, each of length `steps` and indexed by t. */
export interface Schedule {
  /** T, the number of noise levels. */
  readonly steps: number
  /** β_t, the variance added by step t, in (0, 1). */
  readonly betas: Float64Array
  /** ᾱ_t = ∏ (1 − β_s) over s ≤ t, the share of the image's variance in x_t (Ho 2020, eq. 4). */
  readonly alphaBar: Float64Array
  /** ᾱ_{t−1}; 1 at t = 0. */
  readonly alphaBarPrevious: Float64Array
  /** √ᾱ_t, the factor of the image. */
  readonly sqrtAlphaBar: Float64Array
  /** √(1 − ᾱ_t), the factor of the noise. */
  readonly sqrtOneMinusAlphaBar: Float64Array
  /** ᾱ_t / (1 − ᾱ_t), the signal-to-noise ratio. */
  readonly snr: Float64Array
  /** β̃_t = β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t), the variance of q(x_{t−1} | x_t, x₀) (Ho 2020, eq. 7); 0 at t = 0. */
  readonly posteriorVariance: Float64Array
  /** log max(β̃_t, 1e-20). */
  readonly posteriorLogVariance: Float64Array
  /** β_t √ᾱ_{t−1} / (1 − ᾱ_t), the factor of x₀ in the posterior mean. */
  readonly posteriorX0: Float64Array
  /** (1 − ᾱ_{t−1}) √α_t / (1 − ᾱ_t), the factor of x_t in the posterior mean. */
  readonly posteriorXt: Float64Array
}

/** Keeps the logarithm of the posterior variance finite at t = 0. */
const smallestVariance = 1e-20

/** No step may destroy the image at once (Nichol & Dhariwal 2021, section 3.2). */
const largestBeta = 0.999

const table = (steps: number, f: (t: number) => number): Float64Array =>
  Float64Array.from({ length: steps }, (_, t) => f(t))

const read = (values: Float64Array, t: number): number => {
  const value = values[t]
  if (value === undefined) throw new RangeError(`schedule: time ${t} is outside 0 … ${values.length - 1}`)
  return value
}

/** ᾱ_t = ∏_{s ≤ t} (1 − β_s). */
const cumulative = (betas: Float64Array): Float64Array => {
  const result = new Float64Array(betas.length)
  betas.reduce((product, beta, t) => (result[t] = product * (1 - beta)), 1)
  return result
}

const requireSteps = (name: string, steps: number): void => {
  if (!(Number.isInteger(steps) && steps > 0))
    throw new RangeError(`${name}: ${steps} steps; it must be a whole number above 0`)
}

/**
 * All tables from the variances β_t.
 *
 * @throws RangeError for a β outside (0, 1), or where ᾱ is 0 or 1 in f64: the tables would hold ∞ and NaN
 * @example
 * ```ts
 * import { scheduleFromBetas } from 'fathom/diffusion'
 *
 * const { alphaBar, posteriorVariance } = scheduleFromBetas(Float64Array.of(0.5, 0.5))
 * alphaBar // => [0.5, 0.25]
 * posteriorVariance // => [0, 0.333333]
 * ```
 */
export const scheduleFromBetas = (betas: Float64Array): Schedule => {
  requireSteps('scheduleFromBetas', betas.length)
  betas.forEach((beta, t) => {
    if (!(beta > 0 && beta < 1))
      throw new RangeError(
        `scheduleFromBetas: β at t = ${t} is ${beta}, outside (0, 1): take more steps, or a smaller last β`,
      )
  })
  const steps = betas.length
  const beta = (t: number): number => read(betas, t)
  const alphaBar = cumulative(betas)
  alphaBar.forEach((signal, t) => {
    if (!(signal > 0 && signal < 1))
      throw new RangeError(
        `scheduleFromBetas: ᾱ at t = ${t} is ${signal}, ${signal === 0 ? 'nothing of the image is left: take fewer steps, or smaller βs' : 'no noise has come in: take larger βs'}`,
      )
  })
  const signal = (t: number): number => (t < 0 ? 1 : read(alphaBar, t))
  const posteriorVariance = table(steps, (t) => (beta(t) * (1 - signal(t - 1))) / (1 - signal(t)))
  return {
    steps,
    betas,
    alphaBar,
    alphaBarPrevious: table(steps, (t) => signal(t - 1)),
    sqrtAlphaBar: table(steps, (t) => Math.sqrt(signal(t))),
    sqrtOneMinusAlphaBar: table(steps, (t) => Math.sqrt(1 - signal(t))),
    snr: table(steps, (t) => signal(t) / (1 - signal(t))),
    posteriorVariance,
    posteriorLogVariance: posteriorVariance.map((v) => Math.log(Math.max(v, smallestVariance))),
    posteriorX0: table(steps, (t) => (beta(t) * Math.sqrt(signal(t - 1))) / (1 - signal(t))),
    posteriorXt: table(steps, (t) => ((1 - signal(t - 1)) * Math.sqrt(1 - beta(t))) / (1 - signal(t))),
  }
}

/** β_t = 1 − ᾱ(t+1) / ᾱ(t) of a curve ᾱ over 0 … T, clipped to 0.999 at the end. */
const scheduleFromCurve = (steps: number, curve: (t: number) => number): Schedule =>
  scheduleFromBetas(table(steps, (t) => Math.min(largestBeta, 1 - curve(t + 1) / curve(t))))

/** What {@link linearSchedule} takes. */
export interface LinearOptions {
  /** β₀ at T = 1000; default 1e-4. */
  readonly start?: number
  /** β_{T−1} at T = 1000; default 0.02. */
  readonly end?: number
}

/**
 * β rises linearly (Ho et al. 2020, section 4). Both ends are scaled by 1000 / T, so that fewer steps destroy the image
 * as far.
 *
 * @throws RangeError where the scaled β reaches 1: with the default ends at T ≤ 20
 * @example
 * ```ts
 * import { linearSchedule } from 'fathom/diffusion'
 *
 * const { betas, alphaBar } = linearSchedule(1000)
 * betas.at(0) // => 0.0001
 * betas.at(-1) // => 0.02
 * alphaBar.at(-1) // => 0.00004
 * ```
 */
export const linearSchedule = (steps: number, options: LinearOptions = {}): Schedule => {
  requireSteps('linearSchedule', steps)
  requireKnown('linearSchedule', options, ['start', 'end'])
  const { start = 1e-4, end = 0.02 } = options
  const scale = 1000 / steps
  return scheduleFromBetas(table(steps, (t) => scale * (start + ((end - start) * t) / Math.max(1, steps - 1))))
}

/**
 * ᾱ(t) ∝ cos²(½π (t/T + s) / (1 + s)) (Nichol & Dhariwal 2021, eq. 17).
 *
 * @param options offset: s, default 0.008, so that the first steps do not vanish
 * @example
 * ```ts
 * import { cosineSchedule } from 'fathom/diffusion'
 *
 * const { alphaBar } = cosineSchedule(1000)
 * alphaBar.at(0) // => 0.99996
 * alphaBar.at(499) // => 0.494
 * alphaBar.at(-1) // => 0.00000
 * ```
 */
export const cosineSchedule = (steps: number, options: { readonly offset?: number } = {}): Schedule => {
  requireSteps('cosineSchedule', steps)
  requireKnown('cosineSchedule', options, ['offset'])
  const { offset = 0.008 } = options
  requireNotNegative('cosineSchedule', 'offset', offset)
  return scheduleFromCurve(steps, (t) => Math.cos((((t / steps + offset) / (1 + offset)) * Math.PI) / 2) ** 2)
}

/** What {@link sigmoidSchedule} takes. */
export interface SigmoidOptions {
  /** Where on the sigmoid the schedule starts; default −3. */
  readonly start?: number
  /** Where it ends; default 3. */
  readonly end?: number
  /** The temperature; default 1. */
  readonly tau?: number
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/**
 * ᾱ(t) falls along a sigmoid from `start` to `end` (Jabri et al. 2022, appendix B): better than cosine above 64×64
 * pixels.
 *
 * @example
 * ```ts
 * import { sigmoidSchedule } from 'fathom/diffusion'
 *
 * const { alphaBar } = sigmoidSchedule(1000)
 * alphaBar.at(499) // => 0.5
 * ```
 */
export const sigmoidSchedule = (steps: number, options: SigmoidOptions = {}): Schedule => {
  requireSteps('sigmoidSchedule', steps)
  requireKnown('sigmoidSchedule', options, ['start', 'end', 'tau'])
  const { start = -3, end = 3, tau = 1 } = options
  requirePositive('sigmoidSchedule', 'tau', tau)
  if (!(start < end)) throw new RangeError(`sigmoidSchedule: it falls from ${start} to ${end}; start must be below end`)
  return scheduleFromCurve(steps, (t) => sigmoid(end / tau) - sigmoid(((t / steps) * (end - start) + start) / tau))
}
