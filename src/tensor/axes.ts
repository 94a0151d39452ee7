/** Axes and lengths as users give them: one or several, from either end, open, out of range. */
import { at, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { notATensor } from '../prelude/mistaken.ts'
import { normalizeAxis, requireWholeShape, showShape, sizeOf, type Shape } from '../graph/shape.ts'

/** One axis, several, or (undefined) all of them; negative ones count from the end. */
export type Axes = number | readonly number[] | undefined

/** The axes counted from the front. */
export const normalizeAxes = (operation: string, axes: Axes, rank: number): readonly number[] =>
  axes === undefined
    ? range(rank)
    : (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(operation, a, rank))

/** Refuses a choice among the elements of an axis that has none. */
export const requireElements = (operation: string, axes: Axes, shape: Shape): void => {
  const none = normalizeAxes(operation, axes, shape.length).find((a) => shape[a] === 0)
  if (none !== undefined)
    throw new ShapeError(`${operation}: axis ${none} of ${showShape(shape)} has no elements to choose from`)
}

/** The shape that `reshape` is asked for, with the length for −1 found. */
export const completeShape = (from: Shape, shape: Shape): Shape => {
  const open = Array.isArray(shape) ? shape.filter((n) => n === -1).length : 0
  const known = open === 0 ? shape : shape.filter((n) => n !== -1)
  requireWholeShape(known)
  if (open === 0) return shape
  const where = `reshape: ${showShape(from)} to ${showShape(shape)}`
  if (open > 1) throw new ShapeError(`${where}: ${open} lengths are −1; one can be left open`)
  const [size, rest] = [sizeOf(from), sizeOf(known)]
  if (rest === 0)
    throw new ShapeError(`${where}: the lengths beside −1 make 0 elements, so −1 could be anything; name it`)
  if (size % rest !== 0) throw new ShapeError(`${where}: ${size} elements do not divide by ${rest}`)
  return shape.map((n) => (n === -1 ? size / rest : n))
}

/** The shape without `axes`, whose lengths must be 1; by default without all that are. */
export const squeezedShape = (shape: Shape, axes: Axes): Shape => {
  if (axes === undefined) return shape.filter((n) => n !== 1)
  const gone = normalizeAxes('squeeze', axes, shape.length)
  const long = gone.find((a) => shape[a] !== 1)
  if (long !== undefined)
    throw new ShapeError(
      `squeeze: axis ${long} of ${showShape(shape)} has ${at(shape, long)} elements; only an axis of 1 can go, at(${long}, i) picks an element`,
    )
  return shape.filter((_, a) => !gone.includes(a))
}

/** The index counted from the front. @param i a whole number; negative ones count from the end */
export const indexOf = (shape: Shape, axis: number, i: unknown): number => {
  if (typeof i !== 'number') throw notATensor('at', i, 'a whole number or a tensor')
  const n = at(shape, axis)
  if (!Number.isInteger(i) || i < -n || i >= n)
    throw new ShapeError(
      `at: there is no index ${i} in axis ${axis} of ${showShape(shape)}${n === 0 ? ', which is empty' : `; it goes from 0 to ${n - 1}, or from −1 back`}`,
    )
  return i < 0 ? i + n : i
}
