/**
 * Denoising diffusion implicit models, Song et al. 2021, eq. 12: a few long steps along the same marginals.
 *
 * η = 0 is deterministic, η = 1 with all steps is ancestral sampling with the small variance.
 */
import { at } from '../../prelude/array.ts'
import { requireKnown, requireShare } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectChain } from '../expect.ts'
import { samplingTimes, scheduleLevels } from '../levels.ts'
import type { Estimate } from '../prediction.ts'
import type { Sampler } from '../sampler.ts'
import type { Schedule } from '../schedule.ts'
import { gatherTable } from '../table.ts'

/** The coefficients of a step, scalars or shaped to meet the batch. */
export interface DdimCoefficients {
  /** Factor of x₀: √ᾱ of the next time. */
  readonly signal: Tensor
  /** Factor of the estimated noise, the "direction pointing to x_t". */
  readonly direction: Tensor
  /** Standard deviation of the fresh noise. */
  readonly sigma: Tensor
}

/**
 * x' = √ᾱ'·x₀ + √(1 − ᾱ' − σ²)·ε + σ z (Song 2021, eq. 12). Without z no noise is added.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { ddimStep } from 'fathom/diffusion'
 *
 * const c = { signal: scalar(0.8), direction: scalar(0.6), sigma: scalar(0) }
 * ddimStep({ x0: scalar(1), epsilon: scalar(2) }, c) // => 2
 * ```
 */
export const ddimStep = ({ x0, epsilon }: Estimate, c: DdimCoefficients, z?: Tensor): Tensor => {
  const mean = x0.mul(c.signal).add(epsilon.mul(c.direction))
  return z === undefined ? mean : mean.add(z.mul(c.sigma))
}

/** What {@link ddim} takes. */
export interface DdimOptions {
  /** S ≤ T, the number of evaluations of the network. */
  readonly steps: number
  /** η in [0, 1], the share of the noise of ancestral sampling; default 0. */
  readonly eta?: number
}

/** The tables of {@link DdimCoefficients} by step; the last step goes to ᾱ' = 1 and returns x₀. */
const coefficients = (schedule: Schedule, times: readonly number[], eta: number) => {
  const alphaBar = Array.from(schedule.alphaBar)
  const signal = (t: number): number => (t < 0 ? 1 : at(alphaBar, t))
  const pairs = times.slice(0, -1).map((t, i) => [signal(t), signal(at(times, i + 1))] as const)
  const sigma = pairs.map(([a, next]) => eta * Math.sqrt(((1 - a / next) * (1 - next)) / (1 - a))) // Song 2021, eq. 16
  return {
    signal: Float64Array.from(pairs, ([, next]) => Math.sqrt(next)),
    direction: Float64Array.from(pairs, ([, next], i) => Math.sqrt(Math.max(0, 1 - next - at(sigma, i) ** 2))),
    sigma: Float64Array.from(sigma),
  }
}

/**
 * DDIM in `steps` steps. The state is x.
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
export const ddim = (schedule: Schedule, options: DdimOptions): Sampler<Tensor> => {
  expectChain('ddim', schedule, 'ddim(schedule, { steps })')
  requireKnown('ddim', options, ['steps', 'eta'])
  const { steps, eta = 0 } = options
  requireShare('ddim', 'eta', eta)
  const tables = coefficients(schedule, samplingTimes(schedule.steps, steps), eta)
  const stochastic = tables.sigma.some((s) => s > 0)
  return {
    levels: scheduleLevels(schedule, steps),
    init: (x) => x,
    step: (x, estimate, index, draw) => {
      const c = {
        signal: gatherTable(tables.signal, index, x),
        direction: gatherTable(tables.direction, index, x),
        sigma: gatherTable(tables.sigma, index, x),
      }
      return ddimStep(estimate(x, index), c, stochastic ? draw() : undefined)
    },
    image: (x) => x,
  }
}
