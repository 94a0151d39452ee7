/** A schedule of one's own, by its variances. */
import type { Schedule } from '../schedule.ts'
import { requireSteps, tablesOf } from './tables.ts'

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
  const schedule = tablesOf(betas)
  schedule.alphaBar.forEach((signal, t) => {
    if (!(signal > 0 && signal < 1))
      throw new RangeError(
        `scheduleFromBetas: ᾱ at t = ${t} is ${signal}, ${signal === 0 ? 'nothing of the image is left: take fewer steps, or smaller βs' : 'no noise has come in: take larger βs'}`,
      )
  })
  return schedule
}
