/** The distribution of a picture's latents: a normal one for each element, all independent of one another (Kingma & Welling 2014). */
import { at } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { equalNumbers } from '../../prelude/array.ts'
import { showShape } from '../../graph/shape.ts'
import { zerosLike } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** A normal distribution for each latent; without a variance it is the mean itself, as where encoding is deterministic. */
export interface Posterior {
  readonly mean: Tensor
  /** log σ², within [−30, 20]. */
  readonly logVariance?: Tensor
}

/** The ends of log σ², beyond which exp would leave f32 or lose all meaning; diffusers'. */
const [leastLogVariance, mostLogVariance] = [-30, 20]

/**
 * The posterior from the two halves of an encoder's last channels: means, then log σ², clamped to [−30, 20].
 *
 * @param moments [N, H, W, 2·latentChannels]
 * @throws ShapeError for an odd number of channels
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { posteriorOf } from 'fathom/models'
 *
 * const { mean, logVariance } = posteriorOf(tensor([[1, 2, 0, 90]]))
 * mean // => [[1, 2]]
 * logVariance // => [[0, 20]]
 * ```
 */
export const posteriorOf = (moments: Tensor): Required<Posterior> => {
  const axis = moments.rank - 1
  const channels = at(moments.shape, axis)
  if (channels % 2 !== 0)
    throw new ShapeError(
      `posteriorOf: means and log variances have as many channels, got ${channels} together (${showShape(moments.shape)})`,
    )
  const half = (start: number): Tensor =>
    moments.slice(...moments.shape.slice(1).map(() => [] as const), [start, start + channels / 2])
  return {
    mean: half(0),
    logVariance: half(channels / 2)
      .maximum(leastLogVariance)
      .minimum(mostLogVariance),
  }
}

/**
 * A sample z = μ + σ·ε, through which gradients flow to μ and σ (the reparametrisation of Kingma & Welling 2014, section 2.4). Where there
 * is no variance it is the mean.
 *
 * @param noise ε ~ N(0, 1), of the mean's shape
 * @throws ShapeError for noise of another shape
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { samplePosterior } from 'fathom/models'
 *
 * const posterior = { mean: tensor([1, 2]), logVariance: tensor([0, 2 * Math.log(3)]) }
 * samplePosterior(posterior, tensor([1, -1])) // => [2, -1]
 * samplePosterior({ mean: tensor([1, 2]) }, tensor([1, -1])) // => [1, 2]
 * ```
 */
export const samplePosterior = ({ mean, logVariance }: Posterior, noise: Tensor): Tensor => {
  if (!equalNumbers(mean.shape, noise.shape))
    throw new ShapeError(
      `samplePosterior: the noise is ${showShape(noise.shape)}, the latents are ${showShape(mean.shape)}: draw normal(key, posterior.mean.shape)`,
    )
  return logVariance === undefined ? mean : mean.add(logVariance.mul(0.5).exp().mul(noise))
}

/**
 * The most probable latents: the mean.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { posteriorMode } from 'fathom/models'
 *
 * posteriorMode({ mean: tensor([1, 2]), logVariance: tensor([0, 1]) }) // => [1, 2]
 * ```
 */
export const posteriorMode = ({ mean }: Posterior): Tensor => mean

/** ½(μ² + σ² − 1 − log σ²) of each element. */
const divergences = ({ mean, logVariance }: Required<Posterior>): Tensor =>
  mean.square().add(logVariance.exp()).sub(1).sub(logVariance).mul(0.5)

/**
 * KL(posterior ‖ N(0, 1)), the mean over all elements, ½·mean(μ² + σ² − 1 − log σ²) (Kingma & Welling 2014, appendix B). A mean, so that its
 * weight in a loss means the same at every size of picture. Zero where there is no variance: nothing is drawn to N(0, 1) there.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { klDivergence } from 'fathom/models'
 *
 * klDivergence({ mean: tensor([0, 2]), logVariance: tensor([0, 0]) }) // => 1
 * ```
 */
export const klDivergence = ({ mean, logVariance }: Posterior): Tensor =>
  logVariance === undefined ? zerosLike(mean).mean() : divergences({ mean, logVariance }).mean()

/**
 * The same, summed over the elements of each picture, as `kl()` of diffusers: `[N, H, W, C] → [N]`. A weight for it is H·W·C times smaller
 * than one for {@link klDivergence}.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { summedKlDivergence } from 'fathom/models'
 *
 * summedKlDivergence({ mean: tensor([[0, 2], [1, 1]]), logVariance: tensor([[0, 0], [0, 0]]) }) // => [2, 1]
 * ```
 */
export const summedKlDivergence = ({ mean, logVariance }: Posterior): Tensor => {
  const axes = mean.shape.slice(1).map((_, i) => i + 1)
  return logVariance === undefined ? zerosLike(mean).sum(axes) : divergences({ mean, logVariance }).sum(axes)
}

/**
 * −log of the posterior's density at latents, summed over the elements of each picture, ½·Σ(log 2π + log σ² + (z − μ)² / σ²):
 * `[N, H, W, C] → [N]`.
 *
 * @throws RangeError for a posterior without a variance, which has no density
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { posteriorNll } from 'fathom/models'
 *
 * posteriorNll({ mean: tensor([[0]]), logVariance: tensor([[0]]) }, tensor([[1]])) // => [1.418939]
 * ```
 */
export const posteriorNll = ({ mean, logVariance }: Posterior, z: Tensor): Tensor => {
  if (logVariance === undefined)
    throw new RangeError('posteriorNll: a posterior without a variance is one point, and has no density')
  const squares = z.sub(mean).square().div(logVariance.exp())
  return squares
    .add(logVariance)
    .add(Math.log(2 * Math.PI))
    .mul(0.5)
    .sum(mean.shape.slice(1).map((_, i) => i + 1))
}
