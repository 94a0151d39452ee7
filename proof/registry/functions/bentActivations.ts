/** Activations made of exponentials, of straight pieces and of gates, from their papers' formulas. */
import { celu, elu, mish, selu } from '../../../src/tensor/exponentialUnits.ts'
import { glu, swiglu } from '../../../src/tensor/gatedUnits.ts'
import { hardsigmoid, hardswish, relu6, softsign } from '../../../src/tensor/hardActivations.ts'
import { softmin } from '../../../src/tensor/softmax.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { elementAt, type NdArray } from '../../array.ts'
import { badDType, badRange, badShape, entry, one, table, wide, type Entry } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'
import { alongAxis, line, pointwise, smoothArrays } from './draw.ts'

const clamp = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x)

const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** Of numbers in [−10, 10]. */
const farther = (f: (x: Tensor) => Tensor, oracle: (x: number) => number): Entry =>
  pointwise(
    (x) => f(x.mul(4)),
    (x) => oracle(4 * x),
  )

type Gate = (a: number, b: number) => number

/** A gate along an axis, from pairs of elements. */
const gated = (name: string, f: (x: Tensor, axis?: number) => Tensor, gate: Gate): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      alongAxis(smoothArrays(dtype, 1))
        .filter(({ x, axis }) => (x.shape[axis] ?? 0) % 2 === 0)
        .map(({ x, axis, given }) => ({
          inputs: [x],
          build: (t) => f(one(t), given),
          oracle: (x: NdArray) => {
            const half = (x.shape[axis] ?? 0) / 2
            const moved = (index: readonly number[]): readonly number[] =>
              index.map((i, a) => (a === axis ? i + half : i))
            return table(
              x.shape.map((n, a) => (a === axis ? half : n)),
              (index) => gate(elementAt(x, index), elementAt(x, moved(index))),
            )
          },
        })),
    differentiableIn: [0],
    slack: 8,
    lacks: ['scalar', 'one', 'odd'],
    errors: [
      badShape(
        new RegExp(`^${name}: axis -1 of \\[2,3\\] has no two halves; give an even length$`),
        ['f32[2,3]'],
        (x) => f(one(x)),
      ),
    ],
  })

type Bent =
  | 'elu'
  | 'selu'
  | 'celu'
  | 'mish'
  | 'relu6'
  | 'hardsigmoid'
  | 'hardswish'
  | 'softsign'
  | 'glu'
  | 'swiglu'
  | 'softmin'

/** A row for each. */
export const bentActivations: { readonly [K in Bent]: Entry } = {
  elu: pointwise(
    (x) => elu(x, 0.7),
    (x) => (x > 0 ? x : 0.7 * Math.expm1(x)),
    { errors: [badDType(/^0\.5 is not a number of dtype i32/, ['i32[2]'], (x) => elu(one(x)))] },
  ),
  selu: pointwise(selu, (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))),
  celu: pointwise(
    (x) => celu(x, 0.7),
    (x) => (x > 0 ? x : 0.7 * Math.expm1(x / 0.7)),
    { errors: [badRange(/^celu: alpha is 0; .*: relu is the limit$/, ['f32[2]'], (x) => celu(one(x), 0))] },
  ),
  mish: pointwise(mish, (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))), {
    ends: { infinities: '0 · ∞ at −∞, as in PyTorch' },
  }),
  relu6: farther(relu6, (x) => clamp(x, 0, 6)),
  hardsigmoid: farther(hardsigmoid, (x) => clamp(x + 3, 0, 6) / 6),
  hardswish: farther(hardswish, (x) => (x * clamp(x + 3, 0, 6)) / 6),
  softsign: pointwise(softsign, (x) => x / (1 + Math.abs(x))),
  glu: gated('glu', glu, (a, b) => a * logistic(b)),
  swiglu: gated('swiglu', swiglu, (a, b) => a * logistic(a) * b),
  softmin: entry({
    dtypes: wide,
    cases: (dtype) =>
      alongAxis(smoothArrays(dtype, 1)).map(({ x, axis, given }) => ({
        inputs: [x],
        build: (t) => softmin(one(t), given),
        oracle: (x) =>
          table(x.shape, (index) => {
            const own = elementAt(x, index)
            return 1 / sum(line(x, axis, index).map((other) => Math.exp(own - other)))
          }),
      })),
    differentiableIn: [0],
    slack: 8,
    lacks: ['scalar'],
    ends: { infinities: 'as the softmax, which is tried' },
    errors: [
      badShape(/^softmax: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]'], (x) => softmin(one(x), 2)),
    ],
  }),
}
