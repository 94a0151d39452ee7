/** Equations of chapter 22: patches, their positions, and the blocks of DiT and U-ViT. */
import fc from 'fast-check'
import { ditBlock } from '../../src/models/dit/block.ts'
import { patchify } from '../../src/models/transformers/patches.ts'
import { sinCosPositions } from '../../src/models/transformers/positions.ts'
import { uvitBlock } from '../../src/models/uvit/block.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, sum, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

type Vector = readonly number[]

/** Tokens of two numbers, and a perceptron of as many hidden ones. */
const settings = { patch: 1, width: 2, depth: 1, heads: 1, mlpRatio: 1 }

/** x·W + b of one token. */
const affine = (x: Vector, w: Vector, b: Vector): Vector =>
  b.map((bias, o) => bias + sum(x.map((v, i) => v * at(w, i * b.length + o))))

const normed = (x: Vector, epsilon: number): Vector => {
  const mean = sum(x) / x.length
  const variance = sum(x.map((v) => (v - mean) ** 2)) / x.length
  return x.map((v) => (v - mean) / Math.sqrt(variance + epsilon))
}

const added = (x: readonly Vector[], y: readonly Vector[], by: Vector = [1, 1]): readonly Vector[] =>
  x.map((v, i) => v.map((a, c) => a + at(by, c) * at(y[i] ?? [], c)))

/** Matrices and vectors of two numbers, in the order of the names. */
interface Parts {
  readonly w: (i: number) => Vector
  readonly b: (i: number) => Vector
}

const partsOf = (matrices: Vector, biases: Vector): Parts => ({
  w: (i) => matrices.slice(4 * i, 4 * i + 4),
  b: (i) => biases.slice(2 * i, 2 * i + 2),
})

/** One head of attention over tokens: query, key, value and out are the first four parts. */
const attended = (x: readonly Vector[], { w, b }: Parts, bias: boolean): readonly Vector[] => {
  const of = (i: number): readonly Vector[] => x.map((v) => affine(v, w(i), bias ? b(i) : [0, 0]))
  const [q, k, v] = [of(0), of(1), of(2)]
  return q.map((query) => {
    const weights = k.map((key) => Math.exp(dot(query, key) / Math.SQRT2))
    const mixed = [0, 1].map((c) => sum(weights.map((e, j) => e * at(v[j] ?? [], c))) / sum(weights))
    return affine(mixed, w(3), b(3))
  })
}

/** Parts 4 and 5 with an activation between. */
const perceived = (x: readonly Vector[], { w, b }: Parts, act: (x: number) => number): readonly Vector[] =>
  x.map((v) => affine(affine(v, w(4), b(4)).map(act), w(5), b(5)))

const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

