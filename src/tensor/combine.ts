/** Putting tensors together and picking from them: concatenate, stack, gather, sort. */
import { requireLabels } from './labels.ts'
import * as rows from './rows.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { iota } from './create.ts'
import { expectTensors, givenTensor, expectTensor } from './expect.ts'
import { sliceAlong } from './sliceAlong.ts'
import { Tensor } from './tensor.ts'

/**
 * One after the other along `axis`; all other axes must agree.
 *
 * @example
 * ```ts
 * import { concatenate, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2], [3, 4]])
 * concatenate([x, tensor([[5, 6]])], 0) // => [[1, 2], [3, 4], [5, 6]]
 * concatenate([x, tensor([[9], [8]])], 1) // => [[1, 2, 9], [3, 4, 8]]
 * ```
 */
export const concatenate = (xs: readonly Tensor[], axis: number): Tensor => {
  expectTensors('concatenate', xs)
  const [first] = xs
  if (first === undefined) throw new ShapeError('concatenate: needs at least one tensor')
  return xs.length === 1
    ? first
    : new Tensor(
        makeNode(
          'concatenate',
          { axis: normalizeAxis('concatenate', axis, first.rank) },
          xs.map((x) => x.node),
        ),
      )
}

/**
 * Along a new axis.
 *
 * @example
 * ```ts
 * import { stack, tensor } from 'fathom'
 *
 * const [a, b] = [tensor([1, 2]), tensor([3, 4])]
 * stack([a, b]) // => [[1, 2], [3, 4]]
 * stack([a, b], -1) // => [[1, 3], [2, 4]]
 * ```
 */
export const stack = (xs: readonly Tensor[], axis = 0): Tensor => {
  expectTensors('stack', xs)
  if (xs.length === 0) throw new ShapeError('stack: needs at least one tensor')
  return concatenate(
    xs.map((x) => x.expandDims(axis)),
    axis,
  )
}

/**
 * `count` equal parts along `axis`.
 *
 * @example
 * ```ts
 * import { splitInto, tensor } from 'fathom'
 *
 * splitInto(tensor([1, 2, 3, 4, 5, 6]), 3, 0) // => [[1, 2], [3, 4], [5, 6]]
 * splitInto(tensor([1, 2, 3]), 2, 0) // throws ShapeError: splitInto: axis 0 of [3] does not divide into 2 parts
 * ```
 */
export const splitInto = (x: Tensor, count: number, axis: number): readonly Tensor[] => {
  expectTensor('splitInto', x)
  const a = normalizeAxis('splitInto', axis, x.rank)
  const length = at(x.shape, a) / count
  if (!Number.isInteger(length))
    throw new ShapeError(`splitInto: axis ${axis} of ${showShape(x.shape)} does not divide into ${count} parts`)
  return Array.from({ length: count }, (_, i) => sliceAlong(x, a, i * length, (i + 1) * length))
}

/**
 * Rows of `table` by index: `table.shape[:axis] + index.shape + table.shape[axis + 1:]`. An index outside, −1 too, is an error where the host
 * knows it: of data, and not of an argument of a compiled function. One that is only known to the device is moved to the nearest row, on every backend, as
 * JAX's `clip`.
 *
 * @param index i32 or u32, counted from 0
 * @throws RangeError for an index outside the table whose value is known at the call
 *
 * @example
 * ```ts
 * import { gather, tensor, type Tensor } from 'fathom'
 *
 * const table = tensor([[1, 2], [3, 4], [5, 6]])
 * gather(table, tensor([2, 0, 2], { dtype: 'i32' })) // => [[5, 6], [1, 2], [5, 6]]
 * const rows = device.compile((rows: Tensor, index: Tensor) => gather(rows, index))
 * await rows(table, tensor([99], { dtype: 'i32' })) // => [[5, 6]]
 * gather(table, tensor([99], { dtype: 'i32' })) // throws RangeError: gather: the index 99 is outside 0 … 2
 * ```
 */
export const gather = (table: Tensor, index: Tensor, axis = 0): Tensor => {
  const picked = rows.gather(table, index, axis)
  requireLabels('gather', 'index', index, at(table.shape, normalizeAxis('gather', axis, table.rank)))
  return picked
}

/**
 * The transpose of {@link gather}: updates are added into `size` rows of zeros along `axis`; to the nearest row those of an index outside that only
 * the device knows.
 *
 * @throws RangeError for an index outside 0 … size − 1 whose value is known at the call
 * @example
 * ```ts
 * import { scatterAdd, tensor } from 'fathom'
 *
 * const index = tensor([2, 0, 2], { dtype: 'i32' })
 * scatterAdd(index, tensor([1, 10, 100]), 4) // => [10, 0, 101, 0]
 * ```
 */
export const scatterAdd = (index: Tensor, updates: Tensor, size: number, axis = 0): Tensor => {
  const sums = rows.scatterAdd(index, updates, size, axis)
  requireLabels('scatterAdd', 'index', index, size)
  return sums
}

/**
 * The i32 indices that sort `x` along `axis`, smallest first, NaN last; equal elements keep their order.
 *
 * @example
 * ```ts
 * import { argsort, tensor } from 'fathom'
 *
 * argsort(tensor([30, 10, 20])) // => [1, 2, 0]
 * ```
 */
export const argsort = (x: Tensor, axis = -1): Tensor =>
  new Tensor(makeNode('argsort', { axis: normalizeAxis('argsort', axis, givenTensor('argsort', x).rank) }, [x.node]))

/**
 * `x` sorted along its last axis, smallest first; differentiable.
 *
 * @example
 * ```ts
 * import { grad, sort, tensor, type Tensor } from 'fathom'
 *
 * sort(tensor([[3, 1, 2], [6, 5, 4]])) // => [[1, 2, 3], [4, 5, 6]]
 * grad((x: Tensor) => sort(x).mul(tensor([1, 2, 3])).sum())(tensor([30, 10, 20])) // => [3, 1, 2]
 * ```
 */
export const sort = (x: Tensor): Tensor => {
  expectTensor('sort', x)
  const n = x.shape.at(-1) ?? 1
  const order = argsort(x)
  const places = iota(order.shape, Math.max(0, x.rank - 1))
    .neg()
    .add(flatIndex(x))
  return gather(x.reshape([-1]), places.add(order))
    .reshape(x.shape)
    .reshape([...x.shape.slice(0, -1), n])
}

const flatIndex = (x: Tensor): Tensor => iota([x.size], 0).reshape(x.shape)

/**
 * The index of the largest element along `axis`, i32: the first of equal ones, and of the first NaN where there is one.
 *
 * @throws ShapeError where the axis has no elements
 * @example
 * ```ts
 * import { argmax, tensor } from 'fathom'
 *
 * argmax(tensor([[3, 1, 2], [4, 6, 6]])) // => [0, 1]
 * argmax(tensor([[3, 1, 2], [4, 6, 6]]), 0) // => [1, 1, 1]
 * argmax(tensor([1, NaN, 3])) // => 1
 * ```
 */
export const argmax = (x: Tensor, axis = -1): Tensor => givenTensor('argmax', x).argmax(axis)
