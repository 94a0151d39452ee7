/** Equations of chapter 4 about layers, initial values and losses. */
import fc from 'fast-check'
import { gelu, geluTanh, silu, softmax } from '../../src/nn/activations.ts'
import { conv2d } from '../../src/nn/conv2d.ts'
import { dropout } from '../../src/nn/dropout.ts'
import { groupNorm } from '../../src/nn/groupNorm.ts'
import { kaimingUniform } from '../../src/nn/init.ts'
import { layerNorm } from '../../src/nn/layerNorm.ts'
import { linear } from '../../src/nn/linear.ts'
import { crossEntropy } from '../../src/nn/crossEntropy.ts'
import { binaryCrossEntropy, huber, l1, mse } from '../../src/nn/losses.ts'
import { rmsNorm } from '../../src/nn/rmsNorm.ts'
import { tensor } from '../../src/tensor/create.ts'
import { bernoulli, key } from '../../src/tensor/random.ts'
import { bits } from '../../src/tensor/random/uniform.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  agree,
  at,
  dot,
  forAll,
  holds,
  integral,
  read,
  real,
  sum,
  together,
  upTo,
  vectors,
  type Equation,
  type Outcome,
} from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const mean = (xs: readonly number[]): number => sum(xs) / xs.length
const spread = (xs: readonly number[]): number => mean(xs.map((x) => (x - mean(xs)) ** 2))
const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** An activation on random numbers against a plain function. */
const pointwise = (
  number: string,
  statement: string,
  source: string,
  by: string,
  [f, plain]: readonly [(x: Tensor) => Tensor, (x: number) => number],
): Equation => ({
  number,
  statement,
  source,
  by,
  check: () => forAll(vectors(6, -5, 5), async (x) => agree(1e-12, await read(f(f64(x))), x.map(plain))),
})

/** Layer and group norm of [1, 3, 2, 4]: each element with the elements it is normalised with. */
const normalised = async (
  x: readonly number[],
  affine: readonly number[],
  y: Tensor,
  together_: (k: number) => (j: number) => boolean,
): Promise<Outcome> => {
  const expected = x.map((v, k) => {
    const group = x.filter((_, j) => together_(k)(j))
    return (at(affine, k % 4) * (v - mean(group))) / Math.sqrt(spread(group) + 1e-5) + at(affine, 4 + (k % 4))
  })
  return agree(1e-12, await read(y), expected)
}

