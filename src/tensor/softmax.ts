/** The softmax and its logarithms, which neither overflow nor lose the small. */
import { expectTensor, givenTensor } from './expect.ts'
import { at, without } from '../prelude/array.ts'
import { normalizeAxis } from '../graph/shape.ts'
import { customVjp } from './annotate.ts'
import { full } from './create.ts'
import { inSingle } from './precision.ts'
import type { Tensor } from './tensor.ts'

/**
 * eˣ / Σ eˣ along `axis`; the maximum is taken off first, which changes nothing but the range. Its own derivative, y·(g − Σ g·y), needs
 * the result alone: nothing else waits in memory for the backward pass.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from 'fathom'
 *
 * softmax(tensor([1, 2, 3])) // => [0.09, 0.24, 0.67]
 * softmax(tensor([1000, 1000])) // => [0.5, 0.5]
 * ```
 */
export const softmax = (x: Tensor, axis = -1): Tensor => {
  expectTensor('softmax', x)
  const a = normalizeAxis('softmax', axis, x.rank)
  return at(x.shape, a) === 0 ? x : inSingle(x, (wide) => softmaxOf(wide, a))
}

/**
 * e⁻ˣ / Σ e⁻ˣ along `axis`: the softmax of −x, the most of which is where x is least.
 *
 * @example
 * ```ts
 * import { softmin, tensor } from 'fathom'
 *
 * softmin(tensor([1, 2, 3])) // => [0.67, 0.24, 0.09]
 * ```
 */
export const softmin = (x: Tensor, axis = -1): Tensor => softmax(givenTensor('softmin', x).neg(), axis)

const softmaxOf = (x: Tensor, axis: number): Tensor =>
  customVjp(
    (x: Tensor): Tensor => {
      const e = x.sub(x.max(axis, true)).exp()
      return e.div(e.sum(axis, true))
    },
    ([x], g): [Tensor] => {
      const y = softmaxOf(x, axis)
      return [g.sub(g.mul(y).sum(axis, true)).mul(y)]
    },
  )(x)

/** The largest element of each row, held constant: what is taken off before eˣ, which changes nothing but the range. */
const offsetOf = (x: Tensor, axis: number): Tensor => x.max(axis, true).stopGradient()

/** log Σ e^z for z ≤ 0, of which one is 0. */
const logSumOf = (z: Tensor, axis: number): Tensor => z.exp().sum(axis, true).log()

/**
 * log Σ eˣ along `axis`; −∞ where all elements are, or there are none.
 *
 * @example
 * ```ts
 * import { logSumExp, tensor } from 'fathom'
 *
 * logSumExp(tensor([Math.log(1), Math.log(2), Math.log(3)])) // => 1.7918
 * logSumExp(tensor([1000, 1000])).sub(1000) // => 0.693
 * ```
 */
export const logSumExp = (x: Tensor, axis = -1, keepDims = false): Tensor => {
  expectTensor('logSumExp', x)
  const a = normalizeAxis('logSumExp', axis, x.rank)
  const kept = x.shape.map((n, i) => (i === a ? 1 : n))
  const y = at(x.shape, a) === 0 ? full(kept, -Infinity, x.dtype) : inSingle(x, (wide) => logSumExpOf(wide, a))
  return keepDims ? y : y.reshape(without(kept, [a]))
}

const logSumExpOf = (x: Tensor, axis: number): Tensor => {
  const largest = offsetOf(x, axis)
  const m = largest.abs().equal(Infinity).select(0, largest) // ∞ − ∞ is no number, and eˣ of ±∞ needs no offset
  return logSumOf(x.sub(m), axis).add(m)
}

/**
 * log softmax(x) along `axis`: (x − max x) − log Σ e^(x − max x). The logarithm is small and comes last: next to a large maximum it would
 * be rounded away.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from 'fathom'
 *
 * logSoftmax(tensor([1, 2, 3])) // => [-2.41, -1.41, -0.41]
 * logSoftmax(tensor([0, 1000])) // => [-1000, 0]
 * logSoftmax(tensor([1e8, 1e8])) // => [-0.693, -0.693]
 * ```
 */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => {
  expectTensor('logSoftmax', x)
  const a = normalizeAxis('logSoftmax', axis, x.rank)
  if (at(x.shape, a) === 0) return x
  return inSingle(x, (wide) => {
    const z = wide.sub(offsetOf(wide, a))
    return z.sub(logSumOf(z, a))
  })
}
