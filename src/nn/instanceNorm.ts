/** Instance normalisation, Ulyanov et al. 2016. */
import { requireKnown } from '../prelude/options.ts'
import { ones, zeros } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { normalizeGroups } from './groupNorm.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** weight [C] and bias [C], applied after the normalisation, where the layer has them. */
export interface InstanceNormParams {
  readonly weight?: Tensor
  readonly bias?: Tensor
}

/**
 * Normalises every channel of every image with its pixels: group norm with a group for each channel. `[N, …, C] → [N, …, C]`.
 *
 * @param options epsilon: added to the variance (default 1e-5); affine: whether a weight and a bias are learned (default false, as PyTorch)
 * @throws ShapeError for less than two axes; RangeError for other channels
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { instanceNorm } from 'fathom/nn'
 *
 * const layer = instanceNorm(2)
 * layer.apply(layer.init(key(0)), tensor([[[10, 100], [30, 500]]])) // => [[[-1, -1], [1, 1]]]
 * ```
 */
export const instanceNorm = (
  channels: number,
  options: { readonly epsilon?: number; readonly affine?: boolean } = {},
): Module<InstanceNormParams> => {
  requireKnown('instanceNorm', options, ['epsilon', 'affine'])
  const { epsilon = 1e-5, affine = false } = options
  expectSizes('instanceNorm', { channels })
  return {
    init: () => (affine ? { weight: ones([channels]), bias: zeros([channels]) } : {}),
    apply: ({ weight, bias }, x) => {
      if (x.shape.at(-1) !== channels)
        throw new RangeError(`instanceNorm: the images have ${x.shape.at(-1)} channels, the layer ${channels}`)
      const y = normalizeGroups(x, channels, epsilon)
      const scaled = weight === undefined ? y : y.mul(weight)
      return bias === undefined ? scaled : scaled.add(bias)
    },
  }
}
