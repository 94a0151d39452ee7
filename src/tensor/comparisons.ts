/** Questions about each element whose answers are bool. */
import { requireKnown } from '../prelude/options.ts'
import { isFloat } from '../graph/dtype.ts'
import { operandsMet, requireFloat } from './elementary.ts'
import { expectTensor } from './expect.ts'
import type { Operand, Tensor } from './tensor.ts'

/**
 * Where x is no number; of integers, nowhere.
 *
 * @example
 * ```ts
 * import { isNaN, tensor } from 'fathom'
 *
 * isNaN(tensor([1, NaN, Infinity])) // => [false, true, false]
 * ```
 */
export const isNaN = (x: Tensor): Tensor => {
  expectTensor('isNaN', x)
  return x.notEqual(x)
}

/**
 * Where x is neither infinite nor NaN; of integers, everywhere.
 *
 * @example
 * ```ts
 * import { isFinite, tensor } from 'fathom'
 *
 * isFinite(tensor([1, NaN, Infinity])) // => [true, false, false]
 * ```
 */
export const isFinite = (x: Tensor): Tensor => {
  expectTensor('isFinite', x)
  return isFloat(x.dtype) ? x.abs().less(Infinity) : x.equal(x)
}

/**
 * Where x is ∞ or −∞; of integers, nowhere.
 *
 * @example
 * ```ts
 * import { isInf, tensor } from 'fathom'
 *
 * isInf(tensor([1, NaN, -Infinity])) // => [false, false, true]
 * ```
 */
export const isInf = (x: Tensor): Tensor => {
  expectTensor('isInf', x)
  return isFloat(x.dtype) ? x.abs().equal(Infinity) : x.notEqual(x)
}

/** How near is near. */
export interface Nearness {
  /** Of |y|; by default 1e-5. */
  readonly relative?: number
  /** By default 1e-8. */
  readonly absolute?: number
  /** Whether NaN is close to NaN; by default it is not. */
  readonly equalNaN?: boolean
}

/**
 * Where |x − y| ≤ absolute + relative·|y|, or x equals y, as an infinity does. `isClose(x, y).all()` is PyTorch's `allclose`.
 *
 * @example
 * ```ts
 * import { isClose, tensor } from 'fathom'
 *
 * isClose(tensor([1, 1, Infinity]), tensor([1.000001, 1.1, Infinity])) // => [true, false, true]
 * isClose(tensor([1, NaN]), tensor([1.05, NaN]), { relative: 0.1, equalNaN: true }) // => [true, true]
 * ```
 */
export const isClose = (x: Tensor, y: Operand, options: Nearness = {}): Tensor => {
  requireKnown('isClose', options, ['relative', 'absolute', 'equalNaN'])
  const { relative = 1e-5, absolute = 1e-8, equalNaN = false } = options
  const [a, b] = operandsMet('isClose', x, y)
  requireFloat('isClose', a)
  const distance = a.sub(b).abs()
  const near = distance.less(Infinity).and(distance.lessEqual(b.abs().mul(relative).add(absolute)))
  const close = a.equal(b).or(near)
  return equalNaN ? close.or(isNaN(a).and(isNaN(b))) : close
}