const layers: readonly Equation[] = [
  {
    number: '4.1',
    statement: '`linear`; y = x·w + b',
    source: 'definition',
    by: 'the layer on 2×3 numbers against sums over indices',
    check: () =>
      forAll(fc.tuple(vectors(6), vectors(12), vectors(4)), async ([x, w, b]) => {
        const y = linear(3, 4).apply({ weight: f64(w, [3, 4]), bias: f64(b) }, f64(x, [2, 3]))
        const expected = upTo(8).map((k) => {
          const [i, o] = [Math.floor(k / 4), k % 4]
          return sum([0, 1, 2].map((j) => at(x, 3 * i + j) * at(w, 4 * j + o))) + at(b, o)
        })
        return agree(1e-13, await read(y), expected)
      }),
  },
  {
    number: '4.2',
    statement:
      '`conv2d`; y[n, i, j, o] = b[o] + Σ_{u, v, c} w[u, v, c, o] · x[n, i·stride + u − padding, j·stride + v − padding, c]',
    source: 'definition',
    by: 'the layer with stride 2 and padding 1 on an image of 5×4 with two channels against the sums',
    check: () =>
      forAll(fc.tuple(vectors(40), vectors(54), vectors(3)), async ([x, w, b]) => {
        const layer = conv2d(2, 3, 3, { stride: 2, padding: 1 })
        const y = layer.apply({ weight: f64(w, [3, 3, 2, 3]), bias: f64(b) }, f64(x, [1, 5, 4, 2]))
        const pixel = (i: number, j: number, c: number): number =>
          i < 0 || j < 0 || i >= 5 || j >= 4 ? 0 : at(x, (i * 4 + j) * 2 + c)
        const expected = upTo(18).map((k) => {
          const [i, j, o] = [Math.floor(k / 6), Math.floor(k / 3) % 2, k % 3]
          const terms = upTo(18).map((q) => {
            const [u, v, c] = [Math.floor(q / 6), Math.floor(q / 2) % 3, q % 2]
            return at(w, (u * 3 + v) * 6 + c * 3 + o) * pixel(i * 2 + u - 1, j * 2 + v - 1, c)
          })
          return at(b, o) + sum(terms)
        })
        return agree(1e-12, await read(y), expected)
      }),
  },
  {
    number: '4.3',
    statement:
      '`groupNorm`; y = w·(x − μ)/√(s² + 10⁻⁵) + b, μ and s² the mean and variance of a group of channels over all pixels',
    source: 'Wu & He 2018, section 3',
    by: 'two groups of four channels over six pixels, means and variances in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(24), vectors(8)), ([x, affine]) => {
        const params = { weight: f64(affine.slice(0, 4)), bias: f64(affine.slice(4)) }
        const y = groupNorm(2, 4).apply(params, f64(x, [1, 3, 2, 4]))
        const group = (k: number): number => Math.floor((k % 4) / 2)
        return normalised(x, affine, y, (k) => (j) => group(j) === group(k))
      }),
  },
  {
    number: '4.4',
    statement: '`layerNorm`; y = w·(x − μ)/√(s² + 10⁻⁵) + b, μ and s² over the channels of one pixel',
    source: 'Ba et al. 2016, section 3',
    by: 'four channels of six pixels, means and variances in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(24), vectors(8)), ([x, affine]) => {
        const params = { weight: f64(affine.slice(0, 4)), bias: f64(affine.slice(4)) }
        const y = layerNorm(4).apply(params, f64(x, [1, 3, 2, 4]))
        return normalised(x, affine, y, (k) => (j) => Math.floor(j / 4) === Math.floor(k / 4))
      }),
  },
  {
    number: '4.5',
    statement: '`rmsNorm`; y = √C · gain · x/‖x‖₂ over the C channels of one pixel',
    source: 'Zhang & Sennrich 2019, section 4',
    by: 'five channels against the norm in plain numbers; with gain 1 the mean square of y is 1',
    check: () =>
      forAll(fc.tuple(vectors(5, 0.1, 2), vectors(5)), async ([x, gain]) => {
        const norm = Math.sqrt(dot(x, x))
        const y = async (g: readonly number[]): Promise<readonly number[]> =>
          read(rmsNorm(5).apply({ gain: f64(g) }, f64(x, [1, 5])))
        const plain = await y([1, 1, 1, 1, 1])
        return together([
          agree(
            1e-14,
            await y(gain),
            x.map((v, i) => (Math.sqrt(5) * at(gain, i) * v) / norm),
          ),
          agree(1e-14, [dot(plain, plain) / 5], [1]),
        ])
      }),
  },
  {
    number: '4.6',
    statement: '`dropout`; y = x·m/(1 − rate), m ∈ {0, 1}, E[y] = x',
    source: 'Srivastava et al. 2014, with the factor in training',
    by: "the mask is `bernoulli(1 − rate)` of the mode's key; P(m = 1)/(1 − rate) is 1 to 2⁻³², counted in words",
    check: () =>
      forAll(
        fc.tuple(fc.integer({ min: 0, max: 1000 }), real(0.05, 0.95), vectors(20, 0.5, 2)),
        async ([seed, rate, x]) => {
          const y = dropout(rate).apply({}, f64(x), { train: true, key: key(seed) })
          const mask = await read(bernoulli(key(seed), 1 - rate, [20]))
          const words = await read(bits(key(seed), [20]))
          const kept = Math.round((1 - rate) * 2 ** 32) // words below this are kept
          return together([
            agree(
              1e-15,
              await read(y),
              x.map((v, i) => (v * at(mask, i)) / (1 - rate)),
            ),
            agree(
              0,
              mask,
              words.map((w) => Number(w < kept)),
            ),
            agree(2 ** -32 / (1 - rate), [kept / 2 ** 32 / (1 - rate)], [1]),
            agree(0, await read(dropout(rate).apply({}, f64(x))), x),
          ])
        },
      ),
  },
]

/** Φ by Simpson's rule. */
const normalDistribution = (x: number): number =>
  0.5 + integral((s) => Math.exp((-s * s) / 2) / Math.sqrt(2 * Math.PI), 0, x, 1000)

