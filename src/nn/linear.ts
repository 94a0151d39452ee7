/** The linear layer y = x·W + b over the last axis. On NHWC images it is the 1×1 convolution. */
import { requireKnown } from '../prelude/options.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { kaimingUniform } from './init.ts'
import { expectSizes } from './expectSizes.ts'
import type { Module } from './module.ts'

/** weight [in, out]; bias [out]. */
export interface LinearParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

/**
 * `[…, in] → […, out]`; initialised as PyTorch does, U(±1/√in).
 *
 * @param options bias: whether to add one (default true)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { linear } from 'fathom/nn'
 *
 * const params = { weight: tensor([[1], [10]]), bias: tensor([100]) }
 * linear(2, 1).apply(params, tensor([[2, 3]])) // => [[132]]
 * ```
 */
export const linear = (
  inputs: number,
  outputs: number,
  options: { readonly bias?: boolean } = {},
): Module<LinearParams> => {
  requireKnown('linear', options, ['bias'])
  const { bias = true } = options
  expectSizes('linear', { inputs, outputs }, undefined, 0)
  return {
    init: (key) => {
      const weight = kaimingUniform([inputs, outputs], inputs)(foldIn(key, 'weight'))
      return bias ? { weight, bias: kaimingUniform([outputs], inputs)(foldIn(key, 'bias')) } : { weight }
    },
    apply: (params, x) => {
      const y = x.matmul(params.weight)
      return asActivation(params.bias === undefined ? y : y.add(params.bias))
    },
  }
}
