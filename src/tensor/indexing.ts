/** Elements and parts picked by indices that a program computes. */
import { storedValues } from './known.ts'
import { requireLabels } from './labels.ts'
import { at, product, range } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { normalizeAxis, rowMajor, showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { gather, scatterAdd } from './combine.ts'
import { iota } from './create.ts'
import { expectTensor } from './expect.ts'
import { sliceAlong } from './sliceAlong.ts'
import type { Tensor } from './tensor.ts'

/**
 * The parts along `axis`, each without it; the inverse of `stack`, PyTorch's `unbind`.
 *
 * @example
 * ```ts
 * import { tensor, unstack } from 'fathom'
 *
 * const [a, b] = unstack(tensor([[1, 2, 3], [4, 5, 6]]))
 * a // => [1, 2, 3]
 * b // => [4, 5, 6]
 * ```
 */
export const unstack = (x: Tensor, axis = 0): readonly Tensor[] => {
  expectTensor('unstack', x)
  const a = normalizeAxis('unstack', axis, x.rank)
  return range(at(x.shape, a)).map((i) => x.at(a, i))
}

/**
 * Parts of the given lengths along `axis`, which together are its length: PyTorch's `split` with a list.
 *
 * @example
 * ```ts
 * import { splitSizes, tensor } from 'fathom'
 *
 * splitSizes(tensor([1, 2, 3, 4, 5]), [2, 3], 0) // => [[1, 2], [3, 4, 5]]
 * splitSizes(tensor([1, 2, 3]), [2, 2], 0) // throws ShapeError: splitSizes: [2,2] are 4 elements, axis 0 of [3] has 3
 * ```
 */
export const splitSizes = (x: Tensor, sizes: readonly number[], axis: number): readonly Tensor[] => {
  expectTensor('splitSizes', x)
  const a = normalizeAxis('splitSizes', axis, x.rank)
  if (!sizes.every((n) => Number.isInteger(n) && n >= 0))
    throw new ShapeError(`splitSizes: lengths are whole numbers ≥ 0, got ${showShape(sizes)}`)
  const total = sizes.reduce((sum, n) => sum + n, 0)
  if (total !== at(x.shape, a))
    throw new ShapeError(
      `splitSizes: ${showShape(sizes)} are ${total} elements, axis ${a} of ${showShape(x.shape)} has ${at(x.shape, a)}`,
    )
  const start = (i: number): number => sizes.slice(0, i).reduce((sum, n) => sum + n, 0)
  return sizes.map((n, i) => sliceAlong(x, a, start(i), start(i) + n))
}

/**
 * At most `count` parts of equal length along `axis`, the last of which may be shorter, as in PyTorch; `splitInto` refuses what does not divide.
 *
 * @example
 * ```ts
 * import { chunk, tensor } from 'fathom'
 *
 * chunk(tensor([1, 2, 3, 4, 5]), 2, 0) // => [[1, 2, 3], [4, 5]]
 * ```
 */
export const chunk = (x: Tensor, count: number, axis: number): readonly Tensor[] => {
  expectTensor('chunk', x)
  const a = normalizeAxis('chunk', axis, x.rank)
  if (!Number.isInteger(count) || count < 1)
    throw new ShapeError(`chunk: takes a whole number of parts ≥ 1, got ${count}`)
  const n = at(x.shape, a)
  const length = Math.max(1, Math.ceil(n / count))
  return range(n === 0 ? count : Math.ceil(n / length)).map((i) =>
    sliceAlong(x, a, Math.min(n, i * length), Math.min(n, (i + 1) * length)),
  )
}

const requireIndex = (operation: string, index: Tensor): void => {
  expectTensor(operation, index)
  if (index.dtype !== 'i32' && index.dtype !== 'u32')
    throw new DTypeError(`${operation}: indices must be i32 or u32, got ${index.dtype}`)
}

/** Indices as i32 in [0, n): those outside are refused where the host knows them, and else become the nearest, as `gather` has it. */
const held = (operation: string, index: Tensor, n: number): Tensor => {
  if (n > 0) requireLabels(operation, 'index', index, n) // without elements that is said
  return index.clamp(0, Math.max(0, n - 1)).cast('i32')
}

/**
 * For each place the element along `axis` at the index that stands there: `y[i, j] = x[i, index[i, j]]`. PyTorch's `gather`, NumPy's
 * `take_along_axis`. Axes of `index` other than `axis` have the length of `x`, or 1. An index outside is as in {@link gather}:
 * an error where the host knows it, else moved to the nearest.
 *
 * @param index i32 or u32, of as many axes as `x`
 * @throws RangeError for an index outside whose value is known at the call
 * @example
 * ```ts
 * import { argsort, takeAlongAxis, tensor } from 'fathom'
 *
 * const x = tensor([[3, 1, 2], [6, 5, 4]])
 * takeAlongAxis(x, argsort(x)) // => [[1, 2, 3], [4, 5, 6]]
 * takeAlongAxis(x, tensor([[0], [2]], { dtype: 'i32' })) // => [[3], [4]]
 * ```
 */
export const takeAlongAxis = (x: Tensor, index: Tensor, axis = -1): Tensor => {
  expectTensor('takeAlongAxis', x)
  requireIndex('takeAlongAxis', index)
  const a = normalizeAxis('takeAlongAxis', axis, x.rank)
  const fits = index.rank === x.rank && index.shape.every((n, i) => i === a || n === 1 || n === x.shape[i])
  if (!fits)
    throw new ShapeError(
      `takeAlongAxis: indices ${showShape(index.shape)} do not fit ${showShape(x.shape)}: all axes but ${a} must be as long, or 1`,
    )
  const shape = x.shape.map((n, i) => (i === a ? at(index.shape, a) : n))
  if (sizeOf(shape) > 0 && at(x.shape, a) === 0)
    throw new ShapeError(`takeAlongAxis: axis ${a} of ${showShape(x.shape)} has no elements to pick from`)
  const strides = rowMajor(x.shape)
  const place = held('takeAlongAxis', index, at(x.shape, a)).mul(at(strides, a)).broadcastTo(shape)
  const flat = range(x.rank)
    .filter((i) => i !== a && at(x.shape, i) > 1)
    .reduce((sum, i) => sum.add(iota(shape, i).mul(at(strides, i))), place)
  return gather(x.reshape([x.size]), flat)
}

/** Refuses a tuple outside, where the host knows it: a part of one is not known any more. */
const requireTuples = (operation: string, index: Tensor, shape: Shape): void => {
  storedValues(index)?.forEach((value, i) => {
    const axis = i % shape.length
    const n = at(shape, axis)
    if (n > 0 && (value < 0 || value >= n))
      throw new RangeError(
        `${operation}: the index ${value} is outside 0 … ${n - 1}, axis ${axis} of ${showShape(shape)}`,
      )
  })
}

/** Row-major places in `shape` of the index tuples along the last axis of `index`. */
const placesOf = (operation: string, index: Tensor, shape: Shape): Tensor => {
  requireTuples(operation, index, shape)
  const strides = rowMajor(shape)
  const [first = iota([0], 0), ...others] = shape.map((n, i) => held(operation, index.at(-1, i), n).mul(at(strides, i)))
  return others.reduce((sum, part) => sum.add(part), first)
}

const tupleLength = (operation: string, index: Tensor, rank: number, of: Shape): number => {
  requireIndex(operation, index)
  const length = index.shape.at(-1)
  if (length === undefined || length < 1 || length > rank)
    throw new ShapeError(
      `${operation}: the last axis of indices ${showShape(index.shape)} is as long as the axes of ${showShape(of)} that they index: 1 to ${rank}`,
    )
  return length
}

/**
 * Elements, or parts, at tuples of indices: the last axis of `index` has a place in the first axes of `x`. `y[i] = x[index[i, 0], index[i, 1]]`.
 * An index outside is as in {@link gather}: an error where the host knows it, else moved to the nearest.
 *
 * @param index [..., K] of i32 or u32, with K at most the number of axes of `x`
 * @throws RangeError for an index outside whose value is known at the call
 * @example
 * ```ts
 * import { gatherNd, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * gatherNd(x, tensor([[0, 2], [1, 0]], { dtype: 'i32' })) // => [3, 4]
 * gatherNd(x, tensor([[1], [0]], { dtype: 'i32' })) // => [[4, 5, 6], [1, 2, 3]]
 * ```
 */
export const gatherNd = (x: Tensor, index: Tensor): Tensor => {
  expectTensor('gatherNd', x)
  const k = tupleLength('gatherNd', index, x.rank, x.shape)
  const [first, rest] = [x.shape.slice(0, k), x.shape.slice(k)]
  return gather(x.reshape([product(first), ...rest]), placesOf('gatherNd', index, first))
}

/**
 * The transpose of {@link gatherNd}: updates are added at tuples of indices into zeros of `shape`.
 *
 * @throws RangeError for an index outside whose value is known at the call
 * @param index [..., K] of i32 or u32
 * @param updates the axes of `index` but the last, and those of `shape` from the K-th on
 * @example
 * ```ts
 * import { scatterNd, tensor } from 'fathom'
 *
 * const index = tensor([[0, 2], [1, 0], [0, 2]], { dtype: 'i32' })
 * scatterNd(index, tensor([1, 10, 100]), [2, 3]) // => [[0, 0, 101], [10, 0, 0]]
 * ```
 */
export const scatterNd = (index: Tensor, updates: Tensor, shape: Shape): Tensor => {
  expectTensor('scatterNd', updates)
  const k = tupleLength('scatterNd', index, shape.length, shape)
  const first = shape.slice(0, k)
  return scatterAdd(placesOf('scatterNd', index, first), updates, product(first)).reshape(shape)
}
