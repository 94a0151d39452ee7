/**
 * Pytrees: tensors in nested records and arrays, the shape of parameters, gradients and optimizer states.
 *
 * Any interface may be a tree. Tensors are its leaves; numbers, strings, booleans, null and undefined in it are static and stay.
 * A leaf's path is its keys joined by dots; records are walked in sorted key order, so that paths order a tree the same way everywhere.
 */
import { ShapeError } from '../prelude/errors.ts'
import { Tensor } from './tensor.ts'

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !(x instanceof Tensor)

const walk = (tree: unknown, path: string, f: (leaf: Tensor, path: string) => unknown): unknown => {
  if (tree instanceof Tensor) return f(tree, path)
  if (Array.isArray(tree)) return tree.map((x: unknown, i) => walk(x, join(path, String(i)), f))
  if (!isRecord(tree)) return tree
  const keys = Object.keys(tree).toSorted()
  return Object.fromEntries(keys.map((key) => [key, walk(tree[key], join(path, key), f)]))
}

/** The tree with every leaf replaced by `f(leaf, path)`; `U` is the type of the result where it differs. */
export const mapTree = <T, U = T>(tree: T, f: (leaf: Tensor, path: string) => unknown): U => walk(tree, '', f) as U

/** All leaves with their paths, in path order. */
export const leavesWithPaths = (tree: unknown): readonly (readonly [string, Tensor])[] => {
  const found: (readonly [string, Tensor])[] = []
  walk(tree, '', (leaf, path) => found.push([path, leaf]))
  return found
}

/** All leaves, in path order. */
export const leaves = (tree: unknown): readonly Tensor[] => leavesWithPaths(tree).map(([, leaf]) => leaf)

/** The leaf-by-leaf combination of two trees of one structure. */
export const zipTrees = <T>(a: T, b: T, f: (x: Tensor, y: Tensor, path: string) => unknown): T => {
  const others = new Map(leavesWithPaths(b))
  const result = mapTree(a, (x, path) => {
    const y = others.get(path)
    if (y === undefined) throw new ShapeError(`zipTrees: the second tree has no leaf '${path}'`)
    others.delete(path)
    return f(x, y, path)
  })
  const [extra] = others.keys()
  if (extra !== undefined) throw new ShapeError(`zipTrees: the first tree has no leaf '${extra}'`)
  return result
}

/** A tree like `tree` with its leaves taken from `replacements`, in path order. */
export const refill = <T>(tree: T, replacements: readonly Tensor[]): T => {
  const queue = replacements.values()
  return mapTree(tree, (_, path) => {
    const next = queue.next()
    if (next.done === true) throw new ShapeError(`refill: no tensor left for '${path}'`)
    return next.value
  })
}

const functions = new WeakMap<object, number>()
const counter = { next: 0 }

/** Functions are equal when they are the same one; each has a number. */
const identity = (f: object): number => {
  const known = functions.get(f) ?? counter.next++
  functions.set(f, known)
  return known
}

const staticText = (x: unknown): string => {
  if (typeof x === 'string') return JSON.stringify(x)
  if (typeof x === 'function') return `function ${identity(x)}`
  return Object.is(x, -0) ? '-0' : typeof x === 'bigint' ? `${x}n` : String(x)
}

/** A text that is equal for two trees exactly when structure, static values, shapes and dtypes are equal. */
export const signature = (tree: unknown): string => {
  if (tree instanceof Tensor) return `${tree.dtype}[${tree.shape.join(',')}]`
  if (Array.isArray(tree)) return `[${tree.map(signature).join()}]`
  if (!isRecord(tree)) return staticText(tree)
  const keys = Object.keys(tree).toSorted()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${signature(tree[key])}`).join()}}`
}

/** The number of elements of all leaves together. */
export const countElements = (tree: unknown): number => leaves(tree).reduce((sum, x) => sum + x.size, 0)
