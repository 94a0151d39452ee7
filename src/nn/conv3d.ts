/** Convolutional layer over frames: a convolution of images, in which each frame has its neighbours in time as further channels. */
import { requireKnown } from '../prelude/options.ts'
import { conv2d as convolve } from '../tensor/convolution.ts'
import { at, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { concatenate } from '../tensor/combine.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { asActivation } from './activation.ts'
import { expectSizes } from './expectSizes.ts'
import { kaimingUniform } from './init.ts'
import type { Module } from './module.ts'

/** weight [KT, KH, KW, in, out]; bias [out]. */
export interface Conv3dParams {
  readonly weight: Tensor
  readonly bias?: Tensor
}

/** What is added around the frames in all three directions (default 0), and whether a bias is added (default true). */
export interface Conv3dOptions {
  readonly padding?: number
  readonly bias?: boolean
}

/** Frames [N, T, H, W, C] with those of a window of k as channels, zeros beyond both ends: [N·T', H, W, k·C]. */
const withNeighbours = (x: Tensor, k: number, padding: number): Tensor => {
  const [n, t, h, w, c] = x.shape
  const around = [0, padding, 0, 0, 0]
  const frames = x.pad(around, around)
  const count = (t ?? NaN) + 2 * padding - k + 1
  const shifted = range(k).map((i) => frames.slice([], [i, i + count]))
  return concatenate(shifted, -1).reshape([(n ?? NaN) * count, h ?? NaN, w ?? NaN, k * (c ?? NaN)])
}

/**
 * `[N, T, H, W, in] → [N, T', H', W', out]` with a filter of `kernel` frames, rows and columns; initialised as PyTorch does, U(±1/√fanIn) with
 * fanIn = kernel³·in. A sum over three axes is one over two of them with the third among the channels, so that this is exact.
 *
 * @throws ShapeError for what is no frames
 * @example
 * ```ts
 * import { ones } from 'fathom'
 * import { conv3d } from 'fathom/nn'
 *
 * const count = conv3d(1, 1, 3, { padding: 1, bias: false })
 * const y = count.apply({ weight: ones([3, 3, 3, 1, 1]) }, ones([1, 2, 3, 3, 1])) // how many neighbours are inside
 * y.slice([0, 1], [0, 1]).reshape([3, 3]) // => [[8, 12, 8], [12, 18, 12], [8, 12, 8]]
 * ```
 */
export const conv3d = (
  inputs: number,
  outputs: number,
  kernel: number,
  options: Conv3dOptions = {},
): Module<Conv3dParams> => {
  requireKnown('conv3d', options, ['padding', 'bias'])
  const { padding = 0, bias = true } = options
  expectSizes('conv3d', { inputs, outputs, kernel })
  const fanIn = kernel ** 3 * inputs
  return {
    init: (key) => {
      const weight = kaimingUniform([kernel, kernel, kernel, inputs, outputs], fanIn)(foldIn(key, 'weight'))
      return bias ? { weight, bias: kaimingUniform([outputs], fanIn)(foldIn(key, 'bias')) } : { weight }
    },
    apply: (params, x) => {
      if (x.rank !== 5) throw new ShapeError(`conv3d: takes frames [N, T, H, W, ${inputs}], got ${showShape(x.shape)}`)
      const filter = params.weight.transpose([1, 2, 0, 3, 4]).reshape([kernel, kernel, kernel * inputs, outputs])
      const frames = convolve(withNeighbours(x, kernel, padding), filter, { padding })
      const n = at(x.shape, 0)
      const y = frames.reshape([n, at(frames.shape, 0) / n, ...frames.shape.slice(1)])
      return asActivation(params.bias === undefined ? y : y.add(params.bias))
    },
  }
}