const activations: readonly Equation[] = [
  pointwise('4.7', '`silu`; x·σ(x)', 'Elfwing et al. 2018', 'random x in [−5, 5]', [silu, (x) => x * logistic(x)]),
  pointwise(
    '4.8',
    '`gelu`; x·Φ(x)',
    'Hendrycks & Gimpel 2016, section 2',
    "random x, with Φ an integral by Simpson's rule",
    [gelu, (x) => x * normalDistribution(x)],
  ),
  pointwise(
    '4.9',
    '`geluTanh`; ½x·(1 + tanh(√(2/π)·(x + 0.044715x³)))',
    'Hendrycks & Gimpel 2016, section 2',
    'random x in [−5, 5]',
    [geluTanh, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
  ),
  {
    number: '4.10',
    statement: '`softmax`; softmax(x)ᵢ = exp(xᵢ)/Σⱼ exp(xⱼ)',
    source: 'definition',
    by: 'rows of four, and along the first axis',
    check: () =>
      forAll(vectors(8, -5, 5), async (x) => {
        const along = (k: number, members: (j: number) => boolean): number =>
          Math.exp(at(x, k)) / sum(x.filter((_, j) => members(j)).map(Math.exp))
        return together([
          agree(
            1e-14,
            await read(softmax(f64(x, [2, 4]))),
            x.map((_, k) => along(k, (j) => Math.floor(j / 4) === Math.floor(k / 4))),
          ),
          agree(
            1e-14,
            await read(softmax(f64(x, [2, 4]), 0)),
            x.map((_, k) => along(k, (j) => j % 4 === k % 4)),
          ),
        ])
      }),
  },
  {
    number: '4.11',
    statement: 'w ~ U(−1/√fanIn, 1/√fanIn), 1/√fanIn = √(6/((1 + (√5)²)·fanIn))',
    source: 'He et al. 2015, section 2.2, as PyTorch calls it',
    by: 'each initial value against the line that its random word lies on, and the two bounds against each other',
    check: () =>
      forAll(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 5000 })), async ([seed, fanIn]) => {
        const bound = Math.sqrt(6 / ((1 + 5) * fanIn))
        const words = await read(bits(key(seed), [50]))
        const w = await read(kaimingUniform([50], fanIn)(key(seed)))
        return together([
          agree(
            2 ** -22,
            w.map((v) => v / bound),
            words.map((word) => (2 * word) / 2 ** 32 - 1),
          ),
          agree(1e-15, [bound], [1 / Math.sqrt(fanIn)]),
          holds(
            w.every((v) => v >= -bound && v < bound),
            'inside the bounds',
          ),
        ])
      }),
  },
]

/** A loss of prediction and target against a plain function of the difference. */
const difference = (
  number: string,
  statement: string,
  source: string,
  [loss, plain]: readonly [(p: Tensor, t: Tensor) => Tensor, (d: number) => number],
): Equation => ({
  number,
  statement,
  source,
  by: 'random predictions and targets; the mean of eight',
  check: () =>
    forAll(fc.tuple(vectors(8), vectors(8)), async ([p, t]) =>
      agree(1e-13, await read(loss(f64(p), f64(t))), [mean(p.map((v, i) => plain(v - at(t, i))))]),
    ),
})

const losses: readonly Equation[] = [
  difference('4.12', '`mse`; d²', 'definition', [mse, (d) => d * d]),
  difference('4.13', '`l1`; |d|', 'definition', [l1, Math.abs]),
  difference('4.14', '`huber`; d²/2 for |d| ≤ δ, δ·(|d| − δ/2) beyond', 'Huber 1964', [
    (p, t) => huber(p, t, { delta: 0.7 }),
    (d) => (Math.abs(d) <= 0.7 ? (d * d) / 2 : 0.7 * (Math.abs(d) - 0.35)),
  ]),
  {
    number: '4.15',
    statement: '`crossEntropy`; −log softmax(z)_y = log Σⱼ exp(zⱼ) − z_y',
    source: 'definition',
    by: 'three rows of four logits, both forms in plain numbers',
    check: () =>
      forAll(
        fc.tuple(vectors(12, -5, 5), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 })),
        async ([z, labels]) => {
          const row = (i: number): readonly number[] => z.slice(4 * i, 4 * i + 4)
          const whole = (i: number): number => sum(row(i).map(Math.exp))
          const first = labels.map((y, i) => -Math.log(Math.exp(at(row(i), y)) / whole(i)))
          const second = labels.map((y, i) => Math.log(whole(i)) - at(row(i), y))
          const loss = await read(crossEntropy(f64(z, [3, 4]), tensor(Int32Array.from(labels)), { reduction: 'none' }))
          return together([agree(1e-13, loss, first), agree(1e-13, loss, second)])
        },
      ),
  },
  {
    number: '4.16',
    statement: '`binaryCrossEntropy`; −y·log σ(z) − (1 − y)·log(1 − σ(z)) = log(1 + eᶻ) − y·z',
    source: 'definition',
    by: 'random logits and targets in [0, 1], both forms in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(6, -8, 8), vectors(6, 0, 1)), async ([z, y]) => {
        const loss = await read(binaryCrossEntropy(f64(z), f64(y), { reduction: 'none' }))
        const first = z.map((v, i) => -at(y, i) * Math.log(logistic(v)) - (1 - at(y, i)) * Math.log(logistic(-v)))
        const second = z.map((v, i) => Math.log(1 + Math.exp(v)) - at(y, i) * v)
        return together([agree(1e-13, loss, first), agree(1e-13, loss, second)])
      }),
  },
]

/** The entries. */
export const modules: readonly Equation[] = [...layers, ...activations, ...losses]
