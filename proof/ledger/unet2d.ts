/** Equations of chapter 19: the residual blocks, the attention, the times and the smooth filter of diffusers' U-Net. */
import fc from 'fast-check'
import { imageAttention } from '../../src/models/diffusersAttention.ts'
import { residualBlock, type BlockStyle } from '../../src/models/unet2d/blocks.ts'
import { firDownsample, firUpsample } from '../../src/models/unet2d/fir.ts'
import { fourierTimeEmbedding } from '../../src/models/unet2d/time.ts'
import { gated, transformerBlock } from '../../src/models/unet2d/transformer.ts'
import { groupNorm } from '../../src/nn/groupNorm.ts'
import { sinusoidalTimeEmbedding } from '../../src/nn/timeEmbedding.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, real, sum, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const epsilon = 1e-5
const style: BlockStyle = { activation: 'silu', epsilon, timeWidth: 2, scaleShift: false, dropout: 0 }
const silu = (x: number): number => x / (1 + Math.exp(-x))

type Vector = readonly number[]

/** Group norm of one group, with w and b, of pixels one after the other. */
const normed = (x: Vector, w: Vector, b: Vector): Vector => {
  const mean = sum(x) / x.length
  const variance = sum(x.map((v) => (v - mean) ** 2)) / x.length
  return x.map((v, i) => (at(w, i % w.length) * (v - mean)) / Math.sqrt(variance + epsilon) + at(b, i % b.length))
}

/** x·W + b. */
const affine = (x: Vector, w: Vector, b: Vector): Vector =>
  b.map((bias, o) => bias + sum(x.map((v, i) => v * at(w, i * b.length + o))))

/** The numbers of a block from two channels to three, told a time of two numbers; of a 3×3 filter on one pixel the middle counts. */
const numbers = fc.tuple(vectors(8), vectors(2), vectors(54), vectors(81), fc.tuple(vectors(19), vectors(18)))

type Numbers = readonly [x: Vector, time: Vector, first: Vector, second: Vector, rest: readonly [Vector, Vector]]

const parts = ([, , first, second, [rest, told]]: Numbers) => {
  const part = (from: number, n: number): Vector => rest.slice(from, from + n)
  return {
    norm1: { w: part(0, 2), b: part(2, 2) },
    conv1: { w: first, middle: first.slice(24, 30), b: part(4, 3) },
    time: { w: told.slice(0, 12), b: told.slice(12, 18) },
    norm2: { w: part(7, 3), b: part(10, 3) },
    conv2: { w: second, middle: second.slice(36, 45), b: part(13, 3) },
    skip: { w: [...part(16, 3), 0.5, -1, 2], b: [1, -2, 0.25] },
  }
}

const paramsOf = (p: ReturnType<typeof parts>, told: number) => ({
  norm1: { weight: f64(p.norm1.w), bias: f64(p.norm1.b) },
  conv1: { weight: f64(p.conv1.w, [3, 3, 2, 3]), bias: f64(p.conv1.b) },
  time: { weight: f64(p.time.w.slice(0, 2 * told), [2, told]), bias: f64(p.time.b.slice(0, told)) },
  norm2: { weight: f64(p.norm2.w), bias: f64(p.norm2.b) },
  dropout: {},
  conv2: { weight: f64(p.conv2.w, [3, 3, 3, 3]), bias: f64(p.conv2.b) },
  skip: { weight: f64(p.skip.w, [2, 3]), bias: f64(p.skip.b) },
})

/** Means of four pixels of two channels. */
const halved = (x: Vector): Vector => [0, 1].map((c) => sum(upTo(4).map((p) => at(x, 2 * p + c))) / 4)

/** What the equations say of a picture of 2×2 that becomes one pixel. */
const expectedOf = (given: Numbers, isScaled: boolean, s: number): Vector => {
  const [x, time] = given
  const p = parts(given)
  const h = affine(halved(normed(x, p.norm1.w, p.norm1.b).map(silu)), p.conv1.middle, p.conv1.b)
  const count = isScaled ? 6 : 3
  const told = affine(time.map(silu), p.time.w.slice(0, 2 * count), p.time.b.slice(0, count))
  const second = isScaled
    ? normed(h, p.norm2.w, p.norm2.b).map((v, c) => v * (1 + at(told, c)) + at(told, 3 + c))
    : normed(
        h.map((v, c) => v + at(told, c)),
        p.norm2.w,
        p.norm2.b,
      )
  const y = affine(second.map(silu), p.conv2.middle, p.conv2.b)
  return affine(halved(x), p.skip.w, p.skip.b).map((v, c) => (v + at(y, c)) / s)
}

