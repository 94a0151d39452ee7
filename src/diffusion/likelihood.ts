/** How many nats a step back costs: the divergence of two normal distributions, and the likelihood of pixels of 256 levels. */
import type { Tensor } from '../tensor/tensor.ts'

/** A normal distribution by element. */
export interface NormalLog {
  readonly mean: Tensor
  /** log σ² */
  readonly logVariance: Tensor
}

/**
 * KL(p ‖ q) of two normal distributions, by element, in nats: ½·(log σ_q² − log σ_p² − 1 + (σ_p² + (μ_p − μ_q)²)/σ_q²).
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { normalDivergence } from 'fathom/diffusion'
 *
 * const [p, q] = [1, 3].map((mean) => ({ mean: scalar(mean), logVariance: scalar(0) }))
 * if (p === undefined || q === undefined) throw new Error('two are made')
 * normalDivergence(p, p) // => 0
 * normalDivergence(p, q) // => 2
 * ```
 */
export const normalDivergence = (p: NormalLog, q: NormalLog): Tensor => {
  const log = p.logVariance.sub(q.logVariance)
  const away = p.mean.sub(q.mean).square().mul(q.logVariance.neg().exp())
  return log.exp().sub(log).sub(1).add(away).mul(0.5)
}

/** Φ(z), of the standard normal distribution. */
const cumulative = (z: Tensor): Tensor => z.mul(Math.SQRT1_2).erf().add(1).mul(0.5)

/** Half the distance of two of 256 levels in [−1, 1]. */
const half = 1 / 255

/** The least probability that is told apart from none. */
const least = 1e-12

/**
 * The logarithm of the probability of each pixel's level under a normal distribution: its mass between the middles to the levels beside (Ho et al. 2020,
 * eq. 13), to infinity at black and white. Probabilities below 10⁻¹² count as that.
 *
 * @param x levels of 256 in [−1, 1]: 2·byte/255 − 1
 * @returns nats, by element
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { levelLogLikelihood } from 'fathom/diffusion'
 *
 * const sure = { mean: tensor([1, -1]), logVariance: tensor([-20, -20]) }
 * levelLogLikelihood(tensor([1, -1]), sure) // => [0, 0]
 * ```
 */
export const levelLogLikelihood = (x: Tensor, { mean, logVariance }: NormalLog): Tensor => {
  const perDeviation = logVariance.mul(-0.5).exp()
  const away = x.sub(mean)
  const below = cumulative(away.add(half).mul(perDeviation))
  const above = cumulative(away.sub(half).mul(perDeviation))
  const mass = x.less(-0.999).select(below, x.greater(0.999).select(above.neg().add(1), below.sub(above)))
  return mass.maximum(least).log()
}
