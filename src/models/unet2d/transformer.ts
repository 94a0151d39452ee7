/**
 * Attention to what else is known, as diffusers' `UNet2DConditionModel` has it (its `Transformer2DModel` of `BasicTransformerBlock`s; Rombach et al. 2022,
 * appendix E.2.1): pixels attend to one another, then to a sequence of tokens, such as the words of a text.
 */
import { gelu } from '../../nn/activations.ts'
import { attention, type AttentionInput, type AttentionParams } from '../../nn/attention.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { layerNorm, type LayerNormParams } from '../../nn/layerNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The parameters of a feed-forward network with a gate. */
export interface GatedParams {
  readonly hidden: LinearParams
  readonly out: LinearParams
}

/** out(a · gelu(b)), (a, b) = hidden(x): four times as wide inside (Shazeer 2020, "GLU variants", GEGLU). */
export const gated = (width: number): Module<GatedParams> =>
  compose({ hidden: linear(width, 8 * width), out: linear(4 * width, width) }, ({ hidden, out }, x: Tensor) => {
    const both = hidden(x)
    const part = (from: number): Tensor => both.slice([], [], [from, from + 4 * width])
    return out(part(0).mul(gelu(part(4 * width))))
  })

/** The parameters of a block of a transformer; the queries, keys and values of its attention have no biases. */
export interface TransformerBlockParams {
  readonly norm1: LayerNormParams
  readonly own: AttentionParams
  readonly norm2: LayerNormParams
  readonly cross: AttentionParams
  readonly norm3: LayerNormParams
  readonly feed: GatedParams
}

/**
 * `{ x: [N, T, width], context: [N, S, contextWidth] } → [N, T, width]`:
 *
 *     x = x + own(norm1(x));  x = x + cross(norm2(x), context);  y = x + feed(norm3(x))
 */
export const transformerBlock = (
  width: number,
  contextWidth: number,
  heads: number,
): Module<TransformerBlockParams, AttentionInput> =>
  compose(
    {
      norm1: layerNorm(width),
      own: attention(width, { heads, bias: false }),
      norm2: layerNorm(width),
      cross: attention(width, { heads, contextWidth, bias: false }),
      norm3: layerNorm(width),
      feed: gated(width),
    },
    ({ norm1, own, norm2, cross, norm3, feed }, { x, context }: AttentionInput) => {
      const seen = x.add(own(norm1(x)))
      const told = seen.add(cross({ x: norm2(seen), context }))
      return told.add(feed(norm3(told)))
    },
  )

/** What the transformers of one network have in common. */
export interface TransformerStyle {
  /** Channels of a token. */
  readonly tokenWidth: number
  /** Blocks of each. */
  readonly layers: number
  /** Whether the layers at both ends are linear ones in the file, and not 1×1 convolutions, which are the same. */
  readonly linearEnds: boolean
}

/** The parameters of {@link tokenTransformer}. */
export interface TokenTransformerParams {
  readonly norm: GroupNormParams
  readonly first: Conv2dParams
  readonly blocks: readonly TransformerBlockParams[]
  readonly last: Conv2dParams
}

/** An image, and the tokens that it attends to, [N, L, D]. */
export interface Worded {
  readonly x: Tensor
  readonly tokens: Tensor
}

/** Added to the variance of the group norm, whatever that of the network's others is. */
const epsilon = 1e-6

/** `{ x: [N, H, W, C], tokens: [N, L, D] } → [N, H, W, C]`: x + last(blocks(first(norm(x)))), pixels as a sequence in between. */
export const tokenTransformer = (
  channels: number,
  heads: number,
  groups: number,
  { tokenWidth, layers, linearEnds }: TransformerStyle,
): Module<TokenTransformerParams, Worded> => {
  const end = linearEnds ? linear(channels, channels) : conv2d(channels, channels, 1)
  return compose(
    {
      norm: groupNorm(groups, channels, { epsilon }),
      first: end,
      blocks: Array.from({ length: layers }, () => transformerBlock(channels, tokenWidth, heads)),
      last: end,
    },
    ({ norm, first, blocks, last }, { x, tokens }: Worded) => {
      const pixels = first(norm(x)).reshape([at(x.shape, 0), at(x.shape, 1) * at(x.shape, 2), channels])
      const seen = blocks.reduce((y, block) => block({ x: y, context: tokens }), pixels)
      return last(seen.reshape(x.shape)).add(x)
    },
  )
}
