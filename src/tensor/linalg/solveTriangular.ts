/** Triangular systems by substitution, a row at a time. */
import { range } from '../../prelude/array.ts'
import { requireKnown } from '../../prelude/options.ts'
import { customVjp } from '../annotate.ts'
import { concatenate } from '../combine.ts'
import type { Tensor } from '../tensor.ts'
import { tril, triu } from '../triangles.ts'
import { block, ofSides, requireSquare, rowsOf, transposed } from './matrices.ts'

/** Which triangle is meant, and how it is read. */
export interface TriangularOptions {
  /** The upper triangle, default the lower one. */
  readonly upper?: boolean
  /** Aᵀ·X = B in place of A·X = B. */
  readonly transpose?: boolean
  /** The diagonal is taken to be 1, whatever stands there. */
  readonly unitDiagonal?: boolean
}

type Triangular = Required<TriangularOptions>

/** Forward substitution (Golub & Van Loan 2013, algorithm 3.1.3): once a row of X is known, its multiples leave all rows below. */
const forward = (l: Tensor, b: Tensor, unitDiagonal: boolean): Tensor => {
  const rows: Tensor[] = []
  range(rowsOf(l)).reduce((rest, k) => {
    const first = block(rest, [0, 1], [])
    const x = unitDiagonal ? first : first.div(block(l, [k, k + 1], [k, k + 1]))
    rows.push(x)
    return block(rest, [1], []).sub(block(l, [k + 1], [k, k + 1]).mul(x))
  }, b)
  return concatenate(rows, b.rank - 2)
}

/** Upside down and back to front, an upper triangle is a lower one. */
const substituted = (a: Tensor, b: Tensor, { upper, transpose, unitDiagonal }: Triangular): Tensor => {
  if (rowsOf(a) === 0) return b
  const m = transpose ? transposed(a) : a
  if (upper === transpose) return forward(m, b, unitDiagonal)
  return forward(m.reverse([-2, -1]), b.reverse(-2), unitDiagonal).reverse(-2)
}

/**
 * X = A⁻¹·B of matrices. With B̄ = A⁻ᵀ·X̄, the derivative in A is −B̄·Xᵀ, of which the triangle counts (Giles 2008, section 2.2.3).
 */
export const triangularSolution = (options: Triangular): ((a: Tensor, b: Tensor) => Tensor) =>
  customVjp(
    (a: Tensor, b: Tensor): Tensor => substituted(a, b, options),
    ([a, b], g): [Tensor, Tensor] => {
      const x = triangularSolution(options)(a, b)
      const back = triangularSolution({ ...options, transpose: !options.transpose })(a, g)
      const product = options.transpose ? x.matmul(transposed(back)) : back.matmul(transposed(x))
      const strictly = options.unitDiagonal ? 1 : 0
      return [(options.upper ? triu(product, strictly) : tril(product, -strictly)).neg(), back]
    },
  )

/** The whole of the options. */
export const triangular = ({
  upper = false,
  transpose = false,
  unitDiagonal = false,
}: TriangularOptions = {}): Triangular => ({ upper, transpose, unitDiagonal })

/**
 * The solution X of A·X = B for triangular A; the other triangle is not read.
 *
 * @param a […, n, n]
 * @param b […, n, k], or […, n] for one right-hand side
 * @returns of the shape of b; ∞ or NaN where the diagonal has a 0
 * @throws ShapeError or DTypeError where the two do not go together
 * @example
 * ```ts
 * import { solveTriangular, tensor } from 'fathom'
 *
 * const l = tensor([[2, 0], [1, 4]])
 * solveTriangular(l, tensor([2, 9])) // => [1, 2]
 * solveTriangular(l, tensor([4, 8]), { transpose: true }) // => [1, 2]
 * ```
 */
export const solveTriangular = (a: Tensor, b: Tensor, options: TriangularOptions = {}): Tensor => {
  requireKnown('solveTriangular', options, ['upper', 'transpose', 'unitDiagonal'])
  requireSquare('solveTriangular', a)
  return ofSides('solveTriangular', a, b, triangularSolution(triangular(options)))
}
