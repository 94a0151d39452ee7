/**
 * Attention to what else is known, as diffusers' `UNet2DConditionModel` has it (its `Transformer2DModel` of `BasicTransformerBlock`s; Rombach et al. 2022,
 * appendix E.2.1): pixels attend to one another, then to a sequence of tokens, such as the words of a text.
 */
import { gelu } from '../../nn/activations.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { joinHeads, splitHeads } from '../../nn/heads.ts'
import { layerNorm, type LayerNormParams } from '../../nn/layerNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { attend } from '../../tensor/attend.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The parameters of attention: queries, keys and values have no bias. */
export interface TokenAttentionParams {
  readonly query: LinearParams
  readonly key: LinearParams
  readonly value: LinearParams
  readonly out: LinearParams
}

/** Who asks [N, T, width], and what is attended to [N, S, contextWidth]. */
interface Asking {
  readonly x: Tensor
  readonly context: Tensor
}

/** out(softmax(q·kᵀ / √d)·v), q of x, k and v of the context, in heads of d channels. */
const tokenAttention = (width: number, contextWidth: number, heads: number): Module<TokenAttentionParams, Asking> =>
  compose(
    {
      query: linear(width, width, { bias: false }),
      key: linear(contextWidth, width, { bias: false }),
      value: linear(contextWidth, width, { bias: false }),
      out: linear(width, width),
    },
    ({ query, key, value, out }, { x, context }: Asking) => {
      const split = (y: Tensor): Tensor => splitHeads(y, heads)
      const scaled = query(x).mul(1 / Math.sqrt(width / heads))
      return out(joinHeads(attend(split(scaled), split(key(context)), split(value(context)))))
    },
  )

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

/** The parameters of a block of a transformer. */
export interface TransformerBlockParams {
  readonly norm1: LayerNormParams
  readonly own: TokenAttentionParams
  readonly norm2: LayerNormParams
  readonly cross: TokenAttentionParams
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
): Module<TransformerBlockParams, Asking> =>
  compose(
    {
      norm1: layerNorm(width),
      own: tokenAttention(width, width, heads),
      norm2: layerNorm(width),
      cross: tokenAttention(width, contextWidth, heads),
      norm3: layerNorm(width),
      feed: gated(width),
    },
    ({ norm1, own, norm2, cross, norm3, feed }, { x, context }: Asking) => {
      const first = norm1(x)
      const seen = x.add(own({ x: first, context: first }))
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
