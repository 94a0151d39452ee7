/**
 * sin and cos of four f32 at once, in f64 until the last step, so that they are nearly always the f32 nearest to the exact value.
 *
 * x is reduced by multiples of π/2 in two parts (Cody & Waite), the first with 33 bits, which is exact as long as the multiple has less than
 * 20; then come polynomials on [−π/4, π/4], those of FreeBSD's k_sinf.c and k_cosf.c. Where one of four is larger, all go to JavaScript.
 */
import { cosPolynomial, sinPolynomial } from '../../../prelude/polynomials.ts'
import { apply, call, f64, get, i32, set, when, type Expression } from '../assembler/code.ts'
import { fresh, inside, keep, lanes, lanesOfBits, type Emitter } from './emitter.ts'

/** Two doubles of one value. */
const both = (x: number): Expression => apply('f64x2.splat', [f64(x)])

const dadd = (x: Expression, y: Expression): Expression => apply('f64x2.add', [x, y])
const dsub = (x: Expression, y: Expression): Expression => apply('f64x2.sub', [x, y])
const dmul = (x: Expression, y: Expression): Expression => apply('f64x2.mul', [x, y])

/** π/2, its first 33 bits and the rest. */
const [halfPi, halfPiRest] = [1.57079632673412561417, 6.07710050650619224932e-11]

/** 1.5·2⁵²: adding it rounds to a whole number, whose low bits are then those of the double. */
const magic = 6755399441055744

/** The largest multiple of π/2 is below 2²⁰. */
const limit = 2 ** 20

/** sin and cos of what a double is reduced to, and the multiple that was taken away, in the low words of its bits. */
interface Reduced {
  readonly sin: Expression
  readonly cos: Expression
  readonly multiple: Expression
}

const reduced = (e: Emitter, x: Expression): Reduced => {
  const multiple = keep(e, 'multiple', dadd(dmul(x, both(2 / Math.PI)), both(magic)))
  const n = keep(e, 'n', dsub(multiple, both(magic)))
  const r = keep(e, 'r', dsub(dsub(x, dmul(n, both(halfPi))), dmul(n, both(halfPiRest))))
  const z = keep(e, 'z', dmul(r, r))
  const polynomial = (coefficients: readonly number[]): Expression =>
    coefficients.slice(1).reduce((sum, c) => keep(e, 'p', dadd(dmul(sum, z), both(c))), both(coefficients[0] ?? 0))
  const odd = polynomial(sinPolynomial)
  const even = polynomial(cosPolynomial)
  return { sin: keep(e, 'sin', dadd(r, dmul(dmul(r, z), odd))), cos: keep(e, 'cos', even), multiple }
}

const lowHalves = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
const lowWords = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
const upper = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]

const narrowed = (low: Expression, high: Expression): Expression =>
  apply(
    'i8x16.shuffle',
    [apply('f32x4.demote_f64x2_zero', [low]), apply('f32x4.demote_f64x2_zero', [high])],
    ...lowHalves,
  )

/** A function of one f32 which JavaScript computes in f64, lane by lane. */
const byLane = (name: 'sin' | 'cos', x: Expression): Expression => {
  const lane = (k: number): Expression =>
    apply('f32.demote_f64', [call(name, 'f64', apply('f64.promote_f32', [apply('f32x4.extract_lane', [x], k)]))])
  return [1, 2, 3].reduce(
    (vector, k) => apply('f32x4.replace_lane', [vector, lane(k)], k),
    apply('f32x4.splat', [lane(0)]),
  )
}

/** sin(x + quarters·π/2). */
const quarterTurned = (e: Emitter, given: Expression, name: 'sin' | 'cos'): Expression => {
  const x = keep(e, 'x', given)
  const low = reduced(e, apply('f64x2.promote_low_f32x4', [x]))
  const high = reduced(e, apply('f64x2.promote_low_f32x4', [apply('i8x16.shuffle', [x, x], ...upper)]))
  const words = apply('i8x16.shuffle', [low.multiple, high.multiple], ...lowWords)
  const turns = name === 'sin' ? words : apply('i32x4.add', [words, lanesOfBits(e, 1)])
  const n = keep(e, 'turns', turns)
  const odd = apply('i32x4.shr_s', [apply('i32x4.shl', [n, i32(31)]), i32(31)])
  const magnitude = apply('v128.bitselect', [narrowed(low.cos, high.cos), narrowed(low.sin, high.sin), odd])
  const sign = apply('i32x4.shl', [apply('i32x4.shr_u', [n, i32(1)]), i32(31)])
  const result = fresh(e, name, 'v128')
  e.statements.push(set(result, apply('v128.xor', [magnitude, sign])))
  const isSmall = apply('f32x4.lt', [apply('f32x4.abs', [x]), lanes(e, limit)])
  const large = inside(e)
  large.statements.push(set(result, byLane(name, x)))
  e.statements.push(when(apply('v128.any_true', [apply('v128.not', [isSmall])]), large.statements))
  return get(result)
}

/** sin x; −0 stays. */
export const sin = (e: Emitter, given: Expression): Expression => {
  const x = keep(e, 'x', given)
  const isZero = apply('f32x4.eq', [x, lanes(e, 0)])
  return keep(e, 'sin', apply('v128.bitselect', [x, quarterTurned(e, x, 'sin'), isZero]))
}

/** cos x. */
export const cos = (e: Emitter, x: Expression): Expression => quarterTurned(e, x, 'cos')
