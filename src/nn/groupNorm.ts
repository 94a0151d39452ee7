/** Group normalisation, Wu & He 2018. */
import { requireKnown } from '../prelude/options.ts'
import { at, product } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { ones, zeros } from '../tensor/create.ts'
import { variance } from '../tensor/variance.ts'
import { inSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** weight [C] and bias [C], applied after the normalisation. */
export interface GroupNormParams {
  readonly weight: Tensor
  readonly bias: Tensor
}

const requireGroups = (who: string, groups: number, channels: number): void => {
  if (!(groups > 0 && Number.isInteger(channels / groups)))
    throw new RangeError(`${who}: ${groups} groups do not divide ${channels} channels`)
}

/**
 * (x − mean) / √(variance + ε) over the pixels and channels of each group: `[N, …, C] → [N, …, C]`, without the affine part. f16 is
 * normalised in f32, where 300² is a number and ε is not 0.
 *
 * @throws ShapeError for less than two axes; RangeError when the groups do not divide the channels
 * @example
 * ```ts
 * import { key, normal } from 'fathom'
 * import { normalizeGroups } from 'fathom/nn'
 *
 * const y = normalizeGroups(normal(key(0), [1, 4, 4, 6], 'f64'), 3, 0)
 * y.mean() // => 0.000000
 * y.square().mean() // => 1
 * ```
 */
export const normalizeGroups = (x: Tensor, groups: number, epsilon: number): Tensor => {
  if (x.rank < 2)
    throw new ShapeError(`normalizeGroups: needs a batch and channels, [N, …, C], got ${showShape(x.shape)}`)
  const [n, channels] = [at(x.shape, 0), at(x.shape, x.rank - 1)]
  requireGroups('normalizeGroups', groups, channels)
  const pixels = product(x.shape.slice(1, -1))
  return inSingle(x, (wide) => {
    const grouped = wide.reshape([n, pixels, groups, channels / groups])
    const centred = grouped.sub(grouped.mean([1, 3], true))
    return centred.div(variance(grouped, [1, 3], true).add(epsilon).sqrt()).reshape(x.shape)
  })
}

/**
 * Normalises groups of neighbouring channels, each with its pixels, and scales and shifts each channel. `[N, …, C] → [N, …, C]`.
 *
 * @param options epsilon: added to the variance (default 1e-5, as PyTorch)
 * @throws RangeError when the groups do not divide the channels
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { groupNorm } from 'fathom/nn'
 *
 * const layer = groupNorm(2, 4)
 * const y = layer.apply(layer.init(key(0)), tensor([[10, 30, 100, 500]]))
 * y // => [[-1, 1, -1, 1]]
 * ```
 */
export const groupNorm = (
  groups: number,
  channels: number,
  options: { readonly epsilon?: number } = {},
): Module<GroupNormParams> => {
  requireKnown('groupNorm', options, ['epsilon'])
  const { epsilon = 1e-5 } = options
  expectSizes('groupNorm', { groups, channels })
  requireGroups('groupNorm', groups, channels)
  return {
    init: () => ({ weight: ones([channels]), bias: zeros([channels]) }),
    apply: ({ weight, bias }, x) => normalizeGroups(x, groups, epsilon).mul(weight).add(bias),
  }
}
