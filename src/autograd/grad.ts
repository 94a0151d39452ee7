/**
 * The grad family: functions of functions over pytrees.
 *
 * Each call of a transformed function gives its arguments fresh names (`alias` nodes) and differentiates with respect to those; two
 * nested derivatives can therefore never be confused. Forward mode is reverse mode transposed: the pullback is linear in its
 * cotangent, and the transpose of that linear map is the derivative. Nothing of the first pullback remains in the graph.
 */
import { requireFunction, requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { DTypeError, ShapeError, TraceError } from '../prelude/errors.ts'
import { isFloat } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { reachable } from '../graph/traverse.ts'
import { onesLike, zerosLike } from '../tensor/create.ts'
import { expectLoss } from '../tensor/expect.ts'
import { Tensor } from '../tensor/tensor.ts'
import { leaves, leavesWithPaths, mapTree, refill, zipTrees, type Naming } from '../tensor/tree.ts'
import {
  argumentInWords,
  argumentNumbers,
  lossIn,
  withArguments,
  type ArgumentNumber,
  type GradientOf,
  type GradOptions,
} from './argument.ts'
import { backward } from './backward.ts'
import { unbarred } from './unbarred.ts'

const renamed = <T>(tree: T): T => mapTree(tree, (x) => new Tensor(makeNode('alias', {}, [x.node])))

const cotangentsOf = <P>(primals: P, output: unknown, cotangent: unknown): P => {
  const sources = leaves(primals)
  const given = leaves(cotangent)
  const outputs = leaves(output)
  const seeds = outputs.flatMap((y, i) => (isFloat(y.dtype) ? [[y.node, at(given, i)] as const] : []))
  const found = backward(
    seeds,
    sources.map((x) => x.node),
  )
  return refill(
    primals,
    sources.map((x, i) => found[i] ?? zerosLike(x)),
  )
}

/** Refuses a cotangent or a direction that is not of the tree it belongs to: shapes would broadcast, and leaves be taken for others. */
const requireLike = (tree: unknown, vectors: unknown, naming: Naming): void => {
  zipTrees(
    tree,
    vectors,
    (x, v, path) => {
      if (isFloat(x.dtype) && v.dtype !== x.dtype)
        throw new DTypeError(
          `${naming.operation}: ${path === '' ? 'the tensor' : `'${path}'`} is ${x.dtype} in ${naming.first} and ${v.dtype} in ${naming.second}; cast one of them`,
        )
      return x
    },
    naming,
  )
}

/** A function's value and its pullback at that point. */
export interface Vjp<A extends readonly unknown[], R> {
  readonly value: R
  /** Cotangents of the arguments from one of the value; the adjoint of the derivative. */
  readonly pullback: (cotangent: R) => A
}

/**
 * Reverse mode: the value of `f` and its vector-Jacobian product, over trees.
 *
 * @example
 * ```ts
 * import { tensor, vjp, type Tensor } from 'fathom'
 *
 * const { value, pullback } = vjp((x: Tensor, y: Tensor) => x.mul(y), tensor([1, 2]), tensor([3, 4]))
 * value // => [3, 8]
 * pullback(tensor([1, 10])) // => [[3, 40], [1, 20]]
 * ```
 */
export const vjp = <A extends readonly unknown[], R>(f: (...args: A) => R, ...primals: A): Vjp<A, R> => {
  requireFunction('vjp', f, 'vjp((x) => …, x)')
  const named = renamed(primals)
  const value = f(...named)
  const pullback = (cotangent: R): A => {
    requireLike(value, cotangent, { operation: 'vjp', first: 'the value', second: 'the cotangent' })
    return cotangentsOf(named, value, cotangent)
  }
  return { value, pullback }
}

/** Refuses trees with leaves that have no gradients. @param of which argument it is, counted from 0 */
export const requireFloats = (name: string, tree: unknown, of = 0): void => {
  for (const [path, x] of leavesWithPaths(tree))
    if (!isFloat(x.dtype))
      throw new DTypeError(
        `${name}: leaf '${path}' of ${argumentInWords(of)} is ${x.dtype}; only floats have gradients, pass it as another argument`,
      )
}

const requireScalar = (name: string, y: Tensor): void => {
  if (y.rank !== 0)
    throw new ShapeError(
      `${name}: the function must return a scalar, it returned ${showShape(y.shape)}; take a sum or a mean, or use vjp`,
    )
  if (!isFloat(y.dtype)) throw new DTypeError(`${name}: the function must return a float, it returned ${y.dtype}`)
}

/** What the function gives, and the gradient of the loss in it. */
const withGradient = <A extends readonly unknown[]>(who: string, f: (...args: A) => unknown, options: GradOptions) => {
  requireFunction(who, f, `${who}((params) => …)`)
  requireKnown(who, options, ['aux', 'argument'])
  const { aux = false, argument = 0 } = options
  return (...args: A): readonly [result: unknown, gradient: unknown] => {
    const numbers = argumentNumbers(argument, args.length)
    for (const n of numbers) requireFloats('grad', args[n], n)
    const named = withArguments(args, numbers, renamed)
    const result = f(...named)
    const value = lossIn(result, aux)
    expectLoss('grad', value)
    requireScalar('grad', value)
    const sources = numbers.map((n) => named[n])
    const gradients = cotangentsOf(sources, value, onesLike(value))
    return [result, typeof argument === 'number' ? gradients[0] : gradients]
  }
}

/**
 * The value of a scalar function and its gradient with respect to the first argument, a tree, or to another or several of them.
 *
 * Of the options, `aux` says that the function gives `[loss, aux]`, and `[[loss, aux], gradient]` comes back; `argument`, which are differentiated.
 *
 * @throws RangeError for the number of no argument; DTypeError for an argument that holds integers; ShapeError for a loss that is no scalar
 * @example
 * ```ts
 * import { tensor, valueAndGrad, type Tensor } from 'fathom'
 *
 * const loss = (params: { readonly w: Tensor }, x: Tensor): Tensor => params.w.mul(x).sum()
 * const [w, x] = [tensor([1, 2]), tensor([3, 4])]
 * valueAndGrad(loss)({ w }, x) // => [11, { w: [3, 4] }]
 * valueAndGrad(loss, { argument: 1 })({ w }, x) // => [11, [1, 2]]
 * valueAndGrad(loss, { argument: [0, 1] })({ w }, x) // => [11, [{ w: [3, 4] }, [1, 2]]]
 *
 * const withLogits = (params: Tensor, input: Tensor) => [params.mul(input).sum(), { logits: params.mul(input) }] as const
 * valueAndGrad(withLogits, { aux: true })(w, x) // => [[11, { logits: [3, 8] }], [3, 4]]
 * valueAndGrad(loss, { argument: 2 })({ w }, x) // throws RangeError: grad: there is no argument 2: the function was called with 2, …
 * ```
 */
export function valueAndGrad<P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor,
): (params: P, ...rest: A) => readonly [Tensor, P]
export function valueAndGrad<A extends readonly unknown[], X, const N extends ArgumentNumber = 0>(
  f: (...args: A) => readonly [Tensor, X],
  options: GradOptions<N> & { readonly aux: true },
): (...args: A) => readonly [readonly [Tensor, X], GradientOf<A, N>]
export function valueAndGrad<A extends readonly unknown[], const N extends ArgumentNumber = 0>(
  f: (...args: A) => Tensor,
  options: GradOptions<N> & { readonly aux?: false },
): (...args: A) => readonly [Tensor, GradientOf<A, N>]
export function valueAndGrad<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  options: GradOptions = {},
): (...args: A) => readonly [unknown, unknown] {
  return withGradient('valueAndGrad', f, options)
}

