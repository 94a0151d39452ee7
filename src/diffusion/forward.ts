/**
 * The forward process: noising an image in one step, and the posterior that sampling imitates. Ho et al. 2020, section
 * 2.
 */
import type { Tensor } from '../tensor/tensor.ts'
import { expectChain, expectSchedule } from './expect.ts'
import { noiseLevel } from './prediction.ts'
import type { NoiseSchedule, Schedule } from './schedule.ts'
import { gatherTable } from './table.ts'

/**
 * A draw of q(x_t | x₀): x_t = a·x₀ + s·ε, where variance is preserved √ᾱ_t x₀ + √(1 − ᾱ_t) ε (Ho 2020, eq. 4).
 *
 * @param x0 [N, …]
 * @param t [N] or [], i32 or u32 in 0 … T − 1
 * @param epsilon like x0, standard normal
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { qSample, scheduleFromBetas } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.36)) // √ᾱ = 0.8, √(1 − ᾱ) = 0.6
 * const xt = qSample(schedule, tensor([1, -1]), scalar(0, 'i32'), tensor([1, 0]))
 * xt // => [1.4, -0.8]
 * ```
 */
export const qSample = (schedule: NoiseSchedule, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => {
  expectSchedule('qSample', schedule, 'qSample(schedule, x0, t, epsilon)')
  const { signal, noise } = noiseLevel(schedule, t, x0)
  return x0.mul(signal).add(epsilon.mul(noise))
}

/** A normal distribution with its own variance for each sample. */
export interface Posterior {
  /** [N, …] */
  readonly mean: Tensor
  /** [N, 1, …] */
  readonly variance: Tensor
  /** [N, 1, …], log max(variance, 1e-20) */
  readonly logVariance: Tensor
}

/**
 * q(x_{t−1} | x_t, x₀), the step back when the image is known (Ho 2020, eqs. 6 and 7).
 *
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { cosineSchedule, qPosterior } from 'fathom/diffusion'
 *
 * const { mean, variance } = qPosterior(cosineSchedule(10), tensor([0.5]), tensor([9]), scalar(0, 'i32'))
 * mean // => [0.5]
 * variance // => 0
 * ```
 */
export const qPosterior = (schedule: Schedule, x0: Tensor, xt: Tensor, t: Tensor): Posterior => {
  expectChain('qPosterior', schedule, 'qPosterior(schedule, x0, xt, t)')
  return {
    mean: x0.mul(gatherTable(schedule.posteriorX0, t, x0)).add(xt.mul(gatherTable(schedule.posteriorXt, t, x0))),
    variance: gatherTable(schedule.posteriorVariance, t, x0),
    logVariance: gatherTable(schedule.posteriorLogVariance, t, x0),
  }
}