const checkBlock = (isScaled: boolean, s: number) =>
  forAll(numbers, async (given) => {
    const size = { inputs: 2, outputs: 3, groups: [1, 1] } as const
    const block = residualBlock(size, { ...style, scaleShift: isScaled }, { resampling: 'halve', scale: s })
    const [x, time] = given
    const input = { x: f64(x, [1, 2, 2, 2]), time: f64(time, [1, 2]) }
    const y = block.apply(paramsOf(parts(given), isScaled ? 6 : 3), input)
    return agree(1e-9, await read(y), expectedOf(given, isScaled, s))
  })

const blocks: readonly Equation[] = [
  {
    number: '19.1',
    statement: 'h = norm₂(conv₁(R(act(norm₁(x)))) + W·act(t))',
    source: "Ho et al. 2020, their code; diffusers' `ResnetBlock2D`",
    by: 'from four pixels of two channels to one of three, R their mean, where a convolution is the middle of its filter',
    check: () => checkBlock(false, 1),
  },
  {
    number: '19.2',
    statement: 'h = norm₂(conv₁(R(act(norm₁(x)))))·(1 + a) + b, (a, b) = W·act(t)',
    source: 'Dhariwal & Nichol 2021, section 4.3 (`scaleShift`)',
    by: 'the same block, whose time has six numbers for three channels',
    check: () => checkBlock(true, 1),
  },
  {
    number: '19.3',
    statement: 'y = (skip(R(x)) + conv₂(d(act(h))))/s',
    source: "diffusers' `ResnetBlock2D`, s its `output_scale_factor`",
    by: 'the same block, divided by √2',
    check: () => checkBlock(false, Math.SQRT2),
  },
  {
    number: '19.4',
    statement: 'y = (x + W·(…, softmax(qₕ·kₕᵀ/√d)·vₕ, …))/s, d = C/heads',
    source: 'Vaswani et al. 2017, eq. 4',
    by: 'two heads of two channels on three pixels, pixel by pixel in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(12), vectors(64), vectors(24)), async ([x, matrices, rest]) => {
        const of = (i: number) => ({ w: matrices.slice(16 * i, 16 * i + 16), b: rest.slice(4 * i, 4 * i + 4) })
        const layer = (i: number) => ({ weight: f64(of(i).w, [4, 4]), bias: f64(of(i).b) })
        const [w, b] = [rest.slice(16, 20), rest.slice(20, 24)]
        const y = normed(x, w, b)
        const pixels = (i: number): readonly Vector[] =>
          upTo(3).map((p) => affine(y.slice(4 * p, 4 * p + 4), of(i).w, of(i).b))
        const [q, k, v] = [pixels(0), pixels(1), pixels(2)]
        const expected = q.flatMap((query, p) => {
          const mixed = [0, 2].flatMap((from) => {
            const part = (vector: Vector): Vector => vector.slice(from, from + 2)
            const logits = k.map((key) => Math.exp(dot(part(query), part(key)) / Math.SQRT2))
            return [0, 1].map((c) => sum(logits.map((e, j) => e * at(part(v[j] ?? []), c))) / sum(logits))
          })
          return affine(mixed, of(3).w, of(3).b).map((z, c) => (z + at(x, 4 * p + c)) / 2)
        })
        const module = imageAttention(4, { norm: groupNorm(1, 4, { epsilon }), headWidth: 2, scale: 2 })
        const params = {
          norm: { weight: f64(w), bias: f64(b) },
          query: layer(0),
          key: layer(1),
          value: layer(2),
          out: layer(3),
        }
        return agree(1e-9, await read(module.apply(params, f64(x, [1, 1, 3, 4]))), expected)
      }),
  },
]

