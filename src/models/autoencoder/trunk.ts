/** The convolutional encoder and decoder that `AutoencoderKL` and `VQModel` share, from one set of settings. */
import { at } from '../../prelude/array.ts'
import { silu } from '../../nn/activations.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import type { GroupNormParams } from '../../nn/groupNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { concatenate } from '../../tensor/combine.ts'
import { full, zeros } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { ActivationName } from '../activations.ts'
import {
  downStage,
  fromZero,
  lastOf,
  latentMiddle,
  normed,
  normOf,
  upStage,
  type BlockStyle,
  type LatentMiddleParams,
  type LatentStage,
  type LatentStageParams,
} from './blocks.ts'
import { resizeChannels } from './shortcuts.ts'
import { requireLatents, requirePictures } from './sizes.ts'

/** The settings of a convolutional autoencoder; what is absent is not there, or has the default that is named. */
export interface TrunkConfig {
  /** Channels of the pictures. */
  readonly channels: number
  /** Channels of the reconstructions, default `channels`. */
  readonly outChannels?: number
  readonly latentChannels: number
  /** Width of each stage, from the largest picture to the smallest; each stage but the last halves the picture. */
  readonly widths: readonly number[]
  /** Residual blocks of each stage of the encoder; the decoder's have one more. */
  readonly layers: number
  /** Default silu. */
  readonly activation?: ActivationName
  /** Default group. Without a norm a picture can be cut into tiles. */
  readonly norm?: 'group' | 'none'
  /** Groups of a norm, default 32. */
  readonly groups?: number
  /** Added to the variance of a norm, default 10⁻⁶. */
  readonly epsilon?: number
  /** Whether pixels attend to one another between encoder and decoder. */
  readonly attention?: boolean
  /** Whether attention follows every block, for each stage of the encoder. */
  readonly encoderAttention?: readonly boolean[]
  /** The same of the decoder, from the smallest picture to the largest. */
  readonly decoderAttention?: readonly boolean[]
  /** Whether a 1×1 convolution ends the encoder. */
  readonly quantConv?: boolean
  /** Whether a 1×1 convolution begins the decoder. */
  readonly postQuantConv?: boolean
  /** Shortcuts without parameters around every stage, by which training begins near a linear code; default none. */
  readonly shortcuts?: 'pixel-unshuffle' | 'none'
}

/** The parameters of an encoder. */
export interface EncoderParams {
  readonly stem: Conv2dParams
  readonly down: readonly LatentStageParams[]
  readonly middle: LatentMiddleParams
  readonly norm: GroupNormParams | undefined
  readonly head: Conv2dParams
  readonly quant: LinearParams | undefined
}

/** The parameters of a decoder. */
export interface DecoderParams {
  readonly postQuant: LinearParams | undefined
  readonly stem: Conv2dParams
  readonly middle: LatentMiddleParams
  readonly up: readonly LatentStageParams[]
  readonly norm: GroupNormParams | undefined
  readonly head: Conv2dParams
}

const styleOf = (config: TrunkConfig): BlockStyle => {
  const { activation = 'silu', norm = 'group', groups = 32, epsilon = 1e-6, shortcuts = 'none' } = config
  return { activation, norm, groups, epsilon, shortcuts }
}

/** Pixels of a picture per side of one latent. */
export const factorOfTrunk = ({ widths }: TrunkConfig): number => 2 ** (widths.length - 1)

const attentionOf = (
  name: string,
  list: readonly boolean[] | undefined,
  widths: readonly number[],
): readonly boolean[] => {
  if (list !== undefined && list.length !== widths.length)
    throw new RangeError(`${name} has ${list.length} values for ${widths.length} stages (one for each width)`)
  return list ?? widths.map(() => false)
}

/** What is wrong with settings that fit one by one: lists of different lengths, and widths that the groups do not divide. */
export const faultOfTrunk = (config: TrunkConfig): string | undefined => {
  const { widths, norm = 'group', groups = 32, encoderAttention, decoderAttention } = config
  const bad = widths.find((width) => width % groups !== 0)
  if (norm === 'group' && bad !== undefined)
    return `widths that the groups of the norm divide: ${bad} is not divisible by groups ${groups} (or norm none)`
  for (const [name, list] of Object.entries({ encoderAttention, decoderAttention }))
    if (list !== undefined && list.length !== widths.length)
      return `of as many values as ${name} has: ${list.length} for ${widths.length} widths`
  return undefined
}

/** Where the log variances of an encoder with shortcuts begin: σ = e⁻³ = 0.05, so that a picture comes through at step 0. */
const firstLogVariance = -6

