/** Equations of chapter 29: batch and spectral normalisation, attention with masks, rotary positions, and the block of a transformer. */
import fc from 'fast-check'
import {
  applyWithState,
  batchNorm,
  linear,
  multiHeadAttention,
  rotary,
  spectralNorm,
  transformerBlock,
  type Mode,
} from '../../src/nn/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { agree, at, dot, forAll, read, sum, together, upTo, vectors, type Equation } from './equation.ts'

type Vector = readonly number[]

const f64 = (values: Vector, shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const train: Mode = { train: true, key: key(0) }
const channel = (x: Vector, c: number): Vector => x.filter((_, i) => i % 2 === c)
const mean = (x: Vector): number => sum(x) / x.length
const spread = (x: Vector): number => mean(x.map((v) => (v - mean(x)) ** 2))
const norm = (x: Vector): number => Math.sqrt(dot(x, x))

/** [2, 3, 2] of numbers, a weight and a bias for each channel, and statistics from before. */
const batches = fc.tuple(vectors(12), vectors(2), vectors(2), vectors(2), vectors(2, 0.5, 2))

const batchNormed = ([x, w, b, means, variances]: readonly [Vector, Vector, Vector, Vector, Vector]) =>
  applyWithState(
    batchNorm(2, { momentum: 0.25 }),
    { weight: f64(w), bias: f64(b) },
    { count: tensor(0, { dtype: 'i32' }), mean: tensor([...means]), variance: tensor([...variances]) },
    f64(x, [2, 3, 2]),
    train,
  )

const affine = (x: Vector, w: Vector, b: Vector): Vector =>
  b.map((bias, o) => bias + sum(x.map((v, i) => v * at(w, i * b.length + o))))

/** Three tokens of two numbers. */
const tokensOf = (x: Vector): readonly Vector[] => upTo(3).map((i) => x.slice(2 * i, 2 * i + 2))
const matrix = (m: Vector, i: number): Vector => m.slice(4 * i, 4 * i + 4)
const layerOf = (m: Vector, b: Vector, i: number) => ({
  weight: f64(matrix(m, i), [2, 2]),
  bias: f64(b.slice(2 * i, 2 * i + 2)),
})

/** One head over tokens, with what is added to the logits. */
const attended = (
  x: readonly Vector[],
  m: Vector,
  b: Vector,
  bias: (t: number, s: number) => number,
): readonly Vector[] => {
  const of = (i: number, from: readonly Vector[]): readonly Vector[] =>
    from.map((v) => affine(v, matrix(m, i), b.slice(2 * i, 2 * i + 2)))
  const [q, k, v] = [of(0, x), of(1, x), of(2, x)]
  return of(
    3,
    q.map((query, t) => {
      const weights = k.map((keys, s) => Math.exp(dot(query, keys) / Math.SQRT2 + bias(t, s)))
      return [0, 1].map((c) => sum(weights.map((e, s) => e * at(v[s] ?? [], c))) / sum(weights))
    }),
  )
}

const paramsOf = (m: Vector, b: Vector) => ({
  query: layerOf(m, b, 0),
  key: layerOf(m, b, 1),
  value: layerOf(m, b, 2),
  out: layerOf(m, b, 3),
})

const isSeen = (t: number, s: number): boolean => s === t || (t + s) % 2 === 1

const normed = (x: Vector): Vector => x.map((v) => (v - mean(x)) / Math.sqrt(spread(x) + 1e-5))
const added = (x: readonly Vector[], y: readonly Vector[]): readonly Vector[] =>
  x.map((v, i) => v.map((a, c) => a + at(y[i] ?? [], c)))

/** Those of chapter 29. */
export const stateAndAttention: readonly Equation[] = [
  {
    number: '29.1',
    statement: 'y = w·(x − μ)/√(s² + ε) + b, μ and s² the mean and variance of a channel over batch and places',
    source: 'Ioffe & Szegedy 2015, algorithm 1',
    by: 'two sequences of three places with two channels',
    check: () =>
      forAll(batches, async (given) => {
        const [x, w, b] = given
        const expected = x.map((v, i) => {
          const all = channel(x, i % 2)
          return (at(w, i % 2) * (v - mean(all))) / Math.sqrt(spread(all) + 1e-5) + at(b, i % 2)
        })
        return agree(1e-9, await read(batchNormed(given)[0]), expected)
      }),
  },
  {
    number: '29.2',
    statement: 'μ̄ ← (1 − m)·μ̄ + m·μ, v̄ ← (1 − m)·v̄ + m·s²·n/(n − 1)',
    source: 'PyTorch, BatchNorm2d; n numbers a channel',
    by: 'the same, with a momentum of 1/4, in f32',
    check: () =>
      forAll(batches, async (given) => {
        const [x, , , means, variances] = given
        const state = new Map(leavesWithPaths(batchNormed(given)[1]))
        const found = async (name: string): Promise<Vector> => [...(await read(state.get(name) ?? tensor([])))]
        return together([
          agree(
            1e-6,
            await found('mean'),
            [0, 1].map((c) => 0.75 * at(means, c) + 0.25 * mean(channel(x, c))),
          ),
          agree(
            1e-6,
            await found('variance'),
            [0, 1].map((c) => 0.75 * at(variances, c) + (0.25 * spread(channel(x, c)) * 6) / 5),
          ),
        ])
      }),
  },
  {
    number: '29.3',
    statement: 'v ← W·u/‖W·u‖, u ← Wᵀ·v/‖Wᵀ·v‖, y = x·W/σ, σ = vᵀ·W·u',
    source: 'Miyato et al. 2018, algorithm 1, with W as [in, out]',
    by: 'matrices [3, 2] and one pass, with plain products',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(6, 0.5, 2), vectors(2, 0.5, 2)), async ([x, w, u]) => {
        const row = (i: number): Vector => w.slice(2 * i, 2 * i + 2)
        const unit = (a: Vector): Vector => a.map((e) => e / norm(a))
        const v = unit(upTo(3).map((i) => dot(row(i), u)))
        const next = unit([0, 1].map((o) => sum(upTo(3).map((i) => at(row(i), o) * at(v, i)))))
        const sigma = sum(upTo(3).map((i) => at(v, i) * dot(row(i), next)))
        const given = { u: f64(u), v: f64([0, 0, 0]) }
        const layer = spectralNorm(linear(3, 2, { bias: false }))
        const [y] = applyWithState(layer, { weight: f64(w, [3, 2]) }, given, f64(x, [1, 3]), train)
        return agree(
          1e-9,
          await read(y),
          affine(x, w, [0, 0]).map((e) => e / sigma),
        )
      }),
  },
  {
    number: '29.4',
    statement: 'y = softmax(q·kᵀ/√d + B)·v, B = 0 where a query sees a key, −∞ where not',
    source: 'Vaswani et al. 2017, section 3.2',
    by: 'three places of one head, seen and unseen ones, between its linear layers',
    check: () =>
      forAll(fc.tuple(vectors(6), vectors(16), vectors(8)), async ([x, m, b]) => {
        const mask = tensor(upTo(3).map((t) => upTo(3).map((s) => Number(isSeen(t, s))))).greater(0)
        const y = multiHeadAttention(2).apply(paramsOf(m, b), { x: f64(x, [1, 3, 2]), mask })
        const expected = attended(tokensOf(x), m, b, (t, s) => (isSeen(t, s) ? 0 : -Infinity))
        return agree(1e-9, await read(y), expected.flat())
      }),
  },
  {
    number: '29.5',
    statement: '(a, b) ← (a·cos θ − b·sin θ, a·sin θ + b·cos θ), θ = t·10⁴^(−2i/d) for pair i at place t',
    source: 'Su et al. 2021, eq. 34',
    by: 'vectors of two pairs at places up to 50, as the product of complex numbers',
    check: () =>
      forAll(fc.tuple(vectors(4), fc.nat(50)), async ([x, t]) => {
        const expected = [0, 1].flatMap((i) => {
          const [size, angle] = [Math.hypot(at(x, 2 * i), at(x, 2 * i + 1)), Math.atan2(at(x, 2 * i + 1), at(x, 2 * i))]
          const turned = angle + t * 10_000 ** (-i / 2)
          return [size * Math.cos(turned), size * Math.sin(turned)]
        })
        return agree(1e-9, await read(rotary(f64(x, [1, 4]), tensor(Int32Array.of(t)))), expected)
      }),
  },
  {
    number: '29.6',
    statement: 'h = x + attention(norm₁(x)), y = h + mlp(norm₂(h))',
    source: 'Xiong et al. 2020, figure 1b',
    by: 'three tokens of two numbers, causal, with tanh in the perceptron',
    check: () =>
      forAll(fc.tuple(vectors(6), vectors(24), vectors(12)), async ([x, m, b]) => {
        const block = transformerBlock(2, { causal: true, hiddenWidth: 2, activation: (z) => z.tanh() })
        const plain = { weight: f64([1, 1]), bias: f64([0, 0]) }
        const params = {
          norm1: plain,
          norm2: plain,
          attention: paramsOf(m, b),
          mlp: { expand: layerOf(m, b, 4), act: {}, contract: layerOf(m, b, 5) },
          dropout1: {},
          dropout2: {},
        }
        const tokens = tokensOf(x)
        const h = added(
          tokens,
          attended(tokens.map(normed), m, b, (t, s) => (s > t ? -Infinity : 0)),
        )
        const hidden = h.map((v) => affine(normed(v), matrix(m, 4), b.slice(8, 10)).map(Math.tanh))
        const y = added(
          h,
          hidden.map((v) => affine(v, matrix(m, 5), b.slice(10, 12))),
        )
        return agree(1e-6, await read(block.apply(params, f64(x, [1, 3, 2]))), y.flat())
      }),
  },
]
