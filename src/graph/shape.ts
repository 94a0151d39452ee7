/** Shapes: lists of axis lengths, row-major, and what broadcasting makes of two of them. */
import { product, range } from '../prelude/array.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'

/** Axis lengths, outermost first; `[]` is a scalar. */
export type Shape = readonly number[]

const remedyFor = (shape: unknown): string =>
  typeof shape === 'number' ? `write [${shape}]` : 'write it as an array, [2, 3]'

/** Refuses what is no shape: a shape is a list of whole numbers ≥ 0. */
export const requireWholeShape = (shape: Shape): void => {
  if (!Array.isArray(shape)) throw typeError(`a shape is a list of lengths, got ${whatIs(shape)}: ${remedyFor(shape)}`)
  if (!shape.every((n) => Number.isInteger(n) && n >= 0))
    throw new ShapeError(`a shape holds whole numbers ≥ 0, got ${showShape(shape)}`)
}

/** Number of elements. */
export const sizeOf = (shape: Shape): number => product(shape)

/** Row-major strides in elements. */
export const rowMajor = (shape: Shape): readonly number[] => range(shape.length).map((i) => product(shape.slice(i + 1)))

/** `[2,3,4]`, as errors and tables print it. */
export const showShape = (shape: Shape): string => `[${shape.join(',')}]`

/** Negative axes count from the end; the result is in `0 … rank − 1`. */
export const normalizeAxis = (operation: string, axis: number, rank: number): number => {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(`${operation}: axis ${axis} does not exist in a tensor of ${rank} axes`)
  return axis < 0 ? axis + rank : axis
}

/** NumPy's rule: align at the right, lengths equal or 1. */
export const broadcastShapes = (operation: string, a: Shape, b: Shape): Shape => {
  const rank = Math.max(a.length, b.length)
  return range(rank).map((i) => {
    const x = a[i - rank + a.length] ?? 1
    const y = b[i - rank + b.length] ?? 1
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(
        `${operation}: ${showShape(a)} and ${showShape(b)} do not broadcast: axis ${i - rank} has ${x} against ${y}, and neither is 1`,
      )
    return x === 1 ? y : x
  })
}
