/** What is of each sample of a batch alone: a number for it, and a mean over it. */
import { product } from '../prelude/array.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** One number for each sample of x, ready to meet its elements: [N] → [N, 1, …]. */
export const forEach = (values: Tensor, x: Tensor): Tensor =>
  values.reshape([...values.shape, ...x.shape.slice(1).map(() => 1)])

/** The mean of each sample: [N, …] → [N]. @param x what y is of the shape of */
export const meanOfEach = (y: Tensor, x: Tensor): Tensor => {
  const [samples = 1, ...rest] = x.shape
  return y.reshape([samples, product(rest)]).mean(1)
}
