/** What of a tree is a branch, and what a value: tensors are looked for in records and arrays, and nowhere else. */
import { typeError } from '../prelude/errors.ts'
import { Tensor } from './tensor.ts'

/** An object whose properties are the tree's: a record, or an instance of a class of the user's. Dates, typed arrays and the like are values. */
export const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !(x instanceof Tensor) && !Array.isArray(x) && tagOf(x) === 'Object'

const tagOf = (x: object): string => Object.prototype.toString.call(x).slice('[object '.length, -1)

/** Throws at what holds values that a tree would lose without a word. */
export const requireNoContainer = (x: unknown, path: string): void => {
  if (typeof x !== 'object' || x === null) return
  const where = path === '' ? 'the tree' : `'${path}' in the tree`
  if (x instanceof Promise) throw typeError(`tree: ${where} is a Promise: await it`)
  if (x instanceof Map || x instanceof Set)
    throw typeError(`tree: ${where} is a ${tagOf(x)}, in which no tensors are found: use a record or an array`)
}
