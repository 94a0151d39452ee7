/** Losses under each reduction. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type * as nn from '../../../src/nn/index.ts'
import {
  binaryCrossEntropy,
  charbonnier,
  focalLoss,
  hinge,
  huber,
  l1,
  mse,
  smoothL1,
  type Reduction,
} from '../../../src/nn/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, shapes, stored } from '../../array.ts'
import { entry, one, wide, type Entry } from '../entry.ts'
import { smoothNumbers } from '../functions/draw.ts'
import { ofClasses } from './classLosses.ts'
import { alike, labelled, reduction, reductions } from './reductions.ts'

/** Multiples of 0.005, so that differences from {@link smoothNumbers} stay away from 0 and other such multiples. */
const targets = (dtype: DType): fc.Arbitrary<number> =>
  fc.integer({ min: -500, max: 500 }).map((k) => stored(dtype, k / 200))

type Loss = (prediction: Tensor, target: Tensor, options: { readonly reduction: Reduction }) => Tensor

/** A loss of a prediction and a target, element by element. */
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
  ...ofClasses,
  binaryCrossEntropy: loss(
    'binaryCrossEntropy',
    binaryCrossEntropy,
    (z, y) => (1 - y) * z + Math.max(-z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
    (dtype) => fc.integer({ min: 0, max: 100 }).map((k) => stored(dtype, k / 100)),
    labelled,
  ),
  hinge: loss(
    'hinge',
    hinge,
    (p, t) => Math.max(0, 1 - p * t),
    () => fc.constantFrom(-1, 1),
  ),
  smoothL1: loss(
    'smoothL1',
    (p, t, options) => smoothL1(p, t, { beta: 0.7, ...options }),
    (p, t) => (Math.abs(p - t) < 0.7 ? (p - t) ** 2 / 1.4 : Math.abs(p - t) - 0.35),
  ),
  focalLoss: loss(
    'focalLoss',
    focalLoss,
    (z, y) => {
      const p = 1 / (1 + Math.exp(-z))
      const wrong = y * (1 - p) + (1 - y) * p
      return (0.25 * y + 0.75 * (1 - y)) * wrong ** 2 * -(y * Math.log(p) + (1 - y) * Math.log1p(-p))
    },
    (dtype) => fc.integer({ min: 0, max: 100 }).map((k) => stored(dtype, k / 100)),
    labelled,
  ),
}
