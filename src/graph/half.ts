/** f16, the binary16 of IEEE 754: its 16 bits from a number, and back. */

/** The 16 bits of the half nearest to `x`, ties to even (IEEE 754-2019, 4.3.1). The value goes through f32 without double rounding. */
export const encodeHalf = (x: number): number => {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  if (Number.isNaN(x)) return 0x7e00
  const a = Math.abs(x)
  if (a >= 65520) return sign | 0x7c00 // half an ulp above the largest half, 65504, rounds to infinity
  if (a < 2 ** -14) return sign | roundTiesToEven(a * 2 ** 24) // subnormal: a multiple of 2⁻²⁴
  const exponent = Math.floor(Math.log2(a))
  const e = a < 2 ** exponent ? exponent - 1 : a >= 2 ** (exponent + 1) ? exponent + 1 : exponent
  return sign | (((e + 14) << 10) + roundTiesToEven(a * 2 ** (10 - e))) // a carry out of the mantissa raises the exponent
}

const roundTiesToEven = (x: number): number => {
  const f = Math.floor(x)
  const d = x - f
  return d > 0.5 || (d === 0.5 && f % 2 === 1) ? f + 1 : f
}

/** The value of the half with these 16 bits. */
export const decodeHalf = (h: number): number => {
  const sign = (h & 0x8000) === 0 ? 1 : -1
  const e = (h >> 10) & 31
  const m = h & 1023
  if (e === 31) return m === 0 ? sign * Infinity : NaN
  return sign * (e === 0 ? m * 2 ** -24 : (1024 + m) * 2 ** (e - 25))
}
