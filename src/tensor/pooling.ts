/** Pooling: one number for each window of an NHWC image. */
import { requireKnown } from '../prelude/options.ts'
import { at, product, range } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { isFloat, type DType } from '../graph/dtype.ts'
import { showShape } from '../graph/shape.ts'
import { customVjp } from './annotate.ts'
import { concatenate } from './combine.ts'
import { constant } from './create.ts'
import { expectImages, expectTensor } from './expect.ts'
import { padWith } from './padding.ts'
import { wholePair, type Pair } from './pair.ts'
import { placed, poolingWindows, putBack, tiles, type PoolOptions, type Windows } from './poolingWindows.ts'
import { inSingle } from './precision.ts'
import { sliceAlong } from './sliceAlong.ts'
import type { Tensor } from './tensor.ts'

/** How windows of {@link averagePool} move. */
export interface AveragePoolOptions extends PoolOptions {
  /** Whether the zeros of the padding are counted (default), or each window is divided by the number of its pixels. */
  readonly countIncludePad?: boolean
}

const padded = (x: Tensor, { padding: [h, w] }: Windows, value: number): Tensor =>
  h === 0 && w === 0 ? x : padWith(x, [0, h, w, 0], { value })

/** All places of the windows put together, first along the height and then along the width. */
const gathered = (x: Tensor, windows: Windows, combine: (a: Tensor, b: Tensor) => Tensor): Tensor => {
  const along = (y: Tensor, axis: 0 | 1): Tensor =>
    range(windows.size[axis])
      .map((offset) => placed(y, windows, axis, offset))
      .reduce(combine)
  return along(along(x, 0), 1)
}

/** How many pixels of the image each window sees, [1, H', W', 1]. */
const pixelsSeen = ({ size, stride, padding, image, count }: Windows, dtype: DType): Tensor => {
  const seen = (axis: 0 | 1): readonly number[] =>
    range(count[axis]).map((i) => {
      const start = i * stride[axis] - padding[axis]
      return Math.min(start + size[axis], image[axis]) - Math.max(start, 0)
    })
  const widths = seen(1)
  return constant(
    seen(0).flatMap((h) => widths.map((w) => h * w)),
    { shape: [1, count[0], count[1], 1], dtype },
  )
}

/**
 * The mean of each window of `size`: `[N, H, W, C] → [N, ⌊(H + 2·padding − size) / stride⌋ + 1, …, C]`, by default windows side by side.
 *
 * @throws ShapeError for windows that do not fit; DTypeError for integers
 * @example
 * ```ts
 * import { averagePool, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * averagePool(x).reshape([2]) // => [2.5, 6.5]
 * averagePool(x, 2, { stride: 1 }).reshape([3]) // => [2.5, 4.5, 6.5]
 * const row = tensor([3, 6]).reshape([1, 1, 2, 1])
 * averagePool(row, [1, 2], { padding: [0, 1], stride: 1 }).reshape([3]) // => [1.5, 4.5, 3]
 * averagePool(row, [1, 2], { padding: [0, 1], stride: 1, countIncludePad: false }).reshape([3]) // => [3, 4.5, 6]
 * ```
 */
export const averagePool = (x: Tensor, size: Pair = 2, options: AveragePoolOptions = {}): Tensor => {
  const windows = poolingWindows('averagePool', x, size, options, ['countIncludePad'])
  if (!isFloat(x.dtype))
    throw new DTypeError(`averagePool: takes floats, got ${x.dtype}: a mean of whole numbers is none; cast them first`)
  if (windows.tile) return tiles(x, windows).mean([2, 4])
  return inSingle(x, (wide) => {
    const sums = gathered(padded(wide, windows, 0), windows, (a, b) => a.add(b))
    return sums.div((options.countIncludePad ?? true) ? product(windows.size) : pixelsSeen(windows, wide.dtype))
  })
}

