/** lucidrains' U-Net as a family: the settings of a configuration, and what is known of the network that they make. */
import { flag } from '../autoencoder/fields.ts'
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
import type { Family } from '../family.ts'
import { unet, unetFeatures, type UnetOptions, type UnetParams, type UnetTime } from './unet.ts'
import { lucidrainsNames } from './weights.ts'

/** The size of the U-Net, as a configuration holds it. */
export interface UnetConfig {
  /** The family; absent in the configurations of runs from before there was a choice, and the same. */
  readonly kind?: 'lucidrains'
  readonly width: number
  /** Width of each stage in multiples of `width`; each stage but the last halves the image. */
  readonly multipliers: readonly number[]
  /** Attention heads, and channels of each. */
  readonly heads: number
  readonly headWidth: number
  /** Dropout rate in the residual blocks; absent is 0. */
  readonly dropout?: number
  /** Length of the vector that says what else an image is; absent is 0, none. */
  readonly conditions?: number
  /** Whether the network is told what it thought of an image before (self-conditioning); absent is false. */
  readonly selfCondition?: boolean
  /** How times are seen: by sinusoids of t, or by Fourier features of t/T, of frequencies that are learned or stay as they are drawn. Absent is sinusoidal. */
  readonly time?: UnetTime
  /** Whether the network also says the variance of each step back, in as many channels again; absent is false. */
  readonly learnedVariance?: boolean
}

/** A setting that may be absent, which is 0. */
const orAbsent =
  (decode: Decoder<number>): Decoder<number> =>
  (x) =>
    x === undefined ? E.right(0) : decode(x)

const fields: Fields<Omit<UnetConfig, 'kind'>> = {
  width: (x) =>
    typeof x === 'number' && Number.isInteger(x) && x >= 4 && x <= 8192 && x % 2 === 0
      ? E.right(x)
      : expects('an even whole number from 4 to 8192'),
  multipliers: list(12, 256),
  heads: whole(1, 1024),
  headWidth: whole(1, 4096),
  dropout: orAbsent(number('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
  conditions: orAbsent(whole(0, 4096)),
  selfCondition: optional(flag),
  time: optional(oneOf('sinusoidal', 'learned', 'random')),
  learnedVariance: optional(flag),
}

const optionsOf = (
  {
    width,
    multipliers,
    heads,
    headWidth,
    dropout = 0,
    conditions = 0,
    selfCondition = false,
    time = 'sinusoidal',
    learnedVariance = false,
  }: UnetConfig,
  channels: number,
): UnetOptions => ({
  channels,
  width,
  multipliers,
  heads,
  headWidth,
  dropout,
  conditions,
  selfCondition,
  time,
  ...(learnedVariance && { outChannels: 2 * channels }),
})

/**
 * The family. Of its weights a 3×3 convolution in each stage is counted, of many.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { lucidrainsFamily } from 'fathom/models'
 *
 * const { build, factor } = lucidrainsFamily
 * const config = { width: 8, multipliers: [1, 2], heads: 2, headWidth: 4 }
 * factor(config) // => 2
 * const grey = build(config, 1)
 * grey.apply(grey.init(key(0)), { x: zeros([1, 8, 8, 1]), t: zeros([1]) }).shape // => [1, 8, 8, 1]
 * ```
 */
export const lucidrainsFamily: Family<UnetConfig, UnetParams> = {
  name: 'lucidrains',
  title: 'U-Net',
  defaults: { width: 64, multipliers: [1, 2, 4, 8], heads: 4, headWidth: 32 },
  decode: record(fields),
  build: (config, channels) => unet(optionsOf(config, channels)),
  features: (config, channels) => unetFeatures(optionsOf(config, channels)),
  factor: ({ multipliers }) => 2 ** (multipliers.length - 1),
  size: () => undefined,
  width: ({ width }) => width,
  times: () => Infinity,
  learnsVariance: ({ learnedVariance = false }) => learnedVariance,
  takesShares: ({ time = 'sinusoidal' }) => time !== 'sinusoidal',
  takesEstimate: ({ selfCondition = false }) => selfCondition,
  leastWeights: ({ width, multipliers }) => multipliers.reduce((sum, m) => sum + 9 * (m * width) ** 2, 0),
  names: { lucidrains: lucidrainsNames },
}
