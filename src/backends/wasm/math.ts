/**
 * Functions of four f32 at once, in arithmetic that every WebAssembly has: no FMA, so that results are the same on all machines.
 *
 * exp: Cody & Waite's reduction by multiples of ln 2 and Cephes' polynomial of degree 6 (expf.c). tanh and erf: rational functions of
 * odd degree on a bounded interval, with the coefficients of Eigen's packet math.
 */
import { apply, i32, type Expression } from './assembler/code.ts'
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
  const high = keep(e, 'r', fsub(clamped, fmul(n, lanes(e, 0.693359375))))
  const r = keep(e, 'r', fsub(high, fmul(n, lanes(e, -2.1219444e-4))))
  const p = polynomial(
    e,
    r,
    [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1],
  )
  const mantissa = keep(e, 'm', fadd(fadd(fmul(fmul(p, r), r), r), lanes(e, 1)))
  // 2ⁿ in two factors: n reaches from −150 to 128, a float's exponent from −126 to 127.
  const whole = keep(e, 'k', apply('i32x4.sub', [shifted, lanes(e, magic)]))
  const half = keep(e, 'h', apply('i32x4.shr_s', [whole, i32(1)]))
  const power = (k: Expression): Expression =>
    apply('i32x4.shl', [apply('i32x4.add', [k, lanesOfBits(e, 127)]), i32(23)])
  return keep(e, 'exp', fmul(fmul(mantissa, power(half)), power(apply('i32x4.sub', [whole, half]))))
}

const signBit = 0x8000_0000 | 0

/** 1 / (1 + e⁻ˣ) = (x ≥ 0 ? 1 : q) / (1 + q) with q = e^(−|x|): no overflow on either side. */
export const logistic = (e: Emitter, x: Expression): Expression => {
  const q = exp(e, keep(e, 'a', apply('v128.or', [x, lanesOfBits(e, signBit)])))
  const positive = apply('f32x4.ge', [x, lanes(e, 0)])
  return keep(e, 'logistic', fdiv(apply('v128.bitselect', [lanes(e, 1), q, positive]), fadd(lanes(e, 1), q)))
}

/** x·P(x²)/Q(x²) of x clamped to ±limit. */
const oddRational = (
  e: Emitter,
  x: Expression,
  limit: number,
  numerator: readonly number[],
  denominator: readonly number[],
): Expression => {
  const c = keep(e, 'c', apply('f32x4.max', [apply('f32x4.min', [x, lanes(e, limit)]), lanes(e, -limit)]))
  const square = keep(e, 's', fmul(c, c))
  const p = polynomial(e, square, numerator)
  const q = polynomial(e, square, denominator)
  return keep(e, 'y', fdiv(fmul(c, p), q))
}

/** tanh x; x itself where |x| < 0.0004, as Eigen has it. */
export const tanh = (e: Emitter, x: Expression): Expression => {
  const y = oddRational(
    e,
    x,
    7.90531110763549805,
    [
      -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
      6.37261928875436e-4, 4.89352455891786e-3,
    ],
    [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3],
  )
  const small = apply('f32x4.lt', [apply('f32x4.abs', [x]), lanes(e, 0.0004)])
  return keep(e, 'tanh', apply('v128.bitselect', [x, y, small]))
}

/** erf x, by a rational function on [−4, 4], beyond which it is ±1 in f32. */
export const erf = (e: Emitter, x: Expression): Expression =>
  oddRational(
    e,
    x,
    4,
    [
      -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
      -2.95459980854025e-3, -1.60960333262415e-2,
    ],
    [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2],
  )
