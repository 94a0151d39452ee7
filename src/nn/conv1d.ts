/** Convolutional layer over sequences: that over images of one row. */
import { conv2d as convolve } from '../tensor/convolution.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { expectSizes } from './expectSizes.ts'
import { kaimingUniform } from './init.ts'
import type { Module } from './module.ts'

/** weight [K, in, out]; bias [out]. */
export interface Conv1dParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

/** How the filter moves, and whether a bias is added (default true). */
export interface Conv1dOptions {
  readonly stride?: number
  readonly padding?: number
  readonly bias?: boolean
}

/**
 * `[N, L, in] → [N, L', out]`; initialised as PyTorch does, U(±1/√fanIn) with fanIn = K·in.
 *
 * @throws ShapeError for what is no sequence
 * @example
 * ```ts
 * import { ones, tensor } from 'fathom'
 * import { conv1d } from 'fathom/nn'
 *
 * const sum = conv1d(1, 1, 3, { padding: 1, bias: false })
 * sum.apply({ weight: ones([3, 1, 1]) }, tensor([1, 2, 3, 4], { shape: [1, 4, 1] })).reshape([4]) // => [3, 6, 9, 7]
 * ```
 */
export const conv1d = (
  inputs: number,
  outputs: number,
  kernel: number,
  { stride = 1, padding = 0, bias = true }: Conv1dOptions = {},
): Module<Conv1dParams> => {
  expectSizes('conv1d', [inputs, outputs, kernel], 'conv1d(inputs, outputs, kernel)')
  const fanIn = kernel * inputs
  return {
    init: (key) => {
      const weight = kaimingUniform([kernel, inputs, outputs], fanIn)(foldIn(key, 'weight'))
      return bias ? { weight, bias: kaimingUniform([outputs], fanIn)(foldIn(key, 'bias')) } : { weight }
    },
    apply: (params, x) => {
      if (x.rank !== 3) throw new ShapeError(`conv1d: takes sequences [N, L, ${inputs}], got ${showShape(x.shape)}`)
      const row = convolve(x.expandDims(1), params.weight.expandDims(0), { stride: [1, stride], padding: [0, padding] })
      const y = row.reshape([at(row.shape, 0), at(row.shape, 2), outputs])
      return asActivation(params.bias === undefined ? y : y.add(params.bias))
    },
  }
}
