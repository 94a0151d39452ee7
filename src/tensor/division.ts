/** Division that rounds down, its remainder, and rounding towards zero. */
import { isFloat } from '../graph/dtype.ts'
import { customVjp } from './annotate.ts'
import { operandsMet, requireFloat } from './elementary.ts'
import type { Operand, Tensor } from './tensor.ts'

/**
 * The whole part of x: rounded towards zero.
 *
 * @example
 * ```ts
 * import { tensor, trunc } from 'fathom'
 *
 * trunc(tensor([1.7, -1.7])) // => [1, -1]
 * ```
 */
export const trunc = (x: Tensor): Tensor => {
  requireFloat('trunc', x)
  return x.less(0).select(x.ceil(), x.floor())
}

/** Whether a remainder with the sign of x has the other sign than y: then the quotient is rounded up, and one less is the floor. */
const isOther = (remainder: Tensor, y: Tensor): Tensor => remainder.notEqual(0).and(remainder.less(0).xor(y.less(0)))

const isUnsigned = ({ dtype }: Tensor): boolean => dtype === 'u8' || dtype === 'u32'

/**
 * ⌊x / y⌋, from the exact remainder, so that the quotient is never rounded up to the next whole number. A float divided by 0 is x / 0, an integer 0.
 * No gradient flows.
 *
 * @example
 * ```ts
 * import { floorDivide, tensor } from 'fathom'
 *
 * floorDivide(tensor([7, -7]), 2) // => [3, -4]
 * floorDivide(tensor([7, -7], { dtype: 'i32' }), 2) // => [3, -4]
 * ```
 */
export const floorDivide = (x: Tensor, y: Operand): Tensor => {
  const [moving, by] = operandsMet('floorDivide', x, y)
  const [a, b] = [moving.stopGradient(), by.stopGradient()]
  if (isUnsigned(a)) return a.div(b)
  const remainder = a.rem(b)
  if (!isFloat(a.dtype)) return isOther(remainder, b).select(a.div(b).sub(1), a.div(b))
  const exact = a.sub(remainder).div(b) // a whole number, to half an ulp
  const quotient = isOther(remainder, b).select(exact.sub(1), exact)
  const below = quotient.floor()
  const whole = quotient.sub(below).greater(0.5).select(below.add(1), below)
  return b.equal(0).select(a.div(b), quotient.equal(0).select(a.div(b).mul(0), whole))
}

/**
 * x − y·⌊x / y⌋, the remainder with the sign of y: PyTorch's `remainder`, NumPy's `mod`, Python's `%`. `x.rem(y)` has the sign of x.
 *
 * @example
 * ```ts
 * import { mod, tensor } from 'fathom'
 *
 * mod(tensor([7, -7]), 3) // => [1, 2]
 * mod(tensor([7, -7]), -3) // => [-2, -1]
 * ```
 */
export const mod = (x: Tensor, y: Operand): Tensor => {
  const [a, b] = operandsMet('mod', x, y)
  return isFloat(a.dtype) ? floatMod(a, b) : modOf(a, b)
}

const modOf = (x: Tensor, y: Tensor): Tensor => {
  const remainder = x.rem(y)
  return isUnsigned(x) ? remainder : isOther(remainder, y).select(remainder.add(y), remainder)
}

/** Its slope in y is −⌊x / y⌋, of the exact quotient. */
const floatMod = customVjp(modOf, ([x, y], g): [Tensor, Tensor] => [g, g.mul(floorDivide(x, y)).neg()], 'mod')
