/** How high an order a step of a multistep method can have: at the beginning, near the end, and behind a level of pure noise. */
import { at } from '../../prelude/array.ts'
import type { Point } from '../point.ts'

/** What bounds the order of steps. */
export interface OrderOptions {
  /** The order of the method. */
  readonly order: number
  /** Whether the last steps of walks with fewer than 15 are of lower order; default true, which is steadier. */
  readonly lowerOrderFinal?: boolean
  /** Whether the last step is of first order in any walk; default false. A step to the image itself always is. */
  readonly eulerAtFinal?: boolean
}

/** Walks with fewer steps end in steps of lower order (Lu et al. 2022b, and diffusers). */
const few = 15

/** How many estimates before this one can be used: those that are known, on levels with some signal. */
const usable = (points: readonly Point[], index: number, known: number): number => {
  const before = points.slice(index - known, index).toReversed()
  const pure = before.findIndex(({ a }) => a === 0)
  return pure < 0 ? known : pure
}

/** The order of step `index` from one point to the next. */
export const orderAt = (points: readonly Point[], index: number, known: number, options: OrderOptions): number => {
  const { order, lowerOrderFinal = true, eulerAtFinal = false } = options
  const steps = points.length - 1
  const left = steps - index
  const most = lowerOrderFinal && steps < few ? Math.min(order, left) : order
  if (at(points, index + 1).s === 0 || at(points, index).a === 0 || (left === 1 && eulerAtFinal)) return 1
  return Math.min(most, usable(points, index, known) + 1)
}
