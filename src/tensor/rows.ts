/**
 * Rows picked by indices, and rows added at indices, as the graph has them: an index outside is the nearest, also where the host knows it. For rules of
 * derivatives and of vmap, which must not refuse what was computed; people have the functions of these names in `combine.ts`.
 */
import { makeNode } from '../graph/node.ts'
import { normalizeAxis } from '../graph/shape.ts'
import { nodeOf } from './expect.ts'
import { Tensor } from './tensor.ts'

/** Rows of `table` along `axis`. */
export const gather = (table: Tensor, index: Tensor, axis = 0): Tensor => {
  const inputs = [nodeOf('gather', table), nodeOf('gather', index)] as const
  return new Tensor(makeNode('gather', { axis: normalizeAxis('gather', axis, table.rank) }, inputs))
}

/** Updates added into `size` rows of zeros along `axis`. */
export const scatterAdd = (index: Tensor, updates: Tensor, size: number, axis = 0): Tensor => {
  const inputs = [nodeOf('scatterAdd', index), nodeOf('scatterAdd', updates)] as const
  const a = normalizeAxis('scatterAdd', axis, updates.rank - index.rank + 1)
  return new Tensor(makeNode('scatterAdd', { axis: a, size }, inputs))
}
