/** Losses under each reduction. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type * as nn from '../../../src/nn/index.ts'
import { binaryCrossEntropy, charbonnier, crossEntropy, huber, l1, mse, type Reduction } from '../../../src/nn/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, shapes, stored, type NdArray } from '../../array.ts'
import { badDType, badShape, entry, one, table, wide, type Entry, type Expected, type Misuse } from '../entry.ts'
import { smoothNumbers } from '../functions/draw.ts'
import { sum } from '../primitives/reduction.ts'
import { softmaxOf, vectorAt } from './plain.ts'

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

const alike = (name: string, f: (x: Tensor, y: Tensor) => Tensor): readonly Misuse[] => {
  const says = (text: string): RegExp => new RegExp(`^${name}: ${text}`)
  const both = (x?: Tensor, y?: Tensor): Tensor => f(one(x), one(y))
  return [
    badShape(
      says(String.raw`\w+ \[2\] against \w+ \[3\]; a loss compares element by element: let`),
      ['f32[2]', 'f32[3]'],
      both,
    ),
    badShape(says(String.raw`\w+ \[3,1\] against \w+ \[3\]; .*reshape\(\[3,1\]\)$`), ['f32[3,1]', 'f32[3]'], both),
    badShape(says(String.raw`\w+ \[2,3\] against \w+ \[3\]; .*broadcastTo\(\[2,3\]\)$`), ['f32[2,3]', 'f32[3]'], both),
    badShape(says(String.raw`\w+ \[1\] against \w+ \[\]; `), ['f32[1]', 'f32[]'], both),
    badDType(says('dtypes f32 and f64 differ; cast one of them$'), ['f32[2]', 'f64[2]'], both),
    badDType(says(String.raw`\w+ of dtype u8; a loss takes floats, cast them first$`), ['u8[2]', 'u8[2]'], both),
  ]
}

/** Why a loss is not tried with labels at the ends: there are none. Its logits are, in the table against PyTorch. */
const labelled = 'labels that are no probability and no class are refused'

const loss = (
  name: string,
  f: Loss,
  oracle: (p: number, t: number) => number,
  target = targets,
  ends: Entry['ends'] = {},
): Entry =>
  entry({
    ends,
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
    errors: alike(name, (x, y) => f(x, y, { reduction: 'mean' })),
  })

const likelihood = (logits: NdArray, labels: NdArray): Expected =>
  table(labels.shape, (index) => {
    const row = vectorAt(logits, [...index, 0])
    const differences = row.map((x) => x - Math.max(...row))
    return Math.log(sum(differences.map(Math.exp))) - (differences[elementAt(labels, index)] ?? NaN)
  })

/** The number of a class for each row, or a probability for each class, which need not sum to 1. */
const labelsOf = (shape: readonly number[], classes: number, dtype: DType): fc.Arbitrary<NdArray> =>
  fc.oneof(
    arrays(shape, 'i32', fc.integer({ min: 0, max: classes - 1 })),
    arrays(
      [...shape, classes],
      dtype,
      fc.integer({ min: 0, max: 100 }).map((k) => stored(dtype, k / 100)),
    ),
  )

/** −Σ p·log softmax(z) of each row. */
const expectedLikelihood = (logits: NdArray, probabilities: NdArray): Expected =>
  table(logits.shape.slice(0, -1), (index) => {
    const p = vectorAt(probabilities, [...index, 0])
    return sum(softmaxOf(vectorAt(logits, [...index, 0])).map((q, i) => -(p[i] ?? NaN) * Math.log(q)))
  })

const crossEntropyEntry: Entry = entry({
  ends: labelled,
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(shapes(0, 2), fc.integer({ min: 1, max: 4 }), reduction)
      .filter(([shape, , r]) => r !== 'mean' || !shape.includes(0))
      .chain(([shape, classes, r]) =>
        fc
          .tuple(arrays([...shape, classes], dtype, smoothNumbers(dtype)), labelsOf(shape, classes, dtype))
          .map(([logits, labels]) => ({
            inputs: [logits, labels],
            build: (x: Tensor | undefined, y: Tensor | undefined) => crossEntropy(one(x), one(y), { reduction: r }),
            oracle: (z, y) => reductions[r](y.dtype === 'i32' ? likelihood(z, y) : expectedLikelihood(z, y)),
          })),
      ),
  differentiableIn: 'floats',
  slack: 8,
  errors: [
    badShape(
      /logits are \[2,3\] and the labels i32\[3\]; labels are integers .*: \[2\]$/,
      ['f32[2,3]', 'i32[3]'],
      (x, y) => crossEntropy(one(x), one(y)),
    ),
    badShape(/i32\[2,1\]; labels are integers/, ['f32[2,3]', 'i32[2,1]'], (x, y) => crossEntropy(one(x), one(y))),
    badShape(/i32\[2,3\]; if they are one-hot, .*labels\.cast\('f32'\)/, ['f32[2,3]', 'i32[2,3]'], (x, y) =>
      crossEntropy(one(x), one(y)),
    ),
    badDType(/labels f32\[2\]; floats are probabilities/, ['f32[2,3]', 'f32[2]'], (x, y) =>
      crossEntropy(one(x), one(y)),
    ),
    badDType(/probabilities have the logits' dtype/, ['f32[2,3]', 'f64[2,3]'], (x, y) => crossEntropy(one(x), one(y))),
    badShape(/the logits are a scalar/, ['f32[]', 'i32[]'], (x, y) => crossEntropy(one(x), one(y))),
  ],
})

/** Functions of two tensors that take a reduction: a new loss without a row here does not compile. */
type LossName = {
  [K in keyof typeof nn]: (typeof nn)[K] extends (x: Tensor, y: Tensor, options?: infer O) => Tensor
    ? 'reduction' extends keyof NonNullable<O>
      ? K
      : never
    : never
}[keyof typeof nn]

/** A row for each. */
export const losses: { readonly [K in LossName]: Entry } = {
  mse: loss('mse', mse, (p, t) => (p - t) ** 2),
  l1: loss('l1', l1, (p, t) => Math.abs(p - t)),
  huber: loss(
    'huber',
    (p, t, options) => huber(p, t, { delta: 0.7, ...options }),
    (p, t) => (Math.abs(p - t) <= 0.7 ? (p - t) ** 2 / 2 : 0.7 * (Math.abs(p - t) - 0.35)),
  ),
  charbonnier: loss(
    'charbonnier',
    (p, t, options) => charbonnier(p, t, { epsilon: 0.7, ...options }),
    (p, t) => Math.hypot(p - t, 0.7),
  ),
  crossEntropy: crossEntropyEntry,
  binaryCrossEntropy: loss(
    'binaryCrossEntropy',
    binaryCrossEntropy,
    (z, y) => (1 - y) * z + Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
    (dtype) => fc.integer({ min: 0, max: 100 }).map((k) => stored(dtype, k / 100)),
    labelled,
  ),
}
