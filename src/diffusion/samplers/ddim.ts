/**
 * Denoising diffusion implicit models, Song et al. 2021, eq. 12: a few long steps along the same marginals.
 *
 * η = 0 is deterministic, η = 1 with all steps is ancestral sampling with the small variance.
 */
import { requireKnown, requireShare } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectSchedule } from '../expect.ts'
import { scheduleLevels } from '../scheduleLevels.ts'
import type { Sampler } from '../sampler.ts'
import type { NoiseSchedule } from '../schedule.ts'
import { ddimBetween } from './posterior.ts'

/** What {@link ddim} takes. */
export interface DdimOptions {
  /** S ≤ T, the number of evaluations of the network. */
  readonly steps: number
  /** η in [0, 1], the share of the noise of ancestral sampling; default 0. */
  readonly eta?: number
}

/**
 * DDIM in `steps` steps of a schedule: {@link ddimBetween} its levels. The state is x.
 *
 * @throws RangeError for more steps than the schedule has, or η outside [0, 1]; TypeError for what is no schedule
 * @example
 * ```ts
 * import { cosineSchedule, ddim, ddpm } from 'fathom/diffusion'
 *
 * const schedule = cosineSchedule(100)
 * ddim(schedule, { steps: 4 }).levels.time // => [99, 74, 49, 24, -1]
 * const [all, ancestral] = [ddim(schedule, { steps: 100 }), ddpm(schedule)]
 * all.levels.time.every((t, i) => t === ancestral.levels.time[i]) // => true
 * ```
 */
export const ddim = (schedule: NoiseSchedule, options: DdimOptions): Sampler<Tensor> => {
  expectSchedule('ddim', schedule, 'ddim(schedule, { steps })')
  requireKnown('ddim', options, ['steps', 'eta'])
  const { steps, eta = 0 } = options
  requireShare('ddim', 'eta', eta)
  return ddimBetween(scheduleLevels(schedule, steps), { eta })
}
