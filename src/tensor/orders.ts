/** What an order of the elements gives: the largest ones, the middle one, quantiles. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { requireElements } from './axes.ts'
import { argsort, sort } from './combine.ts'
import { requireFloat } from './elementary.ts'
import { expectTensor } from './expect.ts'
import { takeAlongAxis } from './indexing.ts'
import { moveAxis } from './movement.ts'
import type { SliceBounds, Tensor } from './tensor.ts'

/** Elements and where they stand. */
export interface Ranked {
  /** The elements, the largest first. */
  readonly values: Tensor
  /** Their places along the axis, i32. */
  readonly indices: Tensor
}

/**
 * The `k` largest elements along `axis`, the largest first, and their indices: of equal ones the first stands first, and NaN counts as larger than
 * any number. The whole axis is sorted for it. Gradients flow to the elements that were picked. For the smallest, `topK(x.neg(), k)`.
 *
 * @example
 * ```ts
 * import { tensor, topK } from 'fathom'
 *
 * const { values, indices } = topK(tensor([3, 9, 1, 7]), 2)
 * values // => [9, 7]
 * indices // => [1, 3]
 * ```
 */
export const topK = (x: Tensor, k: number, axis = -1): Ranked => {
  expectTensor('topK', x)
  const a = normalizeAxis('topK', axis, x.rank)
  const n = at(x.shape, a)
  if (!Number.isInteger(k) || k < 0 || k > n)
    throw new ShapeError(
      `topK: k is a whole number from 0 to ${n}, the length of axis ${a} of ${showShape(x.shape)}; got ${k}`,
    )
  // Backwards twice: what is sorted upwards with equal ones in order, read from its end, has the last of equal ones first.
  const order = argsort(x.reverse(a), a).reverse(a)
  const first = x.shape.map((_, i): SliceBounds => (i === a ? [0, k] : []))
  const indices = order
    .slice(...first)
    .neg()
    .add(n - 1)
  return { values: takeAlongAxis(x, indices, a), indices }
}

/** The elements along `axis` in order, along the last axis. @param axis undefined: all elements in one row */
const ordered = (operation: string, x: Tensor, axis: number | undefined): Tensor => {
  const row = axis === undefined ? x.reshape([x.size]) : x
  const a = axis === undefined ? 0 : normalizeAxis(operation, axis, x.rank)
  requireElements(operation, a, row.shape)
  return sort(moveAxis(row, a, -1))
}

/**
 * The element in the middle along `axis` (default all), of two the lower, as in PyTorch; NaN where one is. `quantile(x, 0.5)` is NumPy's median, the
 * mean of the two.
 *
 * @example
 * ```ts
 * import { median, tensor } from 'fathom'
 *
 * median(tensor([9, 1, 5])) // => 5
 * median(tensor([[4, 1], [2, 3]]), 1) // => [1, 2]
 * ```
 */
export const median = (x: Tensor, axis?: number): Tensor => {
  expectTensor('median', x)
  const sorted = ordered('median', x, axis)
  const [middle, last] = [sorted.at(-1, Math.floor((at(sorted.shape, sorted.rank - 1) - 1) / 2)), sorted.at(-1, -1)]
  return last.equal(last).select(middle, last)
}

/**
 * The value below which a share `q` of the elements along `axis` (default all) lies, with a straight line between neighbours, as in PyTorch and NumPy;
 * NaN where an element is.
 *
 * @param q in [0, 1]
 * @example
 * ```ts
 * import { quantile, tensor } from 'fathom'
 *
 * quantile(tensor([4, 1, 3, 2]), 0.5) // => 2.5
 * quantile(tensor([[0, 10], [1, 3]]), 0.75, 1) // => [7.5, 2.5]
 * ```
 */
export const quantile = (x: Tensor, q: number, axis?: number): Tensor => {
  requireFloat('quantile', x)
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile: q is a share from 0 to 1, got ${q}`)
  const sorted = ordered('quantile', x, axis)
  const place = q * (at(sorted.shape, sorted.rank - 1) - 1)
  const [below, above, last] = [sorted.at(-1, Math.floor(place)), sorted.at(-1, Math.ceil(place)), sorted.at(-1, -1)]
  const weight = place - Math.floor(place)
  const value = weight === 0 ? below : below.add(above.sub(below).mul(weight))
  return last.equal(last).select(value, last)
}