/** The last convolution of an encoder. With shortcuts it begins as zeros, and log variances behind `means` channels where they are wanted. */
const encoderHead = (style: BlockStyle, width: number, means: number, outputs: number): Module<Conv2dParams> => {
  const conv = conv2d(width, outputs, 3, { padding: 1 })
  if (style.shortcuts === 'none') return conv
  const zero = fromZero(conv)
  return {
    init: (key) => {
      const { weight, bias } = zero.init(key)
      if (bias === undefined || outputs === means) return { weight, ...(bias && { bias }) }
      return { weight, bias: concatenate([zeros([means]), full([outputs - means], firstLogVariance)], 0) }
    },
    apply: conv.apply,
  }
}

/**
 * The encoder: `[N, H, W, channels] → [N, H / factor, W / factor, outputs]`.
 *
 * @param outputs latentChannels, or twice as many for means and log variances
 * @param quantized channels behind the 1×1 convolution that ends it, default `outputs`
 */
export const trunkEncoder = (config: TrunkConfig, outputs: number, quantized = outputs): Module<EncoderParams> => {
  const { channels, latentChannels, widths, layers, attention = false, encoderAttention, quantConv = false } = config
  const style = styleOf(config)
  const isShort = style.shortcuts === 'pixel-unshuffle'
  const factor = factorOfTrunk(config)
  const attentive = attentionOf('encoderAttention', encoderAttention, widths)
  const stages = widths.map((width, i): LatentStage => {
    const inputs = widths[i - 1] ?? at(widths, 0)
    return { inputs, outputs: width, blocks: layers, attention: at(attentive, i), resize: i < widths.length - 1 }
  })
  const last = at(widths, widths.length - 1)
  return compose(
    {
      stem: lastOf(style, conv2d(channels, at(widths, 0), 3, { padding: 1 })),
      down: stages.map((stage) => downStage(stage, style)),
      middle: latentMiddle(last, attention, style),
      norm: normOf(style, last),
      head: encoderHead(style, last, latentChannels, outputs),
      quant: quantConv ? linear(outputs, quantized) : undefined,
    },
    ({ stem, down, middle, norm, head, quant }, x: Tensor) => {
      requirePictures('autoencoder', x, channels, factor)
      const start = isShort ? stem(x).add(resizeChannels(x, at(widths, 0))) : stem(x)
      const deep = middle(down.reduce((y, stage) => stage(y), start))
      const y = head(silu(normed(norm, deep))) // silu whatever the activation of the blocks is, as diffusers has it
      const short = isShort ? y.add(meansOnly(resizeChannels(deep, latentChannels), outputs)) : y
      return quant === undefined ? short : quant(short)
    },
  )
}

/** Channels behind the last one, of zeros. */
const meansOnly = (x: Tensor, outputs: number): Tensor => x.pad([0, 0, 0, 0], [0, 0, 0, outputs - at(x.shape, 3)])

/** The decoder: `[N, H, W, inputs] → [N, factor·H, factor·W, outChannels]`. @param inputs channels of what it decodes */
export const trunkDecoder = (config: TrunkConfig, inputs: number): Module<DecoderParams> => {
  const { channels, outChannels = channels, latentChannels, layers, attention = false, decoderAttention } = config
  const { widths: fromLarge, postQuantConv = false } = config
  const style = styleOf(config)
  const isShort = style.shortcuts === 'pixel-unshuffle'
  const widths = fromLarge.toReversed()
  const attentive = attentionOf('decoderAttention', decoderAttention, widths)
  const stages = widths.map((width, i): LatentStage => {
    const before = widths[i - 1] ?? at(widths, 0)
    return {
      inputs: before,
      outputs: width,
      blocks: layers + 1,
      attention: at(attentive, i),
      resize: i < widths.length - 1,
    }
  })
  const last = at(widths, widths.length - 1)
  return compose(
    {
      postQuant: postQuantConv ? linear(inputs, latentChannels) : undefined,
      stem: lastOf(style, conv2d(latentChannels, at(widths, 0), 3, { padding: 1 })),
      middle: latentMiddle(at(widths, 0), attention, style),
      up: stages.map((stage) => upStage(stage, style)),
      norm: normOf(style, last),
      head: lastOf(style, conv2d(last, outChannels, 3, { padding: 1 })),
    },
    ({ postQuant, stem, middle, up, norm, head }, z: Tensor) => {
      requireLatents('autoencoder', z, inputs)
      const first = postQuant === undefined ? z : postQuant(z)
      const start = isShort ? stem(first).add(resizeChannels(first, at(widths, 0))) : stem(first)
      const large = up.reduce((y, stage) => stage(y), middle(start))
      const y = head(silu(normed(norm, large)))
      return isShort ? y.add(resizeChannels(large, outChannels)) : y
    },
  )
}
