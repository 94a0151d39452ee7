/**
 * Treedefs: what a tree is without its leaves. `flatten` takes a tree apart into its treedef and its leaves, `unflatten` puts one together; whatever
 * walks over trees is made of these two.
 *
 * A compiled function is called with trees of one treedef again and again: `leavesOf` compares a tree with a treedef, which is quicker than a text of it.
 * Source: JAX's pytrees (`jax.tree_util`).
 */
import { typeError } from '../prelude/errors.ts'
import { isRecord } from '../prelude/record.ts'
import { joinPath } from '../prelude/treePath.ts'
import type { DType } from '../graph/dtype.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import { Tensor } from './tensor.ts'

/** What a tree is without its leaves: records with sorted keys, lists, where the leaves stand, and what is static. */
export type Treedef =
  | { readonly kind: 'leaf'; readonly shape: Shape; readonly dtype: DType }
  | { readonly kind: 'number' }
  | { readonly kind: 'list'; readonly items: readonly Treedef[] }
  | { readonly kind: 'record'; readonly keys: readonly string[]; readonly items: readonly Treedef[] }
  | { readonly kind: 'static'; readonly value: unknown }

/** A value that a plan takes. */
export type Leaf = Tensor | number

/** A tree taken apart: what it is, and its leaves in path order. */
export interface Flat<L extends Leaf> {
  readonly treedef: Treedef
  readonly leaves: readonly L[]
}

/** Whether a value that is neither a list nor a record is a leaf; what is not is static. */
export type IsLeaf<L extends Leaf> = (x: unknown, path: string) => x is L

const tagOf = (x: object): string => Object.prototype.toString.call(x).slice('[object '.length, -1)

/** A record, or an instance of a class of the user's, whose properties are the tree's. Tensors, dates, typed arrays and the like are values. */
export const isBranch = (x: unknown): x is Readonly<Record<string, unknown>> =>
  isRecord(x) && !(x instanceof Tensor) && tagOf(x) === 'Object'

/** Throws at what holds values that a tree would lose without a word. */
const requireNoContainer = (x: unknown, path: string): void => {
  if (typeof x !== 'object' || x === null) return
  const where = path === '' ? 'the tree' : `'${path}' in the tree`
  if (x instanceof Promise) throw typeError(`tree: ${where} is a Promise: await it`)
  if (x instanceof Map || x instanceof Set)
    throw typeError(`tree: ${where} is a ${tagOf(x)}, in which no tensors are found: use a record or an array`)
}

/** Tensors are leaves; what may hold some where nobody looks is refused. */
const isTensor = (x: unknown, path: string): x is Tensor => {
  if (x instanceof Tensor) return true
  requireNoContainer(x, path)
  return false
}

/** Tensors are leaves, and numbers are: those that a plan takes. */
export const isValue = (x: unknown): x is Leaf => x instanceof Tensor || typeof x === 'number'

/** Tensors are leaves, and all else is static, whatever it is. */
export const isOnlyTensor = (x: unknown): x is Tensor => x instanceof Tensor

const flattenInto = (tree: unknown, path: string, isLeaf: IsLeaf<Leaf>, found: Leaf[]): Treedef => {
  if (Array.isArray(tree))
    return {
      kind: 'list',
      items: Array.from(tree, (x: unknown, i) => flattenInto(x, joinPath(path, String(i)), isLeaf, found)),
    }
  if (isBranch(tree)) {
    const keys = Object.keys(tree).toSorted()
    return {
      kind: 'record',
      keys,
      items: keys.map((key) => flattenInto(tree[key], joinPath(path, key), isLeaf, found)),
    }
  }
  if (!isLeaf(tree, path)) return { kind: 'static', value: tree }
  found.push(tree)
  return typeof tree === 'number' ? { kind: 'number' } : { kind: 'leaf', shape: tree.shape, dtype: tree.dtype }
}

/** A tree as its treedef and its leaves, in path order. @param isLeaf what a leaf is; tensors, unless it is given */
export function flatten(tree: unknown): Flat<Tensor>
export function flatten<L extends Leaf>(tree: unknown, isLeaf: IsLeaf<L>): Flat<L>
export function flatten(tree: unknown, isLeaf: IsLeaf<Leaf> = isTensor): Flat<Leaf> {
  const leaves: Leaf[] = []
  return { treedef: flattenInto(tree, '', isLeaf, leaves), leaves }
}

const take = (treedef: Treedef, queue: Iterator<unknown>): unknown => {
  switch (treedef.kind) {
    case 'leaf':
    case 'number':
      return queue.next().value
    case 'list':
      return treedef.items.map((item) => take(item, queue))
    case 'record':
      return Object.fromEntries(treedef.items.map((item, i) => [treedef.keys[i], take(item, queue)]))
    case 'static':
      return treedef.value
  }
}

/** The tree of a treedef with these leaves, in path order. */
export const unflatten = (treedef: Treedef, leaves: readonly unknown[]): unknown => take(treedef, leaves.values())

