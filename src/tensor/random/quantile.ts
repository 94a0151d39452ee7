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
import { at, range } from '../../prelude/array.ts'
import { gather } from '../combine.ts'
import type { Tensor } from '../tensor.ts'

const octaves = 31
const segmentBits = 8
const fractionBits = 23 - segmentBits
const fractionMask = 2 ** fractionBits - 1
const segmentMask = 0xffff // the float's exponent and the first 8 bits of its significand
const half = 2 ** (fractionBits - 1)

/** The first segment, that of q = 1, is the float exponent 127 and an empty significand. */
const firstSegment = 127 << segmentBits

/** Segments of one half of (0, 1). */
export const segmentsPerHalf = octaves << segmentBits

/** From here on q has more than 24 bits and loses its lowest seven. */
const coarseFrom = 2 ** 24
const coarseMask = -128

/** q at the start of a segment; past 2²⁴ it stands for the middle of the 128 that become one. */
const knotPosition = (segment: number): number => {
  const q = 2 ** (segment >> segmentBits) * (1 + (segment & (2 ** segmentBits - 1)) / 2 ** segmentBits)
  return q < coarseFrom ? q : q === coarseFrom ? q + 32 : q + 64
}

/**
 * One half of a quantile function in fixed point: for each segment the value at its start and the rise over it, side by side.
 *
 * @param quantile of p in (0, ½], the distance from that half's end of (0, 1)
 * @param scale values are multiples of 1 / scale; |quantile| · scale stays below 2²⁴, so that its float is exact
 * @returns 2 · segmentsPerHalf integers
 */
export const tabulate = (quantile: (p: number) => number, scale: number): readonly number[] => {
  const knots = range(segmentsPerHalf + 1).map((i) =>
    Math.round(quantile(Math.min(0.5, knotPosition(i) / 2 ** 32)) * scale),
  )
  return knots.slice(0, -1).flatMap((knot, i) => [knot, at(knots, i + 1) - knot])
}

/**
 * Where u32 random words fall: the bits of the float ±q, negative in the upper half of (0, 1); i32.
 *
 * One number holds side, segment and fraction, so that all that is written to memory before the table is read is this.
 */
export const locate = (words: Tensor): Tensor => {
  const signed = words.bitcast('i32')
  const side = signed.shiftRight(31)
  const q = signed.xor(side).or(1)
  const exact = q.less(coarseFrom).select(q, q.and(coarseMask))
  return exact.cast('f32').bitcast('i32').or(side.shiftLeft(31))
}

/** 0 for a place in the lower half of (0, 1), −1 in the upper one. */
export const sideOf = (place: Tensor): Tensor => place.shiftRight(31)

/** 0 … segmentsPerHalf − 1, counted from the end of (0, 1). */
export const segmentOf = (place: Tensor): Tensor => place.shiftRight(fractionBits).and(segmentMask).sub(firstSegment)

/** The tabulated quantile at `place`, linear between the ends of segment `index` of an i32 table [segments, 2]. */
export const interpolate = (table: Tensor, index: Tensor, place: Tensor): Tensor => {
  const rows = gather(table, index.reshape([index.size]))
  const knot = rows.slice([], [0, 1]).reshape(index.shape)
  const rise = rows.slice([], [1, 2]).reshape(index.shape)
  return knot.add(rise.mul(place.and(fractionMask)).add(half).shiftRight(fractionBits)) // |rise| < 2¹⁶, so the product has 31 bits
}

/** A place on the host, taken apart. */
interface HostPlace {
  readonly side: number
  readonly segment: number
  readonly fraction: number
}

/** {@link locate} of one word on the host. */
export const locateOnHost = (word: number): HostPlace => {
  const side = word >> 31
  const q = (word ^ side) | 1
  const exact = q < coarseFrom ? q : q & coarseMask
  const octave = 31 - Math.clz32(exact)
  const significand = (exact / 2 ** octave - 1) * 2 ** 23
  return {
    side,
    segment: (octave << segmentBits) + (significand >> fractionBits),
    fraction: significand & fractionMask,
  }
}

/** {@link interpolate} of one place on the host. */
export const interpolateOnHost = (table: Int32Array, index: number, fraction: number): number => {
  const [knot, rise] = [table[2 * index] ?? NaN, table[2 * index + 1] ?? NaN]
  return knot + ((rise * fraction + half) >> fractionBits)
}

/** A value that is made when it is first asked for. */
export const lazily = <T>(make: () => T): (() => T) => {
  const made: { value?: T } = {}
  return () => (made.value ??= make())
}
