/** A tree in two parts, and one of them again: what is trained and what is frozen. After equinox's `partition` and `combine`. */
import { ShapeError } from '../prelude/errors.ts'
import { joinPath } from '../prelude/treePath.ts'
import { Tensor } from './tensor.ts'
import { mapTree } from './tree.ts'
import { isBranch } from './treedef.ts'

declare const origin: unique symbol

type WithHoles<T> = T extends Tensor
  ? Tensor | undefined
  : T extends object
    ? { readonly [K in keyof T]: WithHoles<T[K]> }
    : T

/** Some leaves of a tree of type `T`, in its structure: undefined stands where the others were. It is a tree, for gradients, optimizers and files. */
export type TreePart<T> = WithHoles<T> & { readonly [origin]?: T }

/**
 * The leaves that a predicate says true of, and the others: two trees in the structure of the first, with undefined in the places of what is in the
 * other. A gradient with respect to one of them is of its leaves only, and so is what an optimizer keeps.
 *
 * @param predicate of a leaf's path and the leaf
 * @example
 * ```ts
 * import { grad, mergeTrees, partitionTree, tensor, type Tensor } from 'fathom'
 *
 * const params = { body: { w: tensor([2, 3]) }, head: { w: tensor([10]) } }
 * const [head, body] = partitionTree(params, (path) => path.startsWith('head.'))
 * head // => { body: { w: undefined }, head: { w: [10] } }
 * const loss = (p: typeof params, x: Tensor) => p.body.w.mul(x).sum().mul(p.head.w).sum()
 * const gradient = grad((p: typeof head, x: Tensor) => loss(mergeTrees(p, body), x))(head, tensor([1, 1]))
 * gradient // => { body: { w: undefined }, head: { w: [5] } }
 * mergeTrees(gradient, body) // => { body: { w: [2, 3] }, head: { w: [5] } }
 * ```
 */
export const partitionTree = <T>(
  tree: T,
  predicate: (path: string, leaf: Tensor) => boolean,
): readonly [TreePart<T>, TreePart<T>] => [
  mapTree<T, TreePart<T>>(tree, (x, path) => (predicate(path, x) ? x : undefined)),
  mapTree<T, TreePart<T>>(tree, (x, path) => (predicate(path, x) ? undefined : x)),
]

const conflict = (path: string): ShapeError =>
  new ShapeError(
    `mergeTrees: ${path === '' ? 'both trees are a tensor' : `'${path}' is in both trees`}; each leaf comes from one of them`,
  )

const mergeRecords = (
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
  path: string,
): unknown =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [
      key,
      merged(a[key], b[key], joinPath(path, key)),
    ]),
  )

const mergeLists = (a: readonly unknown[], b: readonly unknown[], path: string): unknown =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => merged(a[i], b[i], joinPath(path, String(i))))

const merged = (a: unknown, b: unknown, path: string): unknown => {
  if (a === undefined || b === undefined) return a === undefined ? b : a
  if (a instanceof Tensor || b instanceof Tensor) throw conflict(path)
  if (Array.isArray(a) && Array.isArray(b)) return mergeLists(a, b, path)
  return isBranch(a) && isBranch(b) ? mergeRecords(a, b, path) : a
}

/**
 * The tree that two parts make: the leaf of either in each place; static values are those of the first.
 *
 * @throws ShapeError for a leaf that both have
 * @example
 * ```ts
 * import { mergeTrees, partitionTree, tensor } from 'fathom'
 *
 * const [biases, others] = partitionTree({ b: tensor([1]), w: tensor([2]) }, (path) => path.endsWith('b'))
 * mergeTrees(biases, others) // => { b: [1], w: [2] }
 * mergeTrees(biases, biases) // throws ShapeError: mergeTrees: 'b' is in both trees; each leaf comes from one of them
 * ```
 */
export const mergeTrees = <T>(a: TreePart<T>, b: TreePart<T>): T => merged(a, b, '') as T
