/** Determinants and their logarithms. */
import { at, range } from '../../prelude/array.ts'
import { customVjp } from '../annotate.ts'
import { full } from '../create.ts'
import { widened } from '../precision.ts'
import type { Tensor } from '../tensor.ts'
import { diagonal } from '../triangles.ts'
import { luFactors } from './lu.ts'
import { columnsOf, ofMatrix, requireSquare, transposed } from './matrices.ts'
import { inverse } from './solve.ts'

/** The product over the last axis. */
const productOf = (x: Tensor): Tensor =>
  range(at(x.shape, x.rank - 1))
    .map((i) => x.slice(...range(x.rank - 1).map(() => [] as const), [i, i + 1]))
    .reduce((a, b) => a.mul(b))
    .reshape(x.shape.slice(0, -1))

/** One number for each matrix as factor of the whole matrix. */
const spread = (x: Tensor): Tensor => x.expandDims(-1).expandDims(-1)

/** d det A = det A · tr(A⁻¹ dA) (Giles 2008, section 2.2.4). */
const determinant: (a: Tensor) => Tensor = customVjp(
  (a: Tensor): Tensor => {
    const { upper, sign } = luFactors(a)
    return productOf(diagonal(upper)).mul(sign)
  },
  ([a], g): [Tensor] => [transposed(inverse(a)).mul(spread(g.mul(determinant(a))))],
)

/** Of no rows and columns it is the empty product. */
const orEmpty = (a: Tensor, empty: number, f: (a: Tensor) => Tensor): Tensor =>
  columnsOf(a) === 0 ? full(a.shape.slice(0, -2), empty, a.dtype) : f(a)

/**
 * The determinant, by elimination. Of many rows it overflows, where `slogDet` does not.
 *
 * @param a […, n, n]
 * @returns […]; 0 where A is singular, with a gradient of NaN
 * @throws ShapeError for what is not square; DTypeError for integers
 * @example
 * ```ts
 * import { det, tensor } from 'fathom'
 *
 * det(tensor([[0, 2], [3, 1]])) // => -6
 * ```
 */
export const det = (a: Tensor): Tensor => {
  requireSquare('det', a)
  return orEmpty(a, 1, (some) => ofMatrix(some, determinant))
}

/** d log|det A| = tr(A⁻¹ dA). */
const logAbsolute: (a: Tensor) => Tensor = customVjp(
  (a: Tensor): Tensor => diagonal(luFactors(a).upper).abs().log().sum(-1),
  ([a], g): [Tensor] => [transposed(inverse(a)).mul(spread(g))],
)

/** The sign of the determinant, −1, 0 or 1. */
const signOf = (a: Tensor): Tensor => {
  const { upper, sign } = luFactors(a)
  const d = diagonal(upper)
  const signs = d.less(0).select(d.operand(-1), d.greater(0).select(1, d)) // 0 and NaN stay
  return productOf(signs).mul(sign).stopGradient()
}

/** Sign and logarithm of a determinant: det A = sign · e^logAbs. */
export interface SignedLog {
  /** −1, 0 or 1; no gradient flows through it. */
  readonly sign: Tensor
  readonly logAbs: Tensor
}

/**
 * Sign and logarithm of |det A|, which neither overflow nor vanish: the change of volume of a flow.
 *
 * @param a […, n, n]
 * @returns sign […] and logAbs […]; 0 and −∞ where A is singular
 * @throws ShapeError for what is not square; DTypeError for integers
 * @example
 * ```ts
 * import { slogDet, tensor } from 'fathom'
 *
 * const { sign, logAbs } = slogDet(tensor([[0, 2], [3, 1]]))
 * sign // => -1
 * logAbs // => 1.79176
 * ```
 */
export const slogDet = (a: Tensor): SignedLog => {
  requireSquare('slogDet', a)
  const wide = widened(a)
  return {
    sign: orEmpty(wide, 1, signOf).cast(a.dtype),
    logAbs: orEmpty(wide, 0, logAbsolute).cast(a.dtype),
  }
}

/**
 * log det A, of symmetric positive definite matrices as of all with a determinant above 0.
 *
 * @param a […, n, n]
 * @returns […]; −∞ where A is singular, NaN where the determinant is below 0
 * @throws ShapeError for what is not square; DTypeError for integers
 * @example
 * ```ts
 * import { logDet, tensor } from 'fathom'
 *
 * logDet(tensor([[2, 0], [0, 3]])) // => 1.79176
 * logDet(tensor([[0, 2], [3, 1]])) // => NaN
 * ```
 */
export const logDet = (a: Tensor): Tensor => {
  requireSquare('logDet', a)
  const { sign, logAbs } = slogDet(a)
  return logAbs.mul(sign.less(0).select(sign.operand(NaN), 1))
}
