/** Lengths of vectors. */
import { requireElements, type Axes } from './axes.ts'
import { requireFloat } from './elementary.ts'
import { inSingle } from './precision.ts'
import type { Tensor } from './tensor.ts'

/** √x with the gradient 0 at 0, where the slope of the root is infinite. */
const rootOf = (x: Tensor, p: number): Tensor => {
  const isZero = x.equal(0)
  return isZero.select(0, isZero.select(1, x).pow(1 / p))
}

/** (Σ |x|ᵖ)^(1/p), whose gradient at elements that are 0 is 0 for any p. */
const generalNorm = (x: Tensor, p: number, axes: Axes, keepDims: boolean): Tensor => {
  const a = x.abs()
  const isZero = a.equal(0)
  const power = isZero.select(p < 0 ? Infinity : 0, isZero.select(1, a).pow(p))
  return rootOf(power.sum(axes, keepDims), p)
}

const normOf = (x: Tensor, p: number, axes: Axes, keepDims: boolean): Tensor => {
  switch (p) {
    case 2:
      return rootOf(x.square().sum(axes, keepDims), 2)
    case 1:
      return x.abs().sum(axes, keepDims)
    case 0:
      return x.notEqual(0).cast(x.dtype).sum(axes, keepDims)
    case Infinity:
      return x.abs().max(axes, keepDims)
    case -Infinity:
      return x.abs().min(axes, keepDims)
    default:
      return generalNorm(x, p, axes, keepDims)
  }
}

/**
 * The p-norm (Σ |xᵢ|ᵖ)^(1/p) over `axes` (default all): p = 2 is Euclid's, 1 the sum of sizes, 0 the number of elements that are not 0, ±Infinity the
 * largest and smallest size. Its gradient is 0 where it is 0, as in PyTorch. Squares may overflow, as they do there.
 *
 * @throws ShapeError where p is infinite and there are no elements
 * @example
 * ```ts
 * import { norm, tensor } from 'fathom'
 *
 * norm(tensor([3, -4])) // => 5
 * norm(tensor([[3, -4], [1, 0]]), 1, -1) // => [7, 1]
 * norm(tensor([3, -4]), Infinity) // => 4
 * ```
 */
export const norm = (x: Tensor, p = 2, axes?: Axes, keepDims = false): Tensor => {
  requireFloat('norm', x)
  if (Number.isNaN(p)) throw new RangeError('norm: p is NaN; it is a number or ±Infinity')
  if (Math.abs(p) === Infinity) requireElements('norm', axes, x.shape)
  return inSingle(x, (wide) => normOf(wide, p, axes, keepDims))
}
