/** Operations along axes: reductions, normalised exponentials, running sums, orders. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { argmax, argsort, sort } from '../../../src/tensor/combine.ts'
import { cumsum } from '../../../src/tensor/cumsum.ts'
import { logSoftmax, logSumExp, softmax } from '../../../src/tensor/softmax.ts'
import { variance } from '../../../src/tensor/variance.ts'
import type { Axes } from '../../../src/tensor/axes.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { count, type NdArray } from '../../array.ts'
import {
  arithmeticTypes,
  badDType,
  badShape,
  distinct,
  entry,
  inputOf,
  isFloating,
  one,
  table,
  wholes,
  wide,
  type Case,
  type Entry,
  type Misuse,
} from '../entry.ts'
import { precedes, sortedOrder } from '../primitives/indexing.ts'
import { reduced, sum } from '../primitives/reduction.ts'
import { alongAxis, line, smoothArrays } from './draw.ts'

/** Axes as they are given to a reduction, and which those are. */
const axesFor = (rank: number): fc.Arbitrary<{ readonly given: Axes; readonly axes: readonly number[] }> => {
  const everything = Array.from({ length: rank }, (_, i) => i)
  const signed = (axes: readonly number[], fromEnd: boolean): readonly number[] =>
    axes.map((a) => (fromEnd ? a - rank : a))
  const list = fc
    .tuple(fc.shuffledSubarray(everything), fc.boolean())
    .map(([axes, fromEnd]) => ({ given: signed(axes, fromEnd), axes }))
  const single = fc
    .tuple(fc.nat(Math.max(0, rank - 1)), fc.boolean())
    .map(([axis, fromEnd]) => ({ given: fromEnd ? axis - rank : axis, axes: [axis] }))
  const whole = fc.constant({ given: undefined, axes: everything })
  return rank === 0 ? fc.oneof(whole, list) : fc.oneof(whole, list, single)
}

/** An operation that reduces over axes given in any form. */
export const reduction = (
  input: (dtype: DType) => fc.Arbitrary<NdArray>,
  f: (x: Tensor, axes: Axes, keepDims: boolean) => Tensor,
  oracle: (terms: readonly number[], dtype: DType) => number,
  options: Partial<Entry>,
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      input(dtype).chain((x) =>
        fc.tuple(axesFor(x.shape.length), fc.boolean()).map(([{ given, axes }, keepDims]): Case => {
          const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n))
          return {
            inputs: [x],
            build: (t) => f(one(t), given, keepDims),
            oracle: (x) => {
              const { shape, data } = reduced(x, axes, (terms) => oracle(terms, dtype))
              return { shape: keepDims ? kept : shape, data }
            },
          }
        }),
      ),
    differentiableIn: [0],
    slack: 8,
    ...options,
  })

/** An axis that is not there. */
export const noSuchAxis = (name: string, f: (x: Tensor) => Tensor): Misuse =>
  badShape(new RegExp(`^${name}: axis 2 does not exist in a tensor of 2 axes$`), ['f32[2,3]'], (x) => f(one(x)))

/** Arrays with elements. */
export const full = (dtype: DType): fc.Arbitrary<NdArray> => smoothArrays(dtype).filter((x) => count(x.shape) > 0)

const meanOf = (terms: readonly number[]): number => sum(terms) / terms.length

/** An operation on each line along an axis. */
export const rowwise = (
  f: (x: Tensor, axis: number) => Tensor,
  oracle: (line: readonly number[], i: number) => number,
  options: Partial<Entry>,
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      alongAxis(smoothArrays(dtype, 1)).map(({ x, axis, given }) => ({
        inputs: [x],
        build: (t) => f(one(t), given),
        oracle: (x) => table(x.shape, (index) => oracle(line(x, axis, index), index[axis] ?? 0)),
      })),
    differentiableIn: [0],
    slack: 8,
    lacks: ['scalar'],
    ...options,
  })

/** log Σ eˣ of numbers none of which need be near 0. */
const logSum = (terms: readonly number[]): number => {
  const largest = Math.max(...terms)
  return Math.abs(largest) === Infinity ? largest : largest + Math.log(sum(terms.map((x) => Math.exp(x - largest))))
}

/** x − log Σ eˣ of the i-th, the largest taken off first. */
const logShare = (terms: readonly number[], i: number): number => {
  const differences = terms.map((x) => x - Math.max(...terms))
  return (differences[i] ?? NaN) - Math.log(sum(differences.map(Math.exp)))
}

/** Numbers with an order: distinct ones, and any. */
export const orderly = (dtype: DType): fc.Arbitrary<NdArray> =>
  isFloating(dtype) ? fc.oneof(distinct(dtype, 1), inputOf(dtype, 1, 3)) : inputOf(dtype, 1, 3)

/** Floats without any number, 0 elsewhere. */
export const undefinedOf = (dtype: DType): fc.Arbitrary<NdArray> =>
  inputOf(dtype, 1, 3, fc.constant(isFloating(dtype) ? NaN : 0))

/** NaN counts as the largest. */
const firstLargest = (terms: readonly number[]): number =>
  terms.some(Number.isNaN) ? terms.findIndex(Number.isNaN) : terms.indexOf(Math.max(...terms))

const sortCase = (x: NdArray): Case => {
  const last = x.shape.length - 1
  return {
    inputs: [x],
    build: (t) => sort(one(t)),
    oracle: (x) =>
      table(
        x.shape,
        (index) =>
          line(x, last, index).toSorted((a, b) => Number(precedes(b, a)) - Number(precedes(a, b)))[index[last] ?? 0] ??
          NaN,
      ),
  }
}

