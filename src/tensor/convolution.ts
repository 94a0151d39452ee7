/** Convolution, transposed convolution and pooling over NHWC images with HWIO filters. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import { showShape } from '../graph/shape.ts'
import { expectImages, expectTensor, nodeOf } from './expect.ts'
import { Tensor } from './tensor.ts'

/** One number for both spatial axes, or height and width. */
export type Pair = number | readonly [number, number]

/**
 * Height and width of a {@link Pair}.
 *
 * @example
 * ```ts
 * import { pair } from 'fathom'
 *
 * pair(3) // => [3, 3]
 * pair([3, 5]) // => [3, 5]
 * ```
 */
export const pair = (p: Pair): readonly [number, number] => (typeof p === 'number' ? [p, p] : p)

/** The pair of an option; throws where one is not a whole number from `least` on. */
const whole = (operation: string, what: string, p: Pair, least: 0 | 1): readonly [number, number] => {
  const both = pair(p)
  if (!both.every((n) => Number.isInteger(n) && n >= least))
    throw new ShapeError(`${operation}: ${what} ${showShape(both)} must be whole numbers ≥ ${least}`)
  return both
}

/** How a filter moves over the image; PyTorch's meaning of each. */
export interface ConvOptions {
  readonly stride?: Pair
  readonly padding?: Pair
  readonly dilation?: Pair
  readonly groups?: number
}

/**
 * Cross-correlation, as deep learning calls convolution.
 *
 * @param x [N, H, W, C]
 * @param filter [KH, KW, C / groups, O]
 * @returns [N, ⌊(H + 2·padding − dilation·(KH − 1) − 1) / stride⌋ + 1, …, O]
 *
 * @example
 * ```ts
 * import { conv2d, ones, tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], { shape: [1, 3, 3, 1] })
 * const box = ones([2, 2, 1, 1])
 * conv2d(x, box).reshape([2, 2]) // => [[12, 16], [24, 28]]
 * conv2d(x, box, { padding: 1, stride: 2 }).reshape([2, 2]) // => [[1, 5], [11, 28]]
 * ```
 */
export const conv2d = (
  x: Tensor,
  filter: Tensor,
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions = {},
): Tensor =>
  new Tensor(
    makeNode(
      'conv',
      {
        stride: pair(stride),
        padLow: whole('conv2d', 'padding', padding, 0),
        padHigh: whole('conv2d', 'padding', padding, 0),
        inputDilation: [1, 1],
        filterDilation: pair(dilation),
        groups,
        dtype: x.dtype,
      },
      [nodeOf('conv2d', x), nodeOf('conv2d', filter)],
    ),
  )

/** How a transposed filter moves; PyTorch's meaning of each. */
export interface ConvTransposeOptions {
  readonly stride?: Pair
  readonly padding?: Pair
  readonly outputPadding?: Pair
}

/**
 * The adjoint of {@link conv2d} in its input: a convolution of the input dilated by the stride.
 *
 * @param x [N, H, W, C]
 * @param filter [KH, KW, C, O], as a convolution would apply it (not reversed)
 * @returns [N, (H − 1)·stride − 2·padding + KH + outputPadding, …, O]
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
export const convTranspose2d = (
  x: Tensor,
  filter: Tensor,
  { stride = 1, padding = 0, outputPadding = 0 }: ConvTransposeOptions = {},
): Tensor => {
  expectImages('convTranspose2d', x)
  expectTensor('convTranspose2d', filter)
  if (filter.rank !== 4)
    throw new ShapeError(`convTranspose2d: the filter must be [KH, KW, C, O], got ${showShape(filter.shape)}`)
  const kernel = [at(filter.shape, 0), at(filter.shape, 1)] as const
  const p = whole('convTranspose2d', 'padding', padding, 0)
  const o = whole('convTranspose2d', 'output padding', outputPadding, 0)
  return new Tensor(
    makeNode(
      'conv',
      {
        stride: [1, 1],
        padLow: [kernel[0] - 1 - p[0], kernel[1] - 1 - p[1]],
        padHigh: [kernel[0] - 1 - p[0] + o[0], kernel[1] - 1 - p[1] + o[1]],
        inputDilation: pair(stride),
        filterDilation: [1, 1],
        groups: 1,
        dtype: x.dtype,
      },
      [x.node, filter.reverse([0, 1]).node],
    ),
  )
}

const windows = (name: string, x: Tensor, given: Pair): Tensor => {
  expectImages(name, x)
  const size = whole(name, 'size', given, 1)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  if (h % size[0] !== 0 || w % size[1] !== 0)
    throw new ShapeError(`${name}: windows of ${showShape(size)} do not tile ${showShape(x.shape)}`)
  return x.reshape([n, h / size[0], size[0], w / size[1], size[1], c])
}

/**
 * The mean of each window of `size`: `[N, H, W, C] → [N, H / size, W / size, C]`.
 *
 * @example
 * ```ts
 * import { averagePool, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * averagePool(x).reshape([2]) // => [2.5, 6.5]
 * ```
 */
