/** Tensors from nothing. */
import fc from 'fast-check'
import {
  arange,
  eye,
  full,
  iota,
  linspace,
  oneHot,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from '../../../src/tensor/create.ts'
import type { DType } from '../../../src/graph/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, numbers, shapes } from '../../array.ts'
import {
  all,
  arithmeticTypes,
  badDType,
  badShape,
  entry,
  floats,
  inputOf,
  isFloating,
  one,
  table,
  type Entry,
  unread,
} from '../entry.ts'

const filled = (f: (shape: readonly number[], value: number, dtype: DType) => Tensor, fixed?: number): Entry =>
  entry({
    dtypes: all,
    cases: (dtype) =>
      fc.tuple(shapes(), numbers(dtype)).map(([shape, value]) => ({
        inputs: [],
        build: () => f(shape, value, dtype),
        oracle: () => table(shape, () => fixed ?? value),
      })),
    errors: [badShape(/^(broadcast|a shape)/, [], () => f([-1], 0, 'f32'))],
  })

const like = (f: (x: Tensor) => Tensor, value: number): Entry =>
  entry({
    dtypes: all,
    cases: (dtype) =>
      inputOf(dtype).map((x) => ({
        inputs: [x],
        build: (t) => f(one(t)),
        oracle: (x) => ({ shape: x.shape, data: x.data.map(() => value) }),
      })),
  })

type Creation = 'full' | 'zeros' | 'ones' | 'zerosLike' | 'onesLike' | 'iota' | 'arange' | 'eye' | 'oneHot' | 'linspace'

/** A row for each. */
export const creations: { readonly [K in Creation]: Entry } = {
  full: {
    ...filled(full),
    errors: [
      badDType(/^0\.5 is not a number of dtype i32/, [], () => full([2], 0.5, 'i32')),
      badDType(/^300 is not a number of dtype u8, which holds 0 … 255; cast/, [], () => full([2], 300, 'u8')),
      badDType(/^-1 is not a number of dtype u32, which holds 0 … 4294967295/, ['u32[2]'], (x) => one(x).less(-1)),
    ],
  },
  zeros: { ...filled((shape, _, dtype) => zeros(shape, dtype), 0), errors: [] },
  ones: { ...filled((shape, _, dtype) => ones(shape, dtype), 1), errors: [] },
  zerosLike: like(zerosLike, 0),
  onesLike: like(onesLike, 1),
  iota: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      fc.tuple(shapes(1), fc.nat(3), fc.boolean()).map(([shape, a, fromEnd]) => {
        const axis = a % shape.length
        return {
          inputs: [],
          build: () => iota(shape, fromEnd ? axis - shape.length : axis, dtype),
          oracle: () => table(shape, (index) => index[axis] ?? NaN),
        }
      }),
    lacks: ['scalar'],
    errors: [
      badShape(/^a shape holds whole numbers ≥ 0, got \[-1\]$/, [], () => iota([-1], 0)),
      badShape(/^iota: axis 1 does not exist in a tensor of 1 axes$/, [], () => iota([2], 1)),
    ],
  }),
  arange: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      fc.nat(9).map((n) => ({ inputs: [], build: () => arange(n, dtype), oracle: () => table([n], ([i = 0]) => i) })),
    lacks: ['scalar'],
    errors: [badShape(/^a shape holds whole numbers ≥ 0, got \[1\.5\]$/, [], () => arange(1.5))],
  }),
  eye: entry({
    dtypes: all,
    cases: (dtype) =>
      fc.nat(5).map((n) => ({
        inputs: [],
        build: () => eye(n, dtype),
        oracle: () => table([n, n], ([i, j]) => Number(i === j)),
      })),
    lacks: ['scalar'],
  }),
  oneHot: entry({
    dtypes: all,
    cases: (dtype) =>
      fc.tuple(shapes(0, 2), fc.nat(4), fc.constantFrom<DType>('i32', 'u32')).chain(([shape, classes, labelType]) =>
        arrays(shape, labelType, fc.integer({ min: labelType === 'u32' ? 0 : -1, max: classes })).map((labels) => ({
          inputs: [labels],
          build: (t: Tensor | undefined) => oneHot(unread(one(t)), classes, dtype),
          oracle: (labels) => {
            const data = labels.data.flatMap((label) => Array.from({ length: classes }, (_, k) => Number(k === label)))
            return { shape: [...shape, classes], data }
          },
        })),
      ),
  }),
  linspace: entry({
    dtypes: floats,
    cases: (dtype) =>
      fc
        .tuple(numbers('f64'), numbers('f64'), fc.nat(6))
        .filter(() => isFloating(dtype))
        .map(([start, stop, count]) => ({
          inputs: [],
          build: () => linspace(start, stop, count, dtype),
          oracle: () => table([count], ([i = 0]) => (count === 1 ? start : start + ((stop - start) * i) / (count - 1))),
        })),
    slack: 1,
    lacks: ['scalar'],
  }),
}
