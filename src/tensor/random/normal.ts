/**
 * Normal numbers by inversion, bitwise equal on every backend: the quantile is looked up and interpolated in integers, and one exact
 * conversion makes the float.
 *
 * The absolute error of the quantile is below 2⁻¹⁸·⁵ everywhere; values are multiples of 2⁻²¹, and the extreme ones are ±6.23, beyond
 * which a normal number lies with probability 2⁻³¹.
 */
import type { DType } from '../../graph/dtype.ts'
import type { Shape } from '../../graph/shape.ts'
import { call } from '../annotate.ts'
import { constant } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { normalQuantile } from './as241.ts'
import {
  interpolate,
  interpolateOnHost,
  lazily,
  locate,
  locateOnHost,
  segmentOf,
  segmentsPerHalf,
  sideOf,
  tabulate,
} from './quantile.ts'
import type { Key } from './threefry.ts'
import { bits } from './uniform.ts'

/** 6.24 · 2²¹ < 2²⁴: every value is exact in f32. */
const scale = 2 ** 21

/** Φ⁻¹ over the lower half, in units of 2⁻²¹; negative and rising. */
const lowerHalf = lazily(() => new Int32Array(tabulate(normalQuantile, scale)))
const table = lazily(() => constant(lowerHalf(), { shape: [segmentsPerHalf, 2] }))

/** Φ⁻¹ of u32 random words, f32. */
export const normalOf = (words: Tensor): Tensor => {
  const place = locate(words)
  const side = sideOf(place)
  const lower = interpolate(table(), segmentOf(place), place)
  return lower
    .xor(side)
    .sub(side)
    .cast('f32')
    .mul(1 / scale) // two's complement: (z ⊕ −1) + 1 = −z
}

/**
 * Independent standard normal numbers: Φ⁻¹ of {@link bits}, element by element, so rising in the bits and odd about the middle.
 *
 * @param start u32 [], how many numbers of the stream to pass over
 * @returns a float tensor of `shape`; f64 holds the numbers of f32, f16 their nearest
 *
 * @example
 * ```ts
 * import { key, normal, variance } from 'fathom'
 *
 * normal(key(0), [3]) // => [-0.206, 0.255, -0.785]
 * const many = normal(key(1), [10_000])
 * many.mean() // => 0.0
 * variance(many) // => 1.0
 * ```
 */
export const normal = (key: Key, shape: Shape, dtype: DType = 'f32', start?: Tensor): Tensor =>
  call('normal', (words: Tensor) => normalOf(words).cast(dtype))(bits(key, shape, start))

/**
 * The normal number that {@link normal} makes of a random word in [0, 2³²), computed on the host: equal bit for bit.
 *
 * @example
 * ```ts
 * import { normalFromBits } from 'fathom'
 *
 * normalFromBits(0) // => -6.23026
 * normalFromBits(2 ** 31) // => 0
 * normalFromBits(2 ** 32 - 1) // => 6.23026
 * ```
 */
export const normalFromBits = (word: number): number => {
  const { side, segment, fraction } = locateOnHost(word)
  return ((interpolateOnHost(lowerHalf(), segment, fraction) ^ side) - side) / scale
}
