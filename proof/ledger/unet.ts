/** Equations of chapter 5: the embedding of times, the residual block, attention. */
import fc from 'fast-check'
import { vjp } from '../../src/autograd/grad.ts'
import { resBlock } from '../../src/models/lucidrains/resBlock.ts'
import { linearAttention } from '../../src/models/lucidrains/linearAttention.ts'
import { pixelAttention } from '../../src/models/lucidrains/attention.ts'
import { sinusoidalTimeEmbedding } from '../../src/nn/timeEmbedding.ts'
import { tensor } from '../../src/tensor/create.ts'
import { attention } from '../../src/tensor/attention.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { mapTree } from '../../src/tensor/tree.ts'
import { agree, at, device, forAll, holds, read, sum, together, upTo, vectors, type Equation } from './equation.ts'

/** Rows of numbers. */
type Matrix = readonly (readonly number[])[]

const rowsOf = (values: readonly number[], width: number): Matrix =>
  upTo(values.length / width).map((i) => values.slice(i * width, (i + 1) * width))

const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] ?? []).map((_, j) => sum(row.map((v, k) => v * at(b[k] ?? [], j)))))

const transposed = (a: Matrix): Matrix => (a[0] ?? []).map((_, j) => a.map((row) => at(row, j)))

const softmaxRow = (row: readonly number[]): readonly number[] => {
  const all = sum(row.map(Math.exp))
  return row.map((v) => Math.exp(v) / all)
}