const times: readonly Equation[] = [
  {
    number: '19.5',
    statement: 'e(t) = (cos(t·ω₀), …, cos(t·ω_{h−1}), sin(t·ω₀), …), ωᵢ = 10⁴^(−i/(h − s))',
    source: "diffusers' `get_timestep_embedding`, `flip_sin_to_cos`",
    by: 'h = 3, s from 0 to 2, term by term',
    check: () =>
      forAll(fc.tuple(real(0, 1000), fc.constantFrom(0, 1, 2)), async ([t, shift]) => {
        const angles = upTo(3).map((i) => t * 10_000 ** (-i / (3 - shift)))
        const embed = sinusoidalTimeEmbedding(6, { shift, cosinesFirst: true })
        return agree(1e-9, await read(embed.apply({}, f64([t]))), [...angles.map(Math.cos), ...angles.map(Math.sin)])
      }),
  },
  {
    number: '19.6',
    statement: 'e(σ) = (sin(2π·f₁·log σ), …, cos(2π·f₁·log σ), …), fᵢ ~ N(0, 16²)',
    source: 'Song et al. 2021, appendix C.3',
    by: 'three frequencies, term by term',
    check: () =>
      forAll(fc.tuple(real(0.01, 50), vectors(3, -40, 40)), async ([sigma, frequencies]) => {
        const angles = frequencies.map((f) => 2 * Math.PI * f * Math.log(sigma))
        const y = fourierTimeEmbedding(3).apply({ weight: f64(frequencies) }, f64([sigma]))
        return agree(1e-9, await read(y), [...angles.map(Math.sin), ...angles.map(Math.cos)])
      }),
  },
]

/** An axis as both axes of a picture: v·vᵀ. */
const outer = (v: Vector): Vector => v.flatMap((a) => v.map((b) => a * b))

const filters: readonly Equation[] = [
  {
    number: '19.7',
    statement: 'small[i] = (x[2i − 1] + 3·x[2i] + 3·x[2i + 1] + x[2i + 2])/8',
    source: "Zhang 2019; StyleGAN2's `upfirdn2d`, factor 2",
    by: 'a picture that is a product of six numbers with themselves, zeros around it',
    check: () =>
      forAll(vectors(6), async (v) => {
        const x = (i: number): number => v[i] ?? 0
        const small = upTo(3).map((i) => (x(2 * i - 1) + 3 * x(2 * i) + 3 * x(2 * i + 1) + x(2 * i + 2)) / 8)
        return agree(1e-11, await read(firDownsample(f64(outer(v), [1, 6, 6, 1]))), outer(small))
      }),
  },
  {
    number: '19.8',
    statement: 'large[2i] = (x[i − 1] + 3·x[i])/4, large[2i + 1] = (3·x[i] + x[i + 1])/4',
    source: 'the adjoint of (19.7), times 2',
    by: 'a picture that is a product of three numbers with themselves, zeros around it',
    check: () =>
      forAll(vectors(3), async (v) => {
        const x = (i: number): number => v[i] ?? 0
        const large = upTo(3).flatMap((i) => [(x(i - 1) + 3 * x(i)) / 4, (3 * x(i) + x(i + 1)) / 4])
        return agree(1e-11, await read(firUpsample(f64(outer(v), [1, 3, 3, 1]))), outer(large))
      }),
  },
]

const layerNormed = (x: Vector): Vector => {
  const mean = sum(x) / x.length
  const variance = sum(x.map((v) => (v - mean) ** 2)) / x.length
  return x.map((v) => (v - mean) / Math.sqrt(variance + epsilon))
}

