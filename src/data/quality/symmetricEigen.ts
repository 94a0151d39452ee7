/** Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations (1846): slow for large matrices, and accurate to the last digits. */
import { range } from '../../prelude/array.ts'

/** Eigenvalues from the largest to the smallest, and their eigenvectors, of length 1 each. */
export interface Eigen {
  readonly values: readonly number[]
  readonly vectors: readonly Float64Array[]
}

const at = (row: Float64Array | undefined, i: number): number => row?.[i] ?? NaN

/** x' = c·x − s·y, y' = s·x + c·y, element by element. */
const rotate = (x: Float64Array, y: Float64Array, c: number, s: number): void => {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] ?? NaN, y[i] ?? NaN]
    x[i] = c * a - s * b
    y[i] = s * a + c * b
  }
}

/** The rotation that makes the element (p, q) 0, by the smaller of the two angles: t² + 2θt − 1 = 0 with θ = (a_qq − a_pp) / 2a_pq. */
const angle = (app: number, aqq: number, apq: number): readonly [c: number, s: number] => {
  const theta = (aqq - app) / (2 * apq)
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  return [c, t * c]
}

/** JᵀAJ and V·J for one rotation; A is symmetric, and `rows` and columns of it are turned alike. */
const turn = (rows: readonly Float64Array[], vectors: readonly Float64Array[], p: number, q: number): void => {
  const [rowP, rowQ, vectorP, vectorQ] = [rows[p], rows[q], vectors[p], vectors[q]]
  if (rowP === undefined || rowQ === undefined || vectorP === undefined || vectorQ === undefined) return
  const [c, s] = angle(at(rowP, p), at(rowQ, q), at(rowP, q))
  rotate(rowP, rowQ, c, s)
  for (const row of rows) {
    const [a, b] = [at(row, p), at(row, q)]
    row[p] = c * a - s * b
    row[q] = s * a + c * b
  }
  rotate(vectorP, vectorQ, c, s)
}

/** Σ a_pq² over p < q. */
const outside = (rows: readonly Float64Array[]): number =>
  rows.reduce((sum, row, p) => sum + row.subarray(p + 1).reduce((own, a) => own + a * a, 0), 0)

/**
 * The eigenvectors of a symmetric matrix. Sweeps over all pairs until what is beside the diagonal is nothing to the diagonal.
 *
 * @param matrix rows of a symmetric matrix; what is above the diagonal counts
 */
export const symmetricEigen = (matrix: readonly (readonly number[] | Float64Array)[]): Eigen => {
  const n = matrix.length
  const rows = matrix.map((_, p) => Float64Array.from(range(n), (q) => matrix[Math.min(p, q)]?.[Math.max(p, q)] ?? NaN))
  const vectors = range(n).map((p) => Float64Array.from(range(n), (q) => (p === q ? 1 : 0)))
  const total = rows.reduce((sum, row) => sum + row.reduce((own, a) => own + a * a, 0), 0)
  if (!Number.isFinite(total)) throw new RangeError('symmetricEigen: the matrix has numbers that are not finite')
  while (outside(rows) > total * 1e-26)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) if (at(rows[p], q) !== 0) turn(rows, vectors, p, q)
  const order = range(n).toSorted((p, q) => at(rows[q], q) - at(rows[p], p))
  return {
    values: order.map((p) => at(rows[p], p)),
    vectors: order.map((p) => vectors[p] ?? new Float64Array(n)),
  }
}
