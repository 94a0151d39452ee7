/** Leaves and annotations: what holds values, and what passes them on. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { call } from '../../../src/tensor/annotate.ts'
import { constant, tensor } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { shapes, type NdArray } from '../../array.ts'
import { all, arithmeticTypes, badShape, entry, floats, inputOf, one, table, type Case, type Entry } from '../entry.ts'
import { apply } from './node.ts'

/** The value of the first input, whatever happened to it on the way. */
const passing =
  (build: (x: NdArray) => Case['build']) =>
  (dtype: DType): fc.Arbitrary<Case> =>
    inputOf(dtype).map((x) => ({ inputs: [x], build: build(x), oracle: (x) => x }))

/** Rows for the leaves and annotations. */
export const leaves: {
  readonly [K in 'parameter' | 'buffer' | 'constant' | 'iota' | 'alias' | 'stopGradient' | 'barrier' | 'call']: Entry
} = {
  parameter: entry({
    dtypes: all,
    cases: passing(() => (t) => one(t)),
    differentiableIn: [0],
    linearIn: [0],
    errors: [
      badShape(/^a shape holds whole numbers ≥ 0, got \[2,-1\]$/, [], () =>
        apply('parameter', { index: 0, shape: [2, -1], dtype: 'f32' }),
      ),
    ],
  }),
  buffer: entry({
    dtypes: all,
    cases: passing(() => (t) => one(t)),
    errors: [
      badShape(/^tensor: 3 values do not fill \[2\]$/, [], () => tensor([1, 2, 3], { shape: [2] })),
      badShape(/^tensor: rows have different lengths: 1 where 2 is expected$/, [], () => tensor([[1, 2], [3]])),
    ],
    differentiableIn: [0],
    linearIn: [0],
  }),
  constant: entry({
    dtypes: all,
    ends: 'its numbers are part of the program, and no input',
    cases: passing((x) => () => constant([...x.data], { dtype: x.dtype }).reshape(x.shape)),
    errors: [
      badShape(/^tensor: 3 values do not fill \[2,2\]$/, [], () => constant([1, 2, 3], { shape: [2, 2] })),
      badShape(/^a shape holds whole numbers ≥ 0, got \[1\.5\]$/, [], () =>
        apply('constant', { values: new Float32Array(1), shape: [1.5], dtype: 'f32' }),
      ),
    ],
  }),
  iota: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      shapes(1).chain((shape) =>
        fc.nat(shape.length - 1).map((axis) => ({
          inputs: [],
          build: () => apply('iota', { shape, axis, dtype }),
          oracle: () => table(shape, (index) => index[axis] ?? -1),
        })),
      ),
    lacks: ['scalar'],
    errors: [
      badShape(/^a shape holds whole numbers ≥ 0, got \[-1\]$/, [], () =>
        apply('iota', { shape: [-1], axis: 0, dtype: 'i32' }),
      ),
      badShape(/^iota: axes \[1\] must be different axes of a tensor with 1 axes$/, [], () =>
        apply('iota', { shape: [2], axis: 1, dtype: 'i32' }),
      ),
    ],
  }),
  alias: entry({
    dtypes: all,
    cases: passing(() => (t) => apply('alias', {}, t)),
    differentiableIn: [0],
    linearIn: [0],
  }),
  stopGradient: entry({ dtypes: all, cases: passing(() => (t) => apply('stopGradient', {}, t)) }),
  barrier: entry({
    dtypes: all,
    cases: (d) =>
      fc.tuple(inputOf(d), inputOf('i32')).map(([x, y]) => ({
        inputs: [x, y],
        build: (a, b) => apply('barrier', {}, a, b),
        oracle: (x) => x,
      })),
    differentiableIn: [0],
    linearIn: [0],
  }),
  call: entry({
    dtypes: floats,
    cases: (d) =>
      inputOf(d).map((x) => ({
        inputs: [x],
        build: (t) => call('twice', (y: Tensor) => y.add(y))(one(t)),
        oracle: (x) => ({ shape: x.shape, data: x.data.map((e) => 2 * e) }),
      })),
    differentiableIn: [0],
    linearIn: [0],
    errors: [
      badShape(/^twice: called with \[3\]$/, ['f32[2]', 'f32[3]'], (x, y) => {
        const { node } = call('twice', (z: Tensor) => z.add(z))(one(x))
        if (node.op !== 'call') throw new Error('call made no call')
        return apply('call', node.attrs, y)
      }),
    ],
  }),
}
