/** Losses of classes, of distributions, of vectors and of sequences, in plain numbers. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import {
  cosineEmbeddingLoss,
  cosineSimilarity,
  crossEntropy,
  ctcLoss,
  gaussianNll,
  klDiv,
  nllLoss,
  tripletLoss,
  type Reduction,
} from '../../../src/nn/index.ts'
import { logSoftmax } from '../../../src/tensor/softmax.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, indices, shapes, stored, type NdArray } from '../../array.ts'
import { badDType, badRange, badShape, entry, one, table, wide, type Entry, type Expected } from '../entry.ts'
import { smoothNumbers } from '../functions/draw.ts'
import { sum } from '../primitives/reduction.ts'
import { sizeableArrays } from './module.ts'
import { softmaxOf, vectorAt } from './plain.ts'
import { alike, labelled, reduction, reductions } from './reductions.ts'

const shares = (dtype: DType, least = 0): fc.Arbitrary<number> =>
  fc.integer({ min: least, max: 100 }).map((k) => stored(dtype, k / 100))

/** The number of a class for each row, or a probability for each class, which need not sum to 1. */
const labelsOf = (shape: readonly number[], classes: number, dtype: DType): fc.Arbitrary<NdArray> =>
  fc.oneof(
    arrays(shape, 'i32', fc.integer({ min: 0, max: classes - 1 })),
    arrays([...shape, classes], dtype, shares(dtype)),
  )

interface Counting {
  readonly epsilon: number
  /** The label that is left out, where one is. */
  readonly ignore?: number
}

/** −Σ w·p·log q of each row, with p the labels' probabilities smoothed by ε, and the weights by which the mean divides. */
const ofRows = (logits: NdArray, labels: NdArray, weight: NdArray, { epsilon, ignore }: Counting) => {
  const classes = logits.shape.at(-1) ?? 0
  const hard = labels.dtype === 'i32'
  const rows = indices(logits.shape.slice(0, -1))
  const kept = (index: readonly number[]): boolean => !hard || elementAt(labels, index) !== ignore
  const losses = rows.map((index) => {
    const q = softmaxOf(vectorAt(logits, [...index, 0]))
    const p = hard ? q.map((_, c) => (c === elementAt(labels, index) ? 1 : 0)) : vectorAt(labels, [...index, 0])
    const terms = q.map(
      (share, c) => -((p[c] ?? NaN) * (1 - epsilon) + epsilon / classes) * (weight.data[c] ?? NaN) * Math.log(share),
    )
    return kept(index) ? sum(terms) : 0
  })
  const weights = rows.map((index) => (!hard ? 1 : kept(index) ? (weight.data[elementAt(labels, index)] ?? NaN) : 0))
  return { losses, weights }
}

const reduced = (
  r: Reduction,
  shape: readonly number[],
  losses: readonly number[],
  weights: readonly number[],
): Expected =>
  r === 'mean' ? { shape: [], data: [sum(losses) / sum(weights)] } : reductions[r]({ shape, data: losses })

const someKept = (labels: NdArray, { ignore }: Counting): boolean =>
  labels.dtype !== 'i32' || labels.data.length === 0 || labels.data.some((y) => y !== ignore)

/** Rows of classes with labels and weights, and how they count. */
const classCases = (
  dtype: DType,
  f: (logits: Tensor, labels: Tensor, weight: Tensor, r: Reduction, how: Counting) => Tensor,
  soft: boolean,
) =>
  fc
    .tuple(
      shapes(0, 2),
      fc.integer({ min: 1, max: 4 }),
      reduction,
      fc.constantFrom(0, 0.2),
      fc.constantFrom(undefined, 0, 1),
    )
    .filter(([shape, , r]) => r !== 'mean' || !shape.includes(0))
    .chain(([shape, classes, r, epsilon, ignore]) =>
      fc
        .tuple(
          arrays([...shape, classes], dtype, smoothNumbers(dtype)),
          soft ? labelsOf(shape, classes, dtype) : arrays(shape, 'i32', fc.integer({ min: 0, max: classes - 1 })),
          arrays([classes], dtype, shares(dtype, 20)),
        )
        .map(([logits, labels, weight]) => {
          const how: Counting = {
            epsilon: soft ? epsilon : 0,
            ...(ignore === undefined || labels.dtype !== 'i32' ? {} : { ignore }),
          }
          return { logits, labels, weight, how, r, shape }
        }),
    )
    .filter(({ labels, how, r }) => r !== 'mean' || someKept(labels, how))
    .map(({ logits, labels, weight, how, r, shape }) => ({
      inputs: [logits, labels, weight],
      build: (x?: Tensor, y?: Tensor, w?: Tensor) => f(one(x), one(y), one(w), r, how),
      oracle: (z: NdArray, y: NdArray, w: NdArray) => {
        const { losses, weights } = ofRows(z, y, w, how)
        return reduced(r, shape, losses, weights)
      },
    }))

