/** Plain arrays with a shape: what the oracles of the tests compute with, written without the library. */
import fc from 'fast-check'
import type { DType } from '../src/graph/dtype.ts'
import { tensor } from '../src/tensor/create.ts'
import type { Tensor } from '../src/tensor/tensor.ts'

/** Row-major numbers with a shape and a dtype. */
export interface NdArray {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: readonly number[]
}

/** Number of elements. */
export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** All multi-indices of a shape, row-major. */
export const indices = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (all, n) => all.flatMap((index) => Array.from({ length: n }, (_, i) => [...index, i])),
    [[]],
  )

/** The element at a multi-index; 0 outside. */
export const elementAt = (x: NdArray, index: readonly number[]): number => {
  let linear = 0
  for (let a = 0; a < x.shape.length; a++) {
    const [i, n] = [index[a] ?? 0, x.shape[a] ?? 0]
    if (i < 0 || i >= n || !Number.isInteger(i)) return 0
    linear = linear * n + i
  }
  return x.data[linear] ?? 0
}

/** The elements of a shape, from a function of their multi-index. */
export const tabulate = (shape: readonly number[], f: (index: readonly number[]) => number): readonly number[] =>
  indices(shape).map(f)

const positiveHalves: readonly number[] = Array.from({ length: 0x7c00 }, (_, bits) => {
  const [exponent, mantissa] = [bits >> 10, bits & 1023]
  return exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15)
})

/** The index of the largest half that is not above `a`, by bisection. */
const lastNotAbove = (a: number): number => {
  let [low, high] = [0, positiveHalves.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((positiveHalves[middle] ?? 0) <= a) low = middle
    else high = middle
  }
  return low
}

/** The nearest half by search through all of them, ties to the even bit pattern. */
export const nearestHalf = (x: number): number => {
  if (Number.isNaN(x) || x === 0) return x
  const a = Math.abs(x)
  if (a >= 65520) return Math.sign(x) * Infinity
  const low = lastNotAbove(a)
  const [below, above] = [positiveHalves[low] ?? 0, positiveHalves[low + 1] ?? 65536]
  const goesDown = a - below < above - a || (a - below === above - a && low % 2 === 0)
  return Math.sign(x) * (goesDown ? below : above)
}

/** A whole number for the integer dtypes; NaN and infinities become 0. */
const truncated = (x: number): bigint => (Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n)

/** `x` as a dtype stores it. */
export const stored = (dtype: DType, x: number): number => {
  switch (dtype) {
    case 'f64':
      return x
    case 'f32':
      return Math.fround(x)
    case 'f16':
      return nearestHalf(x)
    case 'bool':
      return x === 0 ? 0 : 1
    case 'i32':
      return Number(BigInt.asIntN(32, truncated(x)))
    case 'u32':
      return Number(BigInt.asUintN(32, truncated(x)))
    case 'u8':
      return Number(BigInt.asUintN(8, truncated(x)))
  }
}

/** The tensor of these values, as data. */
export const toTensor = (x: NdArray): Tensor => tensor([...x.data], { dtype: x.dtype }).reshape(x.shape)

/** Shapes of at most `maxRank` axes and 64 elements; some have axes of length 0 or 1. */
export const shapes = (minRank = 0, maxRank = 4): fc.Arbitrary<readonly number[]> =>
  fc
    .array(
      fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) }, { weight: 1, arbitrary: fc.constant(0) }),
      { minLength: minRank, maxLength: maxRank },
    )
    .filter((shape) => count(shape) <= 64)

const integers: { readonly [K in 'i32' | 'u32' | 'u8' | 'bool']: fc.Arbitrary<number> } = {
  i32: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  u32: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
  u8: fc.integer({ min: 0, max: 255 }),
  bool: fc.integer({ min: 0, max: 1 }),
}

/** A closed interval. */
export type Interval = readonly [low: number, high: number]

/** Numbers of a dtype; floats lie in the interval on a grid of a thousand points, as the dtype stores them. */
export const numbers = (dtype: DType, [low, high]: Interval = [-2, 2]): fc.Arbitrary<number> =>
  dtype === 'f16' || dtype === 'f32' || dtype === 'f64'
    ? fc.integer({ min: 0, max: 1000 }).map((k) => stored(dtype, low + ((high - low) * k) / 1000))
    : integers[dtype]

/** Arrays of a shape. */
export const arrays = (shape: readonly number[], dtype: DType, elements = numbers(dtype)): fc.Arbitrary<NdArray> =>
  fc.array(elements, { minLength: count(shape), maxLength: count(shape) }).map((data) => ({ shape, dtype, data }))