/** The least number of a dtype: what padding is for a maximum. */
const leastOf = (dtype: DType): number => (isFloat(dtype) ? -Infinity : dtype === 'i32' ? -(2 ** 31) : 0)

/** Windows that overlap: their largest pixels, and a derivative in which equal ones share, as those of `max` do. */
const slidingMaximum = (windows: Windows): ((x: Tensor) => Tensor) => {
  const [h, w] = windows.padding
  const around = (x: Tensor): Tensor => padded(x, windows, leastOf(x.dtype))
  const largest = (x: Tensor): Tensor => gathered(around(x), windows, (a, b) => a.maximum(b))
  const places = range(windows.size[0]).flatMap((dy) => range(windows.size[1]).map((dx) => [dy, dx] as const))
  return customVjp(largest, ([x], g): [Tensor] => {
    const [pixels, y] = [around(x), largest(x)]
    const isLargest = places.map(([dy, dx]) =>
      placed(placed(pixels, windows, 0, dy), windows, 1, dx)
        .equal(y)
        .cast(g.dtype),
    )
    const share = g.div(isLargest.reduce((a, b) => a.add(b)))
    const back = places.map(([dy, dx], i) =>
      putBack(putBack(at(isLargest, i).mul(share), windows, 1, dx), windows, 0, dy),
    )
    const all = back.reduce((a, b) => a.add(b))
    return [all.slice([], [h, h + windows.image[0]], [w, w + windows.image[1]])]
  })
}

/**
 * The largest of each window of `size`: `[N, H, W, C] → [N, ⌊(H + 2·padding − size) / stride⌋ + 1, …, C]`, by default windows side by side.
 * What is outside is smaller than every number. Equal elements share the gradient, as those of `max`.
 *
 * @throws ShapeError for windows that do not fit
 * @example
 * ```ts
 * import { maxPool, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * maxPool(x).reshape([2]) // => [4, 8]
 * maxPool(x, 3, { stride: 2, padding: 1 }).reshape([2]) // => [4, 8]
 * maxPool(x, 3) // throws ShapeError: maxPool: windows of [3,3] do not fit into [1,2,4,1] with padding [0,0]
 * ```
 */
export const maxPool = (x: Tensor, size: Pair = 2, options: PoolOptions = {}): Tensor => {
  const windows = poolingWindows('maxPool', x, size, options)
  return windows.tile ? tiles(x, windows).max([2, 4]) : slidingMaximum(windows)(x)
}

/** Means of `count` parts of an axis, of which part i goes from ⌊i·n / count⌋ to ⌈(i + 1)·n / count⌉. */
const meansOfParts = (x: Tensor, axis: number, count: number): Tensor => {
  const n = at(x.shape, axis)
  if (count === n) return x
  const bounds = range(count).map((i) => [Math.floor((i * n) / count), Math.ceil(((i + 1) * n) / count)] as const)
  return concatenate(
    bounds.map((part) => sliceAlong(x, axis, ...part).mean(axis, true)),
    axis,
  )
}

/**
 * Means of so many windows, whatever the size of the image: `[N, H, W, C] → [N, height, width, C]`. Window i begins at ⌊i·H / height⌋ and ends
 * before ⌈(i + 1)·H / height⌉, as PyTorch's, so that windows overlap where the image does not divide.
 *
 * @throws ShapeError for images without pixels
 * @example
 * ```ts
 * import { adaptiveAveragePool, tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3, 4, 5]).reshape([1, 1, 5, 1])
 * adaptiveAveragePool(x, [1, 2]).reshape([2]) // => [2, 4]
 * adaptiveAveragePool(x, 1).reshape([1]) // => [3]
 * ```
 */
export const adaptiveAveragePool = (x: Tensor, size: Pair): Tensor => {
  expectImages('adaptiveAveragePool', x)
  const [height, width] = wholePair('adaptiveAveragePool', 'size', size, 1)
  if (at(x.shape, 1) === 0 || at(x.shape, 2) === 0)
    throw new ShapeError(`adaptiveAveragePool: ${showShape(x.shape)} has no pixels`)
  return inSingle(x, (wide) => meansOfParts(meansOfParts(wide, 1, height), 2, width))
}

