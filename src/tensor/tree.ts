/**
 * Pytrees: tensors in nested records and arrays, the shape of parameters, gradients and optimizer states.
 *
 * Any interface may be a tree. Tensors are its leaves; numbers, strings, booleans, null, undefined, dates and typed
 * arrays in it are static and stay.
 * A leaf's path is its keys joined by dots; records are walked in sorted key order, so that paths order a tree the same way everywhere.
 */
import { at, equalNumbers } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from './tensor.ts'
import { flatten, pathsOf, unflatten } from './treedef.ts'

/**
 * The tree with every leaf replaced by `f(leaf, path)`; `U` is the type of the result where it differs.
 *
 * @example
 * ```ts
 * import { mapTree, tensor } from 'fathom'
 *
 * const params = { bias: tensor([1]), weight: tensor([2, 3]) }
 * mapTree(params, (x) => x.mul(10)) // => { bias: [10], weight: [20, 30] }
 * mapTree(params, (_, path) => path) // => { bias: 'bias', weight: 'weight' }
 * ```
 */
export const mapTree = <T, U = T>(tree: T, f: (leaf: Tensor, path: string) => unknown): U => {
  const { treedef, leaves: found } = flatten(tree)
  const paths = pathsOf(treedef)
  return unflatten(
    treedef,
    found.map((x, i) => f(x, at(paths, i))),
  ) as U
}

/**
 * All leaves with their paths, in path order.
 *
 * @example
 * ```ts
 * import { leavesWithPaths, tensor } from 'fathom'
 *
 * leavesWithPaths({ w: tensor([1]), layers: [tensor([2]), tensor([3])] })
 * // => [['layers.0', [2]], ['layers.1', [3]], ['w', [1]]]
 * ```
 */
export const leavesWithPaths = (tree: unknown): readonly (readonly [string, Tensor])[] => {
  const { treedef, leaves: found } = flatten(tree)
  return pathsOf(treedef).map((path, i) => [path, at(found, i)])
}

/**
 * All leaves, in path order.
 *
 * @example
 * ```ts
 * import { leaves, tensor } from 'fathom'
 *
 * leaves({ w: tensor([1]), layers: [tensor([2]), tensor([3])] }) // => [[2], [3], [1]]
 * ```
 */
export const leaves = (tree: unknown): readonly Tensor[] => flatten(tree).leaves

/** What two trees are called where they differ, and what to do then. */
export interface Naming {
  /** Who combines them: the beginning of the message. */
  readonly operation: string
  readonly first: string
  readonly second: string
  /** What to do about it; it follows a semicolon. */
  readonly remedy?: string
}

const twoTrees: Naming = { operation: 'zipTrees', first: 'the first tree', second: 'the second tree' }

const quoted = (path: string): string => (path === '' ? 'the tensor' : `'${path}'`)

/** A ShapeError at a place where two trees differ. */
const difference = ({ operation, remedy }: Naming, what: string): ShapeError =>
  new ShapeError(`${operation}: ${what}${remedy === undefined ? '' : `; ${remedy}`}`)

/**
 * The leaf-by-leaf combination of two trees of one structure, whose leaves have the same shapes: with others, arithmetic would broadcast
 * where the trees do not belong together.
 *
 * @param naming what the trees are called in errors
 * @throws ShapeError naming the leaf that only one of the trees has, or that has another shape in the other
 * @example
 * ```ts
 * import { tensor, zipTrees } from 'fathom'
 *
 * const params = { b: tensor([1]), w: tensor([2]) }
 * const gradients = { b: tensor([10]), w: tensor([20]) }
 * zipTrees(params, gradients, (p, g) => p.sub(g.mul(0.1))) // => { b: [0], w: [0] }
 * zipTrees<object>(params, { b: tensor([1]) }, (p) => p) // throws ShapeError: zipTrees: 'w' is missing in the second tree
 * zipTrees(tensor([1, 2]), tensor([3]), (x) => x) // throws ShapeError: zipTrees: the tensor is [2] in the first tree and [1] in the second tree
 * ```
 */
export const zipTrees = <A, B = A>(
  a: A,
  b: NoInfer<B>,
  f: (x: Tensor, y: Tensor, path: string) => unknown,
  naming: Naming = twoTrees,
): A => {
  const { first, second } = naming
  const others = new Map(leavesWithPaths(b))
  const result = mapTree(a, (x, path) => {
    const y = others.get(path)
    if (y === undefined) throw difference(naming, `${quoted(path)} is missing in ${second}`)
    if (!equalNumbers(x.shape, y.shape))
      throw difference(
        naming,
        `${quoted(path)} is ${showShape(x.shape)} in ${first} and ${showShape(y.shape)} in ${second}`,
      )
    others.delete(path)
    return f(x, y, path)
  })
  const [extra] = others.keys()
  if (extra !== undefined) throw difference(naming, `${quoted(extra)} is missing in ${first}`)
  return result
}

/**
 * A tree like `tree` with its leaves taken from `replacements`, in path order.
 *
 * @example
 * ```ts
 * import { refill, tensor } from 'fathom'
 *
 * refill({ b: tensor([0]), w: tensor([0, 0]) }, [tensor([1]), tensor([2, 3])]) // => { b: [1], w: [2, 3] }
 * ```
 */
export const refill = <T>(tree: T, replacements: readonly Tensor[]): T => {
  const { treedef } = flatten(tree)
  const [missing] = pathsOf(treedef).slice(replacements.length)
  if (missing !== undefined) throw new ShapeError(`refill: no tensor left for '${missing}'`)
  return unflatten(treedef, replacements) as T
}

/**
 * The number of elements of all leaves together.
 *
 * @example
 * ```ts
 * import { countElements, zeros } from 'fathom'
 *
 * countElements({ weight: zeros([784, 10]), bias: zeros([10]) }) // => 7850
 * ```
 */
export const countElements = (tree: unknown): number => leaves(tree).reduce((sum, x) => sum + x.size, 0)
