/** Decoding the settings that the kinds of autoencoders share. */
import {
  expects,
  list,
  number,
  oneOf,
  optional,
  record,
  whole,
  type Decoder,
  type Fields,
} from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import { keysOf } from '../../prelude/record.ts'
import { activations } from '../activations.ts'
import type { LatentScaling } from './scaling.ts'
import type { TrunkConfig } from './trunk.ts'

/** true or false. */
export const flag: Decoder<boolean> = (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false'))

/** A list of what a decoder takes. */
export const listOf =
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
  shift: optional(finite),
  mean: optional(finiteList),
  deviation: optional(listOf(positive, 'a list of numbers above 0, one for each channel of the latents')),
})

/** The settings of the convolutional encoder and decoder. */
export const trunkFields: Fields<TrunkConfig> = {
  channels: channelCount,
  outChannels: optional(channelCount),
  latentChannels: channelCount,
  widths: list(12, 8192),
  layers: whole(1, 64),
  activation: optional(activationName),
  norm: optional(oneOf('group', 'none')),
  groups: optional(whole(1, 8192)),
  epsilon: optional(positive),
  attention: optional(flag),
  encoderAttention: optional(flags),
  decoderAttention: optional(flags),
  quantConv: optional(flag),
  postQuantConv: optional(flag),
  shortcuts: optional(oneOf('pixel-unshuffle', 'none')),
}
