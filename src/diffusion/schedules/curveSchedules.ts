/**
 * Schedules that are given by a curve ᾱ(t) over 0 … T.
 *
 * Source: Nichol & Dhariwal 2021 (cosine), Jabri et al. 2022 (sigmoid), both in lucidrains' form; Hang et al. 2024 (Laplace) and diffusers' `exp`, in
 * diffusers' form.
 */
import { requireKnown, requireNotNegative, requirePositive } from '../../prelude/options.ts'
import type { Schedule } from '../schedule.ts'
import { scheduleFromBetas } from './fromBetas.ts'
import { requireSteps, table } from './tables.ts'

/** No step may destroy the image at once (Nichol & Dhariwal 2021, section 3.2). */
const largestBeta = 0.999

/** β_t = 1 − ᾱ(t+1) / ᾱ(t) of a curve ᾱ over 0 … T, clipped to 0.999 at the end. */
const scheduleFromCurve = (steps: number, curve: (t: number) => number): Schedule =>
  scheduleFromBetas(table(steps, (t) => Math.min(largestBeta, 1 - curve(t + 1) / curve(t))))

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

/** Keeps the logarithm finite at both ends, as diffusers does. */
const atTheEnds = 1e-6

/**
 * Half the log-signal-to-noise ratio is spread like a Laplace distribution of location 0 and scale ½, so that times of middling noise are many
 * (Hang et al. 2024, section 3.2). As in diffusers, √(snr / (1 + snr)) stands where ᾱ is meant.
 *
 * @example
 * ```ts
 * import { laplaceSchedule } from 'fathom/diffusion'
 *
 * const { alphaBar } = laplaceSchedule(1000)
 * alphaBar.at(499) // => 0.707
 * ```
 */
export const laplaceSchedule = (steps: number): Schedule => {
  requireSteps('laplaceSchedule', steps)
  return scheduleFromCurve(steps, (t) => {
    const from = 0.5 - t / steps
    const logSnr = -0.5 * Math.sign(from) * Math.log(1 - 2 * Math.abs(from) + atTheEnds)
    return Math.sqrt(sigmoid(logSnr)) // snr / (1 + snr)
  })
}

/**
 * ᾱ(t) = exp(−12 t/T): each step takes the same share of what is left of the image (diffusers' `exp`).
 *
 * @example
 * ```ts
 * import { exponentialSchedule } from 'fathom/diffusion'
 *
 * const { betas, alphaBar } = exponentialSchedule(1000)
 * betas.at(0) // => 0.011928
 * betas.at(-1) // => 0.011928
 * alphaBar.at(499) // => 0.002479
 * ```
 */
export const exponentialSchedule = (steps: number): Schedule => {
  requireSteps('exponentialSchedule', steps)
  return scheduleFromCurve(steps, (t) => Math.exp((-12 * t) / steps))
}
