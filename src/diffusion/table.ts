/** From a schedule's tables, kept on the host, into the graph. */
import { range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { gather } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import { requireLabels } from '../tensor/labels.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * The table's value at each sample's time, shaped to meet a batch: `[N] → [N, 1, …, 1]`; one time for all of them gives
 * a scalar.
 *
 * The table is part of the program and t is a buffer, so that one plan serves every time. In f32 (f64 for an f64
 * batch).
 *
 * @param t [N] or [], i32 or u32. A time outside the table is an error where the host knows it; else its value is NaN.
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
  if (t.rank > 1 || (t.rank === 1 && t.shape[0] !== batch.shape[0]))
    throw new ShapeError(
      `gatherTable: times ${showShape(t.shape)} for a batch ${showShape(batch.shape)}; give one for each sample, [${batch.shape[0]}], or one for all, []`,
    )
  requireLabels('gatherTable', 'time', t, table.length)
  // NaN at both ends, where the gather takes what is outside: an index moved by one is all that it costs.
  const guarded = constant([NaN, ...table, NaN], { dtype: batch.dtype === 'f64' ? 'f64' : 'f32' })
  const values = gather(guarded, t.add(1)).cast(batch.dtype)
  return t.rank === 0 ? values : values.reshape([...t.shape, ...range(batch.rank - t.rank).map(() => 1)])
}
