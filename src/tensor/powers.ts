/** Powers, roots and lengths that take more than one primitive. */
import { elementary, elementaryPair, isNegative } from './elementary.ts'
import type { Operand, Tensor } from './tensor.ts'

/**
 * 1 / √x.
 *
 * @example
 * ```ts
 * import { rsqrt, tensor } from 'fathom'
 *
 * rsqrt(tensor([4, 0, -1])) // => [0.5, Infinity, NaN]
 * ```
 */
export const rsqrt: (x: Tensor) => Tensor = elementary(
  'rsqrt',
  (x) => x.operand(1).div(x.sqrt()),
  (x) => rsqrt(x).pow(3).mul(-0.5),
)

/**
 * √(x² + y²), without overflow: the larger times √(1 + ratio²).
 *
 * @example
 * ```ts
 * import { hypot, tensor } from 'fathom'
 *
 * hypot(tensor([3, 3e30]), tensor([4, 4e30])) // => [5, 5e30]
 * ```
 */
export const hypot: (x: Tensor, y: Operand) => Tensor = elementaryPair(
  'hypot',
  (x, y) => {
    const [a, b] = [x.abs(), y.abs()]
    const larger = a.maximum(b)
    const length = larger.mul(a.minimum(b).div(larger).square().add(1).sqrt())
    const isInfinite = a.equal(Infinity).or(b.equal(Infinity)) // also beside a NaN, as in IEEE 754
    return isInfinite.select(Infinity, larger.equal(0).select(0, length))
  },
  (x, y, g) => {
    const length = hypot(x, y)
    return [g.mul(x.div(length)), g.mul(y.div(length))]
  },
)

/** Whole powers below this are products. */
const digits = 8

/** aⁿ for whole n ≥ 0 of so many binary digits, by repeated squaring. */
const wholePower = (a: Tensor, n: Tensor): Tensor => {
  const exponent = n.cast('i32')
  const { power } = Array.from({ length: digits }).reduce<{ readonly power: Tensor; readonly square: Tensor }>(
    ({ power, square }, _, i) => ({
      power: exponent
        .and(2 ** i)
        .equal(0)
        .select(power, power.mul(square)),
      square: square.square(),
    }),
    { power: a.operand(1), square: a },
  )
  return power
}

/** aᵖ for a ≥ 0 and p ≥ 0: aⁿ·aᶠ with n = ⌊p⌋, so that f·log a is small and the rounding error of the exponential with it. */
const powerOfSize = (a: Tensor, p: Tensor): Tensor => {
  const n = p.floor()
  const f = p.sub(n)
  const fraction = f.equal(0).select(1, a.log().mul(f).exp())
  const small = wholePower(a, n.clamp(0, 2 ** digits - 1)).mul(fraction)
  const power = p.less(2 ** digits).select(small, a.log().mul(p).exp())
  return a.equal(1).or(p.equal(0)).select(1, power) // also where the other is infinite or NaN, as in IEEE 754
}

/** xʸ by its size and its sign: negative for an odd whole y and x < 0, none for x < 0 and a y that is not whole. */
const powerOf = (x: Tensor, y: Tensor): Tensor => {
  const [a, p] = [x.abs(), y.abs()]
  const size = powerOfSize(a, p)
  const power = y.less(0).select(size.operand(1).div(size), size)
  const isWhole = p.floor().equal(p)
  const isOdd = isWhole.and(p.mul(0.5).floor().equal(p.mul(0.5)).not())
  const signed = isOdd.and(isNegative(x)).select(power.neg(), power)
  const hasNone = x.less(0).and(isWhole.not()).and(a.less(Infinity)).and(p.less(Infinity))
  return hasNone.select(NaN, x.equal(1).select(1, signed))
}

/**
 * xʸ, both of tensors: for a number y, `x.pow(y)` does less. Values and gradients at 0, below it and at ±∞ are PyTorch's: a negative x has whole
 * powers, any other gives NaN; x⁰ is 1. Whole powers below 256 are products; elsewhere the error is |y·log x| times that of a logarithm.
 *
 * @example
 * ```ts
 * import { power, tensor } from 'fathom'
 *
 * power(tensor([2, -2, 4, 0, -1]), tensor([10, 3, 0.5, 0, 0.5])) // => [1024, -8, 2, 1, NaN]
 * power(tensor([2]), tensor([-1, 0, 1])) // => [0.5, 1, 2]
 * ```
 */
export const power: (x: Tensor, y: Operand) => Tensor = elementaryPair('power', powerOf, (x, y, g) => [
  y.equal(0).select(0, g.mul(y).mul(power(x, y.sub(1)))),
  x
    .equal(0)
    .and(y.greaterEqual(0))
    .select(0, g.mul(power(x, y)).mul(x.log())),
])
