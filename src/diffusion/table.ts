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
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { gatherTable } from 'fathom/diffusion'
 *
 * const values = gatherTable(Float64Array.of(10, 20, 30), tensor(Int32Array.of(2, 0)), zeros([2, 8, 8, 3]))
 * values.shape // => [2, 1, 1, 1]
 * values.reshape([2]) // => [30, 10]
 * ```
 */
export const gatherTable = (table: Float64Array, t: Tensor, batch: Tensor): Tensor => {
  const values = gather(constant(table, { dtype: batch.dtype === 'f64' ? 'f64' : 'f32' }), t).cast(batch.dtype)
  return t.rank === 0 ? values : values.reshape([...t.shape, ...range(batch.rank - t.rank).map(() => 1)])
}
