/**
 * Errors counted in units in the last place.
 *
 * ulp(y) of a real number y is the distance of the two neighbouring numbers of a format around it: 2^(⌊log₂|y|⌋ − p + 1), and the spacing of
 * the subnormals below the smallest normal number. A correctly rounded result is off by at most ½ ulp. ∞ counts as 2^(emax + 1), the
 * number that would follow the largest, so that the threshold of overflow is judged by the same measure.
 *
 * Source: Muller, "On the definition of ulp(x)", INRIA RR-5504, 2005 (Goldberg's definition, extended to reals).
 */
import {
  absolute,
  divide,
  exactly,
  exponentOf,
  isLess,
  one,
  scale,
  signOf,
  subtract,
  toNumber,
  whole,
  type Real,
} from './real.ts'

/** A binary floating-point format of IEEE 754-2019. */
export interface Format {
  /** Bits of the significand, with the leading one. */
  readonly digits: number
  /** Exponents of the smallest and the largest normal number. */
  readonly minExponent: number
  readonly maxExponent: number
}

/** The formats by dtype. */
export const formats = {
  f16: { digits: 11, minExponent: -14, maxExponent: 15 },
  f32: { digits: 24, minExponent: -126, maxExponent: 127 },
  f64: { digits: 53, minExponent: -1022, maxExponent: 1023 },
} as const satisfies Record<string, Format>

/** A dtype that has an accuracy. */
export type FloatType = keyof typeof formats

/** What is known of the results of one function in one dtype on one device. */
export interface Measure {
  /** Arguments. */
  inputs: number
  /** Those with a finite result, over which the mean is taken. */
  judged: number
  /** The largest error in ulp, and the argument where it occurs. */
  maxUlp: number
  worstAt: number
  sumUlp: number
  /** The largest |got − exact| / |exact| where the exact result is a normal number. */
  maxRelative: number
  /**
   * Results of the wrong kind: NaN where there is a value or the reverse, the wrong sign, not the zero or the infinity that the function has there, an
   * infinity or a zero where both neighbours of the exact result are finite and not zero.
   */
  wrong: number
  wrongAt: number
}

/** Nothing measured yet. */
export const unmeasured = (): Measure => ({
  inputs: 0,
  judged: 0,
  maxUlp: 0,
  worstAt: NaN,
  sumUlp: 0,
  maxRelative: 0,
  wrong: 0,
  wrongAt: NaN,
})

/** Both NaN, or the same number with the same sign. */
const isSame = (got: number, exact: number): boolean =>
  Object.is(got, exact) || (Number.isNaN(got) && Number.isNaN(exact))

const isSpecial = (x: number): boolean => x === 0 || !Number.isFinite(x)

const markWrong = (measure: Measure, x: number): void => {
  if (measure.wrong === 0) measure.wrongAt = x
  measure.wrong++
}

/** Whether `got` is of a kind that neither neighbour of the exact value is: a sign, a zero, an infinity, NaN. */
const isWrongKind = (got: number, exact: number, format: Format): boolean => {
  const [a, e] = [Math.abs(got), Math.abs(exact)]
  if (Number.isNaN(got) || Math.sign(got) === -Math.sign(exact)) return true
  if (got === 0) return e >= 2 ** (format.minExponent - format.digits + 1) || Object.is(got, 0) !== exact > 0
  return a === Infinity && e <= (2 - 2 ** (1 - format.digits)) * 2 ** format.maxExponent
}

/** Counts a special result that is wrong; whether there is a distance to measure besides: both values are numbers, and the exact one is not special. */
const hasDistance = (measure: Measure, x: number, got: number, exact: number, format: Format): boolean => {
  const special = isSpecial(exact)
  if (special ? !isSame(got, exact) : isWrongKind(got, exact, format)) markWrong(measure, x)
  return !special && !Number.isNaN(got)
}

/**
 * Judges results of a format narrower than f64 against exact values given as f64, whose own error, about 2⁻⁵² relatively, is 2⁻²⁸ ulp of an f32.
 *
 * @param at the arguments
 */
