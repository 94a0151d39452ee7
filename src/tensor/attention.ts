/** Softmax attention of queries to keys. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { attend } from './attend.ts'
import { expectTensor, expectTensorNotSize } from './expect.ts'
import type { Tensor } from './tensor.ts'

/**
 * Softmax attention, Vaswani et al. 2017, eq. 1: `[…, Q, D], […, K, D], […, K, V] → […, Q, V]`.
 *
 * @example
 * ```ts
 * import { attention, tensor } from 'fathom'
 *
 * const key = tensor([[100, 0], [0, 100]])
 * const value = tensor([[1, 2, 3], [4, 5, 6]])
 * attention(tensor([[0, 1]]), key, value) // => [[4, 5, 6]]
 * attention(tensor([[1, 1]]), key, value) // => [[2.5, 3.5, 4.5]]
 * ```
 */
export const attention = (query: Tensor, key: Tensor, value: Tensor): Tensor => {
  expectTensorNotSize('attention', query, 'attention(query, key, value)')
  for (const x of [key, value]) expectTensor('attention', x)
  if (query.rank < 2 || key.rank !== query.rank || value.rank !== query.rank)
    throw new ShapeError(
      `attention: takes query […, Q, D], key […, K, D] and value […, K, V] with equal leading axes, got ${[query, key, value].map((x) => showShape(x.shape)).join(', ')}`,
    )
  const scale = 1 / Math.sqrt(at(query.shape, query.rank - 1))
  return attend(query.mul(scale), key, value)
}
