/** Reductions, running products and maxima, and what an order of the elements gives. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { cummax, cumprod } from '../../../src/tensor/cumulative.ts'
import { norm } from '../../../src/tensor/norms.ts'
import { median, quantile, topK } from '../../../src/tensor/orders.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { count, numbers, type NdArray } from '../../array.ts'
import {
  arithmeticTypes,
  badDType,
  badRange,
  badShape,
  distinct,
  entry,
  inputOf,
  isFloating,
  one,
  table,
  wide,
  wholes,
  type Case,
  type Entry,
} from '../entry.ts'
import { precedes } from '../primitives/indexing.ts'
import { reduced, sum } from '../primitives/reduction.ts'
import { full, noSuchAxis, orderly, reduction, rowwise, undefinedOf } from './axes.ts'
import { alongAxis, line } from './draw.ts'

const productOf = (terms: readonly number[], dtype: DType): number =>
  isFloating(dtype)
    ? terms.reduce((p, x) => p * x, 1)
    : Number(
        BigInt.asUintN(
          32,
          terms.reduce((p, x) => p * BigInt(x), 1n),
        ),
      )

const meanOf = (terms: readonly number[]): number => sum(terms) / terms.length

const deviation = (terms: readonly number[]): number => Math.sqrt(meanOf(terms.map((v) => (v - meanOf(terms)) ** 2)))

/** NaN counts as the smallest. */
const firstSmallest = (terms: readonly number[]): number =>
  terms.some(Number.isNaN) ? terms.findIndex(Number.isNaN) : terms.indexOf(Math.min(...terms))

const normOf = (terms: readonly number[], p: number): number => {
  const sizes = terms.map(Math.abs)
  if (p === Infinity) return Math.max(...sizes)
  if (p === -Infinity) return Math.min(...sizes)
  if (p === 0) return sizes.filter((x) => x !== 0).length
  return sum(sizes.map((x) => x ** p)) ** (1 / p)
}

const exponents = [2, 1, 3, 0, 1.5, -1, Infinity, -Infinity]

const normCases = (
  p: fc.Arbitrary<number>,
  input: (d: DType) => fc.Arbitrary<NdArray>,
): ((dtype: DType) => fc.Arbitrary<Case>) => {
  const of = (exponent: number): Entry =>
    reduction(
      input,
      (x, axes, keepDims) => norm(x, exponent, axes, keepDims),
      (terms) => normOf(terms, exponent),
      {},
    )
  return (dtype) => p.chain((exponent) => of(exponent).cases(dtype))
}

/** Away from 0, where norms have kinks. */
const farFromZero = (dtype: DType): fc.Arbitrary<NdArray> =>
  inputOf(dtype, 0, 3, fc.oneof(numbers(dtype, [0.5, 2]), numbers(dtype, [-2, -0.5]))).filter((x) => count(x.shape) > 0)

const sorted = (terms: readonly number[]): readonly number[] =>
  terms.toSorted((a, b) => Number(precedes(b, a)) - Number(precedes(a, b)))

const quantileOf = (terms: readonly number[], q: number): number => {
  if (terms.some(Number.isNaN)) return NaN
  const place = q * (terms.length - 1)
  const [below, above] = [sorted(terms)[Math.floor(place)] ?? NaN, sorted(terms)[Math.ceil(place)] ?? NaN]
  return place === Math.floor(place) ? below : below + (above - below) * (place - Math.floor(place))
}

const medianOf = (terms: readonly number[]): number =>
  terms.some(Number.isNaN) ? NaN : (sorted(terms)[Math.floor((terms.length - 1) / 2)] ?? NaN)

/** Over one axis, or (undefined) all. */
const overOneOrAll = (
  input: fc.Arbitrary<NdArray>,
  f: (x: Tensor, axis: number | undefined) => Tensor,
  oracle: (terms: readonly number[]) => number,
): fc.Arbitrary<Case> =>
  fc.tuple(alongAxis(input), fc.boolean()).map(([{ x, axis, given }, whole]) => ({
    inputs: [x],
    build: (t) => f(one(t), whole ? undefined : given),
    oracle: (x) => reduced(x, whole ? [...x.shape.keys()] : [axis], oracle),
  }))