/**
 * The gradient of a scalar function with respect to its first argument, a tree, or to another or several of them.
 *
 * Of the options, `aux` says that the function gives `[loss, aux]`, and `[gradient, aux]` comes back; `argument`, which are differentiated.
 *
 * @throws as {@link valueAndGrad}
 * @example
 * ```ts
 * import { grad, scalar, tensor, type Tensor } from 'fathom'
 *
 * grad((x: Tensor) => x.square().sum())(tensor([1, 2, 3])) // => [2, 4, 6]
 * const f = (x: Tensor): Tensor => x.pow(3)
 * grad(f)(scalar(2)) // => 12
 * grad(grad(f))(scalar(3)) // => 18
 * grad(f)(tensor([1, 2])) // throws ShapeError: grad: the function must return a scalar, it returned [2]; …
 * grad((x: Tensor, y: Tensor) => x.mul(y), { argument: [0, 1] })(scalar(2), scalar(5)) // => [5, 2]
 * grad((x: Tensor) => [x.square(), { twice: x.mul(2) }], { aux: true })(scalar(3)) // => [6, { twice: 6 }]
 * ```
 */
export function grad<P, A extends readonly unknown[]>(
  f: (params: P, ...rest: A) => Tensor,
): (params: P, ...rest: A) => P
export function grad<A extends readonly unknown[], X, const N extends ArgumentNumber = 0>(
  f: (...args: A) => readonly [Tensor, X],
  options: GradOptions<N> & { readonly aux: true },
): (...args: A) => readonly [GradientOf<A, N>, X]
export function grad<A extends readonly unknown[], const N extends ArgumentNumber = 0>(
  f: (...args: A) => Tensor,
  options: GradOptions<N> & { readonly aux?: false },
): (...args: A) => GradientOf<A, N>
export function grad<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  options: GradOptions = {},
): (...args: A) => unknown {
  const both = withGradient('grad', f, options)
  return (...args) => {
    const [result, gradient] = both(...args)
    return options.aux === true && Array.isArray(result) ? [gradient, result[1]] : gradient
  }
}

