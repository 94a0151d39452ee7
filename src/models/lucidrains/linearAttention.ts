/** Linear attention over pixels (Shen et al. 2018, "Efficient attention"), as lucidrains' U-Net has it. */
import { requireKnown } from '../../prelude/options.ts'
import { at } from '../../prelude/array.ts'
import { expectImages } from '../../tensor/expect.ts'
import { softmax } from '../../tensor/softmax.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  joinHeads,
  splitHeads,
  withMemory,
  pixelAttentionOptions,
  type PixelAttentionOptions,
  type PixelAttentionParams,
} from './attention.ts'
import { normal } from '../../nn/init.ts'
import { linear } from '../../nn/linear.ts'
import { compose, parameter, type Module } from '../../nn/module.ts'
import { rmsNorm, type RmsNormParams } from '../../nn/rmsNorm.ts'

/** The parameters of {@link linearAttention}: those of pixelAttention, and the norm of the result. */
export interface LinearAttentionParams extends PixelAttentionParams {
  readonly outNorm: RmsNormParams
}

/**
 * `[N, H, W, C] → [N, H, W, C]` in time linear in the number of pixels, to be added to its input. With ρ(q) the softmax over a query's
 * features and ρ(k) the softmax over the pixels, y = ρ(q) / √headWidth · (ρ(k)ᵀ·v): the pixels are summed up first, in a matrix of
 * headWidth × headWidth, and then each query reads from it.
 *
 * @example
 * ```ts
 * import { key, normal } from 'fathom'
 * import { linearAttention } from 'fathom/models'
 *
 * const layer = linearAttention(8, { heads: 2, headWidth: 4 })
 * const y = layer.apply(layer.init(key(0)), normal(key(1), [1, 4, 4, 8]))
 * y.shape // => [1, 4, 4, 8]
 * y.square().mean() // => 1
 * ```
 */
export const linearAttention = (
  channels: number,
  options: PixelAttentionOptions = {},
): Module<LinearAttentionParams> => {
  requireKnown('linearAttention', options, pixelAttentionOptions)
  const { heads = 4, headWidth = 32, memory = 4 } = options
  return compose(
    {
      norm: rmsNorm(channels),
      memory: memory === 0 ? undefined : parameter(normal([2, heads, memory, headWidth])),
      queryKeyValue: linear(channels, 3 * heads * headWidth, { bias: false }),
      out: linear(heads * headWidth, channels),
      outNorm: rmsNorm(channels),
    },
    ({ norm, memory, queryKeyValue, out, outNorm }, x: Tensor) => {
      expectImages('linearAttention', x)
      const [query, key, value] = splitHeads(queryKeyValue(norm(x)), heads)
      const learned = memory?.()
      const weights = softmax(withMemory(learned, 0, key), 2)
      const summed = weights.transpose([0, 1, 3, 2]).matmul(withMemory(learned, 1, value)) // [N, heads, headWidth, headWidth]
      const context = summed.mul(1 / Math.sqrt(headWidth)) // the smaller factor is scaled, not the queries
      const y = softmax(query, 3).matmul(context)
      return outNorm(out(joinHeads(y, at(x.shape, 1), at(x.shape, 2))))
    },
  )
}
