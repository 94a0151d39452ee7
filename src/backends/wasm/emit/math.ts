/**
 * Functions of four f32 at once, in arithmetic that every WebAssembly has: no FMA, so that results are the same on all machines. Largest
 * errors (docs/proof/accuracy.md): exp, log and erf about 1 ulp, tanh and logistic 2.
 *
 * exp: Cody & Waite's reduction by multiples of ln 2 and Cephes' polynomial of degree 6. The coefficients are those of prelude/polynomials.ts.
 */
import {
  erfPolynomial,
  erfSplit,
  erfTail,
  expLn2,
  expPolynomial,
  logLn2,
  logPolynomial,
  tanhPolynomial,
  tanhSplit,
} from '../../../prelude/polynomials.ts'
import { apply, i32, type Expression } from '../assembler/code.ts'
import { fadd, fdiv, fmul, fsub, keep, lanes, lanesOfBits, type Emitter } from './emitter.ts'

/** Σ cₖ·xᵏ by Horner's rule, from the highest degree. */
const polynomial = (e: Emitter, x: Expression, coefficients: readonly number[]): Expression =>
  coefficients
    .slice(1)
    .reduce((sum, c) => keep(e, 'p', fadd(fmul(sum, x), lanes(e, c))), lanes(e, coefficients[0] ?? 0))

/** 1.5·2²³: adding it rounds a number below 2²² to a whole one, and puts that into the lowest bits. */
const magic = 12582912

/** eˣ: overflows to ∞ above 88.72, and is 0 below −103.97; NaN stays. */
export const exp = (e: Emitter, x: Expression): Expression => {
  const clamped = keep(e, 'x', apply('f32x4.max', [apply('f32x4.min', [x, lanes(e, 89)]), lanes(e, -104)]))
  const shifted = keep(e, 't', fadd(fmul(clamped, lanes(e, Math.LOG2E)), lanes(e, magic)))
  const n = keep(e, 'n', fsub(shifted, lanes(e, magic)))
  const high = keep(e, 'r', fsub(clamped, fmul(n, lanes(e, expLn2.high))))
  const r = keep(e, 'r', fsub(high, fmul(n, lanes(e, expLn2.low))))
  const p = polynomial(e, r, expPolynomial)
  const mantissa = keep(e, 'm', fadd(fadd(fmul(fmul(p, r), r), r), lanes(e, 1)))
  // 2ⁿ in two factors: n reaches from −150 to 128, a float's exponent from −126 to 127.
  const whole = keep(e, 'k', apply('i32x4.sub', [shifted, lanes(e, magic)]))
  const half = keep(e, 'h', apply('i32x4.shr_s', [whole, i32(1)]))
  const power = (k: Expression): Expression =>
    apply('i32x4.shl', [apply('i32x4.add', [k, lanesOfBits(e, 127)]), i32(23)])
  return keep(e, 'exp', fmul(fmul(mantissa, power(half)), power(apply('i32x4.sub', [whole, half]))))
}

/** log₂'s exponent is taken so that the mantissa lies between √½ and √2: the bits of √½. */
const rootHalf = 0x3f35_04f3

/**
 * ln x: −∞ at 0, NaN below. x = 2ᵏ·(1 + f); with s = f / (2 + f), ln(1 + f) = 2·artanh s, by FreeBSD's polynomial (e_logf.c). Subnormals are
 * scaled by 2²³ first.
 */
