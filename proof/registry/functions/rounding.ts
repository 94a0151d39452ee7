/** Rounding in several directions, bounds, and division that rounds. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { floorDivide, mod, trunc } from '../../../src/tensor/division.ts'
import { arrays, numbers, type NdArray } from '../../array.ts'
import { arithmeticTypes, badDType, entry, isFloating, one, table, type Case, type Entry } from '../entry.ts'
import { remainder, wrapping } from '../primitives/elementwise.ts'
import { broadcastable, pairwise, pointwise, smoothNumbers, stretched, stretchedAt, type Options } from './draw.ts'

/** Halves, which round to the even one, and numbers between. */
const halves = (dtype: DType): fc.Arbitrary<number> =>
  isFloating(dtype)
    ? fc.oneof(
        fc.integer({ min: -9, max: 9 }).map((k) => k / 2),
        smoothNumbers(dtype),
      )
    : numbers(dtype)

const halfToEven = (x: number): number => {
  const below = Math.floor(x)
  const over = x - below
  const goesUp = over > 0.5 || (over === 0.5 && below % 2 !== 0)
  return Number.isFinite(x) ? (goesUp ? below + 1 : below) : x
}

/** Quotients ±1.1 … ±1.9: away from the jumps at whole numbers. */
const between: {
  readonly left: (d: DType) => fc.Arbitrary<number>
  readonly right: (d: DType) => fc.Arbitrary<number>
} = {
  left: (d) => fc.oneof(numbers(d, [2.1, 2.9]), numbers(d, [-2.9, -2.1])),
  right: (d) => (isFloating(d) ? fc.oneof(numbers(d, [1.6, 1.9]), numbers(d, [-1.9, -1.6])) : numbers(d)),
}

const floorDivided = (x: number, y: number): number => {
  if (y === 0) return x / y
  const r = remainder(x, y)
  const q = Math.round((x - r) / y)
  return Number.isNaN(r) ? NaN : r !== 0 && r < 0 !== y < 0 ? q - 1 : q
}

const bigFloor = (x: bigint, y: bigint): bigint =>
  y === 0n ? 0n : x / y - (x % y !== 0n && x % y < 0n !== y < 0n ? 1n : 0n)

const moduloOf = (x: number, y: number): number => {
  const r = remainder(x, y)
  return r !== 0 && r < 0 !== y < 0 ? r + y : r
}

const clamped = (x: number, low: number, high: number): number => {
  if ([x, low, high].some(Number.isNaN)) return NaN
  return Math.min(Math.max(x, low), high)
}

/** Bounds that are tensors or numbers, either of which may be absent. */
const clampings = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(broadcastable(3), fc.constantFrom('both', 'low', 'high', 'numbers'))
    .chain(([[a = [], b = [], c = []], kind]) =>
      fc.tuple(
        arrays(a, dtype, smoothNumbers(dtype)),
        arrays(b, dtype, numbers(dtype, [-1, -0.5])),
        arrays(c, dtype, numbers(dtype, [0.5, 1])),
        fc.constant(kind),
      ),
    )
    .map(([x, low, high, kind]): Case => {
      const others = kind === 'both' ? [low, high] : kind === 'low' ? [low] : kind === 'high' ? [high] : []
      const shape = stretched([x, ...others].map((t) => t.shape))
      const pick = (of: NdArray | undefined, i: readonly number[], absent: number): number =>
        of === undefined ? absent : stretchedAt(of, i)
      return {
        inputs: [x, ...others],
        build: (t, p, q) =>
          kind === 'both'
            ? one(t).clamp(one(p), one(q))
            : kind === 'low'
              ? one(t).clamp(p)
              : kind === 'high'
                ? one(t).clamp(undefined, p)
                : one(t).clamp(1, 2),
        oracle: (x, p, q) =>
          table(shape, (i) =>
            clamped(
              stretchedAt(x, i),
              kind === 'high' ? -Infinity : pick(p, i, 1),
              kind === 'low' ? Infinity : pick(kind === 'high' ? p : q, i, 2),
            ),
          ),
      }
    })

const floats: Options = { slack: 0, differentiableIn: [] }

/** A row for each. */
export const roundingFunctions: {
  readonly [K in 'ceil' | 'round' | 'sign' | 'clamp' | 'trunc' | 'floorDivide' | 'mod']: Entry
} = {
  ceil: pointwise((x) => x.ceil(), Math.ceil, {
    ...floats,
    elements: halves,
    errors: [badDType(/^floor: takes a float, got i32; cast it first$/, ['i32[2]'], (x) => one(x).ceil())],
  }),
  round: pointwise((x) => x.round(), halfToEven, {
    ...floats,
    elements: halves,
    errors: [badDType(/^floor: takes a float, got i32; cast it first$/, ['i32[2]'], (x) => one(x).round())],
  }),
  sign: pointwise((x) => x.sign(), Math.sign, {
    ...floats,
    dtypes: arithmeticTypes,
    errors: [badDType(/^sign: takes a number, got bool; cast it first$/, ['bool[2]'], (x) => one(x).sign())],
  }),
  clamp: entry({
    dtypes: arithmeticTypes,
    cases: clampings,
    smooth: clampings('f64').filter(({ inputs: [, low, high] }) =>
      [low, high].every((t) => t === undefined || t.data.every((e) => Math.abs(e * 200 - Math.round(e * 200)) < 1e-9)),
    ),
    differentiableIn: 'floats',
    errors: [
      badDType(/^0\.5 is not a number of dtype i32; cast the tensor to a float first$/, ['i32[2]'], (x) =>
        one(x).clamp(0.5),
      ),
    ],
  }),
  trunc: pointwise(trunc, Math.trunc, {
    ...floats,
    elements: halves,
    errors: [badDType(/^trunc: takes a float, got i32; cast it first$/, ['i32[2]'], (x) => trunc(one(x)))],
  }),
  floorDivide: pairwise('floorDivide', floorDivide, wrapping(floorDivided, bigFloor), {
    ...between,
    ...floats,
    dtypes: arithmeticTypes,
    ends: { offset: 'the quotient of two large numbers is near a jump' },
  }),
  mod: pairwise(
    'mod',
    mod,
    wrapping(moduloOf, (x, y) => (y === 0n ? 0n : x - y * bigFloor(x, y))),
    { ...between, dtypes: arithmeticTypes },
  ),
}
