/** Vision transformers as a family: the settings of a configuration. */
import { number, oneOf, optional, record, whole } from '../../prelude/decode.ts'
import type { ClassifierFamily } from '../classifierFamily.ts'
import { vit, type VitOptions, type VitParams } from './vit.ts'

/** The settings of the network, as a configuration holds them; what it names not is as in {@link vit}. */
export type VitConfig = Pick<VitOptions, 'patch' | 'width' | 'depth' | 'heads' | 'pooling' | 'dropout'>

/**
 * The family, for runs.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { vitFamily } from 'fathom/models'
 *
 * const { build, defaults } = vitFamily
 * const network = build({ ...defaults, width: 16, heads: 2 }, { size: [32, 32], channels: 1, classes: 3 })
 * network.apply(network.init(key(0)), zeros([4, 32, 32, 1])).shape // => [4, 3]
 * ```
 */
export const vitFamily: ClassifierFamily<VitConfig, VitParams> = {
  name: 'vit',
  title: 'ViT',
  defaults: { patch: 4, width: 64, depth: 4, heads: 4, pooling: 'mean', dropout: 0 },
  decode: record<VitConfig>({
    patch: optional(whole(1, 1024)),
    width: optional(whole(1, 65_536)),
    depth: optional(whole(1, 1024)),
    heads: optional(whole(1, 1024)),
    pooling: optional(oneOf('token', 'mean')),
    dropout: optional(number('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
  }),
  build: (config, purpose) => vit({ ...config, ...purpose }),
}
