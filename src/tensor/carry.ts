/** What goes from turn to turn of a loop stays what it is: structure, shapes, dtypes. */
import { ShapeError } from '../prelude/errors.ts'
import { differenceOf, flatten } from './treedef.ts'

/** `'h' of the carry`. */
export const quoted = (path: string, what: string): string => (path === '' ? what : `'${path}' of ${what}`)

/** @throws ShapeError naming the first leaf that is another one behind a turn */
export const requireSameCarry = (operation: string, what: string, before: unknown, behind: unknown): void => {
  const difference = differenceOf(flatten(before).treedef, flatten(behind).treedef)
  if (difference === undefined) return
  const { path, before: was, after: is } = difference
  throw new ShapeError(
    `${operation}: ${quoted(path, what)} is ${was} before a turn and ${is} behind it, and must stay what it is: cast it, or begin with another; a number is part of the program, and one that changes is a scalar()`,
  )
}