const filled = (d: DType): fc.Arbitrary<NdArray> => orderly(d).filter((x) => count(x.shape) > 0)

const quantiles = (input: fc.Arbitrary<NdArray>): fc.Arbitrary<Case> =>
  fc.constantFrom(0, 0.25, 0.5, 0.8, 1).chain((q) =>
    overOneOrAll(
      input,
      (x, axis) => quantile(x, q, axis),
      (terms) => quantileOf(terms, q),
    ),
  )

const largest = (input: fc.Arbitrary<NdArray>): fc.Arbitrary<Case> =>
  fc.tuple(alongAxis(input), fc.nat(3)).map(([{ x, axis, given }, k]) => {
    const kept = Math.min(k, x.shape[axis] ?? 0)
    return {
      inputs: [x],
      build: (t) => topK(one(t), kept, given).values,
      oracle: (x) =>
        table(
          x.shape.map((n, a) => (a === axis ? kept : n)),
          (index) => sorted(line(x, axis, index)).toReversed()[index[axis] ?? 0] ?? NaN,
        ),
    }
  })

type Name = 'min' | 'prod' | 'std' | 'norm' | 'argmin' | 'cumprod' | 'cummax' | 'topK' | 'median' | 'quantile'

/** A row for each. */
export const reducingFunctions: { readonly [K in Name]: Entry } = {
  min: reduction(
    (d) => (isFloating(d) ? distinct(d, 0) : inputOf(d)).filter((x) => count(x.shape) > 0),
    (x, axes, keepDims) => x.min(axes, keepDims),
    (terms) => Math.min(...terms),
    {
      dtypes: arithmeticTypes,
      slack: 0,
      lacks: ['empty'],
      errors: [
        noSuchAxis('min', (x) => x.min(2)),
        badShape(/^min: axis 1 of \[2,0\] has no elements to choose from$/, ['f32[2,0]'], (x) => one(x).min(1)),
        badDType(/^reduceMax: takes numbers; cast bool to i32 first$/, ['bool[2]'], (x) => one(x).min()),
      ],
    },
  ),
  prod: reduction(
    (d) => inputOf(d, 0, 3),
    (x, axes, keepDims) => x.prod(axes, keepDims),
    productOf,
    {
      dtypes: [...wide, ...wholes],
      errors: [
        noSuchAxis('prod', (x) => x.prod(2)),
        badDType(/^mul: takes numbers; cast bool first, got bool$/, ['bool[2]'], (x) => one(x).prod()),
      ],
    },
  ),
  std: reduction(full, (x, axes, keepDims) => x.std(axes, keepDims), deviation, {
    lacks: ['empty'],
    smooth: distinct('f64', 1)
      .filter((x) => (x.shape.at(-1) ?? 0) > 2)
      .map((x) => ({ inputs: [x], build: (t) => one(t).std(-1) })),
    ends: { offset: 'the mean is rounded, as in PyTorch, and what it lacks is in the deviation' },
    errors: [noSuchAxis('mean', (x) => x.std(2))],
  }),
  norm: entry({
    dtypes: wide,
    cases: normCases(fc.constantFrom(...exponents), full),
    smooth: normCases(fc.constantFrom(2, 1, 3, 1.5, -1), farFromZero)('f64'),
    differentiableIn: [0],
    slack: 16,
    lacks: ['empty'],
    errors: [
      noSuchAxis('norm', (x) => norm(x, Infinity, 2)),
      badDType(/^norm: takes a float, got i32; cast it first$/, ['i32[2]'], (x) => norm(one(x))),
      badRange(/^norm: p is NaN; it is a number or ±Infinity$/, ['f32[2]'], (x) => norm(one(x), NaN)),
      badShape(/^norm: axis 0 of \[0\] has no elements to choose from$/, ['f32[0]'], (x) => norm(one(x), Infinity)),
    ],
  }),
  argmin: entry({
    dtypes: arithmeticTypes,
    cases: (d) =>
      alongAxis(fc.oneof({ weight: 3, arbitrary: orderly(d) }, { weight: 1, arbitrary: undefinedOf(d) })).map(
        ({ x, axis, given }) => ({
          inputs: [x],
          build: (t) => one(t).argmin(given),
          oracle: (x) => reduced(x, [axis], firstSmallest),
        }),
      ),
    lacks: ['scalar'],
    errors: [
      noSuchAxis('argmin', (x) => x.argmin(2)),
      badShape(/^argmin: axis 1 of \[2,0\] has no elements to choose from$/, ['f32[2,0]'], (x) => one(x).argmin()),
    ],
  }),
  cumprod: rowwise(cumprod, (l, i) => l.slice(0, i + 1).reduce((p, x) => p * x, 1), {
    errors: [
      noSuchAxis('cumprod', (x) => cumprod(x, 2)),
      badDType(/^cumprod: takes numbers, got bool; cast it first$/, ['bool[2]'], (x) => cumprod(one(x))),
    ],
  }),
  cummax: entry({
    dtypes: arithmeticTypes,
    cases: (d) =>
      alongAxis(orderly(d)).map(({ x, axis, given }) => ({
        inputs: [x],
        build: (t) => cummax(one(t), given),
        oracle: (x) => table(x.shape, (i) => Math.max(...line(x, axis, i).slice(0, (i[axis] ?? 0) + 1))),
      })),
    smooth: alongAxis(distinct('f64', 1)).map(({ x, given }) => ({
      inputs: [x],
      build: (t: Tensor | undefined) => cummax(one(t), given),
    })),
    differentiableIn: [0],
    lacks: ['scalar'],
    errors: [
      noSuchAxis('cummax', (x) => cummax(x, 2)),
      badDType(/^cummax: takes numbers, got bool; cast it first$/, ['bool[2]'], (x) => cummax(one(x))),
    ],
  }),
  topK: entry({
    dtypes: arithmeticTypes,
    cases: (d) => largest(orderly(d)),
    smooth: largest(distinct('f64', 1)),
    differentiableIn: [0],
    lacks: ['scalar'],
    errors: [
      badShape(/^topK: k is a whole number from 0 to 3, the length of axis 1 of \[2,3\]; got 4$/, ['f32[2,3]'], (x) =>
        topK(one(x), 4),
      ),
      noSuchAxis('topK', (x) => topK(x, 1, 2).values),
    ],
  }),
  median: entry({
    dtypes: arithmeticTypes,
    cases: (d) => overOneOrAll(filled(d), median, medianOf),
    smooth: overOneOrAll(
      distinct('f64', 1).filter((x) => count(x.shape) > 0),
      median,
      medianOf,
    ),
    differentiableIn: [0],
    lacks: ['scalar', 'empty'],
    errors: [
      noSuchAxis('median', (x) => median(x, 2)),
      badShape(/^median: axis 0 of \[0\] has no elements to choose from$/, ['f32[0]'], (x) => median(one(x))),
    ],
  }),
  quantile: entry({
    dtypes: wide,
    cases: (d) => quantiles(filled(d)),
    smooth: quantiles(distinct('f64', 1).filter((x) => count(x.shape) > 0)),
    differentiableIn: [0],
    slack: 4,
    lacks: ['scalar', 'empty'],
    errors: [
      noSuchAxis('quantile', (x) => quantile(x, 0.5, 2)),
      badRange(/^quantile: q is a share from 0 to 1, got 50$/, ['f32[2]'], (x) => quantile(one(x), 50)),
      badDType(/^quantile: takes a float, got i32; cast it first$/, ['i32[2]'], (x) => quantile(one(x), 0.5)),
    ],
  }),
}
