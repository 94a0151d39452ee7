/** Multi-layer perceptrons as a family: the settings of a configuration. A picture is one long vector of its numbers. */
import { list, oneOf, optional, record } from '../prelude/decode.ts'
import { ShapeError } from '../prelude/errors.ts'
import { product } from '../prelude/array.ts'
import { keysOf } from '../prelude/record.ts'
import { showShape } from '../graph/shape.ts'
import { activations, type ActivationName } from './activations.ts'
import type { ClassifierFamily } from './classifierFamily.ts'
import { mlp, type MlpParams } from './mlp.ts'

/** The settings of the network, as a configuration holds them. */
export interface MlpConfig {
  /** The widths of the hidden layers. */
  readonly hidden: readonly number[]
  /** What stands between the layers; default `silu`. */
  readonly activation?: ActivationName | undefined
}

/**
 * The family, for runs. It knows nothing of what lies beside what, so that it needs small pictures, or many of them.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { mlpFamily } from 'fathom/models'
 *
 * const { build, decode, defaults } = mlpFamily
 * const network = build({ ...defaults, hidden: [16] }, { size: [8, 8], channels: 1, classes: 3 })
 * network.apply(network.init(key(0)), zeros([4, 8, 8, 1])).shape // => [4, 3]
 * decode({ hidden: [] }) // => left({ expected: 'a list of at most 16 whole numbers from 1 to 65536', … })
 * ```
 */
export const mlpFamily: ClassifierFamily<MlpConfig, MlpParams> = {
  name: 'mlp',
  title: 'MLP',
  defaults: { hidden: [256, 256], activation: 'silu' },
  decode: record<MlpConfig>({
    hidden: list(16, 65_536),
    activation: optional(oneOf(...keysOf(activations))),
  }),
  build: ({ hidden, activation = 'silu' }, { size: [height, width], channels, classes }) => {
    const picture = [height, width, channels]
    const layers = mlp([product(picture), ...hidden, classes], { activation: activations[activation] })
    return {
      ...layers,
      apply: (params, x, mode) => {
        if (x.rank !== 4 || picture.some((n, i) => x.shape[i + 1] !== n))
          throw new ShapeError(`mlp: takes pictures [N, ${picture.join(', ')}], got ${showShape(x.shape)}`)
        return layers.apply(params, x.reshape([-1, product(picture)]), mode)
      },
    }
  },
}
