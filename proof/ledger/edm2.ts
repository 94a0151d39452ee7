/** Equations of chapter 23: operations of EDM2's U-Net that keep magnitudes, its weights, its blocks, its attention and its times. */
import fc from 'fast-check'
import { mpAttention } from '../../src/models/edm2/attention.ts'
import { edm2Block } from '../../src/models/edm2/blocks.ts'
import { mpCat, mpSilu, mpSum } from '../../src/models/edm2/magnitudes.ts'
import { mpFourier } from '../../src/models/edm2/time.ts'
import { forceWeights, mpLinear } from '../../src/models/edm2/weights.ts'
import { at as placeOf } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, real, sum, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

type Vector = readonly number[]

const silu = (x: number): number => x / 0.596 / (1 + Math.exp(-x))
const normOf = (x: Vector): number => Math.sqrt(dot(x, x))
const mixed = (a: Vector, b: Vector, t: number): Vector =>
  a.map((v, i) => ((1 - t) * v + t * at(b, i)) / Math.sqrt((1 - t) ** 2 + t ** 2))

/** Vectors that are not nearly 0: their directions are what counts. */
const directed = (n: number) => vectors(n).map((x) => x.map((v, i) => v + 3 * Math.cos(2 * i + 1)))

/** x·w/‖w‖ of each output; w [in, out]. */
const turned = (x: Vector, w: Vector): Vector => {
  const outputs = w.length / x.length
  return upTo(outputs).map((o) => {
    const column = x.map((_, i) => at(w, i * outputs + o))
    return dot(x, column) / normOf(column)
  })
}

/** x / (10⁻⁴ + √mean(x²)). */
const ofPixel = (x: Vector): Vector => x.map((v) => v / (1e-4 + normOf(x) / Math.sqrt(x.length)))

/** The middles of 3×3 filters: of one pixel they alone count, but the length is that of all nine. */
const filter = (middle: Vector, n: number): Tensor =>
  f64([...Array<number>(4 * n).fill(0), ...middle, ...Array<number>(4 * n).fill(0)], [3, 3, 2, n / 2])

const operations: readonly Equation[] = [
  {
    number: '23.1',
    statement: 'mpSilu(x) = silu(x)/0.596, 0.596 = √E[silu(z)²], z ~ N(0, 1)',
    source: 'Karras et al. 2024, eq. 81',
    by: 'term by term; the constant by quadrature over ±12 in steps of 0.01, to its three digits',
    check: async () => {
      const zs = upTo(2401).map((i) => (i - 1200) / 100)
      const density = (z: number): number => (0.01 * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
      const square = sum(zs.map((z) => density(z) * (z / (1 + Math.exp(-z))) ** 2))
      return together([
        agree(1e-12, await read(mpSilu(f64(zs))), zs.map(silu)),
        agree(0, [Math.round(1000 * Math.sqrt(square))], [596]),
      ])
    },
  },
  {
    number: '23.2',
    statement: 'mpSum(a, b, t) = ((1 − t)·a + t·b)/√((1 − t)² + t²)',
    source: 'Karras et al. 2024, eq. 88',
    by: 'term by term, for random t',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3), real()), async ([a, b, t]) =>
        agree(1e-12, await read(mpSum(f64(a), f64(b), t)), mixed(a, b, t)),
      ),
  },
  {
    number: '23.3',
    statement: 'mpCat(a, b, t) = √((N_a + N_b)/((1 − t)² + t²))·[(1 − t)/√N_a·a, t/√N_b·b]',
    source: 'Karras et al. 2024, eq. 103',
    by: 'two channels and three, term by term, for random t',
    check: () =>
      forAll(fc.tuple(vectors(2), vectors(3), real()), async ([a, b, t]) => {
        const scale = Math.sqrt(5 / ((1 - t) ** 2 + t ** 2))
        return agree(1e-12, await read(mpCat(f64(a, [1, 2]), f64(b, [1, 3]), t)), [
          ...a.map((v) => (scale * (1 - t) * v) / Math.sqrt(2)),
          ...b.map((v) => (scale * t * v) / Math.sqrt(3)),
        ])
      }),
  },
  {
    number: '23.4',
    statement: 'y = x·w/‖w‖',
    source: 'Karras et al. 2024, eq. 47',
    by: 'a layer from three numbers to two, output by output',
    check: () =>
      forAll(fc.tuple(vectors(3), directed(6)), async ([x, w]) =>
        agree(1e-12, await read(mpLinear(3, 2).apply({ weight: f64(w, [3, 2]) }, f64(x, [1, 3]))), turned(x, w)),
      ),
  },
]

