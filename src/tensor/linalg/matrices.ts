/** What linear algebra shares: checks of matrices, their parts and triangles. A matrix is the last two axes; all before them are a batch. */
import { at, equalNumbers, range } from '../../prelude/array.ts'
import { DTypeError, ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { expectTensor } from '../expect.ts'
import { swapAxes } from '../movement.ts'
import { widened } from '../precision.ts'
import { isDifferentiable, type SliceBounds, type Tensor } from '../tensor.ts'
import { tril } from '../triangles.ts'

/** Number of rows. */
export const rowsOf = (x: Tensor): number => at(x.shape, x.rank - 2)

/** Number of columns. */
export const columnsOf = (x: Tensor): number => at(x.shape, x.rank - 1)

/** The matrices transposed. */
export const transposed = (x: Tensor): Tensor => swapAxes(x, -2, -1)

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

/** Φ of the derivative of Cholesky: the lower triangle with half of the diagonal. */
export const halvedTriangle = (x: Tensor): Tensor => tril(x).mul(0.5).add(tril(x, -1).mul(0.5))

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
