/**
 * Noise schedules: how much of the image and how much noise x_t holds at each time t = 0 … T − 1. `schedules/` has those of the field.
 *
 * Everything is computed once on the host in f64; what a step needs is gathered from these tables in f32
 * (`gatherTable`).
 */

/** How much of image and noise x_t = a·x₀ + s·ε holds: tables of length `steps`, indexed by t, on any path from image to noise. */
export interface NoiseSchedule {
  /** T, the number of noise levels. */
  readonly steps: number
  /** a, the factor of the image; √ᾱ_t where variance is preserved. */
  readonly signal: Float64Array
  /** s, the factor of the noise; √(1 − ᾱ_t) where variance is preserved. */
  readonly noise: Float64Array
  /** a²/s², the signal-to-noise ratio; ᾱ_t / (1 − ᾱ_t) where variance is preserved. */
  readonly snr: Float64Array
}

/** A schedule that preserves variance, a² + s² = 1, as a chain of small steps: what ancestral sampling needs. */
export interface Schedule extends NoiseSchedule {
  /** β_t, the variance added by step t, in (0, 1); 1 at the last where nothing of the image is left there. */
  readonly betas: Float64Array
  /** ᾱ_t = ∏ (1 − β_s) over s ≤ t, the share of the image's variance in x_t (Ho 2020, eq. 4). */
  readonly alphaBar: Float64Array
  /** ᾱ_{t−1}; 1 at t = 0. */
  readonly alphaBarPrevious: Float64Array
  /** β̃_t = β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t), the variance of q(x_{t−1} | x_t, x₀) (Ho 2020, eq. 7); 0 at t = 0. */
  readonly posteriorVariance: Float64Array
  /** log max(β̃_t, 1e-20). */
  readonly posteriorLogVariance: Float64Array
  /** β_t √ᾱ_{t−1} / (1 − ᾱ_t), the factor of x₀ in the posterior mean. */
  readonly posteriorX0: Float64Array
  /** (1 − ᾱ_{t−1}) √α_t / (1 − ᾱ_t), the factor of x_t in the posterior mean. */
  readonly posteriorXt: Float64Array
}

/**
 * Whether a schedule is a chain of small steps that preserve variance, which ancestral sampling goes back.
 *
 * @example
 * ```ts
 * import { cosineSchedule, flowSchedule, isChain } from 'fathom/diffusion'
 *
 * isChain(cosineSchedule(10)) // => true
 * isChain(flowSchedule(10)) // => false
 * ```
 */
export const isChain = (schedule: NoiseSchedule): schedule is Schedule => 'betas' in schedule
