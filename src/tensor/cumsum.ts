/** Running sums. */
import { normalizeAxis } from '../graph/shape.ts'
import { makeNode } from '../graph/node.ts'
import { expectTensor } from './expect.ts'
import { Tensor } from './tensor.ts'

/**
 * Running sums along `axis`: y_i = x_0 + … + x_i, in linear time and memory. Bytes are summed in i32; whole numbers wrap. What is NaN or ∞ is seen
 * from its place on.
 *
 * The CPU's backends add in the order of the axis in f64 (whole numbers in their own dtype), and round each sum once, as PyTorch does. A GPU adds
 * in f32, in parts of about √n: the sums of all parts before, in order, plus the sum of the own part so far.
 *
 * @example
 * ```ts
 * import { cumsum, tensor } from 'fathom'
 *
 * cumsum(tensor([[1, 2, 3], [4, 5, 6]])) // => [[1, 3, 6], [4, 9, 15]]
 * cumsum(tensor([[1, 2, 3], [4, 5, 6]]), 0) // => [[1, 2, 3], [5, 7, 9]]
 * ```
 */
export const cumsum = (x: Tensor, axis = -1): Tensor => {
  expectTensor('cumsum', x)
  const a = normalizeAxis('cumsum', axis, x.rank)
  return new Tensor(makeNode('cumsum', { axis: a, reverse: false }, [(x.dtype === 'u8' ? x.cast('i32') : x).node]))
}