export const judge = (
  measure: Measure,
  format: Format,
  at: ArrayLike<number>,
  got: ArrayLike<number>,
  exact: Float64Array,
): void => {
  const inverse = inverseUlps(format)
  const ceiling = 2 ** (format.maxExponent + 1)
  const bits = new Uint32Array(exact.buffer, exact.byteOffset, 2 * exact.length)
  const smallestNormal = 2 ** format.minExponent
  let { maxUlp, worstAt, sumUlp, maxRelative, judged } = measure
  for (let i = 0; i < exact.length; i++) {
    const [y, e] = [got[i] as number, exact[i] as number]
    if ((isSpecial(e) || isSpecial(y) || y > 0 !== e > 0) && !hasDistance(measure, at[i] as number, y, e, format))
      continue
    const clipped = Math.max(-ceiling, Math.min(ceiling, e))
    const difference = Math.abs(Math.max(-ceiling, Math.min(ceiling, y)) - clipped)
    // The high word holds sign and exponent; all machines that run this are little-endian.
    const ulp = difference * (inverse[((bits[2 * i + 1] as number) >>> 20) & 0x7ff] as number)
    if (ulp > maxUlp) {
      maxUlp = ulp
      worstAt = at[i] as number
    }
    sumUlp += ulp
    judged++
    const size = Math.abs(clipped)
    if (size >= smallestNormal && difference > maxRelative * size) maxRelative = difference / size
  }
  Object.assign(measure, { maxUlp, worstAt, sumUlp, maxRelative, judged, inputs: measure.inputs + exact.length })
}

const tables = new Map<Format, Float64Array>()

/** 1 / ulp by the biased exponent of a double. */
const inverseUlps = (format: Format): Float64Array => {
  const known = tables.get(format)
  if (known !== undefined) return known
  const { digits, minExponent, maxExponent } = format
  const made = Float64Array.from(
    { length: 2048 },
    (_, biased) => 2 ** (digits - 1 - Math.min(maxExponent, Math.max(minExponent, biased - 1023))),
  )
  tables.set(format, made)
  return made
}

/**
 * Judges one f64 result against exact arithmetic, by the same measure.
 *
 * @param exact a number where the function has a special value: NaN, ±∞, ±0
 */
export const judgeExactly = (measure: Measure, at: number, got: number, exact: Real | number): void => {
  const format = formats.f64
  measure.inputs++
  if (typeof exact === 'number') {
    if (!isSame(got, exact)) markWrong(measure, at)
    return
  }
  const size = absolute(exact)
  if (isWrongDouble(got, size, signOf(exact))) markWrong(measure, at)
  if (Number.isNaN(got)) return
  const ceiling = scale(one, format.maxExponent + 1)
  const clipped = isLess(size, ceiling) ? exact : scale(whole(signOf(exact)), format.maxExponent + 1)
  const result = Math.abs(got) === Infinity ? scale(whole(Math.sign(got)), format.maxExponent + 1) : exactly(got)
  const difference = absolute(subtract(result, clipped))
  const exponent = exponentOf(clipped)
  const lastPlace = Math.min(format.maxExponent, Math.max(format.minExponent, exponent)) - format.digits + 1
  const ulp = toNumber(scale(difference, -lastPlace))
  if (ulp > measure.maxUlp) Object.assign(measure, { maxUlp: ulp, worstAt: at })
  measure.sumUlp += ulp
  measure.judged++
  if (exponent >= format.minExponent)
    measure.maxRelative = Math.max(measure.maxRelative, toNumber(divide(difference, absolute(clipped))))
}

const smallestDouble = exactly(Number.MIN_VALUE)
const largestDouble = exactly(Number.MAX_VALUE)

/** {@link isWrongKind} for doubles. */
const isWrongDouble = (got: number, size: Real, sign: number): boolean => {
  if (Number.isNaN(got) || Math.sign(got) === -sign) return true
  if (got === 0) return !isLess(size, smallestDouble) || Object.is(got, 0) !== sign > 0
  return Math.abs(got) === Infinity && !isLess(largestDouble, size)
}
