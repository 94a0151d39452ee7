/** A = Q·R by Householder's reflections, and least squares with it. */
import { at, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { customVjp } from '../annotate.ts'
import { concatenate } from '../combine.ts'
import { iota, zeros } from '../create.ts'
import { widened } from '../precision.ts'
import type { Tensor } from '../tensor.ts'
import { tril, triu } from '../triangles.ts'
import { block, columnsOf, ofSides, requireMatrix, rowsOf, surrounded, transposed } from './matrices.ts'
import { triangular, triangularSolution } from './solveTriangular.ts'

/** The factors of [..., m, n] matrices, with k = min(m, n). */
export interface QR {
  /** […, m, k], of orthonormal columns. */
  readonly q: Tensor
  /** […, k, n], upper triangular. */
  readonly r: Tensor
}

/** H = I − τ·v·vᵀ, which takes the column x to β·e₁ with β = −sign(x₁)·‖x‖ (as LAPACK; what is such a multiple already stays). */
const reflection = (x: Tensor): { readonly v: Tensor; readonly tau: Tensor } => {
  const first = block(x, [0, 1], [])
  const rest = block(x, [1], []).square().sum(-2, true)
  const norm = first.square().add(rest).sqrt()
  const signed = first.less(0).select(norm.neg(), norm)
  const isDone = rest.equal(0)
  const head = isDone.select(first.operand(1), first.add(signed)) // x₁ − β, of which nothing cancels
  const tau = isDone.select(
    0,
    norm
      .mul(norm.add(first.abs()))
      .operand(1)
      .div(norm.mul(norm.add(first.abs()))),
  )
  return { v: concatenate([head, block(x, [1], [])], x.rank - 2), tau }
}

/** H·S. */
const reflected = (s: Tensor, v: Tensor, tau: Tensor): Tensor => s.sub(v.mul(tau).mul(v.mul(s).sum(-2, true)))

/** The columns of the identity of m rows, [..., m, n]. */
const identityColumns = (a: Tensor): Tensor => {
  const shape = [rowsOf(a), columnsOf(a)]
  return iota(shape, 0).equal(iota(shape, 1)).cast(a.dtype).broadcastTo(a.shape)
}

/** Of at least as many rows as columns: a column at a time (Golub & Van Loan 2013, section 5.2.2), then Q as the product of the reflections. */
const factored = (a: Tensor): QR => {
  const axis = a.rank - 2
  const rows: Tensor[] = []
  const reflections: { readonly v: Tensor; readonly tau: Tensor }[] = []
  range(columnsOf(a)).reduce((s, k) => {
    const { v, tau } = reflection(block(s, [], [0, 1]))
    const next = reflected(s, v, tau)
    rows.push(surrounded(block(next, [0, 1], []), [0, 0], [k, 0]))
    reflections.push({ v: surrounded(v, [k, 0], [0, 0]), tau })
    return block(next, [1], [1])
  }, a)
  const q = reflections.reduceRight((columns, { v, tau }) => reflected(columns, v, tau), identityColumns(a))
  return { q, r: concatenate(rows, axis) }
}

const upperSolution = triangularSolution(triangular({ upper: true }))

/** copyltu of Seeger et al. 2017: the lower triangle, and its mirror image above the diagonal. */
const mirrored = (m: Tensor): Tensor => tril(m).add(transposed(tril(m, -1)))

/** With M = R·R̄ᵀ − Q̄ᵀ·Q, Ā = (Q̄ + Q·copyltu(M))·R⁻ᵀ (Seeger et al. 2017, section 4.1). */
const tall: (a: Tensor) => QR = customVjp(factored, ([a], g): [Tensor] => {
  const { q, r } = tall(a)
  const m = r.matmul(transposed(triu(g.r))).sub(transposed(g.q).matmul(q))
  const inner = g.q.add(q.matmul(mirrored(m)))
  return [transposed(upperSolution(r, transposed(inner)))]
})

/** More columns than rows: those beyond the square are QᵀA, and their derivative is that of the product. */
const factorsOf = (a: Tensor): QR => {
  const [m, n] = [rowsOf(a), columnsOf(a)]
  const batch = a.shape.slice(0, -2)
  if (m === 0 || n === 0) return { q: zeros([...batch, m, 0], a.dtype), r: zeros([...batch, 0, n], a.dtype) }
  if (m >= n) return tall(a)
  const { q, r } = tall(block(a, [], [0, m]))
  return { q, r: concatenate([r, transposed(q).matmul(block(a, [], [m]))], a.rank - 1) }
}

/**
 * The factors of A = Q·R: Q with orthonormal columns, R upper triangular. As in LAPACK the diagonal of R has either sign.
 *
 * @param a […, m, n]
 * @returns q […, m, k] and r […, k, n] with k = min(m, n). The gradient wants columns (the first m of them) that are independent; else it is NaN
 * @throws ShapeError for what is no matrix; DTypeError for integers
 * @example
 * ```ts
 * import { qr, tensor } from 'fathom'
 *
 * const { q, r } = qr(tensor([[3, 1], [4, 2]]))
 * q // => [[-0.6, -0.8], [-0.8, 0.6]]
 * r // => [[-5, -2.2], [0, 0.4]]
 * ```
 */
export const qr = (a: Tensor): QR => {
  requireMatrix('qr', a)
  const { q, r } = factorsOf(widened(a))
  return { q: q.cast(a.dtype), r: r.cast(a.dtype) }
}

/**
 * The X for which ‖A·X − B‖ is least, for A of full rank with at least as many rows as columns: R⁻¹·Qᵀ·B.
 *
 * @param a […, m, n]
 * @param b […, m, k], or […, m] for one right-hand side
 * @returns […, n, k] or […, n]; ∞ or NaN where the columns of A are not independent
 * @throws ShapeError or DTypeError where the two do not go together
 * @example
 * ```ts
 * import { lstsq, tensor } from 'fathom'
 *
 * const line = tensor([[1, 0], [1, 1], [1, 2]]) // 1 and x
 * lstsq(line, tensor([1, 3, 5])) // => [1, 2]
 * ```
 */
export const lstsq = (a: Tensor, b: Tensor): Tensor => {
  requireMatrix('lstsq', a)
  if (rowsOf(a) < columnsOf(a) || columnsOf(a) === 0)
    throw new ShapeError(
      `lstsq: ${showShape(a.shape)} has ${rowsOf(a)} rows for ${at(a.shape, a.rank - 1)} columns; the solution is one only from as many rows as columns on`,
    )
  return ofSides('lstsq', a, b, (m, sides) => {
    const { q, r } = factorsOf(m)
    return upperSolution(r, transposed(q).matmul(sides))
  })
}