export const log = (e: Emitter, given: Expression): Expression => {
  const x = keep(e, 'x', given)
  const tiny = keep(e, 'tiny', apply('f32x4.lt', [x, lanes(e, 2 ** -126)]))
  const scaled = keep(e, 'scaled', apply('v128.bitselect', [fmul(x, lanes(e, 2 ** 23)), x, tiny]))
  const k = keep(e, 'k', apply('i32x4.shr_s', [apply('i32x4.sub', [scaled, lanesOfBits(e, rootHalf)]), i32(23)]))
  const mantissa = apply('i32x4.sub', [scaled, apply('i32x4.shl', [k, i32(23)])])
  const f = keep(e, 'f', fsub(mantissa, lanes(e, 1)))
  const shift = apply('v128.and', [tiny, lanesOfBits(e, 23)])
  const n = keep(e, 'n', apply('f32x4.convert_i32x4_s', [apply('i32x4.sub', [k, shift])]))
  const s = keep(e, 's', fdiv(f, fadd(lanes(e, 2), f)))
  const z = keep(e, 'z', fmul(s, s))
  const r = fmul(z, polynomial(e, z, logPolynomial))
  const half = keep(e, 'half', fmul(fmul(lanes(e, 0.5), f), f))
  const small = fadd(fmul(s, fadd(half, r)), fmul(n, lanes(e, logLn2.low)))
  const y = keep(e, 'y', fsub(fmul(n, lanes(e, logLn2.high)), fsub(fsub(half, small), f)))
  const isZero = apply('f32x4.eq', [x, lanes(e, 0)])
  const outside = apply('v128.bitselect', [lanes(e, -Infinity), lanes(e, NaN), isZero])
  const inside = apply('v128.bitselect', [x, y, apply('f32x4.eq', [x, lanes(e, Infinity)])])
  return keep(e, 'log', apply('v128.bitselect', [inside, outside, apply('f32x4.gt', [x, lanes(e, 0)])]))
}

const signBit = 0x8000_0000 | 0

/** 1 / (1 + e⁻ˣ) = (x ≥ 0 ? 1 : q) / (1 + q) with q = e^(−|x|): no overflow on either side. */
export const logistic = (e: Emitter, x: Expression): Expression => {
  const q = exp(e, keep(e, 'a', apply('v128.or', [x, lanesOfBits(e, signBit)])))
  const positive = apply('f32x4.ge', [x, lanes(e, 0)])
  return keep(e, 'logistic', fdiv(apply('v128.bitselect', [lanes(e, 1), q, positive]), fadd(lanes(e, 1), q)))
}

/** The value of `magnitude`, with the sign of `x`. */
const withSign = (e: Emitter, magnitude: Expression, x: Expression): Expression =>
  apply('v128.or', [magnitude, apply('v128.and', [x, lanesOfBits(e, signBit)])])

/** tanh x: near 0 x + x³·P(x²), with Cephes' polynomial (tanhf.c); from 0.625 on 1 − 2 / (e^(2|x|) + 1), which is 1 at 10. */
export const tanh = (e: Emitter, given: Expression): Expression => {
  const x = keep(e, 'x', given)
  const t = keep(e, 't', apply('f32x4.min', [apply('f32x4.abs', [x]), lanes(e, 10)]))
  const s = keep(e, 's', fmul(t, t))
  const near = polynomial(e, s, tanhPolynomial)
  const small = keep(e, 'small', fadd(fmul(fmul(near, s), t), t))
  const power = exp(e, keep(e, 'power', fadd(t, t)))
  const large = fsub(lanes(e, 1), fdiv(lanes(e, 2), fadd(power, lanes(e, 1))))
  const isLarge = apply('f32x4.gt', [t, lanes(e, tanhSplit)])
  return keep(e, 'tanh', withSign(e, apply('v128.bitselect', [large, small, isLarge]), x))
}

/**
 * erf x, by two polynomials of Juffa's (errors below 1 ulp where products are not rounded): near 0, x + x·P(x²); from 0.93 on, 1 − e^(R(|x|) −
 * |x|), with R of degree 6; at 4 that is 1.
 */
export const erf = (e: Emitter, given: Expression): Expression => {
  const x = keep(e, 'x', given)
  const t = keep(e, 't', apply('f32x4.min', [apply('f32x4.abs', [x]), lanes(e, 4)]))
  const s = keep(e, 's', fmul(t, t))
  const near = polynomial(e, s, erfPolynomial)
  const small = keep(e, 'small', fadd(fmul(near, x), x))
  const [c6 = 0, c5 = 0, c4 = 0, c3 = 0, ...rest] = erfTail
  const first = fadd(fmul(lanes(e, c6), t), lanes(e, c5))
  const second = fadd(fmul(lanes(e, c4), t), lanes(e, c3))
  const tail = rest.reduce(
    (sum, c) => keep(e, 'p', fadd(fmul(sum, t), lanes(e, c))),
    keep(e, 'p', fadd(fmul(first, s), second)),
  )
  const power = exp(e, keep(e, 'power', fsub(fmul(tail, t), t)))
  const large = withSign(e, fsub(lanes(e, 1), power), x)
  return keep(e, 'erf', apply('v128.bitselect', [large, small, apply('f32x4.gt', [t, lanes(e, erfSplit)])]))
}
