/** Transposed convolutional layer over NHWC images. */
import { convTransposeOptions } from '../tensor/convOptions.ts'
import { requireKnown } from '../prelude/options.ts'
import { convTranspose2d as convolveTransposed, type ConvTransposeOptions } from '../tensor/convolution.ts'
import { pair, type Pair } from '../tensor/pair.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { expectSizes } from './expectSizes.ts'
import { kaimingUniform } from './init.ts'
import type { Module } from './module.ts'

/** weight [KH, KW, in / groups, out]; bias [out]. */
export interface ConvTranspose2dParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

/** How the filter moves, and whether a bias is added (default true). */
export interface ConvTranspose2dOptions extends ConvTransposeOptions {
  readonly bias?: boolean
}

/**
 * `[N, H, W, in] → [N, (H − 1)·stride − 2·padding + dilation·(KH − 1) + 1 + outputPadding, …, out]`; initialised as PyTorch does,
 * U(±1/√(KH·KW·out / groups)): PyTorch counts the fan of the convolution whose adjoint this is.
 *
 * @throws RangeError when the groups do not divide the channels
 * @example
 * ```ts
 * import { ones, tensor } from 'fathom'
 * import { convTranspose2d } from 'fathom/nn'
 *
 * const double = convTranspose2d(1, 1, 2, { stride: 2, bias: false })
 * const y = double.apply({ weight: ones([2, 2, 1, 1]) }, tensor([5, 7]).reshape([1, 1, 2, 1]))
 * y.reshape([2, 4]) // => [[5, 5, 7, 7], [5, 5, 7, 7]]
 * ```
 */
export const convTranspose2d = (
  inputs: number,
  outputs: number,
  kernel: Pair,
  options: ConvTranspose2dOptions = {},
): Module<ConvTranspose2dParams> => {
  requireKnown('convTranspose2d', options, [...convTransposeOptions, 'bias'])
  expectSizes('convTranspose2d', { inputs, outputs, kernel }, 'convTranspose2d(x, filter)')
  const [height, width] = pair(kernel)
  const { bias = true, ...moves } = options
  const { groups = 1 } = moves
  if (inputs % groups !== 0 || outputs % groups !== 0)
    throw new RangeError(
      `convTranspose2d: ${groups} groups do not divide ${inputs} input and ${outputs} output channels`,
    )
  const fan = (height * width * outputs) / groups
  return {
    init: (key) => {
      const weight = kaimingUniform([height, width, inputs / groups, outputs], fan)(foldIn(key, 'weight'))
      return bias ? { weight, bias: kaimingUniform([outputs], fan)(foldIn(key, 'bias')) } : { weight }
    },
    apply: (params, x) => {
      const y = convolveTransposed(x, params.weight, moves)
      return asActivation(params.bias === undefined ? y : y.add(params.bias))
    },
  }
}