const f64 = (values: readonly number[], shape: readonly number[]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const silu = (x: number): number => x / (1 + Math.exp(-x))

/** Pixels [H·W][C] of an image of 3×3 through a 3×3 convolution with padding 1. */
const conv3 = (x: Matrix, w: readonly number[], b: readonly number[]): Matrix =>
  upTo(9).map((p) =>
    b.map((bias, o) => {
      const terms = upTo(9).flatMap((q) => {
        const [i, j] = [Math.floor(p / 3) + Math.floor(q / 3) - 1, (p % 3) + (q % 3) - 1]
        if (i < 0 || j < 0 || i > 2 || j > 2) return []
        return (x[3 * i + j] ?? []).map((v, c) => v * at(w, (q * (x[0]?.length ?? 0) + c) * b.length + o))
      })
      return bias + sum(terms)
    }),
  )

const rms = (x: Matrix, gain: readonly number[]): Matrix =>
  x.map((pixel) => {
    const norm = Math.sqrt(sum(pixel.map((v) => v * v)))
    return pixel.map((v, c) => (Math.sqrt(pixel.length) * at(gain, c) * v) / norm)
  })

type Plain = { readonly [name: string]: readonly number[] }

/** The parameters of a block as plain numbers, with biases and gains away from where they begin. */
const blockOf = async (inputs: number, outputs: number, seed: number) => {
  const block = resBlock(inputs, outputs, 4)
  const shaken = mapTree(block.init(key(seed)), (p, path) => {
    const wave = upTo(p.size).map((i) => Math.sin(i * 1.3 + path.length + seed))
    return f64(wave, p.shape).mul(0.3).add(p.cast('f64'))
  })
  const params = await device.realize(shaken)
  const plain: Record<string, readonly number[]> = {}
  const waiting: Promise<void>[] = []
  mapTree(params, (p, path) => {
    waiting.push(read(p).then((values) => void (plain[path] = values)))
    return p
  })
  await Promise.all(waiting)
  return { block, params, plain: plain as Plain }
}

const named = (plain: Plain, name: string): readonly number[] => {
  const found = plain[name]
  if (found === undefined) throw new Error(`no parameter ${name} among ${Object.keys(plain).join(', ')}`)
  return found
}

/** (5.3) in plain numbers. */
const hidden = (plain: Plain, x: Matrix, time: readonly number[], width: number): Matrix => {
  const [vector = []] = times([time.map(silu)], rowsOf(named(plain, 'time.weight'), 2 * width))
  const modulation = vector.map((v, i) => v + at(named(plain, 'time.bias'), i))
  const normed = rms(
    conv3(x, named(plain, 'block1.conv.weight'), named(plain, 'block1.conv.bias')),
    named(plain, 'block1.norm.gain'),
  )
  return normed.map((pixel) => pixel.map((v, c) => silu(v * (at(modulation, c) + 1) + at(modulation, width + c))))
}

/** (5.4) in plain numbers. */
const block = (plain: Plain, x: Matrix, time: readonly number[], width: number): Matrix => {
  const h = hidden(plain, x, time, width)
  const out = rms(
    conv3(h, named(plain, 'block2.conv.weight'), named(plain, 'block2.conv.bias')),
    named(plain, 'block2.norm.gain'),
  )
  const skip =
    plain['skip.weight'] === undefined
      ? x
      : times(x, rowsOf(plain['skip.weight'], width)).map((p) => p.map((v, c) => v + at(named(plain, 'skip.bias'), c)))
  return out.map((pixel, p) => pixel.map((v, c) => silu(v) + at(skip[p] ?? [], c)))
}

const blockInputs = fc.tuple(vectors(18), vectors(4), fc.integer({ min: 0, max: 99 }))

const lucidrains = "lucidrains' `denoising-diffusion-pytorch` 2.3.1, `ResnetBlock`"

const embedding: readonly Equation[] = [
  {
    number: '5.1',
    statement: 'e(t) = (sin(t·ω₀), …, sin(t·ω_{h−1}), cos(t·ω₀), …, cos(t·ω_{h−1}))',
    source: 'Vaswani et al. 2017, section 3.5',
    by: '`sinusoidalTimeEmbedding` of f64 times in 0 … 1000 for widths 4 to 64',
    check: () =>
      forAll(fc.tuple(fc.integer({ min: 2, max: 32 }), vectors(3, 0, 1000)), async ([h, t]) => {
        const e = await read(sinusoidalTimeEmbedding(2 * h).apply({}, f64(t, [3])))
        const waves = upTo(h).map((i) => 10000 ** (-i / (h - 1)))
        const expected = t.flatMap((time) => [
          ...waves.map((w) => Math.sin(time * w)),
          ...waves.map((w) => Math.cos(time * w)),
        ])
        return agree(1e-11, e, expected)
      }),
  },
  {
    number: '5.2',
    statement: 'ωᵢ = 10000^(−i/(h − 1)), h = width/2',
    source: "the spacing of Ho et al.'s code (2020)",
    by: 'angles recovered from the embedding of a short time; first and last are 1 and 1/10000, ratios are constant',
    check: () =>
      forAll(fc.integer({ min: 2, max: 32 }), async (h) => {
        const t = 0.5
        const e = await read(sinusoidalTimeEmbedding(2 * h).apply({}, f64([t], [1])))
        const waves = upTo(h).map((i) => Math.atan2(at(e, i), at(e, h + i)) / t)
        return together([
          agree(
            1e-13,
            waves,
            upTo(h).map((i) => 10000 ** (-i / (h - 1))),
          ),
          agree(1e-13, [at(waves, 0), at(waves, h - 1) * 10000], [1, 1]),
        ])
      }),
  },
]

const blocks: readonly Equation[] = [
  {
    number: '5.3',
    statement: 'h = dropout(silu(norm(conv(x)) · (scale + 1) + shift)), (scale, shift) = linear(silu(time))',
    source: lucidrains,
    by: '`resBlock` with 2 → 3 channels, all loops in plain numbers; the second half made transparent by its parameters',
    check: () =>
      forAll(
        blockInputs,
        async ([x, time, seed]) => {
          // A second convolution that is the identity of its centre, and no skip: y = silu(rms(h)), from which the direction of h follows.
          const { block: layer, params, plain } = await blockOf(2, 3, seed)
          const centre = f64(
            upTo(81).map((k) => Number(Math.floor(k / 9) === 4 && Math.floor(k / 3) % 3 === k % 3)),
            [3, 3, 3, 3],
          )
          const zero = (p: Tensor): Tensor => p.mul(0)
          const opened = {
            ...params,
            block2: { conv: { weight: centre, bias: f64([0, 0, 0], [3]) }, norm: params.block2.norm },
            skip: params.skip === undefined ? undefined : mapTree(params.skip, zero),
          }
          const y = await read(layer.apply(opened, { x: f64(x, [1, 3, 3, 2]), time: f64(time, [1, 4]) }))
          const h = hidden(plain, rowsOf(x, 2), time, 3)
          const expected = rms(h, named(plain, 'block2.norm.gain')).map((pixel) => pixel.map(silu))
          return agree(1e-9, y, expected.flat())
        },
        8,
      ),
  },
  {
    number: '5.4',
    statement: 'y = silu(norm(conv(h))) + skip(x)',
    source: lucidrains,
    by: '`resBlock` with 2 → 3 channels (a 1×1 skip) and 2 → 2 (none), all loops in plain numbers',
    check: () =>
      forAll(
        blockInputs,
        async ([x, time, seed]) => {
          const outcomes = [3, 2].map(async (width) => {
            const { block: layer, params, plain } = await blockOf(2, width, seed)
            const y = await read(layer.apply(params, { x: f64(x, [1, 3, 3, 2]), time: f64(time, [1, 4]) }))
            return together([
              agree(1e-9, y, block(plain, rowsOf(x, 2), time, width).flat()),
              holds((plain['skip.weight'] === undefined) === (width === 2), 'a skip where widths differ'),
            ])
          })
          return together(await Promise.all(outcomes))
        },
        8,
      ),
  },
  {
    number: '5.5',
    statement: '∂y/∂x = I + ∂f/∂x for y = x + f(x)',
    source: 'He et al. 2016, "Identity mappings in deep residual networks", eq. 5',
    by: 'the pullback of `resBlock` with equal widths is g plus that of its branch; g alone where the branch is shut',
    check: () =>
      forAll(
        fc.tuple(blockInputs, vectors(18)),
        async ([[x, time, seed], g]) => {
          const { block: layer, params } = await blockOf(2, 2, seed)
          const cotangent = f64(g, [1, 3, 3, 2])
          const back = async (f: (z: Tensor) => Tensor): Promise<readonly number[]> =>
            read(vjp(f, f64(x, [1, 3, 3, 2])).pullback(cotangent)[0])
          const y = (z: Tensor): Tensor => layer.apply(params, { x: z, time: f64(time, [1, 4]) })
          const shut = {
            ...params,
            block2: { ...params.block2, norm: { gain: params.block2.norm.gain.mul(0) } },
          }
          const branch = await back((z) => y(z).sub(z))
          return together([
            agree(
              1e-12,
              await back(y),
              branch.map((v, i) => v + at(g, i)),
            ),
            agree(1e-15, await back((z) => layer.apply(shut, { x: z, time: f64(time, [1, 4]) })), g),
          ])
        },
        5,
      ),
  },
]

/** An attention layer of one head over 2×2 pixels of 2 channels without memory, its parameters in plain numbers. */
const headWidth = 3

const attentions: readonly Equation[] = [
  {
    number: '5.6',
    statement: 'attention(Q, K, V) = softmax(QKᵀ/√d)·V',
    source: 'Vaswani et al. 2017, eq. 1',
    by: '`attention` on 4 queries, 5 keys and values, and the layer of one head on 2×2 pixels, as products of matrices',
    check: () =>
      forAll(
        fc.tuple(vectors(12), vectors(15), vectors(10), vectors(8, 0.2, 2), vectors(18), vectors(8)),
        async ([q, k, v, x, w, out]) => {
          const plain = (a: Matrix, b: Matrix, c: Matrix): Matrix => {
            const logits = times(a, transposed(b)).map((row) => row.map((z) => z / Math.sqrt(a[0]?.length ?? NaN)))
            return times(logits.map(softmaxRow), c)
          }
          const layer = pixelAttention(2, { heads: 1, headWidth, memory: 0 })
          const params = {
            norm: { gain: f64([1, 1], [2]) },
            memory: undefined,
            queryKeyValue: { weight: f64(w, [2, 9]) },
            out: { weight: f64(out.slice(0, 6), [3, 2]), bias: f64(out.slice(6), [2]) },
          }
          const projected = times(rms(rowsOf(x, 2), [1, 1]), rowsOf(w, 9))
          const part = (i: number): Matrix => projected.map((row) => row.slice(3 * i, 3 * i + 3))
          const seen = times(plain(part(0), part(1), part(2)), rowsOf(out.slice(0, 6), 2))
          return together([
            agree(
              1e-13,
              await read(attention(f64(q, [4, 3]), f64(k, [5, 3]), f64(v, [5, 2]))),
              plain(rowsOf(q, 3), rowsOf(k, 3), rowsOf(v, 2)).flat(),
            ),
            agree(
              1e-12,
              await read(layer.apply(params, f64(x, [1, 2, 2, 2]))),
              seen.flatMap((pixel) => pixel.map((z, c) => z + at(out, 6 + c))),
            ),
          ])
        },
      ),
  },
  {
    number: '5.7',
    statement: 'linearAttention(Q, K, V) = ρ_d(Q)/√d · (ρ_n(K)ᵀV)',
    source: "Shen et al. 2018, with lucidrains' scale",
    by: '`linearAttention` of one head on 2×2 pixels without memory, with its norms, as products of matrices',
    check: () =>
      forAll(fc.tuple(vectors(8, 0.2, 2), vectors(18), vectors(8)), async ([x, w, out]) => {
        const layer = linearAttention(2, { heads: 1, headWidth, memory: 0 })
        const params = {
          norm: { gain: f64([1, 1], [2]) },
          memory: undefined,
          queryKeyValue: { weight: f64(w, [2, 9]) },
          out: { weight: f64(out.slice(0, 6), [3, 2]), bias: f64(out.slice(6), [2]) },
          outNorm: { gain: f64([1, 1], [2]) },
        }
        const projected = times(rms(rowsOf(x, 2), [1, 1]), rowsOf(w, 9))
        const part = (i: number): Matrix => projected.map((row) => row.slice(3 * i, 3 * i + 3))
        const queries = part(0).map((row) => softmaxRow(row).map((p) => p / Math.sqrt(headWidth)))
        const keys = transposed(transposed(part(1)).map(softmaxRow)) // over the pixels of each feature
        const seen = times(times(queries, times(transposed(keys), part(2))), rowsOf(out.slice(0, 6), 2))
        const biased = seen.map((pixel) => pixel.map((z, c) => z + at(out, 6 + c)))
        return agree(1e-10, await read(layer.apply(params, f64(x, [1, 2, 2, 2]))), rms(biased, [1, 1]).flat())
      }),
  },
]

/** The entries. */
export const unetEquations: readonly Equation[] = [...embedding, ...blocks, ...attentions]
