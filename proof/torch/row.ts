/** A row of the table that says which function of fathom a golden subject stands for. */
import type { Tensor } from '../../src/tensor/tensor.ts'

/** What a subject computes: a tensor, or a tree of them whose paths are the names of the results. */
export type Outputs = unknown

/** A function of the inputs and attributes of a case, in one record. */
export type Row = (given: unknown) => Outputs

/** Rows by the name of their subject. */
export type Rows = Readonly<Record<string, Row>>

/** A row whose record has this type: the inputs are tensors, dotted names are trees, and attributes are what the case says. */
export const row =
  <A>(f: (given: A) => Outputs): Row =>
  (given) =>
    f(given as A) // the record is read from a file; a wrong name in it throws when the row uses it

/** A function of `x` alone. */
export const unary = (f: (x: Tensor) => Tensor): Row => row<{ readonly x: Tensor }>(({ x }) => f(x))

/** A function of `x` and `y`, the second of which may be a number. */
export const binary = (f: (x: Tensor, y: Tensor | number) => Tensor): Row =>
  row<{ readonly x: Tensor; readonly y: Tensor | number }>(({ x, y }) => f(x, y))

/** The values grouped by a text that each gives, in the order of their first appearance. */
export const groupBy = <T>(values: Iterable<T>, keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value])
  return groups
}
