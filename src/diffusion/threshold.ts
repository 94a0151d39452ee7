/**
 * Dynamic thresholding, Saharia et al. 2022, section 2.3: where strong guidance drives pixels out of [−1, 1], clipping saturates them; here each picture's
 * range is found first, and the picture is scaled back into [−1, 1].
 */
import { product } from '../prelude/array.ts'
import { requireKnown, requirePositive } from '../prelude/options.ts'
import { quantile } from '../tensor/orders.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { epsilonFromX0, type Estimate, type NoiseLevel } from './prediction.ts'

/** What {@link thresholdEstimate} takes. */
export interface ThresholdOptions {
  /** The share of a picture's values that are to be kept within bounds; default 0.995. */
  readonly ratio?: number
  /** The largest range that is scaled back; what is beyond is clipped. Default 1, where it is clipping alone. */
  readonly most?: number
}

/** The quantile of each picture's values: [N, …] → [N, 1, …]. */
const quantileOfEach = (x: Tensor, share: number): Tensor => {
  const [n = 1, ...rest] = x.shape
  return quantile(x.reshape([n, product(rest)]), share, 1).reshape([n, ...rest.map(() => 1)])
}

/**
 * The estimate with the image's range s, a quantile of its absolute values kept in [1, most], scaled to [−1, 1], and the noise derived again from it.
 *
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { thresholdEstimate } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * const x = tensor([[0, 4]])
 * thresholdEstimate(level, x, { x0: tensor([[1, 4]]), epsilon: x }, { ratio: 1, most: 2 }).x0 // => [[0.5, 1]]
 * ```
 */
export const thresholdEstimate = (
  level: NoiseLevel,
  xt: Tensor,
  { x0 }: Estimate,
  options: ThresholdOptions = {},
): Estimate => {
  requireKnown('thresholdEstimate', options, ['ratio', 'most'])
  const { ratio = 0.995, most = 1 } = options
  requirePositive('thresholdEstimate', 'most', most)
  const range = quantileOfEach(x0.abs(), ratio).maximum(1).minimum(most)
  const scaled = x0.maximum(range.neg()).minimum(range).div(range)
  return { x0: scaled, epsilon: epsilonFromX0(level, xt, scaled) }
}
