/**
 * The structure of a tree, kept to be compared: a compiled function is called with trees of one structure again and again, and a comparison
 * is quicker than a text of it (`signature`).
 */
import type { DType } from '../graph/dtype.ts'
import type { Shape } from '../graph/shape.ts'
import { Tensor } from './tensor.ts'

/** What a tree is without its values: records with sorted keys, lists, leaves of a shape and dtype, and whatever is no tensor. */
export type Structure =
  | { readonly kind: 'leaf'; readonly shape: Shape; readonly dtype: DType }
  | { readonly kind: 'list'; readonly items: readonly Structure[] }
  | { readonly kind: 'record'; readonly keys: readonly string[]; readonly items: readonly Structure[] }
  | { readonly kind: 'static'; readonly value: unknown }

type Branch = Readonly<Record<string, unknown>>

const isBranch = (x: unknown): x is Branch => typeof x === 'object' && x !== null

/** The structure of a tree. */
export const structureOf = (tree: unknown): Structure => {
  if (tree instanceof Tensor) return { kind: 'leaf', shape: tree.shape, dtype: tree.dtype }
  if (Array.isArray(tree)) return { kind: 'list', items: tree.map(structureOf) }
  if (!isBranch(tree)) return { kind: 'static', value: tree }
  const keys = Object.keys(tree).toSorted()
  return { kind: 'record', keys, items: keys.map((key) => structureOf(tree[key])) }
}

const sameShape = (a: Shape, b: Shape): boolean => a === b || (a.length === b.length && a.every((n, i) => n === b[i]))

/** Collects the leaves of `tree` as long as it has the structure. */
const collect = (structure: Structure, tree: unknown, found: Tensor[]): boolean => {
  switch (structure.kind) {
    case 'leaf':
      if (!(tree instanceof Tensor) || tree.dtype !== structure.dtype || !sameShape(tree.shape, structure.shape))
        return false
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
      if (!isBranch(tree) || Array.isArray(tree) || tree instanceof Tensor) return false
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
export const leavesOf = (structure: Structure, tree: unknown): readonly Tensor[] | undefined => {
  const found: Tensor[] = []
  return collect(structure, tree, found) ? found : undefined
}

const fillFrom = (structure: Structure, queue: Iterator<Tensor>): unknown => {
  switch (structure.kind) {
    case 'leaf':
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