/** A function's value and its derivative in one direction. */
export interface Jvp<R> {
  readonly value: R
  readonly tangent: R
}

const placeholder = (x: Tensor): Tensor =>
  new Tensor(makeNode('parameter', { index: -1, shape: x.shape, dtype: x.dtype }, []))

/**
 * Forward mode: the value of `f` at `primals` and its derivative in the direction `tangents`, over trees.
 *
 * @example
 * ```ts
 * import { jvp, tensor, type Tensor } from 'fathom'
 *
 * jvp((x: Tensor) => x.square(), [tensor([1, 2, 3])], [tensor([1, 0, 10])]) // => { value: [1, 4, 9], tangent: [2, 0, 60] }
 * ```
 */
export const jvp = <A extends readonly unknown[], R>(f: (...args: A) => R, primals: A, tangents: A): Jvp<R> => {
  requireFunction('jvp', f, 'jvp((x) => …, [x], [tangent])')
  requireLike(primals, tangents, { operation: 'jvp', first: 'the arguments', second: 'the tangents' })
  const { value, pullback } = vjp(f, ...primals)
  const dummies = mapTree(value, placeholder)
  const transposed = pullback(dummies)
  const derivative = cotangentsOf(dummies, transposed, tangents)
  const names = new Set<Node>(leaves(dummies).map((x) => x.node))
  const tangent = refill(
    derivative,
    unbarred(
      leaves(derivative).map((x) => x.node),
      names,
    ).map((n) => new Tensor(n)),
  )
  const used = reachable(leaves(tangent).map((x) => x.node))
  if (used.some((n) => names.has(n)))
    throw new TraceError('jvp: a custom vjp in the function is not linear in its cotangent')
  return { value, tangent }
}

/**
 * The Hessian of a scalar function times a vector, as the derivative of the gradient.
 *
 * @example
 * ```ts
 * import { hvp, tensor, type Tensor } from 'fathom'
 *
 * const f = (x: Tensor): Tensor => x.pow(3).sum() // its Hessian is diag(6x)
 * hvp(f, tensor([1, 2]), tensor([1, 10])) // => [6, 120]
 * hvp(f, tensor([1, 2]), tensor([1])) // throws ShapeError: hvp: the tensor is [2] in the parameters and [1] in the direction
 * ```
 */
export const hvp = <P>(f: (params: P) => Tensor, params: P, direction: P): P => {
  requireFunction('hvp', f, 'hvp((params) => …, params, direction)')
  requireLike(params, direction, { operation: 'hvp', first: 'the parameters', second: 'the direction' })
  return jvp(grad(f), [params], [direction]).tangent
}
