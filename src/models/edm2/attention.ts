/** Attention that keeps magnitudes: queries, keys and values are divided by theirs (Karras et al. 2024, "cosine attention"). */
import { joinHeads, splitHeads } from '../../nn/heads.ts'
import { compose, type Module } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { attend } from '../../tensor/attend.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mpSum, pixelNorm } from './magnitudes.ts'
import { mpLinear, type MpParams } from './weights.ts'

/** The parameters of {@link mpAttention}. */
export interface MpAttentionParams {
  readonly query: MpParams
  readonly key: MpParams
  readonly value: MpParams
  readonly out: MpParams
}

/**
 * Every pixel attends to all pixels of its image, `[N, H, W, C] → [N, H, W, C]`:
 *
 *     y = mpSum(x, out(softmax(q·kᵀ / √d)·v), balance)      q, k and v of x, in heads of d channels, each head of them a pixelNorm
 *
 * @param headWidth d, which divides the channels
 */
export const mpAttention = (channels: number, headWidth: number, balance: number): Module<MpAttentionParams> => {
  const heads = (x: Tensor): Tensor => pixelNorm(splitHeads(x, channels / headWidth))
  return compose(
    {
      query: mpLinear(channels, channels),
      key: mpLinear(channels, channels),
      value: mpLinear(channels, channels),
      out: mpLinear(channels, channels),
    },
    ({ query, key, value, out }, x: Tensor) => {
      const pixels = x.reshape([at(x.shape, 0), at(x.shape, 1) * at(x.shape, 2), channels])
      const scaled = heads(query(pixels)).mul(1 / Math.sqrt(headWidth))
      const attended = attend(scaled, heads(key(pixels)), heads(value(pixels)))
      return mpSum(x, out(joinHeads(attended)).reshape(x.shape), balance)
    },
  )
}
