/** The blocks of EDM2's U-Net: residual blocks that keep magnitudes, are told the time, and may change the size first. */
import { dropout as dropoutLayer } from '../../nn/dropout.ts'
import { zeros } from '../../nn/init.ts'
import { compose, parameter, type Module, type NoParams } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { averagePool } from '../../tensor/pooling.ts'
import { upsampleNearest } from '../../tensor/resampling.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Conditioned } from '../lucidrains/resBlock.ts'
import { mpAttention, type MpAttentionParams } from './attention.ts'
import { mpSilu, mpSum, pixelNorm } from './magnitudes.ts'
import { headWidthOf, type Edm2Settings } from './settings.ts'
import { mpConv2d, mpLinear, type MpParams } from './weights.ts'

/** Changes of an image's size. */
const resamplings = {
  halve: (x: Tensor): Tensor => averagePool(x, 2),
  double: (x: Tensor): Tensor => upsampleNearest(x, 2),
} as const

/** Where a block stands, and what it has. */
export interface Edm2BlockOptions {
  readonly inputs: number
  readonly outputs: number
  /** On the way down a block divides what it is given by its magnitude; on the way up its own branch alone sees all channels. */
  readonly way: 'down' | 'up'
  readonly resampling?: keyof typeof resamplings
  readonly attention?: boolean
  /** Length of the vector that tells the time. */
  readonly timeWidth: number
}

/** The parameters of {@link edm2Block}. */
export interface Edm2BlockParams {
  readonly conv1: MpParams
  readonly time: MpParams
  /** Of the time, []; it begins as 0. */
  readonly gain: Tensor
  readonly dropout: NoParams
  readonly conv2: MpParams
  readonly skip: MpParams | undefined
  readonly attention: MpAttentionParams | undefined
}

/** No value of an image is larger: halves end at 65,504, and their squares soon. */
const largest = 256

/** A vector for each image, ready to meet its pixels: [N, C] → [N, 1, 1, C]. */
const overPixels = (v: Tensor): Tensor => v.reshape([at(v.shape, 0), 1, 1, at(v.shape, 1)])

/**
 * `{ x: [N, H, W, inputs], time: [N, D] } → [N, H, W, outputs]`, or of another size where the block resamples with R
 * (Karras et al. 2024, config G):
 *
 *     x = pixelNorm(skip(R(x)))  on the way down,  R(x)  on the way up
 *     h = mpSilu(conv1(mpSilu(x)) · (1 + gain·time(v)))
 *     y = mpSum(x, conv2(dropout(h)), balance)          skip(x) in the place of x on the way up; a 1×1 convolution where the widths differ
 *     y = attention(y), cut off at ±256
 */
export const edm2Block = (
  { inputs, outputs, way, resampling, attention: isAttentive = false, timeWidth }: Edm2BlockOptions,
  settings: Edm2Settings,
): Module<Edm2BlockParams, Conditioned> => {
  const { dropout = 0, residualBalance = 0.3, attentionBalance = 0.3 } = settings
  const isDown = way === 'down'
  return compose(
    {
      conv1: mpConv2d(isDown ? outputs : inputs, outputs),
      time: mpLinear(timeWidth, outputs),
      gain: parameter(zeros([])),
      dropout: dropoutLayer(dropout),
      conv2: mpConv2d(outputs, outputs),
      skip: inputs === outputs ? undefined : mpLinear(inputs, outputs),
      attention: isAttentive ? mpAttention(outputs, headWidthOf(settings), attentionBalance) : undefined,
    },
    ({ conv1, time, gain, dropout, conv2, skip, attention }, { x, time: vector }: Conditioned) => {
      const given = resampling === undefined ? x : resamplings[resampling](x)
      const matched = skip === undefined ? given : skip(given)
      const start = isDown ? pixelNorm(matched) : given
      const scale = overPixels(time(vector).mul(gain()).add(1))
      const own = conv2(dropout(mpSilu(conv1(mpSilu(start)).mul(scale))))
      const y = mpSum(isDown ? start : matched, own, residualBalance)
      return (attention === undefined ? y : attention(y)).maximum(-largest).minimum(largest)
    },
  )
}
