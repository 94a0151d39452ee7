/**
 * Real numbers to {@link precision} bits: m · 2ᵉ with a big integer m. Every operation is exact or off by at most one part in 2^precision.
 *
 * The proof's own arithmetic: nothing of the library, and of the machine's floating point only the conversion from and to a number.
 */

/** m · 2ᵉ. */
export interface Real {
  readonly m: bigint
  readonly e: number
}

/** Significant bits that are kept: four times a double's, so that series and cancellation may lose a hundred and nothing is seen. */
export const precision = 224

const words = new DataView(new ArrayBuffer(8))

const magnitude = (n: bigint): bigint => (n < 0n ? -n : n)

/** Bits of |n|; may be one too many just below a power of two. */
const bitLength = (n: bigint): number => {
  let [rest, bits] = [magnitude(n), 0]
  while (rest >> 1000n > 0n) {
    rest >>= 1000n
    bits += 1000
  }
  if (rest === 0n) return bits
  words.setFloat64(0, Number(rest))
  return bits + (words.getUint16(0) >> 4) - 1022
}

/** m · 2ᵉ, cut to the precision. */
export const real = (m: bigint, e: number): Real => {
  const excess = bitLength(m) - precision
  return excess > 0 ? { m: m >> BigInt(excess), e: e + excess } : { m, e }
}

/** A whole number. */
export const whole = (n: number): Real => ({ m: BigInt(n), e: 0 })

/** 0. */
export const zero: Real = { m: 0n, e: 0 }

/** 1. */
export const one: Real = { m: 1n, e: 0 }

/** A finite number, exactly. */
export const exactly = (x: number): Real => {
  words.setFloat64(0, x)
  const bits = words.getBigUint64(0)
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const m = exponent === 0 ? fraction : fraction | 0x10000000000000n
  return { m: bits >> 63n === 1n ? -m : m, e: Math.max(exponent, 1) - 1075 }
}

/** −x. */
export const negate = (x: Real): Real => ({ m: -x.m, e: x.e })

/** |x|. */
export const absolute = (x: Real): Real => ({ m: magnitude(x.m), e: x.e })

/** x · 2ᵏ. */
export const scale = (x: Real, k: number): Real => ({ m: x.m, e: x.e + k })

/** −1, 0 or 1. */
export const signOf = (x: Real): number => (x.m > 0n ? 1 : x.m < 0n ? -1 : 0)

/** ⌊log₂|x|⌋ of an x that is not 0. */
export const exponentOf = (x: Real): number => {
  const m = magnitude(x.m)
  const bits = bitLength(m)
  return x.e + (m >> BigInt(bits - 1) === 0n ? bits - 2 : bits - 1)
}

/** x + y. */
export const add = (x: Real, y: Real): Real => {
  if (x.m === 0n) return y
  if (y.m === 0n) return x
  const [high, low] = x.e >= y.e ? [x, y] : [y, x]
  // An addend that lies wholly below the precision would only make the shift long.
  if (high.e - low.e > 2 * precision + bitLength(low.m)) return high
  return real((high.m << BigInt(high.e - low.e)) + low.m, low.e)
}

/** x − y. */
export const subtract = (x: Real, y: Real): Real => add(x, negate(y))

/** x · y. */
export const multiply = (x: Real, y: Real): Real => real(x.m * y.m, x.e + y.e)

/** x / y. */
export const divide = (x: Real, y: Real): Real => {
  const shift = Math.max(0, precision + bitLength(y.m) - bitLength(x.m) + 1)
  return real((x.m << BigInt(shift)) / y.m, x.e - y.e - shift)
}

/** √x, by Newton's iteration on integers. */
export const squareRoot = (x: Real): Real => {
  if (x.m === 0n) return zero
  const shift = Math.max(0, 2 * precision - bitLength(x.m))
  const even = shift + ((x.e - shift) & 1)
  const n = x.m << BigInt(even)
  let [root, next] = [0n, 1n << BigInt((bitLength(n) >> 1) + 1)]
  for (root = next + 1n; next < root;) {
    root = next
    next = (root + n / root) >> 1n
  }
  return real(root, (x.e - even) / 2)
}

/** Whether x < y. */
export const isLess = (x: Real, y: Real): boolean => signOf(subtract(x, y)) < 0

/** The nearest number; ±∞ above the largest, and subnormals and 0 below the smallest (rounded twice there). */
export const toNumber = (x: Real): number => {
  if (x.m === 0n) return 0
  const exponent = exponentOf(x)
  if (exponent > 1100 || exponent < -1200) return signOf(x) * (exponent > 0 ? Infinity : 0)
  const significand = Number(x.m) // rounds to nearest, ties to even
  const half = Math.trunc(x.e / 2)
  return significand * 2 ** half * 2 ** (x.e - half)
}
