/** Halving an image's size. */
import { pixelUnshuffle } from '../../tensor/resampling.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'

/** The parameters of {@link downsample}. */
export interface DownsampleParams {
  readonly project: LinearParams
}

/**
 * Each 2×2 square of pixels becomes one of four times the channels, then a 1×1 convolution: `[N, H, W, in] → [N, H/2, W/2, out]`.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { downsample } from 'fathom/models'
 *
 * const layer = downsample(3, 16)
 * layer.apply(layer.init(key(0)), zeros([1, 8, 8, 3])).shape // => [1, 4, 4, 16]
 * ```
 */
export const downsample = (inputs: number, outputs: number): Module<DownsampleParams> =>
  compose({ project: linear(4 * inputs, outputs) }, ({ project }, x: Tensor) => project(pixelUnshuffle(x, 2)))
