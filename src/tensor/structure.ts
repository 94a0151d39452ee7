/**
 * The structure of a tree of arguments or results, kept to be compared: a compiled function is called with trees of one structure again and
 * again, and a comparison is quicker than a text of it.
 *
 * Numbers are leaves, as tensors are: another number is another value of the same structure. What is static, a text, a flag, a function, and a
 * number where that is asked for, is part of it.
 */
import type { DType } from '../graph/dtype.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import { Tensor } from './tensor.ts'
import { isRecord } from './record.ts'

/** What a tree is without its values: records with sorted keys, lists, leaves, and what is static. */
export type Structure =
  | { readonly kind: 'leaf'; readonly shape: Shape; readonly dtype: DType }
  | { readonly kind: 'number' }
  | { readonly kind: 'list'; readonly items: readonly Structure[] }
  | { readonly kind: 'record'; readonly keys: readonly string[]; readonly items: readonly Structure[] }
  | { readonly kind: 'static'; readonly value: unknown }

/** A value that a plan takes. */
export type Leaf = Tensor | number

/** The structure of a tree. @param isStatic whether its numbers are part of the structure */
export const structureOf = (tree: unknown, isStatic = false): Structure => {
  if (tree instanceof Tensor) return { kind: 'leaf', shape: tree.shape, dtype: tree.dtype }
  if (typeof tree === 'number' && !isStatic) return { kind: 'number' }
  if (Array.isArray(tree)) return { kind: 'list', items: Array.from(tree, (x) => structureOf(x, isStatic)) }
  if (!isRecord(tree)) return { kind: 'static', value: tree }
  const keys = Object.keys(tree).toSorted()
  return { kind: 'record', keys, items: keys.map((key) => structureOf(tree[key], isStatic)) }
}

const sameShape = (a: Shape, b: Shape): boolean => a === b || (a.length === b.length && a.every((n, i) => n === b[i]))

/** Collects the leaves of `tree` as long as it has the structure. */
const collect = (structure: Structure, tree: unknown, found: Leaf[]): boolean => {
  switch (structure.kind) {
    case 'leaf':
      if (!(tree instanceof Tensor) || tree.dtype !== structure.dtype || !sameShape(tree.shape, structure.shape))
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
        tree.length === structure.items.length &&
        structure.items.every((item, i) => collect(item, tree[i], found))
      )
    case 'record': {
      const { keys, items } = structure
      if (!isRecord(tree)) return false
      const own = Object.keys(tree)
      return (
        own.length === keys.length &&
        items.every((item, i) => {
          const key = keys[i] ?? ''
          return (own[i] === key || Object.hasOwn(tree, key)) && collect(item, tree[key], found)
        })
      )
    }
    case 'static':
      return Object.is(tree, structure.value)
  }
}

/** The leaves of a tree in path order, if it has the structure. */
export const leavesOf = (structure: Structure, tree: unknown): readonly Leaf[] | undefined => {
  const found: Leaf[] = []
  return collect(structure, tree, found) ? found : undefined
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

const place = (structure: Structure, path: string, found: string[]): void => {
  if (structure.kind === 'leaf' || structure.kind === 'number') found.push(path)
  else if (structure.kind === 'list') structure.items.forEach((item, i) => place(item, join(path, String(i)), found))
  else if (structure.kind === 'record')
    structure.items.forEach((item, i) => place(item, join(path, structure.keys[i] ?? ''), found))
}

/** The path of each leaf. */
export const pathsOf = (structure: Structure): readonly string[] => {
  const found: string[] = []
  place(structure, '', found)
  return found
}

const fillFrom = (structure: Structure, queue: Iterator<Tensor>): unknown => {
  switch (structure.kind) {
    case 'leaf':
    case 'number':
      return queue.next().value
    case 'list':
      return structure.items.map((item) => fillFrom(item, queue))
    case 'record':
      return Object.fromEntries(structure.items.map((item, i) => [structure.keys[i], fillFrom(item, queue)]))
    case 'static':
      return structure.value
  }
}

/** A tree of the structure with these leaves, in path order. */
export const fill = (structure: Structure, values: readonly Tensor[]): unknown => fillFrom(structure, values.values())

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

/** A text that is equal for two structures exactly when they are equal. */
export const keyOf = (structure: Structure): string => {
  switch (structure.kind) {
    case 'leaf':
      return `${structure.dtype}${showShape(structure.shape)}`
    case 'number':
      return 'number'
    case 'list':
      return `[${structure.items.map(keyOf).join()}]`
    case 'record':
      return `{${structure.items.map((item, i) => `${JSON.stringify(structure.keys[i])}:${keyOf(item)}`).join()}}`
    case 'static':
      return staticText(structure.value)
  }
}

/** Where two structures first differ: the path, and what stands there in either. */
export interface Difference {
  readonly path: string
  readonly before: string
  readonly after: string
}

/** The first place where structures differ; undefined when they are equal. */
export const differenceOf = (before: Structure, after: Structure, path = ''): Difference | undefined => {
  const [ours, theirs] = [childrenOf(before), childrenOf(after)]
  const [was, is] = [keyOf(before), keyOf(after)]
  if (was === is) return undefined
  if (ours.size === 0 || ours.size !== theirs.size) return { path, before: was, after: is }
  for (const [key, child] of ours) {
    const other = theirs.get(key)
    if (other === undefined) return { path, before: was, after: is }
    const found = differenceOf(child, other, join(path, key))
    if (found !== undefined) return found
  }
  return { path, before: was, after: is } // a list where a record stood
}

const childrenOf = (structure: Structure): ReadonlyMap<string, Structure> => {
  if (structure.kind === 'list') return new Map(structure.items.map((item, i) => [String(i), item]))
  if (structure.kind !== 'record') return new Map()
  return new Map(structure.items.map((item, i) => [structure.keys[i] ?? '', item]))
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
export const signature = (tree: unknown): string => keyOf(structureOf(tree, true))
