/** One number for both spatial axes, or one for each: how strides, sizes and paddings are given. */
import { ShapeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { showShape } from '../graph/shape.ts'

/** One number for both spatial axes, or height and width. */
export type Pair = number | readonly [number, number]

/**
 * Height and width of a {@link Pair}.
 *
 * @example
 * ```ts
 * import { pair } from 'fathom'
 *
 * pair(3) // => [3, 3]
 * pair([3, 5]) // => [3, 5]
 * ```
 */
export const pair = (p: Pair): readonly [number, number] => (typeof p === 'number' ? [p, p] : p)

/** The pair of an option; throws where one is not a whole number from `least` on. */
export const wholePair = (operation: string, what: string, p: Pair, least: 0 | 1): readonly [number, number] => {
  const both: unknown = typeof p === 'number' ? [p, p] : p
  if (!Array.isArray(both) || both.length !== 2)
    throw new ShapeError(
      `${operation}: ${what} is ${whatIs(p)}; it must be a whole number ≥ ${least}, or two: [height, width]`,
    )
  if (!both.every((n) => Number.isInteger(n) && n >= least))
    throw new ShapeError(`${operation}: ${what} ${showShape(both)} must be whole numbers ≥ ${least}`)
  return [both[0], both[1]]
}
