/** What linear algebra shares: checks of matrices, their parts and triangles. A matrix is the last two axes; all before them are a batch. */
import { at, equalNumbers, range } from '../../prelude/array.ts'
import { DTypeError, ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { iota } from '../create.ts'
import { expectTensor } from '../expect.ts'
import { widened } from '../precision.ts'
import { isDifferentiable, type SliceBounds, type Tensor } from '../tensor.ts'

/** Number of rows. */
export const rowsOf = (x: Tensor): number => at(x.shape, x.rank - 2)

/** Number of columns. */
export const columnsOf = (x: Tensor): number => at(x.shape, x.rank - 1)

/** The matrices transposed. */
export const transposed = (x: Tensor): Tensor => x.transpose([...range(x.rank - 2), x.rank - 1, x.rank - 2])

/** Some rows and columns of every matrix. */
export const block = (x: Tensor, rows: SliceBounds, columns: SliceBounds): Tensor =>
  x.slice(...range(x.rank - 2).map((): SliceBounds => []), rows, columns)

/** Every matrix with zeros before and after its rows and columns. */
export const surrounded = (
  x: Tensor,
  [above, below]: readonly [number, number],
  [left, right]: readonly [number, number],
): Tensor => {
  const batch = range(x.rank - 2).map(() => 0)
  return x.pad([...batch, above, left], [...batch, below, right])
}

/** For every place of a matrix, its row less its column, [rows, columns] of i32: below the diagonal it is above 0. */
const belowBy = (x: Tensor): Tensor => {
  const shape = [rowsOf(x), columnsOf(x)]
  return iota(shape, 0).sub(iota(shape, 1))
}

/** The lower triangle, or the upper one, from the diagonal on or (strict) without it; zeros elsewhere. */
export const triangle = (x: Tensor, side: 'lower' | 'upper', strict = false): Tensor => {
  const below = belowBy(x)
  const least = strict ? 0 : -1
  return (side === 'lower' ? below.greater(least) : below.less(-least)).select(x, 0)
}

/** The diagonals, […, min(rows, columns)]. */
export const diagonalOf = (x: Tensor): Tensor => {
  const n = Math.min(rowsOf(x), columnsOf(x))
  const square = block(x, [0, n], [0, n])
  return belowBy(square).equal(0).select(square, 0).sum(-1)
}

/** Φ of the derivative of Cholesky: the lower triangle with half of the diagonal. */
export const halvedTriangle = (x: Tensor): Tensor => {
  const below = belowBy(x)
  return below.greater(0).select(x, below.equal(0).select(x.mul(0.5), 0))
}

/** Refuses what is no matrix of floats. */
export const requireMatrix = (who: string, x: Tensor): void => {
  expectTensor(who, x)
  if (x.rank < 2)
    throw new ShapeError(`${who}: takes matrices, whose last two axes are rows and columns, got ${showShape(x.shape)}`)
  if (!isDifferentiable(x)) throw new DTypeError(`${who}: takes floats, got ${x.dtype}; cast it first`)
}

/** Refuses what is no square matrix of floats. */
export const requireSquare = (who: string, x: Tensor): void => {
  requireMatrix(who, x)
  if (rowsOf(x) !== columnsOf(x))
    throw new ShapeError(`${who}: takes square matrices, got ${showShape(x.shape)}; lstsq solves those with more rows`)
}

/** `f` with halves computed in f32. */
export const ofMatrix = (x: Tensor, f: (x: Tensor) => Tensor): Tensor => f(widened(x)).cast(x.dtype)

/**
 * `f` of a matrix and right-hand sides, which are the columns of a matrix or a vector; halves are computed in f32.
 *
 * @throws ShapeError or DTypeError where the two do not go together
 */
export const ofSides = (who: string, a: Tensor, b: Tensor, f: (a: Tensor, b: Tensor) => Tensor): Tensor => {
  expectTensor(who, b)
  const where = `${who}: matrices ${a.dtype}${showShape(a.shape)} and right-hand sides ${b.dtype}${showShape(b.shape)}`
  if (a.dtype !== b.dtype) throw new DTypeError(`${where}; cast one of them`)
  const isVector = b.rank === a.rank - 1
  const sides = isVector ? b.expandDims(-1) : b
  if (sides.rank !== a.rank || rowsOf(sides) !== rowsOf(a))
    throw new ShapeError(`${where}; the right-hand sides are […, ${rowsOf(a)}, k], or vectors […, ${rowsOf(a)}]`)
  if (!equalNumbers(sides.shape.slice(0, -2), a.shape.slice(0, -2)))
    throw new ShapeError(`${where}; the leading axes differ: repeat those of the one with broadcastTo`)
  const x = f(widened(a), widened(sides)).cast(a.dtype)
  return isVector ? x.reshape(x.shape.slice(0, -1)) : x
}
