/**
 * Random bits, and what is uniform: floats, integers, coins.
 *
 * All of them are integer arithmetic on Threefry's words. Floats are made by one exact conversion from i32 and a multiplication by a
 * power of two, because a WGSL compiler may fuse and reassociate float operations: so they are bitwise equal on every backend.
 */
import { requireKnown } from '../../prelude/options.ts'
import { DTypeError } from '../../prelude/errors.ts'
import { isFloat, type DType } from '../../graph/dtype.ts'
import { requireWholeShape, sizeOf, type Shape } from '../../graph/shape.ts'
import { call } from '../annotate.ts'
import { full, iota, zeros } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import { purposes, requireKey, threefryWord, type Key } from './threefry.ts'

/**
 * Independent random words.
 *
 * Element i in row-major order is word `i mod 2` of the block of counter (0, ⌊i / 2⌋): it depends on the key and on i, not on the
 * shape, so a longer tensor begins with the shorter one.
 *
 * @param start u32 [], how many words of the stream to pass over: a part of a longer tensor is drawn without the rest
 * @returns u32 of `shape`, each uniform over [0, 2³²)
 *
 * @example
 * ```ts
 * import { bits, key, scalar } from 'fathom'
 *
 * bits(key(0), [2]) // => [1797259609, 2579123966]
 * bits(key(0), [3]) // => [1797259609, 2579123966, …]
 * bits(key(0), [1], scalar(1, 'u32')) // => [2579123966]
 * ```
 */
export const bits = (key: Key, shape: Shape, start?: Tensor): Tensor => {
  requireKey(key)
  requireWholeShape(shape)
  const words = (k: Key, first?: Tensor): Tensor => {
    const place = iota([sizeOf(shape)], 0, 'u32')
    const i = first === undefined ? place : place.add(first)
    return threefryWord(k, purposes.bits, i.shiftRight(1), i).reshape(shape)
  }
  return start === undefined ? call('randomBits', words)(key) : call('randomBitsFrom', words)(key, start)
}

/** ⌊x · n / 2³²⌋ for u32 `x` and an integer n in [1, 2³²], in 32-bit arithmetic: schoolbook multiplication with 16-bit digits. */
const multiplyHigh = (x: Tensor, n: number): Tensor => {
  const log = Math.log2(n)
  if (log === 0) return zeros(x.shape, 'u32')
  if (Number.isInteger(log)) return log === 32 ? x : x.shiftRight(32 - log)
  const [xLow, xHigh, nLow, nHigh] = [x.and(0xffff), x.shiftRight(16), n & 0xffff, n >>> 16]
  const middle = xHigh.mul(nLow).add(xLow.mul(nLow).shiftRight(16)) // at most (2¹⁶ − 1)² + 2¹⁶ − 1 < 2³²
  if (nHigh === 0) return middle.shiftRight(16)
  const cross = xLow.mul(nHigh).add(middle.and(0xffff))
  return xHigh.mul(nHigh).add(middle.shiftRight(16)).add(cross.shiftRight(16))
}

const between = (words: Tensor, low: number, high: number): Tensor => {
  const offset = multiplyHigh(words, high - low)
  return (low === 0 ? offset : offset.add(low >>> 0)).bitcast('i32') // u32 addition wraps: two's complement
}

/**
 * Integers in [low, high).
 *
 * One word times high − low, of which the upper 32 bits are kept (Lemire 2019, "Fast random integer generation in an interval", without
 * its rejection): the probability of each value is off from 1 / n by less than 2⁻³², a relative bias of at most n / 2³², n = high − low.
 *
 * @param low an integer ≥ −2³¹
 * @param high an integer ≤ 2³¹, above `low`
 * @param start u32 [], how many integers of the stream to pass over
 * @returns i32 of `shape`
 * @throws RangeError for other bounds
 *
 * @example
 * ```ts
 * import { key, randint } from 'fathom'
 *
 * randint(key(0), [8], 1, 7) // => [3, 4, 2, 5, 6, 4, 4, 6]
 * ```
 */
