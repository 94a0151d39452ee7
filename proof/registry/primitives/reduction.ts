/** Primitives that make one element of many. */
import type fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { count, elementAt, indices, type NdArray } from '../../array.ts'
import {
  arithmeticTypes,
  axesOf,
  badDType,
  badShape,
  distinct,
  entry,
  inputOf,
  isFloating,
  table,
  type Case,
  type Entry,
  type Expected,
} from '../entry.ts'
import { apply } from './node.ts'

/** The terms of each element of the result, combined. */
export const reduced = (x: NdArray, axes: readonly number[], f: (terms: readonly number[]) => number): Expected => {
  const kept = x.shape.flatMap((n, a) => (axes.includes(a) ? [] : [{ n, a }]))
  return table(
    kept.map((k) => k.n),
    (index) =>
      f(
        indices(x.shape)
          .filter((i) => kept.every(({ a }, k) => i[a] === index[k]))
          .map((i) => elementAt(x, i)),
      ),
  )
}

/** The sum, in f64. */
export const sum = (terms: readonly number[]): number => terms.reduce((s, e) => s + e, 0)

const along = (
  input: fc.Arbitrary<NdArray>,
  build: (axes: readonly number[]) => Case['build'],
  f: (terms: readonly number[]) => number,
): fc.Arbitrary<Case> =>
  input.chain((x) =>
    axesOf(x.shape.length).map((axes) => ({ inputs: [x], build: build(axes), oracle: (x) => reduced(x, axes, f) })),
  )

const largest = (dtype: DType): fc.Arbitrary<NdArray> =>
  (isFloating(dtype) ? distinct(dtype, 0) : inputOf(dtype)).filter((x) => count(x.shape) > 0)

/** A row for each. */
export const reductions: { readonly [K in 'reduceSum' | 'reduceMax']: Entry } = {
  reduceSum: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) => along(inputOf(dtype), (axes) => (x) => apply('reduceSum', { axes, dtype }, x), sum),
    differentiableIn: [0],
    linearIn: [0],
    errors: [
      badShape(/^reduceSum: axes \[1,1\] must be different axes of a tensor with 2 axes$/, ['f32[2,3]'], (x) =>
        apply('reduceSum', { axes: [1, 1], dtype: 'f32' }, x),
      ),
      badDType(/^reduceSum: takes numbers; cast bool to i32 first$/, ['bool[2]'], (x) =>
        apply('reduceSum', { axes: [0], dtype: 'bool' }, x),
      ),
    ],
  }),
  reduceMax: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      along(
        largest(dtype),
        (axes) => (x) => apply('reduceMax', { axes }, x),
        (v) => Math.max(...v),
      ),
    differentiableIn: [0],
    lacks: ['empty'], // the largest of nothing is −∞, and no finite difference
    errors: [
      badShape(/^reduceMax: axes \[2\] must be different axes of a tensor with 2 axes$/, ['f32[2,3]'], (x) =>
        apply('reduceMax', { axes: [2] }, x),
      ),
      badDType(/^reduceMax: takes numbers; cast bool to i32 first$/, ['bool[2]'], (x) =>
        apply('reduceMax', { axes: [0] }, x),
      ),
    ],
  }),
}
