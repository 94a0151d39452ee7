/** The blocks of which the encoders and decoders of `AutoencoderKL` and `VQModel` are made: diffusers', with options of our own. */
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module, type NoParams } from '../../nn/module.ts'
import { zerosLike } from '../../tensor/create.ts'
import { upsampleNearest } from '../../tensor/resampling.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mapTree } from '../../tensor/tree.ts'
import { activations, type ActivationName } from '../activations.ts'
import { imageAttention, type ImageAttentionParams } from '../diffusersAttention.ts'
import { downShortcut, resizeChannels, upShortcut } from './shortcuts.ts'

/** What the blocks of one network have in common. */
export interface BlockStyle {
  readonly activation: ActivationName
  readonly norm: 'group' | 'none'
  /** Groups of a norm, and what is added to its variance. */
  readonly groups: number
  readonly epsilon: number
  /** Shortcuts without parameters around every stage, whose last convolutions then begin as zeros. */
  readonly shortcuts: 'pixel-unshuffle' | 'none'
}

/** A module whose parameters begin as zeros. */
export const fromZero = <P, In, Out>(module: Module<P, In, Out>): Module<P, In, Out> => ({
  init: (key) => mapTree(module.init(key), zerosLike),
  apply: module.apply,
})

/** The last layer of a branch that is added to a shortcut. */
export const lastOf = <P, In, Out>({ shortcuts }: BlockStyle, module: Module<P, In, Out>): Module<P, In, Out> =>
  shortcuts === 'none' ? module : fromZero(module)

/** The norm of a style, or none. */
export const normOf = ({ norm, groups, epsilon }: BlockStyle, channels: number): Module<GroupNormParams> | undefined =>
  norm === 'none' ? undefined : groupNorm(groups, channels, { epsilon })

/** x, where there is no norm. */
export const normed = (norm: ((x: Tensor) => Tensor) | undefined, x: Tensor): Tensor =>
  norm === undefined ? x : norm(x)

/** The parameters of {@link latentBlock}. */
export interface LatentBlockParams {
  readonly norm1: GroupNormParams | undefined
  readonly conv1: Conv2dParams
  readonly norm2: GroupNormParams | undefined
  readonly conv2: Conv2dParams
  readonly skip: LinearParams | undefined
}

/**
 * The residual block without a time, `[N, H, W, inputs] → [N, H, W, outputs]`:
 *
 *     y = conv2(act(norm2(conv1(act(norm1(x)))))) + skip(x)      skip: a 1×1 convolution where the widths differ
 */
export const latentBlock = (inputs: number, outputs: number, style: BlockStyle): Module<LatentBlockParams> => {
  const act = activations[style.activation]
  const isLearned = style.shortcuts === 'none' && inputs !== outputs
  return compose(
    {
      norm1: normOf(style, inputs),
      conv1: conv2d(inputs, outputs, 3, { padding: 1 }),
      norm2: normOf(style, outputs),
      conv2: lastOf(style, conv2d(outputs, outputs, 3, { padding: 1 })),
      skip: isLearned ? linear(inputs, outputs) : undefined,
    },
    ({ norm1, conv1, norm2, conv2, skip }, x: Tensor) => {
      const h = conv2(act(normed(norm2, conv1(act(normed(norm1, x))))))
      return h.add(skip === undefined ? resizeChannels(x, outputs) : skip(x))
    },
  )
}

/** One head as wide as the image has channels, of every pixel with all pixels. */
export const latentAttention = (channels: number, style: BlockStyle): Module<ImageAttentionParams> =>
  imageAttention(channels, {
    norm: normOf(style, channels),
    out: (inputs, outputs) => lastOf(style, linear(inputs, outputs)),
  })

/** One stage of an encoder or a decoder: the widths before and after, and the number of its blocks. */
export interface LatentStage {
  readonly inputs: number
  readonly outputs: number
  readonly blocks: number
  /** Whether attention follows every block. */
  readonly attention: boolean
  /** Whether the size is halved or doubled behind the blocks; not in the last stage. */
  readonly resize: boolean
}

/** The parameters of a stage; `resize` is the convolution that follows or makes the change of size. */
export interface LatentStageParams {
  readonly blocks: readonly LatentBlockParams[]
  readonly attentions: readonly ImageAttentionParams[]
  readonly resize: ResizeParams | NoParams
}

/** A 3×3 convolution beside a change of size. */
export interface ResizeParams {
  readonly conv: Conv2dParams
}

/** Zeros on the right and below, then every second result of a 3×3 convolution: the size is halved. */
const halve = (channels: number, style: BlockStyle): Module<ResizeParams> =>
  compose({ conv: lastOf(style, conv2d(channels, channels, 3, { stride: 2 })) }, ({ conv }, x: Tensor) =>
    conv(x.pad([0, 0, 0, 0], [0, 1, 1, 0])),
  )

/** Each pixel becomes four, then a 3×3 convolution: the size is doubled. */
const double = (channels: number, style: BlockStyle): Module<ResizeParams> =>
  compose({ conv: lastOf(style, conv2d(channels, channels, 3, { padding: 1 })) }, ({ conv }, x: Tensor) =>
    conv(upsampleNearest(x, 2)),
  )

const same: Module<NoParams> = { init: () => ({}), apply: (_, x) => x }

const stageOf = (
  { inputs, outputs, blocks, attention, resize }: LatentStage,
  style: BlockStyle,
  { change, shortcut }: { readonly change: typeof halve; readonly shortcut: typeof downShortcut },
): Module<LatentStageParams> => {
  const numbers = Array.from({ length: blocks }, (_, i) => i)
  return compose(
    {
      blocks: numbers.map((i) => latentBlock(i === 0 ? inputs : outputs, outputs, style)),
      attentions: attention ? numbers.map(() => latentAttention(outputs, style)) : [],
      resize: resize ? change(outputs, style) : same,
    },
    ({ blocks, attentions, resize: changed }, x: Tensor) => {
      const through = blocks.reduce((y, block, i) => (attentions[i] ?? ((z: Tensor) => z))(block(y)), x)
      const y = changed(through)
      return resize && style.shortcuts === 'pixel-unshuffle' ? y.add(shortcut(x, outputs)) : y
    },
  )
}

/** A stage of an encoder, `[N, H, W, inputs] → [N, H/2, W/2, outputs]`. */
export const downStage = (stage: LatentStage, style: BlockStyle): Module<LatentStageParams> =>
  stageOf(stage, style, { change: halve, shortcut: downShortcut })

/** A stage of a decoder, `[N, H, W, inputs] → [N, 2H, 2W, outputs]`. */
export const upStage = (stage: LatentStage, style: BlockStyle): Module<LatentStageParams> =>
  stageOf(stage, style, { change: double, shortcut: upShortcut })

/** The parameters of what stands at the smallest size, between stages. */
export interface LatentMiddleParams {
  readonly block1: LatentBlockParams
  readonly attention: ImageAttentionParams | undefined
  readonly block2: LatentBlockParams
}

/** Between encoder and decoder, at the smallest size: a block, attention if there is one, a block. */
export const latentMiddle = (channels: number, attention: boolean, style: BlockStyle): Module<LatentMiddleParams> =>
  compose(
    {
      block1: latentBlock(channels, channels, style),
      attention: attention ? latentAttention(channels, style) : undefined,
      block2: latentBlock(channels, channels, style),
    },
    ({ block1, attention, block2 }, x: Tensor) => {
      const first = block1(x)
      return block2(attention === undefined ? first : attention(first))
    },
  )
