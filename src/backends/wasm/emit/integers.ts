/**
 * What four whole numbers need more than one instruction for: division, shifts by other numbers, and conversions that wrap as JavaScript's
 * ToInt32 does.
 */
import { apply, i32, type Expression } from '../assembler/code.ts'
import { fmul, fsub, keep, lanes, lanesOfBits, type Emitter } from './emitter.ts'

type Sign = 's' | 'u'

/** Lanes 2 and 3 in the place of lanes 0 and 1. */
const upper = (x: Expression): Expression =>
  apply('i8x16.shuffle', [x, x], 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)

/** The lower halves of two vectors. */
const joined = (low: Expression, high: Expression): Expression =>
  apply('i8x16.shuffle', [low, high], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)

/** x / y, rounded to zero: through doubles, which hold every quotient's whole part. Division by 0 gives 0, and −2³¹ / −1 wraps. */
export const divide = (e: Emitter, sign: Sign, x: Expression, y: Expression): Expression => {
  const [convert, truncate] =
    sign === 's'
      ? (['f64x2.convert_low_i32x4_s', 'i32x4.trunc_sat_f64x2_s_zero'] as const)
      : (['f64x2.convert_low_i32x4_u', 'i32x4.trunc_sat_f64x2_u_zero'] as const)
  const half = (a: Expression, b: Expression): Expression =>
    apply(truncate, [apply('f64x2.div', [apply(convert, [a]), apply(convert, [b])])])
  const quotient = keep(e, 'quotient', joined(half(x, y), half(upper(x), upper(y))))
  const minusOne = lanesOfBits(e, -1)
  const wrapped =
    sign === 'u'
      ? quotient
      : apply('v128.bitselect', [apply('i32x4.neg', [x]), quotient, apply('i32x4.eq', [y, minusOne])])
  return keep(e, 'quotient', apply('v128.and', [wrapped, apply('i32x4.ne', [y, lanesOfBits(e, 0)])]))
}

/** What the division leaves, with x's sign; of a division by 0, 0. */
export const remainder = (e: Emitter, sign: Sign, x: Expression, y: Expression): Expression => {
  const whole = apply('i32x4.mul', [divide(e, sign, x, y), y])
  return apply('v128.and', [apply('i32x4.sub', [x, whole]), apply('i32x4.ne', [y, lanesOfBits(e, 0)])])
}

/** x · 2^(y mod 32): the power is made as a float. */
export const shiftLeft = (e: Emitter, x: Expression, y: Expression): Expression => {
  const exponent = apply('i32x4.add', [apply('v128.and', [y, lanesOfBits(e, 31)]), lanesOfBits(e, 127)])
  return apply('i32x4.mul', [x, apply('i32x4.trunc_sat_f32x4_u', [apply('i32x4.shl', [exponent, i32(23)])])])
}

/** x shifted to the right by y mod 32: by 1, 2, 4, 8 and 16, where y has that bit. */
export const shiftRight = (e: Emitter, sign: Sign, x: Expression, y: Expression): Expression =>
  [0, 1, 2, 3, 4].reduce((value, bit) => {
    const moved = apply(sign === 's' ? 'i32x4.shr_s' : 'i32x4.shr_u', [value, i32(1 << bit)])
    const asked = apply('i32x4.shr_s', [apply('i32x4.shl', [y, i32(31 - bit)]), i32(31)])
    return keep(e, 'shifted', apply('v128.bitselect', [moved, value, asked]))
  }, x)

/**
 * A float's whole part modulo 2³². Where it does not fit into an i32, it is a multiple of 2⁸, so that its remainder is a float too; NaN and
 * the infinities become 0.
 */
export const wrap = (e: Emitter, x: Expression): Expression => {
  const whole = keep(e, 'whole', apply('f32x4.trunc', [x]))
  const turns = apply('f32x4.floor', [fmul(whole, lanes(e, 2 ** -32))])
  const left = apply('i32x4.trunc_sat_f32x4_u', [fsub(whole, fmul(turns, lanes(e, 2 ** 32)))])
  const fits = apply('f32x4.lt', [apply('f32x4.abs', [x]), lanes(e, 2 ** 31)])
  return keep(e, 'wrapped', apply('v128.bitselect', [apply('i32x4.trunc_sat_f32x4_s', [x]), left, fits]))
}
