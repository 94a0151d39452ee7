/**
 * diffusers' attention over the pixels of an image (its `Attention` with a residual connection), which its U-Nets and its autoencoders have, and the
 * names of its weights.
 */
import type { Shape } from '../graph/shape.ts'
import type { GroupNormParams } from '../nn/groupNorm.ts'
import { joinHeads, splitHeads } from '../nn/heads.ts'
import { linear, type LinearParams } from '../nn/linear.ts'
import { compose, type Module } from '../nn/module.ts'
import { at } from '../prelude/array.ts'
import { attend } from '../tensor/attend.ts'
import type { LayoutRule, Rename } from '../tensor/nameMap.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** The parts of {@link imageAttention} that its networks choose. */
export interface ImageAttentionOptions {
  /** What is normalised first, or nothing. */
  readonly norm: Module<GroupNormParams> | undefined
  /** Channels of each head, which must divide the image's; default all of them, in one head. */
  readonly headWidth?: number
  /** What the result is divided by, default 1. */
  readonly scale?: number
  /** The last layer, default linear. */
  readonly out?: (inputs: number, outputs: number) => Module<LinearParams>
}

/** The parameters of {@link imageAttention}. */
export interface ImageAttentionParams {
  readonly norm: GroupNormParams | undefined
  readonly query: LinearParams
  readonly key: LinearParams
  readonly value: LinearParams
  readonly out: LinearParams
}

/**
 * Every pixel attends to all pixels of its image, `[N, H, W, C] → [N, H, W, C]`:
 *
 *     y = (x + out(softmax(q·kᵀ / √d)·v)) / scale      q, k and v of norm(x), in heads of d channels
 */
export const imageAttention = (
  channels: number,
  { norm, headWidth = channels, scale = 1, out = linear }: ImageAttentionOptions,
): Module<ImageAttentionParams> => {
  const heads = channels / headWidth
  const split = (x: Tensor): Tensor => (heads === 1 ? x : splitHeads(x, heads))
  const join = (x: Tensor): Tensor => (heads === 1 ? x : joinHeads(x))
  return compose(
    {
      norm,
      query: linear(channels, channels),
      key: linear(channels, channels),
      value: linear(channels, channels),
      out: out(channels, channels),
    },
    ({ norm, query, key, value, out }, x: Tensor) => {
      const normed = norm === undefined ? x : norm(x)
      const pixels = normed.reshape([at(x.shape, 0), at(x.shape, 1) * at(x.shape, 2), channels])
      const scaled = query(pixels).mul(1 / Math.sqrt(headWidth))
      const attended = attend(split(scaled), split(key(pixels)), split(value(pixels)))
      const y = out(join(attended)).reshape(x.shape).add(x)
      return scale === 1 ? y : y.div(scale)
    },
  )
}

/** What stands inside attention: names of today, and of before February 2023. */
const inside: Readonly<Record<'new' | 'old', readonly (readonly [ours: string, theirs: string])[]>> = {
  new: [
    ['query', 'to_q'],
    ['key', 'to_k'],
    ['value', 'to_v'],
    ['out', 'to_out.0'],
  ],
  old: [
    ['query', 'query'],
    ['key', 'key'],
    ['value', 'value'],
    ['out', 'proj_attn'],
  ],
}

/** Whether files hold the attention of old names, and as 1×1 convolutions. */
const ageOf = (found: ReadonlyMap<string, Shape>): { readonly isOld: boolean; readonly isConvolved: boolean } => {
  const queries = [...found].filter(([name]) => /attentions\.\d+\.(query|to_q)\.weight$/.test(name))
  return {
    isOld: queries.some(([name]) => name.endsWith('.query.weight')),
    isConvolved: queries.some(([, shape]) => shape.length === 4),
  }
}

/**
 * The names of attention, to be applied behind those that make `attentions.0.` of the places of ours, and its axes, before others. It has had two sets
 * of names, and in files made from LDM's its layers are 1×1 convolutions: which it is in a file, its shapes say.
 *
 * @param found the shapes that lie in the file; without any the names are those of today
 */
export const attentionNames = (
  found: ReadonlyMap<string, Shape>,
): { readonly rename: readonly Rename[]; readonly layout: readonly LayoutRule[] } => {
  const { isOld, isConvolved } = ageOf(found)
  const layers = inside[isOld ? 'old' : 'new'].map(([ours, theirs]): Rename => ({
    pattern: new RegExp(`(\\.attentions\\.\\d+)\\.${ours}\\.`),
    to: `$1.${theirs}.`,
  }))
  return {
    rename: [{ pattern: /(\.attentions\.\d+)\.norm\./, to: '$1.group_norm.' }, ...layers],
    layout: isConvolved ? [] : [{ layout: 'IO->OI', pattern: /\.attentions?(\.\d+)?\.(query|key|value|out)\.weight$/ }],
  }
}
