/** Multi-head attention over the pixels of an image (Vaswani et al. 2017), as lucidrains' U-Net has it: normalised first, with memory. */
import { requireKnown } from '../../prelude/options.ts'
import { at } from '../../prelude/array.ts'
import { concatenate } from '../../tensor/combine.ts'
import { expectImages } from '../../tensor/expect.ts'
import { attention as attend } from '../../tensor/attention.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { normal } from '../../nn/init.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, parameter, type Module } from '../../nn/module.ts'
import { rmsNorm, type RmsNormParams } from '../../nn/rmsNorm.ts'

/** The size of an attention layer. */
export interface PixelAttentionOptions {
  /** Heads, default 4. */
  readonly heads?: number
  /** Channels of each head, default 32. */
  readonly headWidth?: number
  /** Learned keys and values that every image attends to besides its own pixels, default 4; 0 for none. */
  readonly memory?: number
}

/** Their names. */
export const pixelAttentionOptions = ['heads', 'headWidth', 'memory'] as const

/** The parameters of {@link pixelAttention}; `memory` is [2, heads, memory, headWidth], keys first. */
export interface PixelAttentionParams {
  readonly norm: RmsNormParams
  readonly memory: Tensor | undefined
  readonly queryKeyValue: LinearParams
  readonly out: LinearParams
}

/** Queries, keys and values of every head, [N, heads, pixels, headWidth] each, from a joint projection [N, H, W, 3·heads·headWidth]. */
export const splitHeads = (projected: Tensor, heads: number): readonly [query: Tensor, key: Tensor, value: Tensor] => {
  const [n, pixels] = [at(projected.shape, 0), at(projected.shape, 1) * at(projected.shape, 2)]
  const headWidth = at(projected.shape, 3) / (3 * heads)
  const split = projected.reshape([n, pixels, 3, heads, headWidth]).transpose([2, 0, 3, 1, 4])
  const part = (i: number): Tensor => split.slice([i, i + 1]).reshape([n, heads, pixels, headWidth])
  return [part(0), part(1), part(2)]
}

/** Part `i` of the memory [2, heads, memory, headWidth] (0 keys, 1 values) in front of the pixels': [N, heads, memory + pixels, headWidth]. */
export const withMemory = (memory: Tensor | undefined, i: 0 | 1, x: Tensor): Tensor => {
  if (memory === undefined) return x
  const part = memory.slice([i, i + 1])
  return concatenate([part.broadcastTo([at(x.shape, 0), ...part.shape.slice(1)]), x], 2)
}

/** What to do with [N, T, C]. */
const sequences = "for sequences [N, T, C] use 'attention' of fathom/nn, or x.expandDims(1)"

/** Heads side by side again: [N, heads, pixels, headWidth] → [N, H, W, heads·headWidth]. */
export const joinHeads = (x: Tensor, height: number, width: number): Tensor =>
  x.transpose([0, 2, 1, 3]).reshape([at(x.shape, 0), height, width, at(x.shape, 1) * at(x.shape, 3)])

/**
 * softmax(q·kᵀ / √headWidth)·v of every pixel with all pixels of its image: `[N, H, W, C] → [N, H, W, C]`, to be added to its input.
 * Time grows with the square of the number of pixels (memory does up to 2²⁰ pairs of them); {@link linearAttention} avoids that.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { pixelAttention } from 'fathom/models'
 *
 * const layer = pixelAttention(8, { heads: 2, headWidth: 16 })
 * const params = layer.init(key(0))
 * params.memory?.shape // => [2, 2, 4, 16]
 * layer.apply(params, zeros([1, 4, 4, 8])).shape // => [1, 4, 4, 8]
 * ```
 */
export const pixelAttention = (channels: number, options: PixelAttentionOptions = {}): Module<PixelAttentionParams> => {
  requireKnown('pixelAttention', options, pixelAttentionOptions)
  const { heads = 4, headWidth = 32, memory = 4 } = options
  return compose(
    {
      norm: rmsNorm(channels),
      memory: memory === 0 ? undefined : parameter(normal([2, heads, memory, headWidth])),
      queryKeyValue: linear(channels, 3 * heads * headWidth, { bias: false }),
      out: linear(heads * headWidth, channels),
    },
    ({ norm, memory, queryKeyValue, out }, x: Tensor) => {
      expectImages('pixelAttention', x, sequences)
      const [query, key, value] = splitHeads(queryKeyValue(norm(x)), heads)
      const learned = memory?.()
      const y = attend(query, withMemory(learned, 0, key), withMemory(learned, 1, value))
      return out(joinHeads(y, at(x.shape, 1), at(x.shape, 2)))
    },
  )
}
