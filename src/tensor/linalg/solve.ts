/** Linear systems and inverses. */
import { customVjp } from '../annotate.ts'
import type { Tensor } from '../tensor.ts'
import { identityLike, luFactors } from './lu.ts'
import { ofMatrix, ofSides, requireSquare, rowsOf, transposed } from './matrices.ts'
import { triangular, triangularSolution } from './solveTriangular.ts'

const lowerSolution = triangularSolution(triangular({ unitDiagonal: true }))
const upperSolution = triangularSolution(triangular({ upper: true }))
const lowerTransposed = triangularSolution(triangular({ unitDiagonal: true, transpose: true }))
const upperTransposed = triangularSolution(triangular({ upper: true, transpose: true }))

/** A = Pᵀ·L·U: A⁻¹ = U⁻¹·L⁻¹·P, and A⁻ᵀ = Pᵀ·L⁻ᵀ·U⁻ᵀ, from the same factors. */
const substituted = (a: Tensor, b: Tensor, transpose: boolean): Tensor => {
  if (rowsOf(a) === 0) return b
  const { permutation, lower, upper } = luFactors(a)
  return transpose
    ? transposed(permutation).matmul(lowerTransposed(lower, upperTransposed(upper, b)))
    : upperSolution(upper, lowerSolution(lower, permutation.matmul(b)))
}

/** X = A⁻¹·B, or A⁻ᵀ·B. With B̄ = A⁻ᵀ·X̄ the derivative in A is −B̄·Xᵀ (Giles 2008, section 2.2.3); the factors are those of the forward pass. */
const solution = (transpose: boolean): ((a: Tensor, b: Tensor) => Tensor) =>
  customVjp(
    (a: Tensor, b: Tensor): Tensor => substituted(a, b, transpose),
    ([a, b], g): [Tensor, Tensor] => {
      const [x, back] = [solution(transpose)(a, b), solution(!transpose)(a, g)]
      return [(transpose ? x.matmul(transposed(back)) : back.matmul(transposed(x))).neg(), back]
    },
  )

/**
 * The solution X of A·X = B, by elimination with partial pivoting.
 *
 * @param a […, n, n]
 * @param b […, n, k], or […, n] for one right-hand side
 * @returns of the shape of b; ∞ or NaN where A is singular
 * @throws ShapeError or DTypeError where the two do not go together
 * @example
 * ```ts
 * import { solve, tensor } from 'fathom'
 *
 * solve(tensor([[0, 2], [1, 1]]), tensor([4, 5])) // => [3, 2]
 * ```
 */
export const solve = (a: Tensor, b: Tensor): Tensor => {
  requireSquare('solve', a)
  return ofSides('solve', a, b, solution(false))
}

/**
 * A⁻¹. Where it meets a right-hand side, `solve` is cheaper and more exact.
 *
 * @param a […, n, n]
 * @returns […, n, n]; ∞ or NaN where A is singular
 * @throws ShapeError for what is not square; DTypeError for integers
 * @example
 * ```ts
 * import { inverse, tensor } from 'fathom'
 *
 * inverse(tensor([[0, 2], [1, 1]])) // => [[-0.5, 1], [0.5, 0]]
 * ```
 */
export const inverse = (a: Tensor): Tensor => {
  requireSquare('inverse', a)
  return ofMatrix(a, (wide) => solution(false)(wide, identityLike(wide)))
}