export const averagePool = (x: Tensor, size: Pair = 2): Tensor => windows('averagePool', x, size).mean([2, 4])

/**
 * The largest of each window of `size`: `[N, H, W, C] → [N, H / size, W / size, C]`.
 *
 * @example
 * ```ts
 * import { maxPool, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * maxPool(x).reshape([2]) // => [4, 8]
 * maxPool(x, 3) // throws ShapeError: maxPool: windows of [3,3] do not tile [1,2,4,1]
 * ```
 */
export const maxPool = (x: Tensor, size: Pair = 2): Tensor => windows('maxPool', x, size).max([2, 4])

/**
 * Each pixel repeated `factor` times in both directions: `[N, H, W, C] → [N, factor·H, factor·W, C]`.
 *
 * @example
 * ```ts
 * import { tensor, upsampleNearest } from 'fathom'
 *
 * const x = tensor([1, 2], { shape: [1, 1, 2, 1] })
 * upsampleNearest(x).reshape([2, 4]) // => [[1, 1, 2, 2], [1, 1, 2, 2]]
 * ```
 */
export const upsampleNearest = (x: Tensor, factor = 2): Tensor => {
  expectImages('upsampleNearest', x)
  whole('upsampleNearest', 'factor', factor, 1)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  return x
    .reshape([n, h, 1, w, 1, c])
    .broadcastTo([n, h, factor, w, factor, c])
    .reshape([n, h * factor, w * factor, c])
}

/**
 * Space to depth, with PyTorch's channel order: output channel `c·factor² + dy·factor + dx`.
 *
 * `[N, H, W, C] → [N, H / factor, W / factor, C·factor²]`
 *
 * @example
 * ```ts
 * import { pixelUnshuffle, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * pixelUnshuffle(x).reshape([2, 4]) // => [[1, 2, 3, 4], [5, 6, 7, 8]]
 * ```
 */
export const pixelUnshuffle = (x: Tensor, factor = 2): Tensor => {
  expectImages('pixelUnshuffle', x)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  return windows('pixelUnshuffle', x, factor)
    .transpose([0, 1, 3, 5, 2, 4])
    .reshape([n, h / factor, w / factor, c * factor * factor])
}

/**
 * Depth to space, the inverse of {@link pixelUnshuffle}: `[N, H, W, C·factor²] → [N, factor·H, factor·W, C]`.
 *
 * @example
 * ```ts
 * import { pixelShuffle, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 3, 4], [5, 6, 7, 8]]).reshape([1, 1, 2, 4])
 * pixelShuffle(x).reshape([2, 4]) // => [[1, 2, 5, 6], [3, 4, 7, 8]]
 * ```
 */
export const pixelShuffle = (x: Tensor, factor = 2): Tensor => {
  expectImages('pixelShuffle', x)
  whole('pixelShuffle', 'factor', factor, 1)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3) / (factor * factor)]
  if (!Number.isInteger(c))
    throw new ShapeError(`pixelShuffle: ${at(x.shape, 3)} channels do not divide by ${factor * factor}`)
  return x
    .reshape([n, h, w, c, factor, factor])
    .transpose([0, 1, 4, 2, 5, 3])
    .reshape([n, h * factor, w * factor, c])
}
