/** The variance and the standard deviation, data first. */
import { givenTensor } from './expect.ts'
import type { Axes } from './axes.ts'
import type { Tensor } from './tensor.ts'

/**
 * The mean squared deviation from the mean over `axes`: divided by the count less `correction`, which is 0 as in NumPy; 1 is PyTorch's `unbiased`.
 *
 * @example
 * ```ts
 * import { tensor, variance } from 'fathom'
 *
 * variance(tensor([1, 2, 3, 4])) // => 1.25
 * variance(tensor([[1, 3], [0, 10]]), 1) // => [1, 25]
 * variance(tensor([1, 2, 3, 4]), 0, false, 1) // => 1.6667
 * ```
 */
export const variance = (x: Tensor, axes?: Axes, keepDims = false, correction = 0): Tensor =>
  givenTensor('variance', x).variance(axes, keepDims, correction)
