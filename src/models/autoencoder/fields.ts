/** Decoding the settings that the kinds of autoencoders share. */
import { expects, list, number, oneOf, record, whole, type Decoder, type Fields } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import { keysOf } from '../../prelude/record.ts'
import { activations } from './blocks.ts'
import type { LatentScaling } from './scaling.ts'
import type { TrunkConfig } from './trunk.ts'

/** A setting that may be absent. @param absent a value of its type; what is absent stays so */
export const optional =
  <T>(decode: Decoder<T>, absent: T): Decoder<T> =>
  (x) =>
    x === undefined ? E.right(absent) : decode(x)

/** true or false. */
export const flag: Decoder<boolean> = (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false'))

/** A list of what a decoder takes. */
const listOf =
  <T>(decode: Decoder<T>, words: string): Decoder<readonly T[]> =>
  (x) => {
    if (!Array.isArray(x) || x.length === 0) return expects(words)
    const items = x.flatMap((item: unknown) => {
      const decoded = decode(item)
      return E.isRight(decoded) ? [decoded.right] : []
    })
    return items.length === x.length ? E.right(items) : expects(words)
  }

/** Channels of pictures or of latents. */
export const channelCount = whole(1, 4096)

const flags = listOf(flag, 'a list of true and false, one for each stage')
const finite = number('a finite number', Number.isFinite)
/** A list of finite numbers. */
export const finiteList = listOf(finite, 'a list of numbers, one for each channel of the latents')

const positive = number('a finite number above 0', (x) => x > 0 && Number.isFinite(x))

/** The activation of blocks. */
export const activationName = oneOf(...keysOf(activations))

/** The scale of latents. */
export const scalingFields: Decoder<LatentScaling> = record<LatentScaling>({
  factor: positive,
  shift: optional(finite, 0),
  mean: optional(finiteList, [0]),
  deviation: optional(listOf(positive, 'a list of numbers above 0, one for each channel of the latents'), [1]),
})

/** The settings of the convolutional encoder and decoder. */
export const trunkFields: Fields<TrunkConfig> = {
  channels: channelCount,
  outChannels: optional(channelCount, 3),
  latentChannels: channelCount,
  widths: list(12, 8192),
  layers: whole(1, 64),
  activation: optional(activationName, 'silu'),
  norm: optional(oneOf('group', 'none'), 'group'),
  groups: optional(whole(1, 8192), 32),
  epsilon: optional(positive, 1e-6),
  attention: optional(flag, false),
  encoderAttention: optional(flags, []),
  decoderAttention: optional(flags, []),
  quantConv: optional(flag, false),
  postQuantConv: optional(flag, false),
  shortcuts: optional(oneOf('pixel-unshuffle', 'none'), 'none'),
}
