/** Losses under each reduction. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { binaryCrossEntropy, crossEntropy, huber, l1, mse, type Reduction } from '../../../src/nn/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, shapes, stored, type NdArray } from '../../array.ts'
import { badDType, badShape, entry, one, table, wide, type Entry, type Expected, type Misuse } from '../entry.ts'
import { smoothNumbers } from '../functions/draw.ts'
import { sum } from '../primitives/reduction.ts'
import { vectorAt } from './plain.ts'

const reductions: { readonly [K in Reduction]: (losses: Expected) => Expected } = {
  mean: ({ data }) => ({ shape: [], data: [sum(data) / data.length] }),
  sum: ({ data }) => ({ shape: [], data: [sum(data)] }),
  none: (losses) => losses,
}

const reduction: fc.Arbitrary<Reduction> = fc.constantFrom('mean', 'sum', 'none')

/** Multiples of 0.005, so that differences from {@link smoothNumbers} stay away from 0 and other such multiples. */
const targets = (dtype: DType): fc.Arbitrary<number> =>
  fc.integer({ min: -500, max: 500 }).map((k) => stored(dtype, k / 200))

type Loss = (prediction: Tensor, target: Tensor, options: { readonly reduction: Reduction }) => Tensor

const disagree = (f: (x: Tensor, y: Tensor) => Tensor): readonly Misuse[] => [
  badShape(/\[(2|3)\] and \[(2|3)\] do not broadcast: axis -1/, ['f32[2]', 'f32[3]'], (x, y) => f(one(x), one(y))),
  badDType(/dtypes (f32 and f64|f64 and f32) differ; cast one of them$/, ['f32[2]', 'f64[2]'], (x, y) =>
    f(one(x), one(y)),
  ),
]

const loss = (f: Loss, oracle: (p: number, t: number) => number, target = targets): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      fc
        .tuple(shapes(0, 3), reduction)
        .filter(([shape, r]) => r !== 'mean' || !shape.includes(0)) // the mean of nothing is no number
        .chain(([shape, r]) =>
          fc.tuple(arrays(shape, dtype, smoothNumbers(dtype)), arrays(shape, dtype, target(dtype))).map(([p, t]) => ({
            inputs: [p, t],
            build: (x: Tensor | undefined, y: Tensor | undefined) => f(one(x), one(y), { reduction: r }),
            oracle: (p, t) =>
              reductions[r]({ shape: p.shape, data: p.data.map((e, i) => oracle(e, t.data[i] ?? NaN)) }),
          })),
        ),
    differentiableIn: [0, 1],
    slack: 8,
    errors: disagree((x, y) => f(x, y, { reduction: 'mean' })),
  })

const likelihood = (logits: NdArray, labels: NdArray): Expected =>
  table(labels.shape, (index) => {
    const row = vectorAt(logits, [...index, 0])
    const differences = row.map((x) => x - Math.max(...row))
    return Math.log(sum(differences.map(Math.exp))) - (differences[elementAt(labels, index)] ?? NaN)
  })

const crossEntropyEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(shapes(0, 2), fc.integer({ min: 1, max: 4 }), reduction)
      .filter(([shape, , r]) => r !== 'mean' || !shape.includes(0))
      .chain(([shape, classes, r]) =>
        fc
          .tuple(
            arrays([...shape, classes], dtype, smoothNumbers(dtype)),
            arrays(shape, 'i32', fc.integer({ min: 0, max: classes - 1 })),
          )
          .map(([logits, labels]) => ({
            inputs: [logits, labels],
            build: (x: Tensor | undefined, y: Tensor | undefined) => crossEntropy(one(x), one(y), { reduction: r }),
            oracle: (logits, labels) => reductions[r](likelihood(logits, labels)),
          })),
      ),
  differentiableIn: [0],
  slack: 8,
  errors: [badShape(/do not broadcast/, ['f32[2,3]', 'i32[3]'], (x, y) => crossEntropy(one(x), one(y)))],
})

/** A row for each. */
export const losses: { readonly [K in 'mse' | 'l1' | 'huber' | 'crossEntropy' | 'binaryCrossEntropy']: Entry } = {
  mse: loss(mse, (p, t) => (p - t) ** 2),
  l1: loss(l1, (p, t) => Math.abs(p - t)),
  huber: loss(
    (p, t, options) => huber(p, t, { delta: 0.7, ...options }),
    (p, t) => (Math.abs(p - t) <= 0.7 ? (p - t) ** 2 / 2 : 0.7 * (Math.abs(p - t) - 0.35)),
  ),
  crossEntropy: crossEntropyEntry,
  binaryCrossEntropy: loss(
    binaryCrossEntropy,
    (z, y) => (1 - y) * z + Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
    (dtype) => fc.integer({ min: 0, max: 100 }).map((k) => stored(dtype, k / 100)),
  ),
}