/** What a treedef consists of, by key; nothing for what is no branch. */
const childrenOf = (treedef: Treedef): readonly (readonly [key: string, child: Treedef])[] => {
  if (treedef.kind === 'list') return treedef.items.map((item, i) => [String(i), item])
  if (treedef.kind !== 'record') return []
  return treedef.items.map((item, i) => [treedef.keys[i] ?? '', item])
}

/** The path of each leaf: its keys, joined by dots. */
export const pathsOf = (treedef: Treedef, path = ''): readonly string[] =>
  treedef.kind === 'leaf' || treedef.kind === 'number'
    ? [path]
    : childrenOf(treedef).flatMap(([key, child]) => pathsOf(child, joinPath(path, key)))

const sameShape = (a: Shape, b: Shape): boolean => a === b || (a.length === b.length && a.every((n, i) => n === b[i]))

/** Collects the leaves of `tree` as long as it has the treedef. */
const match = (treedef: Treedef, tree: unknown, found: Leaf[]): boolean => {
  switch (treedef.kind) {
    case 'leaf':
      if (!(tree instanceof Tensor) || tree.dtype !== treedef.dtype || !sameShape(tree.shape, treedef.shape))
        return false
      found.push(tree)
      return true
    case 'number':
      if (typeof tree !== 'number') return false
      found.push(tree)
      return true
    case 'list':
      return (
        Array.isArray(tree) &&
        tree.length === treedef.items.length &&
        treedef.items.every((item, i) => match(item, tree[i], found))
      )
    case 'record': {
      const { keys, items } = treedef
      if (!isBranch(tree)) return false
      const own = Object.keys(tree)
      return (
        own.length === keys.length &&
        items.every((item, i) => {
          const key = keys[i] ?? ''
          return (own[i] === key || Object.hasOwn(tree, key)) && match(item, tree[key], found)
        })
      )
    }
    case 'static':
      return Object.is(tree, treedef.value)
  }
}

/** The leaves of a tree in path order, if it has the treedef: one comparison, without a treedef of its own. */
export const leavesOf = (treedef: Treedef, tree: unknown): readonly Leaf[] | undefined => {
  const found: Leaf[] = []
  return match(treedef, tree, found) ? found : undefined
}

const objects = new WeakMap<object, number>()
const symbols = new Map<symbol, number>()
const counter = { next: 0 }

/** Functions, symbols and objects are equal when they are the same one; each has a number. */
const identity = (x: object | symbol): number => {
  const known = (typeof x === 'symbol' ? symbols.get(x) : objects.get(x)) ?? counter.next++
  if (typeof x === 'symbol') symbols.set(x, known)
  else objects.set(x, known)
  return known
}

const staticText = (x: unknown): string => {
  if (typeof x === 'string') return JSON.stringify(x)
  if (typeof x === 'function' || typeof x === 'symbol' || (typeof x === 'object' && x !== null))
    return `${typeof x} ${identity(x)}`
  return Object.is(x, -0) ? '-0' : typeof x === 'bigint' ? `${x}n` : String(x)
}

/** A text that is equal for two treedefs exactly when they are equal. */
export const keyOf = (treedef: Treedef): string => {
  switch (treedef.kind) {
    case 'leaf':
      return `${treedef.dtype}${showShape(treedef.shape)}`
    case 'number':
      return 'number'
    case 'list':
      return `[${treedef.items.map(keyOf).join()}]`
    case 'record':
      return `{${childrenOf(treedef)
        .map(([key, child]) => `${JSON.stringify(key)}:${keyOf(child)}`)
        .join()}}`
    case 'static':
      return staticText(treedef.value)
  }
}

/** Where two treedefs first differ: the path, and what stands there in either. */
export interface Difference {
  readonly path: string
  readonly before: string
  readonly after: string
}

/** The first place where treedefs differ; undefined when they are equal. */
export const differenceOf = (before: Treedef, after: Treedef, path = ''): Difference | undefined => {
  const ours = childrenOf(before)
  const theirs = new Map(childrenOf(after))
  const [was, is] = [keyOf(before), keyOf(after)]
  if (was === is) return undefined
  if (ours.length === 0 || ours.length !== theirs.size) return { path, before: was, after: is }
  for (const [key, child] of ours) {
    const other = theirs.get(key)
    if (other === undefined) return { path, before: was, after: is }
    const found = differenceOf(child, other, joinPath(path, key))
    if (found !== undefined) return found
  }
  return { path, before: was, after: is } // a list where a record stood
}

/**
 * A text that is equal for two trees exactly when structure, static values, shapes and dtypes are equal.
 *
 * @example
 * ```ts
 * import { signature, tensor } from 'fathom'
 *
 * signature({ w: tensor([1, 2]), rate: 0.1 }) // => '{"rate":0.1,"w":f32[2]}'
 * ```
 */
export const signature = (tree: unknown): string => keyOf(flatten(tree, isOnlyTensor).treedef)
