/** From a schedule's tables, kept on the host, into the graph. */
import { range } from '../prelude/array.ts'
import { gather } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * The table's value at each sample's time, shaped to meet a batch: `[N] → [N, 1, …, 1]`; one time for all of them gives
 * a scalar.
 *
 * The table is part of the program and t is a buffer, so that one plan serves every time. In f32 (f64 for an f64
 * batch).
 *
 * @param t [N] or [], i32 or u32
 * @param batch [N, …], which gives rank and dtype
 */
export const gatherTable = (table: Float64Array, t: Tensor, batch: Tensor): Tensor => {
  const values = gather(constant(table, { dtype: batch.dtype === 'f64' ? 'f64' : 'f32' }), t).cast(batch.dtype)
  return t.rank === 0 ? values : values.reshape([...t.shape, ...range(batch.rank - t.rank).map(() => 1)])
}
