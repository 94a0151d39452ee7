/** Doubling an image's size. */
import { upsampleNearest } from '../../tensor/resampling.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { compose, type Module } from '../../nn/module.ts'

/** The parameters of {@link upsample}. */
export interface UpsampleParams {
  readonly conv: Conv2dParams
}

/**
 * Each pixel becomes four, then a 3×3 convolution: `[N, H, W, in] → [N, 2H, 2W, out]`. A resize and a convolution leave no checkerboard
 * where a transposed convolution does (Odena et al. 2016).
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { upsample } from 'fathom/models'
 *
 * const layer = upsample(16, 3)
 * layer.apply(layer.init(key(0)), zeros([1, 4, 4, 16])).shape // => [1, 8, 8, 3]
 * ```
 */
export const upsample = (inputs: number, outputs: number): Module<UpsampleParams> =>
  compose({ conv: conv2d(inputs, outputs, 3, { padding: 1 }) }, ({ conv }, x: Tensor) => conv(upsampleNearest(x, 2)))
