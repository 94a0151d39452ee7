/** Running products and maxima, by doubling: ⌈log₂ n⌉ steps over all elements (Hillis and Steele 1986). */
import { at } from '../prelude/array.ts'
import { DTypeError } from '../prelude/errors.ts'
import { normalizeAxis } from '../graph/shape.ts'
import { concatenate } from './combine.ts'
import { iota } from './create.ts'
import { expectTensor } from './expect.ts'
import { takeAlongAxis } from './indexing.ts'
import { inSingle } from './precision.ts'
import { sliceAlong } from './sliceAlong.ts'
import type { SliceBounds, Tensor } from './tensor.ts'

type Join = (x: Tensor, y: Tensor) => Tensor

/** When a step begins, each element is the join of the last `reach` ones up to it. */
const running = (join: Join, x: Tensor, axis: number, reach = 1): Tensor => {
  const n = at(x.shape, axis)
  if (reach >= n) return x
  const part = (...bounds: SliceBounds): Tensor => sliceAlong(x, axis, ...bounds)
  const joined = join(part(reach), part(0, n - reach))
  return running(join, concatenate([part(0, reach), joined], axis), axis, 2 * reach)
}

/**
 * Running products along `axis`; the gradient is right where elements are 0. Bytes are multiplied in i32, halves in f32; i32 and u32 wrap.
 *
 * @example
 * ```ts
 * import { cumprod, tensor } from 'fathom'
 *
 * cumprod(tensor([1, 2, 3, 4])) // => [1, 2, 6, 24]
 * cumprod(tensor([[1, 2], [3, 4]]), 0) // => [[1, 2], [3, 8]]
 * ```
 */
export const cumprod = (x: Tensor, axis = -1): Tensor => {
  expectTensor('cumprod', x)
  const a = normalizeAxis('cumprod', axis, x.rank)
  if (x.dtype === 'bool') throw new DTypeError('cumprod: takes numbers, got bool; cast it first')
  return inSingle(x.dtype === 'u8' ? x.cast('i32') : x, (wide) => running((p, q) => p.mul(q), wide, a))
}

/**
 * Running maxima along `axis`, NaN from the first NaN on. The gradient flows to the element that is the maximum, of equal ones the last so far, as in
 * PyTorch.
 *
 * @example
 * ```ts
 * import { cummax, grad, tensor, type Tensor } from 'fathom'
 *
 * cummax(tensor([1, 3, 2, 3, 5])) // => [1, 3, 3, 3, 5]
 * grad((x: Tensor) => cummax(x).sum())(tensor([1, 3, 2, 3, 5])) // => [1, 2, 0, 1, 1]
 * ```
 */
export const cummax = (x: Tensor, axis = -1): Tensor => {
  expectTensor('cummax', x)
  const a = normalizeAxis('cummax', axis, x.rank)
  if (x.dtype === 'bool') throw new DTypeError('cummax: takes numbers, got bool; cast it first')
  if (at(x.shape, a) === 0) return x
  const still = x.stopGradient()
  const largest = running((p, q) => p.maximum(q), still, a)
  const isNew = still.equal(largest).or(still.notEqual(still))
  const places = running((p, q) => p.maximum(q), isNew.select(iota(x.shape, a), 0), a)
  return takeAlongAxis(x, places, a)
}