const layers: readonly Equation[] = [
  {
    number: '23.5',
    statement: 'h = conv₂(mpSilu(conv₁(mpSilu(x))·(1 + g·W·v))), y = mpSum(x, h, 0.3)',
    source: 'Karras et al. 2024, config G',
    by: 'one pixel of two channels on the way up, where a convolution is the middle of its filter',
    check: () =>
      forAll(fc.tuple(vectors(2), vectors(2), directed(12), real()), async ([x, v, w, gain]) => {
        const [first, second, told] = [w.slice(0, 4), w.slice(4, 8), w.slice(8, 12)]
        const block = edm2Block(
          { inputs: 2, outputs: 2, way: 'up', timeWidth: 2 },
          { width: 2, multipliers: [1], blocks: 1 },
        )
        const params = {
          conv1: { weight: filter(first, 4) },
          time: { weight: f64(told, [2, 2]) },
          gain: f64([gain], []),
          dropout: {},
          conv2: { weight: filter(second, 4) },
          skip: undefined,
          attention: undefined,
        }
        const scale = turned(v, told).map((s) => 1 + gain * s)
        const inner = turned(x.map(silu), first).map((h, i) => silu(h * at(scale, i)))
        const y = block.apply(params, { x: f64(x, [1, 1, 1, 2]), time: f64(v, [1, 2]) })
        return agree(1e-9, await read(y), mixed(x, turned(inner, second), 0.3))
      }),
  },
  {
    number: '23.6',
    statement: 'y = mpSum(x, W·(…, softmax(q̂ₕ·k̂ₕᵀ/√d)·v̂ₕ, …), 0.3)',
    source: 'Karras et al. 2024, config G',
    by: 'two heads of two channels on three pixels, pixel by pixel in plain numbers',
    check: () =>
      forAll(fc.tuple(directed(12), directed(64)), async ([x, matrices]) => {
        const of = (i: number): Vector => matrices.slice(16 * i, 16 * i + 16)
        const pixels = upTo(3).map((p) => x.slice(4 * p, 4 * p + 4))
        const heads = (i: number) =>
          pixels.map((pixel) => {
            const y = turned(pixel, of(i))
            return [ofPixel(y.slice(0, 2)), ofPixel(y.slice(2, 4))]
          })
        const [q, k, v] = [heads(0), heads(1), heads(2)]
        const expected = pixels.flatMap((pixel, p) => {
          const seen = upTo(2).flatMap((h) => {
            const powers = k.map((key) => Math.exp(dot(placeOf(placeOf(q, p), h), placeOf(key, h)) / Math.SQRT2))
            return upTo(2).map((c) => sum(powers.map((e, j) => e * at(placeOf(placeOf(v, j), h), c))) / sum(powers))
          })
          return mixed(pixel, turned(seen, of(3)), 0.3)
        })
        const weights = (i: number) => ({ weight: f64(of(i), [4, 4]) })
        const params = { query: weights(0), key: weights(1), value: weights(2), out: weights(3) }
        return agree(1e-9, await read(mpAttention(4, 2, 0.3).apply(params, f64(x, [1, 1, 3, 4]))), expected)
      }),
  },
  {
    number: '23.7',
    statement: 'w ← w·√n/‖w‖',
    source: "Karras et al. 2024, eq. 66; n numbers in an output's weight",
    by: 'a layer from three numbers to two, output by output',
    check: () =>
      forAll(directed(6), async (w) => {
        const lengths = [0, 1].map((o) => normOf([0, 1, 2].map((i) => at(w, 2 * i + o))))
        const { weight } = forceWeights({ layer: { weight: f64(w, [3, 2]) } }).layer
        return agree(
          1e-12,
          await read(weight),
          w.map((v, i) => (v * Math.sqrt(3)) / at(lengths, i % 2)),
        )
      }),
  },
  {
    number: '23.8',
    statement: 'e(t) = √2·cos(2π·(fᵢ·3t/T + φᵢ)), fᵢ ~ N(0, 1), φᵢ ~ U(0, 1)',
    source: 'Karras et al. 2024, eq. 75, which has ln(σ)/4 in the place of 3t/T',
    by: 'three frequencies at T = 50, term by term',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3), real()), async ([f, phases, t]) =>
        agree(
          1e-9,
          await read(mpFourier(3, 50).apply({ frequencies: f64(f), phases: f64(phases) }, f64([t]))),
          f.map((v, i) => Math.SQRT2 * Math.cos(2 * Math.PI * ((v * 3 * t) / 50 + at(phases, i)))),
        ),
      ),
  },
]

/** Chapter 23. */
export const edm2Equations: readonly Equation[] = [...operations, ...layers]
