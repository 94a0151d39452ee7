/** Triangles and diagonals of matrices: the last two axes, where nothing else is said. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { iota } from './create.ts'
import { expectTensors, expectTensor } from './expect.ts'
import { moveAxis } from './movement.ts'
import type { Tensor } from './tensor.ts'

const requireMatrix = (operation: string, x: Tensor): void => {
  expectTensor(operation, x)
  if (x.rank < 2) throw new ShapeError(`${operation}: takes a matrix or a stack of them, got ${showShape(x.shape)}`)
}

const requireOffset = (operation: string, offset: number): void => {
  if (!Number.isInteger(offset)) throw new ShapeError(`${operation}: the diagonal is a whole number, got ${offset}`)
}

/** Column less row of each element: 0 on the main diagonal, negative below it. */
const offsets = (operation: string, x: Tensor, diagonal: number): Tensor => {
  requireMatrix(operation, x)
  requireOffset(operation, diagonal)
  const shape = x.shape.slice(-2)
  return iota(shape, 1).sub(iota(shape, 0))
}

/**
 * The lower triangle of each matrix, zeros above the `diagonal`-th diagonal: 0 is the main one, positive ones lie above it.
 *
 * @example
 * ```ts
 * import { ones, tensor, tril } from 'fathom'
 *
 * tril(tensor([[1, 2, 3], [4, 5, 6]])) // => [[1, 0, 0], [4, 5, 0]]
 * tril(ones([3, 3], 'bool'), -1) // => [[false, false, false], [true, false, false], [true, true, false]]
 * ```
 */
export const tril = (x: Tensor, diagonal = 0): Tensor => offsets('tril', x, diagonal).lessEqual(diagonal).select(x, 0)

/**
 * The upper triangle of each matrix, zeros below the `diagonal`-th diagonal.
 *
 * @example
 * ```ts
 * import { tensor, triu } from 'fathom'
 *
 * triu(tensor([[1, 2, 3], [4, 5, 6]])) // => [[1, 2, 3], [0, 5, 6]]
 * triu(tensor([[1, 2, 3], [4, 5, 6]]), 1) // => [[0, 2, 3], [0, 0, 6]]
 * ```
 */
export const triu = (x: Tensor, diagonal = 0): Tensor =>
  offsets('triu', x, diagonal).greaterEqual(diagonal).select(x, 0)

/** Where a diagonal begins in the row-major order of a matrix of `columns` columns. */
const startOf = (offset: number, columns: number): number => (offset >= 0 ? offset : -offset * columns)

/**
 * The `offset`-th diagonal of the matrices over axes `row` and `column`, as the last axis: 0 is the main one, positive ones lie above it. A slice
 * by n + 1 elements; nothing is gathered.
 *
 * @example
 * ```ts
 * import { diagonal, tensor } from 'fathom'
 *
 * diagonal(tensor([[1, 2, 3], [4, 5, 6]])) // => [1, 5]
 * diagonal(tensor([[1, 2, 3], [4, 5, 6]]), 1) // => [2, 6]
 * ```
 */
export const diagonal = (x: Tensor, offset = 0, row = -2, column = -1): Tensor => {
  requireMatrix('diagonal', x)
  requireOffset('diagonal', offset)
  const [a, b] = [normalizeAxis('diagonal', row, x.rank), normalizeAxis('diagonal', column, x.rank)]
  if (a === b) throw new ShapeError(`diagonal: a diagonal runs over two axes, got axis ${a} twice`)
  const matrices = moveAxis(x, [a, b], [-2, -1])
  const [lead, n, m] = [matrices.shape.slice(0, -2), at(matrices.shape, x.rank - 2), at(matrices.shape, x.rank - 1)]
  const length = Math.max(0, offset >= 0 ? Math.min(n, m - offset) : Math.min(n + offset, m))
  const start = length === 0 ? 0 : startOf(offset, m)
  const limit = length === 0 ? 0 : start + (length - 1) * (m + 1) + 1
  return matrices.reshape([...lead, n * m]).slice(...lead.map(() => [] as const), [start, limit, m + 1])
}

/**
 * Of a vector the matrix that has it on the `offset`-th diagonal, zeros elsewhere; of a matrix its diagonal, as in NumPy.
 *
 * @example
 * ```ts
 * import { diag, tensor } from 'fathom'
 *
 * diag(tensor([1, 2])) // => [[1, 0], [0, 2]]
 * diag(tensor([1, 2]), 1) // => [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
 * diag(tensor([[1, 2], [3, 4]])) // => [1, 4]
 * ```
 */
export const diag = (x: Tensor, offset = 0): Tensor => {
  expectTensor('diag', x)
  requireOffset('diag', offset)
  if (x.rank === 2) return diagonal(x, offset)
  if (x.rank !== 1)
    throw new ShapeError(
      `diag: takes a vector or a matrix, got ${showShape(x.shape)}; diagonal takes stacks of matrices`,
    )
  const [count, n] = [x.size, x.size + Math.abs(offset)]
  const start = startOf(offset, n)
  const rest = count === 0 ? n * n : n * n - start - (count - 1) * (n + 1) - 1
  return x.pad([count === 0 ? 0 : start], [rest], [n]).reshape([n, n])
}

/**
 * The sum of the diagonal of each matrix.
 *
 * @example
 * ```ts
 * import { tensor, trace } from 'fathom'
 *
 * trace(tensor([[1, 2], [3, 4]])) // => 5
 * ```
 */
export const trace = (x: Tensor, offset = 0): Tensor => {
  requireMatrix('trace', x)
  return diagonal(x, offset).sum(-1)
}

/**
 * The products of each element of one vector with each of another: `[M], [N] → [M, N]`.
 *
 * @example
 * ```ts
 * import { outer, tensor } from 'fathom'
 *
 * outer(tensor([1, 2]), tensor([10, 20, 30])) // => [[10, 20, 30], [20, 40, 60]]
 * ```
 */
export const outer = (x: Tensor, y: Tensor): Tensor => {
  expectTensors('outer', [x, y])
  for (const v of [x, y]) {
    if (v.rank !== 1)
      throw new ShapeError(`outer: takes two vectors, got ${showShape(x.shape)} and ${showShape(y.shape)}`)
  }
  return x.expandDims(1).mul(y.expandDims(0))
}
