/** Residual networks as a family: the settings of a configuration. */
import { list, oneOf, optional, record, whole } from '../../prelude/decode.ts'
import type { ClassifierFamily } from '../classifierFamily.ts'
import { resnet, type ResnetOptions, type ResnetParams } from './resnet.ts'

/** The settings of the network, as a configuration holds them; `small` stems and norms of groups where they name none. */
export interface ResnetConfig extends Pick<ResnetOptions, 'blocks'> {
  readonly block?: ResnetOptions['block'] | undefined
  readonly width?: number | undefined
  readonly stem?: ResnetOptions['stem'] | undefined
  readonly norm?: ResnetOptions['norm'] | undefined
}

/**
 * The family, for runs: its norms are of groups, which keep no statistics beside the parameters, unless it is told otherwise.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { resnetFamily } from 'fathom/models'
 *
 * const { build, decode, defaults } = resnetFamily
 * const network = build({ ...defaults, width: 8 }, { size: [32, 32], channels: 1, classes: 3 })
 * network.apply(network.init(key(0)), zeros([4, 32, 32, 1])).shape // => [4, 3]
 * decode({ blocks: [] }) // => left({ expected: 'a list of at most 8 whole numbers from 1 to 1000', … })
 * ```
 */
export const resnetFamily: ClassifierFamily<ResnetConfig, ResnetParams> = {
  name: 'resnet',
  title: 'ResNet',
  defaults: { blocks: [1, 1, 1], block: 'basic', width: 32, stem: 'small' },
  decode: record<ResnetConfig>({
    blocks: list(8, 1000),
    block: optional(oneOf('basic', 'bottleneck')),
    width: optional(whole(1, 65_536)),
    stem: optional(oneOf('large', 'small')),
    norm: optional(oneOf('batch', 'group')),
  }),
  build: ({ blocks, block = 'basic', width = 64, stem = 'small', norm = 'group' }, { channels, classes }) =>
    resnet({ blocks, block, width, stem, norm, channels, classes }),
}
