/** Ancestral sampling, Ho et al. 2020, algorithm 2: one step for each time, each adding noise but the last. */
import { requireKnown } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectChain } from '../expect.ts'
import { scheduleLevels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import type { Schedule } from '../schedule.ts'
import { gatherTable } from '../table.ts'

/** The coefficients of a step, scalars or shaped to meet the batch. */
export interface DdpmCoefficients {
  /** Factor of x₀. */
  readonly x0: Tensor
  /** Factor of x_t. */
  readonly xt: Tensor
  /** Standard deviation of the noise. */
  readonly sigma: Tensor
}

/**
 * x_{t−1} = posterior mean + σ_t z (Ho 2020, eqs. 7 and 11).
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { ddpmStep } from 'fathom/diffusion'
 *
 * const c = { x0: scalar(0.5), xt: scalar(0.25), sigma: scalar(0.1) }
 * ddpmStep(scalar(2), scalar(1), c, scalar(3)) // => 1.3
 * ```
 */
export const ddpmStep = (xt: Tensor, x0: Tensor, c: DdpmCoefficients, z: Tensor): Tensor =>
  x0.mul(c.x0).add(xt.mul(c.xt)).add(z.mul(c.sigma))

/** What {@link ddpm} takes. */
export interface DdpmOptions {
  /**
   * σ_t²: `small` is the posterior's β̃_t (default), `large` is β_t; the best choices for a single image and for normal
   * data (Ho 2020, section 3.2).
   */
  readonly variance?: 'small' | 'large'
}

const sigmas = (schedule: Schedule, variance: 'small' | 'large'): Float64Array =>
  (variance === 'small' ? schedule.posteriorVariance : schedule.betas).map((v, t) => (t === 0 ? 0 : Math.sqrt(v)))

/**
 * All T steps of {@link ddpmStep}, from t = T − 1 to 0. The state is x.
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
export const ddpm = (schedule: Schedule, options: DdpmOptions = {}): Sampler<Tensor> => {
  expectChain('ddpm', schedule, 'ddpm(schedule)')
  requireKnown('ddpm', options, ['variance'])
  const { variance = 'small' } = options
  if (variance !== 'small' && variance !== 'large')
    throw new RangeError(`ddpm: the variance is '${String(variance)}'; it must be small, large`)
  const [x0, xt] = [schedule.posteriorX0.toReversed(), schedule.posteriorXt.toReversed()]
  const sigma = sigmas(schedule, variance).toReversed()
  return {
    levels: scheduleLevels(schedule, schedule.steps),
    init: (x) => x,
    step: (x, estimate, index, draw) =>
      ddpmStep(
        x,
        estimate(x, index).x0,
        { x0: gatherTable(x0, index, x), xt: gatherTable(xt, index, x), sigma: gatherTable(sigma, index, x) },
        draw(),
      ),
    image: (x) => x,
  }
}
