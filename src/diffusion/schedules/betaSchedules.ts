/**
 * Schedules that are given by their variances β_t.
 *
 * Source: Ho et al. 2020 (linear); Rombach et al. 2022, whose code interpolates √β (scaled linear); diffusers' `sigmoid`.
 */
import { requireKnown, requirePositive } from '../../prelude/options.ts'
import type { Schedule } from '../schedule.ts'
import { scheduleFromBetas } from './fromBetas.ts'
import { requireSteps, table } from './tables.ts'

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

/** How far t is along the schedule: 0 at the first, 1 at the last. */
const along = (t: number, steps: number): number => t / Math.max(1, steps - 1)

/** What {@link scaledLinearSchedule} and {@link sigmoidBetaSchedule} take. */
export interface BetaEnds {
  /** β₀. */
  readonly start?: number
  /** β_{T−1}. */
  readonly end?: number
}

const endsOf = (
  name: string,
  options: BetaEnds,
  [first, last]: readonly [number, number],
): readonly [number, number] => {
  requireKnown(name, options, ['start', 'end'])
  const { start = first, end = last } = options
  requirePositive(name, 'start', start)
  requirePositive(name, 'end', end)
  return [start, end]
}

/**
 * √β rises linearly (Rombach et al. 2022): that of latent diffusion. As in diffusers, its ends are not scaled by T.
 *
 * @param options default: β from 0.00085 to 0.012, those of Stable Diffusion
 * @example
 * ```ts
 * import { scaledLinearSchedule } from 'fathom/diffusion'
 *
 * const { alphaBar } = scaledLinearSchedule(1000)
 * alphaBar.at(0) // => 0.99915
 * alphaBar.at(499) // => 0.27767
 * alphaBar.at(-1) // => 0.00466
 * ```
 */
export const scaledLinearSchedule = (steps: number, options: BetaEnds = {}): Schedule => {
  requireSteps('scaledLinearSchedule', steps)
  const [start, end] = endsOf('scaledLinearSchedule', options, [0.00085, 0.012])
  const [from, to] = [Math.sqrt(start), Math.sqrt(end)]
  return scheduleFromBetas(table(steps, (t) => (from + (to - from) * along(t, steps)) ** 2))
}

/**
 * β rises along a sigmoid over −6 … 6: diffusers' `sigmoid`, which is another than {@link sigmoidSchedule}, where ᾱ falls along one.
 *
 * @param options default: β from 1e-4 to 0.02
 * @example
 * ```ts
 * import { sigmoidBetaSchedule } from 'fathom/diffusion'
 *
 * const { alphaBar } = sigmoidBetaSchedule(1000)
 * alphaBar.at(0) // => 0.999851
 * alphaBar.at(499) // => 0.301931
 * ```
 */
export const sigmoidBetaSchedule = (steps: number, options: BetaEnds = {}): Schedule => {
  requireSteps('sigmoidBetaSchedule', steps)
  const [start, end] = endsOf('sigmoidBetaSchedule', options, [1e-4, 0.02])
  return scheduleFromBetas(table(steps, (t) => start + (end - start) / (1 + Math.exp(6 - 12 * along(t, steps)))))
}
