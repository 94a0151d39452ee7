/** Batches of gathers and scatters. Where each slice has rows and indices of its own, all rows lie one below the other, and indices get offsets. */
import { at } from '../../prelude/array.ts'
import { makeNode } from '../../graph/node.ts'
import type { Node, NodeOf } from '../../graph/ops.ts'
import { gather, scatterAdd } from '../../tensor/rows.ts'
import { iota } from '../../tensor/create.ts'
import { moveAxis } from '../../tensor/movement.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { type Batching } from './batching.ts'

/** How many rows an i32 can name. */
const mostRows = 2 ** 31

/** b·rows + clamp(index, 0, rows − 1): what lies outside is moved to the nearest row of its own slice, as gather and scatterAdd do. */
const flatIndex = (index: Tensor, rows: number): Tensor => {
  const slices = at(index.shape, 0)
  if (slices * rows > mostRows)
    throw new RangeError(
      `vmap: ${slices} slices of ${rows} rows each are more than an index can count, 2^31; map over a part of them at a time`,
    )
  const inside = index.maximum(0).minimum(Math.max(0, rows - 1))
  return inside.add(iota(index.shape, 0, index.dtype).mul(rows))
}

/** `x` with its axes 1 … p and the q axes behind them exchanged. */
const exchanged = (x: Tensor, p: number, q: number): Tensor => {
  const order = Array.from({ length: x.rank }, (_, i) => i)
  return x.transpose([0, ...order.slice(1 + p, 1 + p + q), ...order.slice(1, 1 + p), ...order.slice(1 + p + q)])
}

/** [B, …, n, …] and [B, indices]: of the tables [B·n, …] the rows [B, indices, …]. */
const gatherEach = (table: Tensor, index: Tensor, axis: number): Tensor => {
  const tables = moveAxis(table, axis + 1, 1)
  const [slices, rows] = [at(tables.shape, 0), at(tables.shape, 1)]
  const picked = gather(tables.reshape([slices * rows, ...tables.shape.slice(2)]), flatIndex(index, rows))
  return exchanged(picked, index.rank - 1, axis)
}

/** A shared index is one gather from longer rows; a shared table is one gather of more rows. */
export const batchGather = (node: NodeOf<'gather'>, { isMapped, plain }: Batching): Node => {
  const { axis } = node.attrs
  const [table, index] = node.inputs
  const [from, indices] = [new Tensor(plain(table)), new Tensor(plain(index))]
  if (!isMapped(index)) return gather(from, indices, axis + 1).node
  return (isMapped(table) ? gatherEach(from, indices, axis) : moveAxis(gather(from, indices, axis), axis, 0)).node
}

/** The transpose of gatherEach: into rows [B·size, …]. */
const scatterEach = (index: Tensor, updates: Tensor, size: number, axis: number): Tensor => {
  const slices = at(index.shape, 0)
  const added = exchanged(updates, axis, index.rank - 1)
  const sums = scatterAdd(flatIndex(index, size), added, slices * size)
  return exchanged(sums.reshape([slices, size, ...sums.shape.slice(1)]), 1, axis)
}

/** A shared index adds longer rows; else each slice has rows of its own. */
export const batchScatterAdd = (node: NodeOf<'scatterAdd'>, { isMapped, plain, mapped }: Batching): Node => {
  const { axis, size } = node.attrs
  const [index, updates] = node.inputs
  return isMapped(index)
    ? scatterEach(new Tensor(plain(index)), new Tensor(mapped(updates)), size, axis).node
    : makeNode('scatterAdd', { axis: axis + 1, size }, [plain(index), plain(updates)])
}
