/** U-ViT as a family: the settings of a configuration, and what is known of the network that they make. */
import { record } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import type { Family } from '../family.ts'
import { fitting } from '../settingFault.ts'
import { settingsOf } from '../settingsOf.ts'
import { hiddenOf, inPatches, widthInPixels } from '../transformers/settings.ts'
import { faultOf, uvitFields, type UvitSettings } from './settings.ts'
import { uvit, uvitFeatures, type UvitParams } from './uvit.ts'

/** The settings of the network, as a configuration holds them. */
export interface UvitConfig extends UvitSettings {
  readonly kind?: 'uvit'
}

/** The names of the sizes of the paper. */
export type UvitSize = 'S' | 'deepS' | 'M' | 'L' | 'H'

/**
 * The sizes of Bao et al. 2023, table 1 (`deepS` is S (Deep)): with their patches they have 44, 58, 131, 287 and 501 million parameters.
 *
 * @example
 * ```ts
 * import { uvitSizes } from 'fathom/models'
 *
 * uvitSizes.S // => { width: 512, depth: 13, heads: 8 }
 * ```
 */
export const uvitSizes: { readonly [K in UvitSize]: Pick<UvitSettings, 'width' | 'depth' | 'heads'> } = {
  S: { width: 512, depth: 13, heads: 8 },
  deepS: { width: 512, depth: 17, heads: 8 },
  M: { width: 768, depth: 17, heads: 12 },
  L: { width: 1024, depth: 21, heads: 16 },
  H: { width: 1152, depth: 29, heads: 16 },
}

/**
 * The family. Of its weights the matrices of all blocks are counted.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { uvitFamily } from 'fathom/models'
 *
 * const { build, decode, factor } = uvitFamily
 * const config = { patch: 2, width: 16, depth: 3, heads: 2 }
 * factor(config) // => 2
 * const grey = build(config, 1)
 * grey.apply(grey.init(key(0)), { x: zeros([1, 8, 6, 1]), t: zeros([1]) }).shape // => [1, 8, 6, 1]
 * decode({ ...config, size: [8, 7] }) // => left({ expected: 'divisible by 2, the side of a patch: 7 is not', … })
 * ```
 */
export const uvitFamily: Family<UvitConfig, UvitParams> = {
  name: 'uvit',
  title: 'U-ViT',
  defaults: { patch: 4, width: 256, depth: 9, heads: 4 },
  decode: (input) => pipe(record(uvitFields)(input), E.chain(fitting(faultOf))),
  build: (config, channels) => uvit({ ...settingsOf(config), channels }),
  features: (config, channels) => uvitFeatures({ ...settingsOf(config), channels }),
  factor: ({ patch }) => patch,
  factorReason: inPatches,
  size: ({ size }) => size,
  width: widthInPixels,
  times: () => Infinity,
  leastWeights: (config) => config.depth * config.width * (4 * config.width + 2 * hiddenOf(config)),
  names: {},
}
