/** diffusers' `UNet2DModel` as a family: the settings of a configuration, and what is known of the network that they make. */
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
import { E, pipe } from '../../prelude/fp.ts'
import { keysOf } from '../../prelude/record.ts'
import { at } from '../../prelude/array.ts'
import { activationName, flag, listOf } from '../autoencoder/fields.ts'
import type { Family } from '../family.ts'
import { fitting } from '../settingFault.ts'
import { settingsOf } from '../settingsOf.ts'
import { faultOf } from './faults.ts'
import { unet2dNames } from './names.ts'
import { stageKinds, type StageKind, type Unet2dSettings } from './stages.ts'
import { unet2d, unet2dFeatures, type Unet2dParams } from './unet2d.ts'

/** The settings of the network, as a configuration holds them: a run tells its network the numbers of steps, not deviations of noise. */
export interface Unet2dConfig extends Omit<
  Unet2dSettings,
  'time' | 'attention' | 'tokenWidth' | 'heads' | 'transformerLayers' | 'linearProjection'
> {
  readonly attention?: boolean
  readonly kind?: 'unet2d'
  readonly time?: 'positional' | 'learned'
}

const positive = number('a finite number above 0', (x) => x > 0 && Number.isFinite(x))
const kinds = keysOf(stageKinds).filter((kind) => kind !== 'cross-attention')
const listed = optional(listOf<StageKind>(oneOf(...kinds), `a list of ${kinds.join(', ')}, one for each width`))
const stages: Decoder<readonly StageKind[] | undefined> = (x) =>
  Array.isArray(x) && x.includes('cross-attention')
    ? expects('a list without cross-attention: it attends to tokens, and a run has none to tell')
    : listed(x)
const channels = whole(1, 8192)
const groups: Decoder<number | 'quarter'> = (x) => {
  if (x === 'quarter') return E.right(x)
  return E.isRight(channels(x)) ? channels(x) : expects('a whole number from 1 to 8192, or quarter')
}
const padding: Decoder<0 | 1> = (x) => (x === 0 || x === 1 ? E.right(x) : expects('0 or 1'))
const told = oneOf('positional', 'learned')

const fields: Fields<Omit<Unet2dConfig, 'kind'>> = {
  widths: list(12, 8192),
  layers: whole(1, 64),
  down: stages,
  up: stages,
  attention: optional(flag),
  headWidth: optional(channels),
  groups: optional(groups),
  middleGroups: optional(channels),
  epsilon: optional(positive),
  activation: optional(activationName),
  downPadding: optional(padding),
  scaleShift: optional(flag),
  middleScale: optional(positive),
  time: optional((x) =>
    x === 'fourier'
      ? expects('positional or learned: fourier is told deviations of noise, and a run tells numbers of steps')
      : told(x),
  ),
  times: optional(whole(1, 1_000_000)),
  timeWidth: optional(whole(1, 65_536)),
  frequencyShift: optional(number('a finite number', Number.isFinite)),
  cosinesFirst: optional(flag),
  centre: optional(flag),
  conditions: optional(whole(0, 4096)),
  conditioning: optional(oneOf('linear', 'time', 'vector')),
  dropout: optional(number('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
}

/**
 * The family. Of its weights the second convolutions of all residual blocks are counted. Its defaults name nothing whose absence says something: the
 * settings of a folder of diffusers over them are those of the folder.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { unet2dFamily } from 'fathom/models'
 *
 * const { build, decode, factor } = unet2dFamily
 * const config = { widths: [8, 16], layers: 1, groups: 4 }
 * factor(config) // => 2
 * const grey = build(config, 1)
 * grey.apply(grey.init(key(0)), { x: zeros([1, 8, 8, 1]), t: zeros([1]) }).shape // => [1, 8, 8, 1]
 * decode({ ...config, groups: 3 }) // => left({ expected: 'a number that divides the channels of every norm: 3 groups do not divide 16', … })
 * ```
 */
export const unet2dFamily: Family<Unet2dConfig, Unet2dParams> = {
  name: 'unet2d',
  title: 'U-Net 2D',
  defaults: { widths: [64, 128, 256, 256], layers: 2, groups: 8 },
  decode: (input) => pipe(record(fields)(input), E.chain(fitting(faultOf))),
  build: (config, channels) => unet2d({ ...settingsOf(config), channels }),
  features: (config, channels) => unet2dFeatures({ ...settingsOf(config), channels }),
  factor: ({ widths }) => 2 ** (widths.length - 1),
  size: () => undefined,
  width: ({ widths }) => at(widths, 0),
  times: ({ times = Infinity }) => times,
  leastWeights: ({ widths, layers }) => widths.reduce((sum, width) => sum + 9 * (2 * layers + 1) * width ** 2, 0),
  names: { diffusers: unet2dNames },
}
