/** The blocks of diffusers' `UNet2DModel` (its `ResnetBlock2D`): residual blocks that are told the time, which may also change the size. */
import { activations, type ActivationName } from '../activations.ts'
import type { Conditioned } from '../lucidrains/resBlock.ts'
import { halves } from '../../tensor/halves.ts'
import { upsampleNearest } from '../../tensor/resampling.ts'
import { averagePool } from '../../tensor/pooling.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { dropout as dropoutLayer } from '../../nn/dropout.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module, type NoParams } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { firDownsample, firUpsample } from './fir.ts'
import type { BlockSize } from './stages.ts'

/** What the blocks of one network have in common. */
export interface BlockStyle {
  readonly activation: ActivationName
  /** Added to the variance of a norm. */
  readonly epsilon: number
  /** Length of the vector that tells the time. */
  readonly timeWidth: number
  /** Whether the time scales and shifts behind the second norm, and is not added in front of it. */
  readonly scaleShift: boolean
  readonly dropout: number
}

/** Changes of an image's size without parameters. */
export const resamplings = {
  halve: (x: Tensor): Tensor => averagePool(x, 2),
  double: (x: Tensor): Tensor => upsampleNearest(x, 2),
  'halve smoothly': firDownsample,
  'double smoothly': firUpsample,
} as const

/** What is special about one block. */
export interface ResidualOptions {
  /** A change of size, between the first norm and the first convolution, and before the skip. */
  readonly resampling?: keyof typeof resamplings
  /** What the sum is divided by, default 1. */
  readonly scale?: number
  /** Whether the skip is a 1×1 convolution also where the widths are the same. */
  readonly learnedSkip?: boolean
}

/** The parameters of {@link residualBlock}. */
export interface ResidualParams {
  readonly norm1: GroupNormParams
  readonly conv1: Conv2dParams
  readonly time: LinearParams
  readonly norm2: GroupNormParams
  readonly dropout: NoParams
  readonly conv2: Conv2dParams
  readonly skip: LinearParams | undefined
}

/** A vector for each image, ready to meet its pixels: [N, C] → [N, 1, 1, C]. */
const overPixels = (v: Tensor): Tensor => v.reshape([at(v.shape, 0), 1, 1, at(v.shape, 1)])

/**
 * `{ x: [N, H, W, inputs], time: [N, D] } → [N, H, W, outputs]`, or of another size where the block resamples with R:
 *
 *     h = conv1(R(act(norm1(x))))
 *     h = norm2(h + linear(act(time)))                  or, with scaleShift,
 *     h = norm2(h)·(1 + scale) + shift                  scale, shift = linear(act(time))
 *     y = (skip(R(x)) + conv2(dropout(act(h)))) / s     skip: a 1×1 convolution where the widths differ
 */
export const residualBlock = (
  { inputs, outputs, groups }: BlockSize,
  { activation, epsilon, timeWidth, scaleShift, dropout }: BlockStyle,
  { resampling, scale = 1, learnedSkip = false }: ResidualOptions = {},
): Module<ResidualParams, Conditioned> => {
  const act = activations[activation]
  const resample = resampling === undefined ? (x: Tensor): Tensor => x : resamplings[resampling]
  return compose(
    {
      norm1: groupNorm(groups[0], inputs, { epsilon }),
      conv1: conv2d(inputs, outputs, 3, { padding: 1 }),
      time: linear(timeWidth, scaleShift ? 2 * outputs : outputs),
      norm2: groupNorm(groups[1], outputs, { epsilon }),
      dropout: dropoutLayer(dropout),
      conv2: conv2d(outputs, outputs, 3, { padding: 1 }),
      skip: learnedSkip || inputs !== outputs ? linear(inputs, outputs) : undefined,
    },
    ({ norm1, conv1, time, norm2, dropout, conv2, skip }, { x, time: vector }: Conditioned) => {
      const first = conv1(resample(act(norm1(x))))
      const told = overPixels(time(act(vector)))
      const [by, plus] = scaleShift ? halves('residualBlock', told, -1) : [undefined, told]
      const h = by === undefined ? norm2(first.add(plus)) : norm2(first).mul(by.add(1)).add(plus)
      const kept = resample(x)
      const y = conv2(dropout(act(h))).add(skip === undefined ? kept : skip(kept))
      return scale === 1 ? y : y.div(scale)
    },
  )
}

/** A convolution beside a change of size. */
export interface ResizeParams {
  readonly conv: Conv2dParams
}

/** Half the size by a convolution of stride 2. @param padding 0: one row and one column of zeros, at the right and below */
export const halvingConvolution = (channels: number, padding: 0 | 1): Module<ResizeParams, Conditioned> =>
  compose({ conv: conv2d(channels, channels, 3, { stride: 2, padding }) }, ({ conv }, { x }: Conditioned) =>
    conv(padding === 0 ? x.pad([0, 0, 0, 0], [0, 1, 1, 0]) : x),
  )

/** Each pixel becomes four, then a 3×3 convolution. */
export const doublingConvolution = (channels: number): Module<ResizeParams, Conditioned> =>
  compose({ conv: conv2d(channels, channels, 3, { padding: 1 }) }, ({ conv }, { x }: Conditioned) =>
    conv(upsampleNearest(x, 2)),
  )
