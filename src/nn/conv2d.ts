/** Convolutional layer over NHWC images. */
import { convOptions } from '../tensor/convOptions.ts'
import { requireKnown } from '../prelude/options.ts'
import { conv2d as convolve, type ConvOptions } from '../tensor/convolution.ts'
import { pair, type Pair } from '../tensor/pair.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { expectSizes } from './expectSizes.ts'
import { kaimingUniform } from './init.ts'
import type { Module } from './module.ts'

/** weight [KH, KW, in / groups, out]; bias [out]. */
export interface Conv2dParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

/** How the filter moves, and whether a bias is added (default true). */
export interface Conv2dOptions extends ConvOptions {
  readonly bias?: boolean
}

/**
 * `[N, H, W, in] → [N, H', W', out]`; initialised as PyTorch does, U(±1/√fanIn) with fanIn = KH·KW·in / groups.
 *
 * @throws RangeError when the groups do not divide the channels
 * @example
 * ```ts
 * import { ones } from 'fathom'
 * import { conv2d } from 'fathom/nn'
 *
 * const count = conv2d(1, 1, 3, { padding: 1, bias: false })
 * const y = count.apply({ weight: ones([3, 3, 1, 1]) }, ones([1, 3, 3, 1])) // how many neighbours are inside
 * y.reshape([3, 3]) // => [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
 * ```
 */
export const conv2d = (
  inputs: number,
  outputs: number,
  kernel: Pair,
  options: Conv2dOptions = {},
): Module<Conv2dParams> => {
  requireKnown('conv2d', options, [...convOptions, 'bias'])
  expectSizes('conv2d', { inputs, outputs, kernel }, 'conv2d(x, filter)')
  const { bias = true, ...moves } = options
  const { groups = 1 } = moves
  if (inputs % groups !== 0 || outputs % groups !== 0)
    throw new RangeError(`conv2d: ${groups} groups do not divide ${inputs} input and ${outputs} output channels`)
  const [height, width] = pair(kernel)
  const fanIn = (height * width * inputs) / groups
  return {
    init: (key) => {
      const weight = kaimingUniform([height, width, inputs / groups, outputs], fanIn)(foldIn(key, 'weight'))
      return bias ? { weight, bias: kaimingUniform([outputs], fanIn)(foldIn(key, 'bias')) } : { weight }
    },
    apply: (params, x) => {
      const y = convolve(x, params.weight, moves)
      return asActivation(params.bias === undefined ? y : y.add(params.bias))
    },
  }
}
