/**
 * Whole matrices of derivatives, by composition: a Jacobian is the pullback of each unit cotangent, or the pushforward of each unit tangent, and a
 * Hessian is the Jacobian of the gradient.
 *
 * All unit vectors go through one backward (or forward) pass, which vmap makes wider: the graph does not grow with their number, but the memory does.
 * These are for layers, checks and small problems; a whole network is asked for products, with vjp, jvp and hvp.
 */
import { requireFunction } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { DTypeError } from '../prelude/errors.ts'
import { isFloat } from '../graph/dtype.ts'
import { eye, zerosLike } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { countElements, leaves, leavesWithPaths, mapTree, refill } from '../tensor/tree.ts'
import { grad, jvp, requireFloats, vjp } from './grad.ts'
import { vmap } from './vmap/vmap.ts'

/**
 * For each leaf y of a result `R` a tree like the parameters `P`, whose leaf for p is ∂y/∂p of shape [...y.shape, ...p.shape].
 */
export type JacobianOf<R, P> = R extends Tensor ? P : { readonly [K in keyof R]: JacobianOf<R[K], P> }

const requireFloatResult = (name: string, value: unknown): void => {
  for (const [path, y] of leavesWithPaths(value))
    if (!isFloat(y.dtype))
      throw new DTypeError(
        `${name}: leaf '${path}' of the result is ${y.dtype}; only floats have derivatives, leave it out of the result`,
      )
}

/** Every unit vector of the shape of `x`: [n, ...x.shape]. */
const basis = (x: Tensor): Tensor => eye(x.size, x.dtype).reshape([x.size, ...x.shape])

/** The tree with `v` as leaf `k` and zeros elsewhere. */
const inLeaf = <T>(tree: T, k: number, v: Tensor): T =>
  refill(
    tree,
    leaves(tree).map((x, j) => (j === k ? v : zerosLike(x))),
  )

type Blocks = readonly (readonly Tensor[])[]

/** ∂y/∂p for each leaf y of the result and each leaf p of the parameters, from rows: a pullback for each element of y. */
const byRows = <P, R>(value: R, params: P, pullback: (cotangent: R) => readonly [P]): Blocks =>
  leaves(value).map((y, k) => {
    const rows = vmap((g: Tensor) => leaves(pullback(inLeaf(value, k, g))))(basis(y))
    return leaves(params).map((p, j) =>
      at(rows, j)
        .reshape([...y.shape, ...p.shape])
        .cast(p.dtype),
    )
  })

/** The same from columns: a pushforward for each element of p. */
const byColumns = <P, R>(value: R, params: P, pushforward: (tangent: P) => R): Blocks => {
  const columns = leaves(params).map((p, j) =>
    vmap((v: Tensor) => leaves(pushforward(inLeaf(params, j, v))), { out: -1 })(basis(p)),
  )
  return leaves(value).map((y, k) =>
    leaves(params).map((p, j) =>
      at(at(columns, j), k)
        .reshape([...y.shape, ...p.shape])
        .cast(p.dtype),
    ),
  )
}

/** Which way derivatives are propagated: `reverse` costs a pass for each element of the result, `forward` one for each of the parameters. */
type Direction = 'reverse' | 'forward' | 'fewer'

const derivatives = <P, A extends readonly unknown[], R>(
  name: string,
  direction: Direction,
  f: (params: P, ...rest: A) => R,
) => {
  requireFunction(name, f, `${name}((params) => …)`)
  return (params: P, ...rest: A): JacobianOf<R, P> => {
    const along = (p: P): R => f(p, ...rest)
    requireFloats(name, params)
    const { value, pullback } = vjp(along, params)
    requireFloatResult(name, value)
    const reverse = direction === 'fewer' ? countElements(value) <= countElements(params) : direction === 'reverse'
    const blocks = reverse
      ? byRows(value, params, pullback)
      : byColumns(value, params, (v) => jvp(along, [params], [v]).tangent)
    const byPath = new Map<string, P>(
      leavesWithPaths(value).map(([path], k) => [path, refill(params, at(blocks, k))] as const),
    )
    return mapTree<R, JacobianOf<R, P>>(value, (_, path) => byPath.get(path))
  }
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
export const jacobian = <P, A extends readonly unknown[], R>(
  f: (params: P, ...rest: A) => R,
): ((params: P, ...rest: A) => JacobianOf<R, P>) => derivatives('jacobian', 'fewer', f)

/**
 * {@link jacobian} by forward mode, column by column: for results larger than the argument, and as the outer one of two (forward over reverse).
 *
 * @throws DTypeError where the argument or the result holds leaves that are not floats
 *
 * @example
 * ```ts
 * import { jacfwd, stack, tensor, type Tensor } from 'fathom'
 *
 * const circle = (t: Tensor): Tensor => stack([t.cos(), t.sin()])
 * jacfwd(circle)(tensor([0])) // => [[[0]], [[1]]]
 * ```
 */
export const jacfwd = <P, A extends readonly unknown[], R>(
  f: (params: P, ...rest: A) => R,
): ((params: P, ...rest: A) => JacobianOf<R, P>) => derivatives('jacfwd', 'forward', f)

/**
 * {@link jacobian} by reverse mode, row by row: for arguments larger than the result.
 *
 * @throws DTypeError where the argument or the result holds leaves that are not floats
 *
 * @example
 * ```ts
 * import { jacrev, tensor, type Tensor } from 'fathom'
 *
 * jacrev((x: Tensor) => x.square().sum())(tensor([1, 2, 3])) // => [2, 4, 6]
 * ```
 */
export const jacrev = <P, A extends readonly unknown[], R>(
  f: (params: P, ...rest: A) => R,
): ((params: P, ...rest: A) => JacobianOf<R, P>) => derivatives('jacrev', 'reverse', f)

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
export const hessian = <P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor,
): ((params: P, ...rest: A) => JacobianOf<P, P>) => {
  requireFunction('hessian', f, 'hessian((params) => …)')
  return (params, ...rest) => jacobian((p: P) => grad(f)(p, ...rest))(params)
}
