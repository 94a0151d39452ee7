/** PReLU, He et al. 2015: a leaky ReLU whose slope is learned. */
import { requireKnown } from '../prelude/options.ts'
import { full } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** weight [C], the slopes below 0; or [1], one for all channels. */
export interface PreluParams {
  readonly weight: Tensor
}

/**
 * x for x > 0, w·x elsewhere (He et al. 2015, eq. 1): `[…, C] → […, C]`.
 *
 * @param channels the slopes: one for each channel, or (default) one for all
 * @param options slope: where they begin, default ¼
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { prelu } from 'fathom/nn'
 *
 * const layer = prelu(2)
 * layer.apply(layer.init(key(0)), tensor([[-4, 4]])) // => [[-1, 4]]
 * ```
 */
export const prelu = (channels = 1, options: { readonly slope?: number } = {}): Module<PreluParams> => {
  requireKnown('prelu', options, ['slope'])
  const { slope = 0.25 } = options
  expectSizes('prelu', { channels })
  return {
    init: () => ({ weight: full([channels], slope) }),
    apply: ({ weight }, x) => x.greater(0).select(x, x.mul(weight)),
  }
}
