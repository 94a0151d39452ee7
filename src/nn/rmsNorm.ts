/** Root-mean-square normalisation over the channels of a pixel (Zhang & Sennrich 2019), as lucidrains' U-Net has it. */
import { at } from '../prelude/array.ts'
import { ones } from '../tensor/create.ts'
import { inSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** gain [C]. */
export interface RmsNormParams {
  readonly gain: Tensor
}

/** ‖x‖₂ is never taken smaller than this (PyTorch's `F.normalize`). */
const smallestNorm = 1e-12

/**
 * x / max(‖x‖₂, 1e-12) over the last axis. The maximum is taken of the squares, so that the gradient of a zero vector is finite, not NaN.
 * f16 is normalised in f32; the squares of f32 reach their ∞ at 1.8e19, as PyTorch's do.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { normalizeVectors } from 'fathom/nn'
 *
 * normalizeVectors(tensor([[3, 4], [0, 0]])) // => [[0.6, 0.8], [0, 0]]
 * ```
 */
export const normalizeVectors = (x: Tensor): Tensor =>
  inSingle(x, (wide) =>
    wide.div(
      wide
        .square()
        .sum(-1, true)
        .maximum(smallestNorm ** 2)
        .sqrt(),
    ),
  )

/**
 * y = x / ‖x‖₂ · gain · √C over the last axis: `[…, C] → […, C]`.
 *
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { rmsNorm } from 'fathom/nn'
 *
 * const layer = rmsNorm(4)
 * const y = layer.apply(layer.init(key(0)), tensor([[1, 1, 1, 1], [0, 0, 0, 5]]))
 * y // => [[1, 1, 1, 1], [0, 0, 0, 2]]
 * ```
 */
export const rmsNorm = (channels: number): Module<RmsNormParams> => {
  expectSizes('rmsNorm', { channels })
  return {
    init: () => ({ gain: ones([channels]) }),
    apply: ({ gain }, x) => normalizeVectors(x).mul(gain.mul(Math.sqrt(at(x.shape, x.rank - 1)))),
  }
}
