/** The variance, in two passes: the mean of squares less the square of the mean would cancel. */
import { inSingle } from './precision.ts'
import type { Axes, Tensor } from './tensor.ts'

/**
 * The mean squared deviation from the mean over `axes` (divided by the count, not count − 1).
 *
 * @example
 * ```ts
 * import { tensor, variance } from 'fathom'
 *
 * variance(tensor([1, 2, 3, 4])) // => 1.25
 * variance(tensor([[1, 3], [0, 10]]), 1) // => [1, 25]
 * ```
 */
export const variance = (x: Tensor, axes?: Axes, keepDims = false): Tensor =>
  inSingle(x, (wide) => wide.sub(wide.mean(axes, true)).square().mean(axes, keepDims))
