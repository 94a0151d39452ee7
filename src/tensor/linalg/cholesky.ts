/** The Cholesky factor of symmetric positive definite matrices. */
import { range } from '../../prelude/array.ts'
import { customVjp } from '../annotate.ts'
import { concatenate } from '../combine.ts'
import type { Tensor } from '../tensor.ts'
import { block, halvedTriangle, ofMatrix, requireSquare, rowsOf, surrounded, transposed } from './matrices.ts'
import { triangular, triangularSolution } from './solveTriangular.ts'

const symmetric = (a: Tensor): Tensor => a.add(transposed(a)).mul(0.5)

/** A column at a time (Golub & Van Loan 2013, section 4.2.5): l = s₁/√s₁₁ is a column of L, and S − l·lᵀ is what remains to be factored. */
const factored = (a: Tensor): Tensor => {
  const n = rowsOf(a)
  const columns: Tensor[] = []
  range(n).reduce((s, k) => {
    const l = block(s, [], [0, 1]).div(block(s, [0, 1], [0, 1]).sqrt())
    columns.push(surrounded(l, [k, 0], [0, 0]))
    const rest = block(l, [1], [])
    return block(s, [1], [1]).sub(rest.mul(transposed(rest)))
  }, symmetric(a))
  return n === 0 ? a : concatenate(columns, a.rank - 1)
}

const solveTransposed = triangularSolution(triangular({ transpose: true }))

/** With P = Φ(Lᵀ·L̄), the lower triangle with half its diagonal, Ā is the symmetric part of L⁻ᵀ·P·L⁻¹ (Murray 2016, eq. 10). */
const factor: (a: Tensor) => Tensor = customVjp(factored, ([a], g): [Tensor] => {
  const l = factor(a)
  const left = solveTransposed(l, halvedTriangle(transposed(l).matmul(g)))
  return [symmetric(solveTransposed(l, transposed(left)))]
})

/**
 * The lower triangular L with L·Lᵀ = A, for symmetric positive definite A. Of a matrix that is not symmetric, the symmetric part ½(A + Aᵀ) is
 * factored, so that the gradient is symmetric too.
 *
 * @param a […, n, n]
 * @returns […, n, n], NaN from the column on where A is not positive definite
 * @throws ShapeError for what is not square; DTypeError for integers
 * @example
 * ```ts
 * import { cholesky, tensor } from 'fathom'
 *
 * cholesky(tensor([[4, 2], [2, 10]])) // => [[2, 0], [1, 3]]
 * cholesky(tensor([[1, 2], [2, 1]])) // => [[1, 0], [2, NaN]]
 * ```
 */
export const cholesky = (a: Tensor): Tensor => {
  requireSquare('cholesky', a)
  return ofMatrix(a, factor)
}
