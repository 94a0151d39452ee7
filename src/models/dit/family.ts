/** The diffusion transformer as a family: the settings of a configuration, and what is known of the network that they make. */
import { record } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import type { Family } from '../family.ts'
import { fitting } from '../settingFault.ts'
import { settingsOf } from '../settingsOf.ts'
import {
  faultOf,
  hiddenOf,
  inPatches,
  transformerFields,
  widthInPixels,
  type TransformerSettings,
} from '../transformers/settings.ts'
import { dit, ditFeatures, type DitParams } from './dit.ts'

/** The settings of the network, as a configuration holds them. */
export interface DitConfig extends TransformerSettings {
  readonly kind?: 'dit'
}

/** The names of the sizes of the paper. */
export type DitSize = 'S' | 'B' | 'L' | 'XL'

/**
 * The sizes of Peebles & Xie 2023, table 1; the paper's DiT-XL/2 is `{ ...ditSizes.XL, patch: 2 }`. With patches of 2 of latents of 4 channels they have
 * 33, 130, 458 and 675 million parameters in the paper, whose networks are told classes and give variances, and 32.5, 129.5, 456.8 and 673.7 without both.
 *
 * @example
 * ```ts
 * import { ditSizes } from 'fathom/models'
 *
 * ditSizes.B // => { width: 768, depth: 12, heads: 12 }
 * ```
 */
export const ditSizes: { readonly [K in DitSize]: Pick<TransformerSettings, 'width' | 'depth' | 'heads'> } = {
  S: { width: 384, depth: 12, heads: 6 },
  B: { width: 768, depth: 12, heads: 12 },
  L: { width: 1024, depth: 24, heads: 16 },
  XL: { width: 1152, depth: 28, heads: 16 },
}

/**
 * The family. Of its weights the matrices of all blocks are counted.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { ditFamily } from 'fathom/models'
 *
 * const { build, decode, factor } = ditFamily
 * const config = { patch: 2, width: 16, depth: 2, heads: 2 }
 * factor(config) // => 2
 * const grey = build(config, 1)
 * grey.apply(grey.init(key(0)), { x: zeros([1, 8, 6, 1]), t: zeros([1]) }).shape // => [1, 8, 6, 1]
 * decode({ ...config, heads: 3 }) // => left({ expected: 'a divisor of the width: 3 cannot share 16', … })
 * ```
 */
export const ditFamily: Family<DitConfig, DitParams> = {
  name: 'dit',
  title: 'DiT',
  defaults: { patch: 4, width: 256, depth: 8, heads: 4 },
  decode: (input) => pipe(record(transformerFields)(input), E.chain(fitting(faultOf))),
  build: (config, channels) => dit({ ...settingsOf(config), channels }),
  features: (config, channels) => ditFeatures({ ...settingsOf(config), channels }),
  factor: ({ patch }) => patch,
  factorReason: inPatches,
  size: () => undefined,
  width: widthInPixels,
  times: () => Infinity,
  leastWeights: (config) => config.depth * config.width * (10 * config.width + 2 * hiddenOf(config)),
  names: {},
}
