/** A = Pᵀ·L·U by elimination with partial pivoting: what solve and the determinants are made of. */
import { range } from '../../prelude/array.ts'
import { argmax, concatenate } from '../combine.ts'
import { full, iota } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { tril, triu } from '../triangles.ts'
import { block, columnsOf, rowsOf } from './matrices.ts'

/** The factors of square matrices. */
export interface Factors {
  /** […, n, n], rows in the order of the pivots: row k of P has its 1 at the k-th pivot's row, so that P·A = L·U. */
  readonly permutation: Tensor
  /** […, n, n] with ones on the diagonal. */
  readonly lower: Tensor
  /** […, n, n]. */
  readonly upper: Tensor
  /** 1 or −1 […]: the determinant of P. */
  readonly sign: Tensor
}

/** What is left of the matrices, all rows in their old places, and which of them have been no pivot yet, […, n, 1]. */
interface Elimination {
  readonly rest: Tensor
  readonly open: Tensor
}

/** The pivot's row number of step k [..., 1] and row [..., 1, n], and by how much of it every other row became less [..., n, 1]. */
interface Step {
  readonly pivot: Tensor
  readonly row: Tensor
  readonly multiples: Tensor
}

/** Rows are not exchanged: which of them is the pivot is a mask, which elementwise operations can take. */
const eliminate = ({ rest, open }: Elimination, k: number): readonly [Step, Elimination] => {
  const column = block(rest, [], [k, k + 1])
  const pivot = argmax(open.select(column.abs(), -1), -2)
  const isPivot = iota(column.shape, column.rank - 2).equal(pivot.expandDims(-2))
  const row = isPivot.select(rest, 0).sum(-2, true)
  const remaining = open.and(isPivot.not())
  const top = block(row, [], [k, k + 1])
  // A pivot of 0 has a column of zeros below it: nothing is to be eliminated, and U is singular.
  const multiples = remaining.and(top.equal(0).not()).select(column.div(top), 0)
  return [
    { pivot, row, multiples },
    { rest: rest.sub(multiples.mul(row)), open: remaining },
  ]
}

/** −1 to the number of pairs in the wrong order. */
const signOf = (order: Tensor): Tensor => {
  const [first, second] = [order.expandDims(-1), order.expandDims(-2)]
  const pairs = first.greater(second)
  const inOrder = iota(pairs.shape, pairs.rank - 2).less(iota(pairs.shape, pairs.rank - 1))
  return pairs.and(inOrder).cast('i32').sum([-2, -1]).and(1)
}

/** The factors (Golub & Van Loan 2013, section 3.4.4). */
export const luFactors = (a: Tensor): Factors => {
  const axis = a.rank - 2
  const steps: Step[] = []
  const begin: Elimination = { rest: a, open: full([...a.shape.slice(0, -1), 1], 1, 'bool') }
  range(columnsOf(a)).reduce((state, k) => {
    const [step, next] = eliminate(state, k)
    steps.push(step)
    return next
  }, begin)
  const order = concatenate(
    steps.map(({ pivot }) => pivot),
    axis,
  )
  const permutation = iota(a.shape, axis + 1)
    .equal(order.expandDims(-1))
    .cast(a.dtype)
  const multiples = concatenate(
    steps.map((step) => step.multiples),
    axis + 1,
  )
  const upper = concatenate(
    steps.map(({ row }) => row),
    axis,
  )
  const isOdd = signOf(order).equal(1)
  return {
    permutation,
    lower: tril(permutation.matmul(multiples), -1).add(identityLike(a)),
    upper: triu(upper),
    sign: isOdd.select(full(isOdd.shape, -1, a.dtype), 1),
  }
}

/** Identity matrices of the shape of square ones. */
export const identityLike = (a: Tensor): Tensor => {
  const n = rowsOf(a)
  return iota([n, n], 0)
    .equal(iota([n, n], 1))
    .cast(a.dtype)
    .broadcastTo(a.shape)
}