/**
 * The mean over all pixels: `[N, H, W, C] → [N, C]`, what stands before the classifier of a convolutional network (Lin et al. 2014, section 3.2).
 *
 * @example
 * ```ts
 * import { globalAveragePool, tensor } from 'fathom'
 *
 * globalAveragePool(tensor([[1, 2], [3, 6]]).reshape([1, 2, 2, 1])) // => [[3]]
 * ```
 */
export const globalAveragePool = (x: Tensor): Tensor => {
  expectImages('globalAveragePool', x)
  return x.mean([1, 2])
}

/** Options of one axis for the second of two. */
const alongWidth = <O extends { readonly stride?: number; readonly padding?: number }>(options: O) => {
  const { stride, padding, ...rest } = options
  return {
    ...rest,
    ...(stride === undefined ? {} : { stride: [1, stride] as const }),
    ...(padding === undefined ? {} : { padding: [0, padding] as const }),
  }
}

/** A pool of images as one of sequences [N, L, C]: images of one row. */
const ofRows = (name: string, x: Tensor, pool: (rows: Tensor) => Tensor): Tensor => {
  expectTensor(name, x)
  if (x.rank !== 3) throw new ShapeError(`${name}: takes sequences [N, L, C], got ${showShape(x.shape)}`)
  const y = pool(x.expandDims(1))
  return y.reshape([at(x.shape, 0), at(y.shape, 2), at(x.shape, 2)])
}

/** How windows of a sequence move. */
export interface Pool1dOptions {
  readonly stride?: number
  readonly padding?: number
}

/**
 * The mean of each window of a sequence: `[N, L, C] → [N, L', C]`, as {@link averagePool} of images.
 *
 * @throws ShapeError for what is no sequence
 * @example
 * ```ts
 * import { averagePool1d, tensor } from 'fathom'
 *
 * averagePool1d(tensor([1, 3, 5, 7]).reshape([1, 4, 1]), 2).reshape([2]) // => [2, 6]
 * ```
 */
export const averagePool1d = (
  x: Tensor,
  size = 2,
  options: Pool1dOptions & { readonly countIncludePad?: boolean } = {},
): Tensor => {
  requireKnown('averagePool1d', options, ['stride', 'padding', 'countIncludePad'])
  return ofRows('averagePool1d', x, (rows) => averagePool(rows, [1, size], alongWidth(options)))
}

/**
 * The largest of each window of a sequence: `[N, L, C] → [N, L', C]`, as {@link maxPool} of images.
 *
 * @throws ShapeError for what is no sequence
 * @example
 * ```ts
 * import { maxPool1d, tensor } from 'fathom'
 *
 * maxPool1d(tensor([1, 3, 7, 5]).reshape([1, 4, 1]), 3, { stride: 1 }).reshape([2]) // => [7, 7]
 * ```
 */
export const maxPool1d = (x: Tensor, size = 2, options: Pool1dOptions = {}): Tensor => {
  requireKnown('maxPool1d', options, ['stride', 'padding'])
  return ofRows('maxPool1d', x, (rows) => maxPool(rows, [1, size], alongWidth(options)))
}

/**
 * Means of so many windows of a sequence: `[N, L, C] → [N, length, C]`, as {@link adaptiveAveragePool} of images.
 *
 * @throws ShapeError for what is no sequence
 * @example
 * ```ts
 * import { adaptiveAveragePool1d, tensor } from 'fathom'
 *
 * adaptiveAveragePool1d(tensor([1, 2, 3]).reshape([1, 3, 1]), 2).reshape([2]) // => [1.5, 2.5]
 * ```
 */
export const adaptiveAveragePool1d = (x: Tensor, length: number): Tensor =>
  ofRows('adaptiveAveragePool1d', x, (rows) => adaptiveAveragePool(rows, [1, length]))
