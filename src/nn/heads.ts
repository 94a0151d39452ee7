/** The heads of attention: parts of the channels, beside the batch and side by side again. */
import { at } from '../prelude/array.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** [N, T, heads·d] → [N, heads, T, d] */
export const splitHeads = (x: Tensor, heads: number): Tensor => {
  const [n, length, width] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2)]
  return x.reshape([n, length, heads, width / heads]).transpose([0, 2, 1, 3])
}

/** [N, heads, T, d] → [N, T, heads·d] */
export const joinHeads = (x: Tensor): Tensor =>
  x.transpose([0, 2, 1, 3]).reshape([at(x.shape, 0), at(x.shape, 2), at(x.shape, 1) * at(x.shape, 3)])
