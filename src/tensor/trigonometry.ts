/** The tangent and the inverse functions of angles, in radians. */
import { elementary, elementaryPair, isNegative, odd, polynomial, termsFor } from './elementary.ts'
import type { Tensor } from './tensor.ts'

/** tan(π/8) and tan(3π/8): between them arctan is taken around 1, above around ∞. */
const [low, high] = [Math.SQRT2 - 1, Math.SQRT2 + 1]

/** A number as the dtype has it, and what that lacks. */
const inTwoParts = (value: number, x: Tensor): readonly [head: number, tail: number] => {
  const head = x.dtype === 'f64' ? value : Math.fround(value)
  return [head, value - head]
}

/** What π/2 and π/4 lack as doubles. */
const [halfTail, quarterTail] = [6.123233995736766e-17, 3.061616997868383e-17]

/** arctan z for |z| ≤ tan(π/8) by its series z − z³/3 + z⁵/5 − … (Abramowitz & Stegun 4.4.42). */
const arctanSeries = (z: Tensor): Tensor =>
  z.mul(
    polynomial(
      z.square(),
      termsFor(z, { single: 10, double: 21 }, (k) => (k % 2 === 0 ? 1 : -1) / (2 * k + 1)),
    ),
  )

/** arctan of x ≥ 0: itself, π/4 + arctan((x − 1) / (x + 1)), or π/2 − arctan(1/x). */
const arctanOf = (x: Tensor): Tensor => {
  const [isNear, isMiddle] = [x.less(low), x.less(high)]
  const z = isNear.select(x, isMiddle.select(x.sub(1).div(x.add(1)), x.operand(-1).div(x)))
  const [half, halfRest] = inTwoParts(Math.PI / 2, x)
  const [quarter, quarterRest] = inTwoParts(Math.PI / 4, x)
  const head = isNear.select(x.operand(0), isMiddle.select(x.operand(quarter), x.operand(half)))
  const tail = isNear.select(
    x.operand(0),
    isMiddle.select(x.operand(quarterRest + quarterTail), x.operand(halfRest + halfTail)),
  )
  return head.add(arctanSeries(z).add(tail))
}

/**
 * sin x / cos x. Error below 3 ulp, on a GPU as much as its sine and cosine have.
 *
 * @example
 * ```ts
 * import { tan, tensor } from 'fathom'
 *
 * tan(tensor([0, Math.PI / 4])) // => [0, 1]
 * ```
 */
export const tan: (x: Tensor) => Tensor = elementary(
  'tan',
  (x) => x.sin().div(x.cos()),
  (x) => tan(x).square().add(1),
)

/**
 * The angle in [−π/2, π/2] whose tangent is x. Error below 2 ulp.
 *
 * @example
 * ```ts
 * import { atan, tensor } from 'fathom'
 *
 * atan(tensor([0, 1, -Infinity])) // => [0, 0.7854, -1.5708]
 * ```
 */
export const atan = elementary(
  'atan',
  (x) => odd(x, arctanOf),
  (x) => x.operand(1).div(x.square().add(1)),
)

/** √(1 − x²), right near ±1. */
const rootOfComplement = (x: Tensor): Tensor => x.neg().add(1).mul(x.add(1)).sqrt()

/**
 * The angle in [−π/2, π/2] whose sine is x: 2 arctan(x / (1 + √(1 − x²))); NaN outside [−1, 1]. Error below 4 ulp.
 *
 * @example
 * ```ts
 * import { asin, tensor } from 'fathom'
 *
 * asin(tensor([0.5, 1, 2])) // => [0.5236, 1.5708, NaN]
 * ```
 */
export const asin = elementary(
  'asin',
  (x) => odd(x, (a) => arctanOf(a.div(rootOfComplement(a).add(1))).mul(2)),
  (x) => x.operand(1).div(rootOfComplement(x)),
)

/**
 * The angle in [0, π] whose cosine is x: 2 arctan √((1 − x) / (1 + x)); NaN outside [−1, 1]. Error below 5 ulp.
 *
 * @example
 * ```ts
 * import { acos, tensor } from 'fathom'
 *
 * acos(tensor([1, 0.5, -1])) // => [0, 1.0472, 3.1416]
 * ```
 */
export const acos = elementary(
  'acos',
  (x) => arctanOf(x.neg().add(1).div(x.add(1)).sqrt()).mul(2),
  (x) => x.operand(-1).div(rootOfComplement(x)),
)

/** y of the smaller and the larger of |y| and |x|: their ratio, 1 for two infinities, 0 for two zeros. */
const ratioOf = (smaller: Tensor, larger: Tensor): Tensor =>
  larger.equal(0).select(0, smaller.equal(Infinity).select(1, smaller.div(larger)))

/**
 * The angle in [−π, π] of the point (x, y), y first, as everywhere: arctan(y / x) in the quadrant of the signs, those of ±0 too.
 *
 * @example
 * ```ts
 * import { atan2, tensor } from 'fathom'
 *
 * atan2(tensor([1, 1, -1]), tensor([1, -1, 0])) // => [0.7854, 2.3562, -1.5708]
 * ```
 */
export const atan2 = elementaryPair(
  'atan2',
  (y, x) => {
    const [a, b] = [y.abs(), x.abs()]
    const acute = arctanOf(ratioOf(a.minimum(b), a.maximum(b)))
    const inQuadrant = a.greater(b).select(acute.neg().add(Math.PI / 2), acute)
    const upper = isNegative(x).select(inQuadrant.neg().add(Math.PI), inQuadrant)
    return isNegative(y).select(upper.neg(), upper)
  },
  (y, x, g) => {
    const scaled = g.div(x.square().add(y.square()))
    return [scaled.mul(x), scaled.mul(y).neg()]
  },
)