/** Φ by Simpson's rule from 0 on: the error function without a library. */
const gelu = (x: number): number => {
  const n = 400
  const f = (s: number): number => Math.exp((-s * s) / 2) / Math.sqrt(2 * Math.PI)
  const terms = upTo(n + 1).map((i) => (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * f((x * i) / n))
  return x * (0.5 + (x / n / 3) * sum(terms))
}

const paramsOf = ({ w, b }: Parts, bias: boolean) => {
  const layer = (i: number, hasBias = true) => ({
    weight: f64(w(i), [2, 2]),
    ...(hasBias && { bias: f64(b(i)) }),
  })
  return {
    attention: { query: layer(0, bias), key: layer(1, bias), value: layer(2, bias), out: layer(3) },
    mlp: { layers: [layer(4), layer(5)] },
    dropout1: {},
    dropout2: {},
  }
}

/** Three tokens, what they are told, and the numbers of a block. */
const numbers = fc.tuple(vectors(6), vectors(12), vectors(24), vectors(12))
const tokensOf = (x: Vector): readonly Vector[] => upTo(3).map((i) => x.slice(2 * i, 2 * i + 2))

/** A block of DiT whose modulation is its bias: with (β, γ, α) of one half, and the other half's α zero. */
const checkDit = (half: 0 | 1) =>
  forAll(numbers, async ([x, told, matrices, biases]) => {
    const parts = partsOf(matrices, biases)
    const six = told.map((v, i) => (Math.floor(i / 2) === (half === 0 ? 5 : 2) ? 0 : v))
    const modulation = {
      weight: f64(
        upTo(24).map(() => 0),
        [2, 12],
      ),
      bias: f64(six),
    }
    const y = ditBlock(settings).apply(
      { modulation, ...paramsOf(parts, true) },
      { x: f64(x, [1, 3, 2]), told: f64([1, 1], [1, 2]) },
    )
    const [shift, scale, size] = [0, 1, 2].map((i) => six.slice(6 * half + 2 * i, 6 * half + 2 * i + 2))
    const tokens = tokensOf(x)
    const moved = tokens.map((v) => normed(v, 1e-6).map((n, c) => n * (1 + at(scale ?? [], c)) + at(shift ?? [], c)))
    const made = half === 0 ? attended(moved, parts, true) : perceived(moved, parts, geluTanh)
    return agree(1e-9, await read(y), added(tokens, made, size).flat())
  })

const norm = (w: Vector, b: Vector) => ({ weight: f64(w), bias: f64(b) })

/** Those of chapter 22. */
export const transformerEquations: readonly Equation[] = [
  {
    number: '22.1',
    statement: 'P[r·w + c, (i·p + j)·C + k] = x[r·p + i, c·p + j, k]',
    source: 'Dosovitskiy et al. 2021, section 3.1; w patches in a row',
    by: 'images of 4×6 pixels with two channels in patches of 2×2, index by index',
    check: () =>
      forAll(vectors(48), async (x) => {
        const [p, w, channels] = [2, 3, 2]
        const expected = upTo(6).flatMap((token) =>
          upTo(8).map((n) => {
            const [r, c, k] = [Math.floor(token / w), token % w, n % channels]
            const [i, j] = [Math.floor(n / (p * channels)), Math.floor(n / channels) % p]
            return at(x, ((r * p + i) * (w * p) + c * p + j) * channels + k)
          }),
        )
        return agree(0, await read(patchify(f64(x, [1, 4, 6, 2]), p)), expected)
      }),
  },
  {
    number: '22.2',
    statement: 'e(r, c) = (sin(c·ω₀), …, cos(c·ω₀), …, sin(r·ω₀), …, cos(r·ω₀), …), ω_k = 10⁴^(−4k/D)',
    source: "He et al. 2022 (MAE), their code, as DiT's",
    by: 'all places of grids of up to 6×6 with D = 8 and 12, term by term',
    check: () =>
      forAll(
        fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.constantFrom(8, 12)),
        async (size) => {
          const [rows, columns, width] = size
          const axis = (i: number): Vector => {
            const angles = upTo(width / 4).map((k) => i * 10_000 ** ((-4 * k) / width))
            return [...angles.map(Math.sin), ...angles.map(Math.cos)]
          }
          const expected = upTo(rows).flatMap((r) => upTo(columns).flatMap((c) => [...axis(c), ...axis(r)]))
          return agree(1e-12, await read(sinCosPositions([rows, columns], width, 'f64')), expected)
        },
      ),
  },
  {
    number: '22.3',
    statement: 'h = x + α·attention(norm(x)·(1 + γ) + β)',
    source: 'Peebles & Xie 2023, section 3.2 (adaLN-Zero)',
    by: 'three tokens of two numbers, whose perceptron has the size α′ = 0, in plain numbers',
    check: () => checkDit(0),
  },
  {
    number: '22.4',
    statement: 'y = h + α′·mlp(norm(h)·(1 + γ′) + β′)',
    source: 'the same',
    by: 'three tokens of two numbers, whose attention has the size α = 0, in plain numbers',
    check: () => checkDit(1),
  },
  {
    number: '22.5',
    statement: 'z = W·(x, s) + b',
    source: 'Bao et al. 2023, section 3.1, of a block with the skip s; else z = x',
    by: 'three tokens of two numbers, in a block that adds nothing else',
    check: () =>
      forAll(fc.tuple(vectors(6), vectors(6), vectors(8), vectors(2)), async ([x, s, w, b]) => {
        const nothing = paramsOf(
          partsOf(
            Array.from({ length: 24 }, () => 0),
            Array.from({ length: 12 }, () => 0),
          ),
          false,
        )
        const params = {
          skip: { weight: f64(w, [4, 2]), bias: f64(b) },
          norm1: norm([1, 1], [0, 0]),
          norm2: norm([1, 1], [0, 0]),
          ...nothing,
        }
        const y = uvitBlock(settings, true).apply(params, { x: f64(x, [1, 3, 2]), skip: f64(s, [1, 3, 2]) })
        const skips = tokensOf(s)
        const expected = tokensOf(x).flatMap((v, i) => affine([...v, ...(skips[i] ?? [])], w, b))
        return agree(1e-11, await read(y), expected)
      }),
  },
  {
    number: '22.6',
    statement: 'h = z + attention(norm₁(z)), y = h + mlp(norm₂(h))',
    source: 'Dosovitskiy et al. 2021, eqs. 2 and 3',
    by: 'three tokens of two numbers without a skip, in plain numbers',
    check: () =>
      forAll(numbers, async ([z, of, matrices, biases]) => {
        const parts = partsOf(matrices, biases)
        const part = (i: number): Vector => of.slice(2 * i, 2 * i + 2)
        const normedBy = (x: Vector, i: number): Vector =>
          normed(x, 1e-5).map((n, c) => n * at(part(i), c) + at(part(i + 1), c))
        const params = {
          skip: undefined,
          norm1: norm(part(0), part(1)),
          norm2: norm(part(2), part(3)),
          ...paramsOf(parts, false),
        }
        const y = uvitBlock(settings, false).apply(params, { x: f64(z, [1, 3, 2]), skip: undefined })
        const tokens = tokensOf(z)
        const h = added(
          tokens,
          attended(
            tokens.map((v) => normedBy(v, 0)),
            parts,
            false,
          ),
        )
        const expected = added(
          h,
          perceived(
            h.map((v) => normedBy(v, 2)),
            parts,
            gelu,
          ),
        )
        return agree(1e-8, await read(y), expected.flat())
      }),
  },
]
