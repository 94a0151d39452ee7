/**
 * Whole matrices of derivatives, by composition: a Jacobian is a pullback of each unit cotangent, or a pushforward of each unit tangent,
 * and a Hessian is the Jacobian of the gradient.
 *
 * Each unit vector adds a backward (or forward) pass to the graph: these are for layers, checks and small problems. A whole network is
 * asked for products, with vjp, jvp and hvp.
 */
import { at, range } from '../prelude/array.ts'
import { DTypeError } from '../prelude/errors.ts'
import { isFloat } from '../graph/dtype.ts'
import { stack } from '../tensor/combine.ts'
import { iota, zeros, zerosLike } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { countElements, leaves, leavesWithPaths, mapTree, refill } from '../tensor/tree.ts'
import { grad, jvp, requireFloats, vjp } from './grad.ts'

/**
 * For each leaf y of a result `R` a tree like the parameters `P`, whose leaf for p is ∂y/∂p of shape [...y.shape, ...p.shape].
 */
export type JacobianOf<R, P> = R extends Tensor ? P : { readonly [K in keyof R]: JacobianOf<R[K], P> }

const requireFloatResult = (value: unknown): void => {
  for (const [path, y] of leavesWithPaths(value))
    if (!isFloat(y.dtype))
      throw new DTypeError(
        `jacobian: leaf '${path}' of the result is ${y.dtype}; only floats have derivatives, leave it out of the result`,
      )
}

/** The tree with 1 at element `i` of leaf `k` and 0 elsewhere. */
const unit = <T>(tree: T, k: number, i: number): T =>
  refill(
    tree,
    leaves(tree).map((x, j) => (j === k ? iota([x.size], 0).equal(i).cast(x.dtype).reshape(x.shape) : zerosLike(x))),
  )

/** A tree for each unit vector of `tree`, leaf by leaf and in each leaf row-major. */
const forEachUnit = <T, U>(tree: T, f: (unit: T) => U): readonly (readonly U[])[] =>
  leaves(tree).map((x, k) => range(x.size).map((i) => f(unit(tree, k, i))))

/** ∂y/∂p from its rows (stacked along axis 0) or its columns (stacked behind the axes of y). */
const block = (vectors: readonly Tensor[], axis: number, y: Tensor, p: Tensor): Tensor => {
  const shape = [...y.shape, ...p.shape]
  return vectors.length === 0 ? zeros(shape, p.dtype) : stack(vectors, axis).reshape(shape).cast(p.dtype)
}

/**
 * The derivative of every element of the result with respect to every element of the first argument; both may be trees. It is built from
 * rows (reverse mode) or columns (forward mode), whichever are fewer.
 *
 * @throws DTypeError where the argument or the result holds leaves that are not floats
 *
 * @example
 * ```ts
 * import { jacobian, tensor, type Tensor } from 'fathom'
 *
 * jacobian((x: Tensor) => x.mul(x))(tensor([1, 2, 3])) // => [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
 * ```
 */
export const jacobian =
  <P, A extends readonly unknown[], R>(f: (params: P, ...rest: A) => R) =>
  (params: P, ...rest: A): JacobianOf<R, P> => {
    const along = (p: P): R => f(p, ...rest)
    requireFloats('jacobian', params)
    const { value, pullback } = vjp(along, params)
    requireFloatResult(value)
    const [results, sources] = [leavesWithPaths(value), leaves(params)]
    const reverse = countElements(value) <= countElements(params)
    const rows = reverse ? forEachUnit(value, (g) => leaves(pullback(g))) : []
    const columns = reverse ? [] : forEachUnit(params, (v) => leaves(jvp(along, [params], [v]).tangent))
    const blocks = results.map(([path, y], k) => {
      const own = sources.map((p, j) =>
        reverse
          ? block(
              at(rows, k).map((row) => at(row, j)),
              0,
              y,
              p,
            )
          : block(
              at(columns, j).map((column) => at(column, k)),
              y.rank,
              y,
              p,
            ),
      )
      return [path, refill(params, own)] as const
    })
    const byPath = new Map<string, P>(blocks)
    return mapTree<R, JacobianOf<R, P>>(value, (_, path) => byPath.get(path))
  }

/**
 * The second derivatives of a scalar function with respect to its first argument, a tree: the Jacobian of its gradient.
 *
 * @example
 * ```ts
 * import { hessian, tensor, type Tensor } from 'fathom'
 *
 * hessian((x: Tensor) => x.pow(3).sum())(tensor([1, 2])) // => [[6, 0], [0, 12]]
 * ```
 */
export const hessian =
  <P, A extends readonly unknown[]>(f: (params: P, ...rest: A) => Tensor) =>
  (params: P, ...rest: A): JacobianOf<P, P> =>
    jacobian((p: P) => grad(f)(p, ...rest))(params)
