/** Convolution and transposed convolution of NHWC images with HWIO filters. */
import { requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import { showShape } from '../graph/shape.ts'
import { expectImages, expectTensor, expectTensorNotSize, nodeOf } from './expect.ts'
import { convOptions, convTransposeOptions } from './convOptions.ts'
import { filledAround, noPadding, paddingOf, type ConvPadding, type ConvPaddingMode } from './convPadding.ts'
import { pair, wholePair, type Pair } from './pair.ts'
import { Tensor } from './tensor.ts'
import { operandsOf } from './withPrecision.ts'

/** How a filter moves over the image; PyTorch's meaning of each. */
export interface ConvOptions {
  readonly stride?: Pair
  /** Default 0. */
  readonly padding?: ConvPadding
  /** What stands around the image, default zeros. */
  readonly paddingMode?: ConvPaddingMode
  readonly dilation?: Pair
  readonly groups?: number
}

/**
 * Cross-correlation, as deep learning calls convolution.
 *
 * @param x [N, H, W, C]
 * @param filter [KH, KW, C / groups, O]
 * @returns [N, ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1, …, O]; with `same` padding [N, ⌈H / stride⌉, …, O]
 *
 * @example
 * ```ts
 * import { conv2d, ones, tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], { shape: [1, 3, 3, 1] })
 * const box = ones([2, 2, 1, 1])
 * conv2d(x, box).reshape([2, 2]) // => [[12, 16], [24, 28]]
 * conv2d(x, box, { padding: 1, stride: 2 }).reshape([2, 2]) // => [[1, 5], [11, 28]]
 * conv2d(x, box, { padding: 'same' }).reshape([3, 3]) // => [[12, 16, 9], [24, 28, 15], [15, 17, 9]]
 * conv2d(x, box, { padding: 'same', paddingMode: 'replicate' }).reshape([3, 3]) // => [[12, 16, 18], [24, 28, 30], [30, 34, 36]]
 * ```
 */
export const conv2d = (x: Tensor, filter: Tensor, options: ConvOptions = {}): Tensor => {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode = 'zeros' } = options
  expectTensorNotSize('conv2d', x, 'conv2d(x, filter)')
  requireKnown('conv2d', options, convOptions)
  const around = paddingOf('conv2d', x, nodeOf('conv2d', filter), { stride, padding, dilation })
  const filled = paddingMode === 'zeros' ? undefined : filledAround('conv2d', x, around, paddingMode)
  const { low, high } = filled === undefined ? around : noPadding
  const { x: images, y: weights, dtype } = operandsOf((filled ?? x).node, filter.node)
  return new Tensor(
    makeNode(
      'conv',
      {
        stride: pair(stride),
        padLow: low,
        padHigh: high,
        inputDilation: [1, 1],
        filterDilation: pair(dilation),
        groups,
        dtype,
      },
      [images, weights],
    ),
  )
}

/** How a transposed filter moves; PyTorch's meaning of each. */
export interface ConvTransposeOptions {
  readonly stride?: Pair
  readonly padding?: Pair
  readonly outputPadding?: Pair
  readonly dilation?: Pair
  readonly groups?: number
}

/**
 * The adjoint of {@link conv2d} in its input: a convolution of the input dilated by the stride.
 *
 * @param x [N, H, W, C]
 * @param filter [KH, KW, C / groups, O], as a convolution would apply it (not reversed)
 * @returns [N, (H − 1)·stride − 2·padding + dilation·(KH − 1) + 1 + outputPadding, …, O]
 *
 * @example
 * ```ts
 * import { convTranspose2d, ones, tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3, 4], { shape: [1, 2, 2, 1] })
 * const y = convTranspose2d(x, ones([2, 2, 1, 1]), { stride: 2 })
 * y.reshape([4, 4]) // => [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
 * ```
 */
export const convTranspose2d = (x: Tensor, filter: Tensor, options: ConvTransposeOptions = {}): Tensor => {
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options
  expectTensorNotSize('convTranspose2d', x, 'convTranspose2d(x, filter)')
  requireKnown('convTranspose2d', options, convTransposeOptions)
  expectImages('convTranspose2d', x)
  expectTensor('convTranspose2d', filter)
  if (filter.rank !== 4)
    throw new ShapeError(`convTranspose2d: the filter must be [KH, KW, C / groups, O], got ${showShape(filter.shape)}`)
  const d = wholePair('convTranspose2d', 'dilation', dilation, 1)
  const reach = [d[0] * (at(filter.shape, 0) - 1), d[1] * (at(filter.shape, 1) - 1)] as const
  const p = wholePair('convTranspose2d', 'padding', padding, 0)
  const o = wholePair('convTranspose2d', 'output padding', outputPadding, 0)
  const { x: images, y: weights, dtype } = operandsOf(x.node, filter.reverse([0, 1]).node)
  return new Tensor(
    makeNode(
      'conv',
      {
        stride: [1, 1],
        padLow: [reach[0] - p[0], reach[1] - p[1]],
        padHigh: [reach[0] - p[0] + o[0], reach[1] - p[1] + o[1]],
        inputDilation: pair(stride),
        filterDilation: d,
        groups,
        dtype,
      },
      [images, weights],
    ),
  )
}