const ignoring = ({ ignore }: Counting) => (ignore === undefined ? {} : { ignoreIndex: ignore })

const crossEntropyEntry: Entry = entry({
  ends: labelled,
  dtypes: wide,
  cases: (dtype) =>
    classCases(
      dtype,
      (z, y, weight, r, how) =>
        crossEntropy(z, y, { reduction: r, weight, labelSmoothing: how.epsilon, ...ignoring(how) }),
      true,
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
    badShape(
      /^crossEntropy: the weight \[2\] is one number for each class, \[3\]$/,
      ['f32[2,3]', 'i32[2]', 'f32[2]'],
      (x, y, w) => crossEntropy(one(x), one(y), { weight: one(w) }),
    ),
    badRange(/^crossEntropy: labelSmoothing is 2; it must be in \[0, 1\]$/, ['f32[2,3]', 'i32[2]'], (x, y) =>
      crossEntropy(one(x), one(y), { labelSmoothing: 2 }),
    ),
    badRange(/^crossEntropy: ignoreIndex is of integer labels/, ['f32[2,3]', 'f32[2,3]'], (x, y) =>
      crossEntropy(one(x), one(y), { ignoreIndex: 0 }),
    ),
  ],
})

const nllEntry: Entry = entry({
  ends: labelled,
  dtypes: wide,
  cases: (dtype) =>
    classCases(
      dtype,
      (z, y, weight, r, how) => nllLoss(logSoftmax(z), y, { reduction: r, weight, ...ignoring(how) }),
      false,
    ),
  differentiableIn: 'floats',
  slack: 8,
  errors: [
    badDType(/^nllLoss: .* and the labels f32\[2\]; labels are integers/, ['f32[2,3]', 'f32[2]'], (x, y) =>
      nllLoss(one(x), one(y)),
    ),
    badShape(
      /^nllLoss: .* and the labels i32\[3\]; there is a label for each row .*: \[2\]$/,
      ['f32[2,3]', 'i32[3]'],
      (x, y) => nllLoss(one(x), one(y)),
    ),
  ],
})

const klEntry: Entry = entry({
  ends: labelled,
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(shapes(0, 2), fc.integer({ min: 1, max: 4 }), reduction, fc.boolean())
      .filter(([shape, , r]) => r !== 'mean' || !shape.includes(0))
      .chain(([shape, classes, r, logTarget]) =>
        fc
          .tuple(
            arrays([...shape, classes], dtype, smoothNumbers(dtype)),
            arrays([...shape, classes], dtype, logTarget ? smoothNumbers(dtype) : shares(dtype, 20)),
          )
          .map(([q, p]) => ({
            inputs: [q, p],
            build: (x?: Tensor, y?: Tensor) => klDiv(one(x), one(y), { reduction: r, logTarget }),
            oracle: (q: NdArray, p: NdArray) => {
              const losses = table(q.shape.slice(0, -1), (index) => {
                const [a, b] = [vectorAt(q, [...index, 0]), vectorAt(p, [...index, 0])]
                const [own, log] = logTarget ? [b.map(Math.exp), b] : [b, b.map(Math.log)]
                return sum(own.map((v, c) => v * ((log[c] ?? NaN) - (a[c] ?? NaN))))
              })
              return reductions[r](losses)
            },
          })),
      ),
  differentiableIn: 'floats',
  slack: 8,
  lacks: ['scalar'],
  errors: alike('klDiv', klDiv),
})

/** Losses of labels and of probabilities. */
export const ofClasses: { readonly [K in 'crossEntropy' | 'nllLoss' | 'klDiv']: Entry } = {
  crossEntropy: crossEntropyEntry,
  nllLoss: nllEntry,
  klDiv: klEntry,
}

const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((v, i) => v * (b[i] ?? NaN)))

const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))

/** Several arrays of vectors of one shape, [..., C]. */
const vectorsOf = (dtype: DType, count: number): fc.Arbitrary<readonly NdArray[]> =>
  fc
    .tuple(shapes(0, 2), fc.integer({ min: 1, max: 3 }))
    .filter(([shape]) => !shape.includes(0))
    .chain(([shape, c]) => fc.tuple(...Array.from({ length: count }, () => sizeableArrays([...shape, c], dtype))))

/** A number for each row of vectors. */
const perVector = (xs: readonly NdArray[], f: (...vectors: readonly (readonly number[])[]) => number): Expected =>
  table((xs[0]?.shape ?? []).slice(0, -1), (index) => f(...xs.map((x) => vectorAt(x, [...index, 0]))))

const ofVectors: Partial<Entry> = {
  dtypes: wide,
  differentiableIn: 'floats',
  slack: 16,
  elements: 60,
  lacks: ['empty'],
  step: 1e-4,
  ends: 'lengths of ∞ have no direction; the rest is in the table against PyTorch',
}

const cosineEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    vectorsOf(dtype, 2).map((xs) => ({
      inputs: xs,
      build: (a, b) => cosineSimilarity(one(a), one(b)),
      oracle: (...xs) => perVector(xs, (a = [], b = []) => cosine(a, b)),
    })),
  ...ofVectors,
  lacks: ['scalar', 'empty'],
  errors: [
    badShape(/^cosineSimilarity: x \[2\] against y \[3\]/, ['f32[2]', 'f32[3]'], (x, y) =>
      cosineSimilarity(one(x), one(y)),
    ),
    badShape(/^cosineSimilarity: axis 2 does not exist/, ['f32[2]', 'f32[2]'], (x, y) =>
      cosineSimilarity(one(x), one(y), { axis: 2 }),
    ),
  ],
})

const cosineLossEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(vectorsOf(dtype, 2), reduction)
      .chain(([xs, r]) =>
        fc.tuple(
          fc.constant(xs),
          fc.constant(r),
          arrays((xs[0]?.shape ?? []).slice(0, -1), 'i32', fc.constantFrom(-1, 1)),
        ),
      )
      .map(([xs, r, labels]) => ({
        inputs: [...xs, labels],
        build: (a, b, y) => cosineEmbeddingLoss(one(a), one(b), one(y), { reduction: r, margin: -0.217 }),
        oracle: (a: NdArray, b: NdArray, y: NdArray) => {
          const cosines = perVector([a, b], (u = [], v = []) => cosine(u, v))
          const data = cosines.data.map((c, i) => ((y.data[i] ?? 0) > 0 ? 1 - c : Math.max(0, c + 0.217)))
          return reductions[r]({ ...cosines, data })
        },
      })),
  ...ofVectors,
  errors: [
    badShape(
      /^cosineEmbeddingLoss: labels \[3\] for vectors \[2,3\]; .*, \[2\]$/,
      ['f32[2,3]', 'f32[2,3]', 'i32[3]'],
      (x, y, l) => cosineEmbeddingLoss(one(x), one(y), one(l)),
    ),
  ],
})

const tripletEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc.tuple(vectorsOf(dtype, 3), reduction).map(([xs, r]) => ({
      inputs: xs,
      build: (a, p, n) => tripletLoss(one(a), one(p), one(n), { reduction: r, margin: 1.1237 }),
      oracle: (...xs) => {
        const losses = perVector(xs, (a = [], p = [], n = []) => {
          const far = (b: readonly number[]): number => Math.hypot(...a.map((v, i) => v - (b[i] ?? NaN) + 1e-6))
          return Math.max(0, far(p) - far(n) + 1.1237)
        })
        return reductions[r](losses)
      },
    })),
  smooth: vectorsOf('f64', 3)
    .filter(([a, p, n]) => a !== undefined && p !== undefined && n !== undefined)
    .map(([a, p, n]) => ({ a, p, n }))
    .filter(({ a, p, n }) =>
      (a?.data ?? []).every((v, i) => Math.abs(v - (p?.data[i] ?? v)) > 0.01 && Math.abs(v - (n?.data[i] ?? v)) > 0.01),
    )
    .map(({ a, p, n }) => ({
      inputs: [a, p, n].flatMap((x) => x ?? []),
      build: (x, y, z) => tripletLoss(one(x), one(y), one(z), { reduction: 'none', margin: 9 }),
    })),
  ...ofVectors,
  lacks: ['scalar', 'empty'],
  errors: [
    badShape(/^tripletLoss: anchor \[2\] against negative \[3\]/, ['f32[2]', 'f32[2]', 'f32[3]'], (a, p, n) =>
      tripletLoss(one(a), one(p), one(n)),
    ),
    badShape(/^tripletLoss: the anchor is a scalar/, ['f32[]', 'f32[]', 'f32[]'], (a, p, n) =>
      tripletLoss(one(a), one(p), one(n)),
    ),
  ],
})

const gaussianEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(shapes(0, 3), reduction, fc.boolean())
      .filter(([shape, r]) => r !== 'mean' || !shape.includes(0))
      .chain(([shape, r, full]) =>
        fc
          .tuple(
            arrays(shape, dtype, smoothNumbers(dtype)),
            arrays(shape, dtype, smoothNumbers(dtype)),
            arrays(shape, dtype, shares(dtype, 20)),
          )
          .map((xs) => ({
            inputs: xs,
            build: (m?: Tensor, t?: Tensor, v?: Tensor) => gaussianNll(one(m), one(t), one(v), { reduction: r, full }),
            oracle: (m: NdArray, t: NdArray, v: NdArray) =>
              reductions[r]({
                shape: m.shape,
                data: m.data.map((mean, i) => {
                  const [target, variance] = [t.data[i] ?? NaN, v.data[i] ?? NaN]
                  const nll = (Math.log(variance) + (mean - target) ** 2 / variance) / 2
                  return full ? nll + Math.log(2 * Math.PI) / 2 : nll
                }),
              }),
          })),
      ),
  differentiableIn: 'floats',
  slack: 32,
  step: 2e-4,
  ends: 'a variance at the ends is cut or refused; the rest is in the table against PyTorch',
  errors: [
    badShape(/^gaussianNll: mean \[2\] against variance \[3\]/, ['f32[2]', 'f32[2]', 'f32[3]'], (m, t, v) =>
      gaussianNll(one(m), one(t), one(v)),
    ),
    badRange(/^gaussianNll: epsilon is 0; it must be above 0$/, ['f32[2]', 'f32[2]', 'f32[2]'], (m, t, v) =>
      gaussianNll(one(m), one(t), one(v), { epsilon: 0 }),
    ),
  ],
})

/** What a path through time says: repetitions become one, blanks vanish. */
const spoken = (path: readonly number[]): string => path.filter((c, t) => c !== 0 && c !== path[t - 1]).join()

/** −log of the sum over all paths that say the labels. */
const ctcOf = (log: NdArray, labels: NdArray, inputs: NdArray, lengths: NdArray): Expected => {
  const classes = log.shape[2] ?? 0
  return table([log.shape[0] ?? 0], ([n = 0]) => {
    const said = Array.from({ length: lengths.data[n] ?? 0 }, (_, s) => elementAt(labels, [n, s]))
    const time = inputs.data[n] ?? 0
    const paths = indices(Array.from({ length: time }, () => classes)).filter((path) => spoken(path) === said.join())
    const rows = Array.from({ length: time }, (_, t) => softmaxOf(vectorAt(log, [n, t, 0])))
    return -Math.log(sum(paths.map((path) => path.reduce((p, c, t) => p * (rows[t]?.[c] ?? NaN), 1))))
  })
}

const ctcEntry: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc
      .record({
        n: fc.integer({ min: 0, max: 2 }),
        t: fc.integer({ min: 1, max: 4 }),
        c: fc.integer({ min: 2, max: 3 }),
        s: fc.integer({ min: 0, max: 2 }),
      })
      .chain(({ n, t, c, s }) =>
        fc.tuple(
          arrays([n, t, c], dtype, smoothNumbers(dtype)),
          arrays([n, s], 'i32', fc.integer({ min: 1, max: c - 1 })),
          arrays([n], 'i32', fc.integer({ min: 1, max: t })),
          arrays([n], 'i32', fc.integer({ min: 0, max: s })),
        ),
      )
      .filter((xs) => ctcOf(...xs).data.every(Number.isFinite))
      .map((xs) => ({
        inputs: xs,
        build: (...ts: readonly Tensor[]) =>
          ctcLoss(logSoftmax(one(ts[0])), one(ts[1]), one(ts[2]), one(ts[3]), { reduction: 'none' }),
        oracle: (log: NdArray, labels: NdArray, inputs: NdArray, lengths: NdArray) =>
          ctcOf(log, labels, inputs, lengths),
      })),
  differentiableIn: [0],
  slack: 32,
  weight: 2,
  lacks: ['scalar'],
  ends: 'log-probabilities at the ends are in the table against PyTorch',
  errors: [
    badShape(
      /^ctcLoss: .*; they are \[N, T, classes\], \[N, S\], \[N\] and \[N\]/,
      ['f32[2,3,4]', 'i32[3,1]', 'i32[2]', 'i32[2]'],
      (x, y, i, l) => ctcLoss(one(x), one(y), one(i), one(l)),
    ),
    badDType(
      /^ctcLoss: .* labels and lengths are integers, got f32/,
      ['f32[2,3,4]', 'i32[2,1]', 'f32[2]', 'i32[2]'],
      (x, y, i, l) => ctcLoss(one(x), one(y), one(i), one(l)),
    ),
    badRange(/^ctcLoss: the blank 4 is outside 0 … 3$/, ['f32[2,3,4]', 'i32[2,1]', 'i32[2]', 'i32[2]'], (x, y, i, l) =>
      ctcLoss(one(x), one(y), one(i), one(l), { blank: 4 }),
    ),
  ],
})

/** Losses of three tensors and more, and the cosine. */
export const otherLosses: {
  readonly [K in 'cosineSimilarity' | 'cosineEmbeddingLoss' | 'tripletLoss' | 'gaussianNll' | 'ctcLoss']: Entry
} = {
  cosineSimilarity: cosineEntry,
  cosineEmbeddingLoss: cosineLossEntry,
  tripletLoss: tripletEntry,
  gaussianNll: gaussianEntry,
  ctcLoss: ctcEntry,
}
