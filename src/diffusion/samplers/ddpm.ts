/** Ancestral sampling, Ho et al. 2020, algorithm 2: one step for each time, each adding noise but the last. */
import { requireKnown } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectSchedule } from '../expect.ts'
import { scheduleLevels } from '../scheduleLevels.ts'
import type { Sampler } from '../sampler.ts'
import type { NoiseSchedule } from '../schedule.ts'
import { ddpmBetween, variances } from './posterior.ts'

/** What {@link ddpm} takes. */
export interface DdpmOptions {
  /**
   * σ_t²: `small` is the posterior's β̃_t (default), `large` is β_t; the best choices for a single image and for normal
   * data (Ho 2020, section 3.2). `learned` is between them, where the network says (`sampling` with `learnedVariance`).
   */
  readonly variance?: 'small' | 'large' | 'learned'
}

/**
 * All T steps of a schedule, from t = T − 1 to 0: {@link ddpmBetween} its levels. The state is x.
 *
 * @example
 * ```ts
 * import { ddpm, linearSchedule, stepsOf } from 'fathom/diffusion'
 *
 * const { levels } = ddpm(linearSchedule(100))
 * stepsOf(levels) // => 100
 * levels.time.slice(0, 3) // => [99, 98, 97]
 * ```
 */
export const ddpm = (schedule: NoiseSchedule, options: DdpmOptions = {}): Sampler<Tensor> => {
  expectSchedule('ddpm', schedule, 'ddpm(schedule)')
  requireKnown('ddpm', options, ['variance'])
  const { variance = 'small' } = options
  if (!variances.includes(variance))
    throw new RangeError(`ddpm: the variance is '${variance}'; it must be ${variances.join(', ')}`)
  return ddpmBetween(scheduleLevels(schedule, schedule.steps), { variance })
}
