/** The blocks of residual networks (He et al. 2016, figures 2 and 5), with the strides of torchvision: a bottleneck strides in its 3×3 convolution. */
import { relu } from '../../nn/activations.ts'
import { batchNorm, type BatchNormParams } from '../../nn/batchNorm.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm } from '../../nn/groupNorm.ts'
import { compose, type Module } from '../../nn/module.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** How features are normalised: over the batch, with running statistics, or over groups of channels of each picture (Wu & He 2018). */
export type ResnetNorm = 'batch' | 'group'

/** weight and bias [C] of either norm. */
export type NormParams = BatchNormParams

/** Groups as the paper of group normalisation has them: 32, or as many as divide fewer channels. */
const groupsOf = (channels: number): number => {
  for (let groups = Math.min(32, channels); groups > 1; groups--) if (channels % groups === 0) return groups
  return 1
}

/** The norm of so many channels. */
const normOf = (norm: ResnetNorm, channels: number): Module<NormParams> => {
  if (norm === 'batch') return batchNorm(channels)
  const { init, apply } = groupNorm(groupsOf(channels), channels)
  return {
    init,
    apply: ({ weight, bias }, x, mode) => {
      if (weight === undefined || bias === undefined) throw new TypeError('resnet: a norm has no weight or no bias')
      return apply({ weight, bias }, x, mode)
    },
  }
}

/** The parameters of a convolution without bias, and of its norm. */
export interface NormedParams {
  readonly conv: Conv2dParams
  readonly norm: NormParams
}

/** A convolution without bias, and its norm. */
const normed = (
  inputs: number,
  outputs: number,
  kernel: number,
  stride: number,
  norm: ResnetNorm,
): Module<NormedParams> =>
  compose(
    {
      conv: conv2d(inputs, outputs, kernel, { stride, padding: (kernel - 1) / 2, bias: false }),
      norm: normOf(norm, outputs),
    },
    ({ conv, norm: normalized }, x: Tensor) => normalized(conv(x)),
  )

/** What a block is. */
export interface BlockShape {
  /** Channels that come in. */
  readonly inputs: number
  /** Channels of the 3×3 convolutions. */
  readonly width: number
  readonly stride: number
  readonly norm: ResnetNorm
}

/** The kinds of blocks: how many times the width comes out of them, and what their convolutions are. */
export const blockKinds = {
  basic: {
    expansion: 1,
    convolutions: ({ inputs, width, stride, norm }: BlockShape) => [
      normed(inputs, width, 3, stride, norm),
      normed(width, width, 3, 1, norm),
    ],
  },
  bottleneck: {
    expansion: 4,
    convolutions: ({ inputs, width, stride, norm }: BlockShape) => [
      normed(inputs, width, 1, 1, norm),
      normed(width, width, 3, stride, norm),
      normed(width, 4 * width, 1, 1, norm),
    ],
  },
} as const

/** The name of a kind of block. */
export type BlockKind = keyof typeof blockKinds

/** The parameters of a block. */
export interface ResidualParams {
  readonly convolutions: readonly NormedParams[]
  readonly shortcut: NormedParams | undefined
}

/** relu(F(x) + x), x through a 1×1 convolution where F changes its shape (eq. 1 and 2). */
export const residualBlock = (kind: BlockKind, shape: BlockShape): Module<ResidualParams> => {
  const { expansion, convolutions } = blockKinds[kind]
  const outputs = expansion * shape.width
  const changes = shape.stride !== 1 || shape.inputs !== outputs
  return compose(
    {
      convolutions: convolutions(shape),
      shortcut: changes ? normed(shape.inputs, outputs, 1, shape.stride, shape.norm) : undefined,
    },
    ({ convolutions: each, shortcut }, x: Tensor) => {
      const f = each.reduce((y, convolution, i) => convolution(i === 0 ? y : relu(y)), x)
      return relu(f.add(shortcut === undefined ? x : shortcut(x)))
    },
  )
}

/** The first layer of a network: for pictures of hundreds of pixels, or of tens. */
export const stemOf = (
  channels: number,
  width: number,
  kind: 'large' | 'small',
  norm: ResnetNorm,
): Module<NormedParams> =>
  kind === 'large' ? normed(channels, width, 7, 2, norm) : normed(channels, width, 3, 1, norm)