export const randint = (key: Key, shape: Shape, low: number, high: number, start?: Tensor): Tensor => {
  const valid = Number.isInteger(low) && Number.isInteger(high) && low >= -(2 ** 31) && high <= 2 ** 31 && low < high
  if (!valid) throw new RangeError(`randint: [${low}, ${high}) is not a non-empty range of 32-bit integers`)
  return call('randint', (words: Tensor) => between(words, low, high))(bits(key, shape, start))
}

/** The interval and the dtype of {@link uniform}; by default [0, 1) in f32. */
export interface UniformOptions {
  readonly low?: number
  readonly high?: number
  readonly dtype?: DType
  /** u32 [], how many numbers of the stream to pass over. */
  readonly start?: Tensor
}

/** Bits of the significand that are drawn, so that the conversion is exact; f64 holds the numbers of f32. */
const significandBits = (dtype: DType): number => {
  if (!isFloat(dtype))
    throw new DTypeError(`random: ${dtype} is not a float; use randint for integers and bernoulli for bool`)
  return dtype === 'f16' ? 11 : 24
}

/** The largest e for which `x`·2ᵉ ≤ 2^digits. */
const scaleExponent = (x: number, digits: number): number => {
  const guess = digits - Math.ceil(Math.log2(x))
  return x * 2 ** guess > 2 ** digits ? guess - 1 : x * 2 ** (guess + 1) <= 2 ** digits ? guess + 1 : guess
}

/**
 * Floats in [low, high): the default, [0, 1) in f32, gives the multiples of 2⁻²⁴, each equally likely.
 *
 * In general the numbers are the multiples in [low, high) of 2^−e, for the largest e at which all of them have 24 bits (11 in f16): the
 * spacing of floats at the end that is farther from zero. `high` is never returned, in any dtype.
 *
 * @returns a float tensor of `shape`
 * @throws RangeError if the interval is empty, not finite, or too narrow for the dtype; DTypeError if the dtype is no float
 *
 * @example
 * ```ts
 * import { key, uniform } from 'fathom'
 *
 * uniform(key(0), [3]) // => [0.418, 0.600, 0.216]
 * uniform(key(0), [3], { low: -1, high: 1 }) // => [-0.163, 0.201, -0.567]
 * ```
 */
export const uniform = (key: Key, shape: Shape, options: UniformOptions = {}): Tensor => {
  requireKnown('uniform', options, ['low', 'high', 'dtype', 'start'])
  const { low = 0, high = 1, dtype = 'f32', start } = options
  const digits = significandBits(dtype)
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    throw new RangeError(`uniform: [${low}, ${high}) is not a finite interval; low must be below high`)
  const e = scaleExponent(Math.max(Math.abs(low), Math.abs(high)), digits)
  const [first, end] = [Math.ceil(low * 2 ** e), Math.ceil(high * 2 ** e)]
  if (first === end || Math.abs(e) > 126)
    throw new RangeError(`uniform: [${low}, ${high}) holds no ${dtype} number to draw; widen the interval`)
  return call('uniform', (words: Tensor) =>
    between(words, first, end)
      .cast('f32')
      .mul(2 ** -e)
      .cast(dtype),
  )(bits(key, shape, start))
}

/**
 * Coins: true with probability p.
 *
 * @param p a number in [0, 1], rounded to a multiple of 2⁻³²; or a tensor that broadcasts to `shape`, compared with 24-bit uniforms
 * @param start u32 [], how many coins of the stream to pass over
 * @returns bool of `shape`
 * @throws RangeError if a number lies outside [0, 1]
 *
 * @example
 * ```ts
 * import { bernoulli, key } from 'fathom'
 *
 * bernoulli(key(0), 0.5, [4]) // => [true, false, true, false]
 * bernoulli(key(1), 0.25, [10_000]).cast('f32').mean() // => 0.25
 * ```
 */
export const bernoulli = (key: Key, p: number | Tensor, shape: Shape, start?: Tensor): Tensor => {
  if (typeof p !== 'number') return uniform(key, shape, { dtype: p.dtype, ...(start && { start }) }).less(p)
  if (!(p >= 0 && p <= 1)) throw new RangeError(`bernoulli: p ${p} is not a probability; it lies in [0, 1]`)
  const threshold = Math.round(p * 2 ** 32)
  return threshold === 2 ** 32 ? full(shape, 1, 'bool') : bits(key, shape, start).less(threshold)
}
