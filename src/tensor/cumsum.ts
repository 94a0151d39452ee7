/** Running sums. */
import { at } from '../prelude/array.ts'
import { normalizeAxis } from '../graph/shape.ts'
import { inSingle } from './precision.ts'
import type { Tensor } from './tensor.ts'

/** `x` moved `by` places towards the end of `axis`; zeros come in, and what leaves is lost. */
const moved = (x: Tensor, axis: number, by: number): Tensor => {
  const low = x.shape.map((_, i) => (i === axis ? by : 0))
  const kept = x.shape.map((n, i) => [0, i === axis ? n - by : n] as const)
  return x.slice(...kept).pad(
    low,
    x.shape.map(() => 0),
  )
}

/** Running sums by doubling: when a step begins, each element is the sum of the last `reach` ones up to it (Hillis and Steele 1986). */
const doubled = (x: Tensor, axis: number, reach = 1): Tensor =>
  reach >= at(x.shape, axis) ? x : doubled(x.add(moved(x, axis, reach)), axis, 2 * reach)

/**
 * Running sums along `axis`, in ⌈log₂ n⌉ steps over all elements. Bytes are summed in i32, halves in f32.
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
  const a = normalizeAxis('cumsum', axis, x.rank)
  return inSingle(x.dtype === 'u8' ? x.cast('i32') : x, (wide) => doubled(wide, a))
}
