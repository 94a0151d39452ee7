/** EDM2's U-Net as a family: the settings of a configuration, and what is known of the network that they make. */
import { expects, list, number, optional, record, whole, type Decoder, type Fields } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import type { Family } from '../family.ts'
import { fitting } from '../settingFault.ts'
import { settingsOf } from '../settingsOf.ts'
import { edm2, edm2Features, type Edm2Params } from './edm2.ts'
import { edm2Fault, widthsOf, type Edm2Settings } from './settings.ts'
import { forceWeights } from './weights.ts'

/** The settings of the network, as a configuration holds them. */
export interface Edm2Config extends Edm2Settings {
  readonly kind?: 'edm2'
}

const isStage = (x: unknown): x is number => typeof x === 'number' && Number.isInteger(x) && x >= 0
const stages: Decoder<readonly number[]> = (x) =>
  Array.isArray(x) && x.length <= 12 && x.every(isStage)
    ? E.right(x)
    : expects('a list of the numbers of stages, of which 0 has the largest images')

const balance = optional(number('a number from 0 to 1', (x) => x >= 0 && x <= 1))

const fields: Fields<Omit<Edm2Config, 'kind'>> = {
  width: whole(1, 8192),
  multipliers: list(12, 256),
  blocks: whole(1, 64),
  attentionAt: optional(stages),
  headWidth: optional(whole(1, 8192)),
  times: optional(whole(1, 1_000_000)),
  conditions: optional(whole(0, 4096)),
  dropout: optional(number('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
  residualBalance: balance,
  attentionBalance: balance,
  skipBalance: balance,
  conditionBalance: balance,
}

/**
 * The family. Of its weights the second convolutions of all residual blocks are counted.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { edm2Family } from 'fathom/models'
 *
 * const { build, decode, factor } = edm2Family
 * const config = { width: 8, multipliers: [1, 2], blocks: 1, headWidth: 4 }
 * factor(config) // => 2
 * const grey = build(config, 1)
 * grey.apply(grey.init(key(0)), { x: zeros([1, 8, 8, 1]), t: zeros([1]) }).shape // => [1, 8, 8, 1]
 * decode({ ...config, headWidth: 3 }) // => left({ expected: 'a divisor of the widths with attention, as of 8, for instance 8', … })
 * ```
 */
export const edm2Family: Family<Edm2Config, Edm2Params> = {
  name: 'edm2',
  title: 'EDM2 U-Net',
  defaults: { width: 64, multipliers: [1, 2, 3, 4], blocks: 3, headWidth: 64 },
  decode: (input) => pipe(record(fields)(input), E.chain(fitting(edm2Fault))),
  build: (config, channels) => edm2({ ...settingsOf(config), channels }),
  features: (config, channels) => edm2Features({ ...settingsOf(config), channels }),
  factor: ({ multipliers }) => 2 ** (multipliers.length - 1),
  size: () => undefined,
  width: ({ width }) => width,
  project: forceWeights,
  times: ({ times = 1000 }) => times,
  leastWeights: (config) => widthsOf(config).reduce((sum, width) => sum + 9 * (2 * config.blocks + 1) * width ** 2, 0),
  names: {},
}
