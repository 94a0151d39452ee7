/** Layer normalisation, Ba et al. 2016, over the last axis. */
import { requireKnown } from '../prelude/options.ts'
import { variance } from '../tensor/variance.ts'
import { ones, zeros } from '../tensor/create.ts'
import { inSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** weight [C] and bias [C], applied after the normalisation. */
export interface LayerNormParams {
  readonly weight: Tensor
  readonly bias: Tensor
}

/** (x − mean) / √(variance + ε), mean and variance over the last axis, without weight and bias. f16 is normalised in f32. */
export const normalizeLayer = (x: Tensor, epsilon: number): Tensor =>
  inSingle(x, (wide) => wide.sub(wide.mean(-1, true)).div(variance(wide, -1, true).add(epsilon).sqrt()))

/**
 * y = (x − mean) / √(variance + ε) · weight + bias, mean and variance over the last axis: `[…, C] → […, C]`. f16 is normalised in f32.
 *
 * @param options epsilon: added to the variance (default 1e-5, as PyTorch)
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { layerNorm } from 'fathom/nn'
 *
 * const layer = layerNorm(2)
 * const y = layer.apply(layer.init(key(0)), tensor([[10, 30], [100, 500]]))
 * y // => [[-1, 1], [-1, 1]]
 * ```
 */
export const layerNorm = (channels: number, options: { readonly epsilon?: number } = {}): Module<LayerNormParams> => {
  requireKnown('layerNorm', options, ['epsilon'])
  const { epsilon = 1e-5 } = options
  expectSizes('layerNorm', { channels })
  return {
    init: () => ({ weight: ones([channels]), bias: zeros([channels]) }),
    apply: ({ weight, bias }, x) => normalizeLayer(x, epsilon).mul(weight).add(bias),
  }
}
