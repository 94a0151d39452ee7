/**
 * Quantile functions in integer arithmetic: from 32 random bits to a fixed-point number, the same on every backend.
 *
 * Random words are read in pairs: 2k and 2k + 1 are u = (2k + 1) / 2³². It lies at distance p = q / 2³² from the nearer end of (0, 1), q an odd
 * integer below 2³¹. Octaves of q (powers of two) are cut into 256 segments, so that segments shrink with p and the tails are as exact as
 * the middle; inside a segment the tabulated quantile is interpolated linearly with 15 bits.
 *
 * Octave, segment and place inside it are the leading bits of q normalised: exactly the bits of q as a float. So q loses its bits below the
 * 24th (the conversion is then exact, and no rounding mode matters), is converted, and its pattern is read back as an integer.
 *
 * Own design; inversion by table with segments that halve towards the tails follows Hörmann & Leydold, "Continuous random variate
 * generation by fast numerical inversion", ACM TOMACS 13(4), 2003, and hardware generators (Cheung, Lee, Luk, Villasenor, IEEE TVLSI 15(8), 2007).
 */
import { range } from '../../prelude/array.ts'
import { gather } from '../combine.ts'
import type { Tensor } from '../tensor.ts'

const octaves = 31
const segmentBits = 8
const fractionBits = 23 - segmentBits
const fractionMask = 2 ** fractionBits - 1
const half = 2 ** (fractionBits - 1)

/** The first segment, that of q = 1, is the float exponent 127 and an empty significand. */
const firstSegment = 127 << segmentBits

/** Knots of one half of a table: one more than segments. */
export const knotsPerHalf = (octaves << segmentBits) + 1

/** From here on q has more than 24 bits and loses its lowest seven. */
const coarseFrom = 2 ** 24
const coarseMask = -128

/** q of a knot; past 2²⁴ it stands for the middle of the 128 that become one. */
const knotPosition = (knot: number): number => {
  const q = 2 ** (knot >> segmentBits) * (1 + (knot & (2 ** segmentBits - 1)) / 2 ** segmentBits)
  return q < coarseFrom ? q : q === coarseFrom ? q + 32 : q + 64
}

/**
 * The knots of one half of a quantile function, in fixed point.
 *
 * @param quantile of p in (0, ½], the distance from that half's end of (0, 1)
 * @param scale knots are multiples of 1 / scale; |quantile| · scale stays below 2²⁴, so that its float is exact
 */
export const tabulate = (quantile: (p: number) => number, scale: number): readonly number[] =>
  range(knotsPerHalf).map((knot) => Math.round(quantile(Math.min(0.5, knotPosition(knot) / 2 ** 32)) * scale))

/** Where random words fall, all i32 of their shape. */
export interface Place {
  /** 0 for the lower half of (0, 1), −1 for the upper one. */
  readonly side: Tensor
  /** 0 … 31·256 − 1, counted from the end of (0, 1). */
  readonly segment: Tensor
  /** 0 … 2¹⁵ − 1, the place inside the segment. */
  readonly fraction: Tensor
}

/** The place of u32 random words. */
export const locate = (words: Tensor): Place => {
  const signed = words.bitcast('i32')
  const side = signed.shiftRight(31)
  const q = signed.xor(side).or(1)
  const exact = q.less(coarseFrom).select(q, q.and(coarseMask))
  const pattern = exact.cast('f32').bitcast('i32')
  return { side, segment: pattern.shiftRight(fractionBits).sub(firstSegment), fraction: pattern.and(fractionMask) }
}

/** Linear interpolation between the knots `index` and `index` + 1 of an i32 table. */
export const interpolate = (table: Tensor, index: Tensor, fraction: Tensor): Tensor => {
  const left = gather(table, index)
  const rise = gather(table, index.add(1)).sub(left)
  return left.add(rise.mul(fraction).add(half).shiftRight(fractionBits)) // |rise| < 2¹⁶, so the product has 31 bits
}

/** {@link locate} of one word on the host. */
export const locateOnHost = (word: number): { readonly [K in keyof Place]: number } => {
  const side = word >> 31
  const q = (word ^ side) | 1
  const exact = q < coarseFrom ? q : q & coarseMask
  const octave = 31 - Math.clz32(exact)
  const pattern = (octave << 23) + (exact / 2 ** octave - 1) * 2 ** 23
  return { side, segment: pattern >> fractionBits, fraction: pattern & fractionMask }
}

/** {@link interpolate} of one place on the host. */
export const interpolateOnHost = (table: ArrayLike<number>, index: number, fraction: number): number => {
  const left = table[index] ?? NaN
  const rise = (table[index + 1] ?? NaN) - left
  return left + ((rise * fraction + half) >> fractionBits)
}

/** A value that is made when it is first asked for. */
export const lazily = <T>(make: () => T): (() => T) => {
  const made: { value?: T } = {}
  return () => (made.value ??= make())
}
