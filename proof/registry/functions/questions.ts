/** Questions about elements, and about all of them together. */
import fc from 'fast-check'
import { isClose, isFinite, isInf, isNaN } from '../../../src/tensor/comparisons.ts'
import { inputOf, all, arithmeticTypes, badDType, badShape, floats, one, type Entry } from '../entry.ts'
import { noSuchAxis, reduction } from './axes.ts'
import { pairwise, pointwise, smoothNumbers, type Options } from './draw.ts'

const still: Options = { slack: 0, differentiableIn: [] }

/** Zeros and other numbers, so that both answers are common. */
const sometimesZero: Entry['cases'] = (dtype) =>
  reduction(
    (d) => inputOf(d, 0, 4, fc.constantFrom(0, 0, 0, 1)),
    (x, axes, keepDims) => x.any(axes, keepDims),
    (terms) => Number(terms.some((x) => x !== 0)),
    {},
  ).cases(dtype)

/** A row for each. */
export const questions: { readonly [K in 'isNaN' | 'isFinite' | 'isInf' | 'isClose' | 'any' | 'all']: Entry } = {
  isNaN: pointwise(isNaN, (x) => Number(Number.isNaN(x)), { ...still, dtypes: all }),
  isFinite: pointwise(isFinite, (x) => Number(Number.isFinite(x)), { ...still, dtypes: all }),
  isInf: pointwise(isInf, (x) => Number(Math.abs(x) === Infinity), { ...still, dtypes: all }),
  isClose: pairwise(
    'isClose',
    (x, y) => isClose(x, y, { relative: 0.5, absolute: 0.25 }),
    (x, y) => Number(x === y || (Math.abs(x - y) < Infinity && Math.abs(x - y) <= 0.25 + 0.5 * Math.abs(y))),
    {
      ...still,
      left: smoothNumbers,
      ends: { offset: 'in f32, distances of 2²⁰ are all within the tolerance, and rounded' },
      errors: [
        badDType(/^isClose: takes a float, got i32; cast it first$/, ['i32[2]', 'i32[2]'], (x, y) =>
          isClose(one(x), one(y)),
        ),
      ],
    },
  ),
  any: {
    ...reduction(
      (d) => inputOf(d),
      (x, axes, keepDims) => x.any(axes, keepDims),
      (terms) => Number(terms.some((x) => x !== 0)),
      { ...still, dtypes: all, errors: [noSuchAxis('sum', (x) => x.any(2))] },
    ),
    cases: sometimesZero,
  },
  all: reduction(
    (d) => inputOf(d, 0, 4, fc.constantFrom(0, 1, 1, 1)),
    (x, axes, keepDims) => x.all(axes, keepDims),
    (terms) => Number(terms.every((x) => x !== 0)),
    {
      ...still,
      dtypes: [...floats, ...arithmeticTypes.slice(3), 'bool'],
      errors: [
        badShape(/^reduceSum: axes \[1,1\] must be different axes of a tensor with 2 axes$/, ['f32[2,3]'], (x) =>
          one(x).all([1, -1]),
        ),
      ],
    },
  ),
}