type ReducingMethod = 'sum' | 'mean' | 'max'

/** The methods that reduce. */
export const reducingMethods: { readonly [K in ReducingMethod]: Entry } = {
  sum: reduction(
    (d) => inputOf(d),
    (x, axes, keepDims) => x.sum(axes, keepDims),
    sum,
    {
      dtypes: arithmeticTypes,
      slack: 0,
      linearIn: [0],
      errors: [
        noSuchAxis('sum', (x) => x.sum(2)),
        badShape(/^reduceSum: axes \[1,1\] must be different axes of a tensor with 2 axes$/, ['f32[2,3]'], (x) =>
          one(x).sum([1, -1]),
        ),
        badDType(/^reduceSum: takes numbers; cast bool to i32 first$/, ['bool[2]'], (x) => one(x).sum()),
      ],
    },
  ),
  mean: reduction(full, (x, axes, keepDims) => x.mean(axes, keepDims), meanOf, {
    linearIn: [0],
    lacks: ['empty'],
    errors: [
      noSuchAxis('mean', (x) => x.mean(2)),
      badDType(/^mean: takes a float, got i32; cast it first$/, ['i32[2]'], (x) => one(x).mean()),
    ],
  }),
  max: reduction(
    (d) => (isFloating(d) ? distinct(d, 0) : inputOf(d)).filter((x) => count(x.shape) > 0),
    (x, axes, keepDims) => x.max(axes, keepDims),
    (terms) => Math.max(...terms),
    {
      dtypes: arithmeticTypes,
      slack: 0,
      lacks: ['empty'],
      errors: [
        noSuchAxis('max', (x) => x.max(2)),
        badShape(/^max: axis 1 of \[2,0\] has no elements to choose from$/, ['f32[2,0]'], (x) => one(x).max(1)),
        badDType(/^reduceMax: takes numbers; cast bool to i32 first$/, ['bool[2]'], (x) => one(x).max()),
      ],
    },
  ),
}

type AxisFunction = 'softmax' | 'logSoftmax' | 'logSumExp' | 'variance' | 'cumsum' | 'sort' | 'argsort' | 'argmax'

/** The functions along an axis. */
export const axisFunctions: { readonly [K in AxisFunction]: Entry } = {
  softmax: rowwise(softmax, (l, i) => Math.exp(logShare(l, i)), {
    errors: [
      noSuchAxis('softmax', (x) => softmax(x, 2)),
      badDType(/^exp: takes a float, got i32/, ['i32[2]'], (x) => softmax(one(x))),
    ],
  }),
  logSoftmax: rowwise(logSoftmax, logShare, {
    errors: [noSuchAxis('logSoftmax', (x) => logSoftmax(x, 2))],
  }),
  logSumExp: entry({
    dtypes: wide,
    cases: (dtype) =>
      fc.tuple(alongAxis(smoothArrays(dtype, 1)), fc.boolean()).map(([{ x, axis, given }, keepDims]) => ({
        inputs: [x],
        build: (t) => logSumExp(one(t), given, keepDims),
        oracle: (x) => {
          const { shape, data } = reduced(x, [axis], logSum)
          return { shape: keepDims ? x.shape.map((n, i) => (i === axis ? 1 : n)) : shape, data }
        },
      })),
    differentiableIn: [0],
    slack: 8,
    lacks: ['scalar'],
    errors: [noSuchAxis('logSumExp', (x) => logSumExp(x, 2))],
  }),
  variance: reduction(full, variance, (terms) => meanOf(terms.map((v) => (v - meanOf(terms)) ** 2)), {
    lacks: ['empty'],
    ends: { offset: 'the mean is rounded, as in PyTorch, and the square of what it lacks is in the variance' },
    errors: [noSuchAxis('mean', (x) => variance(x, 2))],
  }),
  cumsum: rowwise(cumsum, (l, i) => sum(l.slice(0, i + 1)), {
    dtypes: [...wide, ...wholes],
    linearIn: [0],
    errors: [noSuchAxis('cumsum', (x) => cumsum(x, 2))],
  }),
  sort: entry({
    dtypes: arithmeticTypes,
    cases: (d) => orderly(d).map(sortCase),
    smooth: distinct('f64', 1).map(sortCase),
    differentiableIn: [0],
    lacks: ['scalar'],
    errors: [badShape(/^argsort: axis -1 does not exist in a tensor of 0 axes$/, ['f32[]'], (x) => sort(one(x)))],
  }),
  argsort: entry({
    dtypes: arithmeticTypes,
    cases: (d) =>
      alongAxis(orderly(d)).map(({ x, axis, given }) => ({
        inputs: [x],
        build: (t) => argsort(one(t), given),
        oracle: (x) => sortedOrder(x, axis),
      })),
    lacks: ['scalar'],
    errors: [noSuchAxis('argsort', (x) => argsort(x, 2))],
  }),
  argmax: entry({
    dtypes: arithmeticTypes,
    cases: (d) =>
      alongAxis(fc.oneof({ weight: 3, arbitrary: orderly(d) }, { weight: 1, arbitrary: undefinedOf(d) })).map(
        ({ x, axis, given }) => ({
          inputs: [x],
          build: (t) => argmax(one(t), given),
          oracle: (x) => reduced(x, [axis], firstLargest),
        }),
      ),
    weight: 3,
    lacks: ['scalar'],
    errors: [
      noSuchAxis('argmax', (x) => argmax(x, 2)),
      badShape(/^argmax: axis 1 of \[2,0\] has no elements to choose from$/, ['f32[2,0]'], (x) => argmax(one(x))),
    ],
  }),
}