/** erf by its series, to 1e-12 for numbers below 3, which are all that occur here. */
const erf = (x: number): number => {
  let [term, total] = [x, x]
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n
    total += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

const gelu = (x: number): number => (x * (1 + erf(x / Math.SQRT2))) / 2

const halfOf = (x: Vector, part: 0 | 1): Vector => x.slice((part * x.length) / 2, ((part + 1) * x.length) / 2)

/** W₂·(a·gelu(b)) of a vector of two numbers, biases behind the matrices. */
const gatedOf = (x: Vector, w: Vector): Vector => {
  const both = affine(x, w.slice(0, 32), w.slice(32, 48))
  const inner = halfOf(both, 0).map((a, i) => a * gelu(at(halfOf(both, 1), i)))
  return affine(inner, w.slice(48, 64), w.slice(64, 66))
}

const gatedParams = (w: Vector) => ({
  hidden: { weight: f64(w.slice(0, 32), [2, 16]), bias: f64(w.slice(32, 48)) },
  out: { weight: f64(w.slice(48, 64), [8, 2]), bias: f64(w.slice(64, 66)) },
})

/** One head of two channels: of each of `xs`, what it sees of `seen`. */
const askedOf = (xs: readonly Vector[], seen: readonly Vector[], w: Vector): readonly Vector[] => {
  const n = 2 * (seen[0]?.length ?? 0)
  const none = [0, 0]
  const values = seen.map((s) => affine(s, w.slice(4 + n, 4 + 2 * n), none))
  return xs.map((x) => {
    const q = affine(x, w.slice(0, 4), none)
    const powers = seen.map((s) => Math.exp(dot(q, affine(s, w.slice(4, 4 + n), none)) / Math.SQRT2))
    const mean = [0, 1].map((c) => sum(values.map((v, i) => at(powers, i) * at(v, c))) / sum(powers))
    return affine(mean, w.slice(4 + 2 * n, 8 + 2 * n), w.slice(8 + 2 * n, 10 + 2 * n))
  })
}

const askedParams = (w: Vector, width: number) => {
  const n = 2 * width
  return {
    query: { weight: f64(w.slice(0, 4), [2, 2]) },
    key: { weight: f64(w.slice(4, 4 + n), [width, 2]) },
    value: { weight: f64(w.slice(4 + n, 4 + 2 * n), [width, 2]) },
    out: { weight: f64(w.slice(4 + 2 * n, 8 + 2 * n), [2, 2]), bias: f64(w.slice(8 + 2 * n, 10 + 2 * n)) },
  }
}

const plus = (xs: readonly Vector[], ys: readonly Vector[]): readonly Vector[] =>
  xs.map((x, i) => x.map((v, c) => v + (ys[i]?.[c] ?? NaN)))

const transformers: readonly Equation[] = [
  {
    number: '19.9',
    statement: 'x ← x + own(n₁(x)), x ← x + cross(n₂(x), tokens), y = x + feed(n₃(x))',
    source: "diffusers' `BasicTransformerBlock`",
    by: 'two pixels of two channels that attend to two tokens of three, one head, pixel by pixel in plain numbers',
    check: () =>
      forAll(
        fc.tuple(vectors(4), vectors(6), vectors(18), vectors(22), vectors(66, -1, 1)),
        async ([x, words, own, cross, feed]) => {
          const pixels = [x.slice(0, 2), x.slice(2, 4)]
          const tokens = [words.slice(0, 3), words.slice(3, 6)]
          const first = pixels.map(layerNormed)
          const seen = plus(pixels, askedOf(first, first, own))
          const told = plus(seen, askedOf(seen.map(layerNormed), tokens, cross))
          const expected = plus(
            told,
            told.map((v) => gatedOf(layerNormed(v), feed)),
          )
          const norm = { weight: f64([1, 1]), bias: f64([0, 0]) }
          const params = {
            norm1: norm,
            norm2: norm,
            norm3: norm,
            own: askedParams(own, 2),
            cross: askedParams(cross, 3),
            feed: gatedParams(feed),
          }
          const input = { x: f64(x, [1, 2, 2]), context: f64(words, [1, 2, 3]) }
          return agree(1e-9, await read(transformerBlock(2, 3, 1).apply(params, input)), expected.flat())
        },
      ),
  },
  {
    number: '19.10',
    statement: 'feed(x) = W₂·(a·gelu(b)), (a, b) = W₁·x',
    source: 'Shazeer 2020, section 2 (GEGLU)',
    by: 'two numbers, eight inside, with biases',
    check: () =>
      forAll(fc.tuple(vectors(2, -1, 1), vectors(66, -1, 1)), async ([x, w]) =>
        agree(1e-9, await read(gated(2).apply(gatedParams(w), f64(x, [1, 1, 2]))), gatedOf(x, w)),
      ),
  },
]

/** Those of chapter 19. */
export const unet2dEquations: readonly Equation[] = [...blocks, ...times, ...filters, ...transformers]
