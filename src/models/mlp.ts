/** A multi-layer perceptron: linear layers with an activation between them. */
import { requireKnown } from '../prelude/options.ts'
import { silu } from '../nn/activations.ts'
import { linear } from '../nn/linear.ts'
import { compose, type Module, type ParamsOf } from '../nn/module.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** What stands between the layers. */
export interface MlpOptions {
  /** Default silu. */
  readonly activation?: (x: Tensor) => Tensor
}

const build = (widths: readonly number[], activation: (x: Tensor) => Tensor) =>
  compose({ layers: widths.slice(1).map((width, i) => linear(widths[i] ?? width, width)) }, ({ layers }, x: Tensor) =>
    layers.reduce((y, layer, i) => layer(i === 0 ? y : activation(y)), x),
  )

/** The parameters of {@link mlp}. */
export type MlpParams = ParamsOf<ReturnType<typeof build>>

/**
 * `[…, widths[0]] → […, widths.at(-1)]`: `mlp([2, 64, 64, 1])` has two hidden layers of 64.
 *
 * @throws RangeError for fewer than two widths
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { mlp } from 'fathom/models'
 *
 * const net = mlp([2, 64, 1])
 * const params = net.init(key(0))
 * net.apply(params, zeros([10, 2])).shape // => [10, 1]
 * countElements(params) // => 257
 * ```
 */
export const mlp = (widths: readonly number[], options: MlpOptions = {}): Module<MlpParams> => {
  requireKnown('mlp', options, ['activation'])
  const { activation = silu } = options
  if (widths.length < 2)
    throw new RangeError(`mlp: needs the widths of its input and its output, got [${widths.join(', ')}]`)
  return build(widths, activation)
}
