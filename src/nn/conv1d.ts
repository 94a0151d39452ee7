/** Convolutional layer over sequences: that over images of one row. */
import { convOptions } from '../tensor/convOptions.ts'
import { requireKnown } from '../prelude/options.ts'
import { conv2d as convolve } from '../tensor/convolution.ts'
import type { ConvPadding, ConvPaddingMode } from '../tensor/convPadding.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { expectSizes } from './expectSizes.ts'
import { kaimingUniform } from './init.ts'
import type { Module } from './module.ts'

/** weight [K, in / groups, out]; bias [out]. */
export interface Conv1dParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

/** How the filter moves, and whether a bias is added (default true). */
export interface Conv1dOptions {
  readonly stride?: number
  /** As many before as after, both, `same` or `valid`; default 0. */
  readonly padding?: number | 'same' | 'valid' | readonly [before: number, after: number]
  /** What stands there, default zeros. */
  readonly paddingMode?: ConvPaddingMode
  readonly dilation?: number
  readonly groups?: number
  readonly bias?: boolean
}

/** The padding of a sequence as that of an image of one row. */
const alongRow = (padding: NonNullable<Conv1dOptions['padding']>): ConvPadding => {
  if (typeof padding === 'string') return padding
  const [before, after] = typeof padding === 'number' ? [padding, padding] : padding
  return [
    [0, 0],
    [before, after],
  ]
}

/**
 * `[N, L, in] → [N, L', out]`; initialised as PyTorch does, U(±1/√fanIn) with fanIn = K·in / groups.
 *
 * @throws ShapeError for what is no sequence; RangeError when the groups do not divide the channels
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
  options: Conv1dOptions = {},
): Module<Conv1dParams> => {
  requireKnown('conv1d', options, [...convOptions, 'bias'])
  const { stride = 1, padding = 0, paddingMode = 'zeros', dilation = 1, groups = 1, bias = true } = options
  expectSizes('conv1d', { inputs, outputs, kernel })
  if (inputs % groups !== 0 || outputs % groups !== 0)
    throw new RangeError(`conv1d: ${groups} groups do not divide ${inputs} input and ${outputs} output channels`)
  const fanIn = (kernel * inputs) / groups
  const moves = {
    stride: [1, stride],
    dilation: [1, dilation],
    padding: alongRow(padding),
    paddingMode,
    groups,
  } as const
  return {
    init: (key) => {
      const weight = kaimingUniform([kernel, inputs / groups, outputs], fanIn)(foldIn(key, 'weight'))
      return bias ? { weight, bias: kaimingUniform([outputs], fanIn)(foldIn(key, 'bias')) } : { weight }
    },
    apply: (params, x) => {
      if (x.rank !== 3) throw new ShapeError(`conv1d: takes sequences [N, L, ${inputs}], got ${showShape(x.shape)}`)
      const row = convolve(x.expandDims(1), params.weight.expandDims(0), moves)
      const y = row.reshape([at(row.shape, 0), at(row.shape, 2), outputs])
      return asActivation(params.bias === undefined ? y : y.add(params.bias))
    },
  }
}
