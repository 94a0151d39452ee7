/** Equations of chapter 15: the posterior of latents, the blocks of autoencoders, shortcuts, scales, codes and tiles. */
import fc from 'fast-check'
import { grad, vjp } from '../../src/autograd/index.ts'
import {
  autoencoderTiny,
  codebookLoss,
  klDivergence,
  nearestCodes,
  posteriorNll,
  posteriorOf,
  quantize,
  samplePosterior,
  scaleLatents,
  summedKlDivergence,
  tiledAutoencoder,
  unscaleLatents,
  type Autoencoder,
} from '../../src/models/index.ts'
import { latentAttention, latentBlock, type BlockStyle } from '../../src/models/autoencoder/blocks.ts'
import { softlyBounded } from '../../src/models/autoencoder/kl.ts'
import { downShortcut, upShortcut } from '../../src/models/autoencoder/shortcuts.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  agree,
  at,
  device,
  dot,
  forAll,
  integral,
  read,
  real,
  sum,
  together,
  upTo,
  vectors,
  type Equation,
} from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const density = (x: number, mean: number, variance: number): number =>
  Math.exp(-((x - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance)

const posterior: readonly Equation[] = [
  {
    number: '15.1',
    statement: 'q(z | x) = N(μ, σ²), [μ, log σ²] = encoder(x)',
    source: 'Kingma & Welling 2014, eq. 9',
    by: 'the two halves of the channels, log σ² within [−30, 20]',
    check: () =>
      forAll(vectors(8, -40, 40), async (x) => {
        const { mean, logVariance } = posteriorOf(f64(x, [2, 4]))
        const half = (from: number): readonly number[] => [0, 4].flatMap((row) => x.slice(row + from, row + from + 2))
        return together([
          agree(0, await read(mean), half(0)),
          agree(
            0,
            await read(logVariance),
            half(2).map((v) => Math.min(20, Math.max(-30, v))),
          ),
        ])
      }),
  },
  {
    number: '15.2',
    statement: 'z = μ + σ·ε, ε ~ N(0, 1)',
    source: 'Kingma & Welling 2014, section 2.4',
    by: 'samples at random μ, log σ² and ε in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(5), vectors(5), vectors(5)), async ([mean, logVariance, noise]) =>
        agree(
          1e-14,
          await read(samplePosterior({ mean: f64(mean), logVariance: f64(logVariance) }, f64(noise))),
          mean.map((m, i) => m + Math.sqrt(Math.exp(at(logVariance, i))) * at(noise, i)),
        ),
      ),
  },
  {
    number: '15.3',
    statement: 'KL(N(μ, σ²) ‖ N(0, 1)) = ½(μ² + σ² − 1 − log σ²)',
    source: 'Kingma & Welling 2014, appendix B',
    by: "∫ p·log(p/q) by Simpson's rule; the mean over two elements and their sum",
    check: () =>
      forAll(fc.tuple(vectors(2, -2, 2), vectors(2, -2, 1)), async ([mean, logVariance]) => {
        const each = mean.map((m, i) => {
          const variance = Math.exp(at(logVariance, i))
          const reach = 12 * Math.sqrt(variance)
          const log = (x: number): number => (x * x - (x - m) ** 2 / variance - at(logVariance, i)) / 2
          return integral((x) => density(x, m, variance) * log(x), m - reach, m + reach, 2000)
        })
        const q = { mean: f64(mean, [1, 2]), logVariance: f64(logVariance, [1, 2]) }
        return together([
          agree(1e-8, await read(klDivergence(q)), [sum(each) / 2]),
          agree(1e-8, await read(summedKlDivergence(q)), [sum(each)]),
        ])
      }),
  },
  {
    number: '15.4',
    statement: '−log q(z | x) = ½(log 2π + log σ² + (z − μ)²/σ²)',
    source: 'definition',
    by: '−log of the normal density, summed over the elements of a picture',
    check: () =>
      forAll(fc.tuple(vectors(4, -2, 2), vectors(4, -2, 2), vectors(4, -2, 2)), async ([mean, logVariance, z]) => {
        const each = z.map((v, i) => -Math.log(density(v, at(mean, i), Math.exp(at(logVariance, i)))))
        const q = { mean: f64(mean, [2, 2]), logVariance: f64(logVariance, [2, 2]) }
        const expected = [at(each, 0) + at(each, 1), at(each, 2) + at(each, 3)]
        return agree(1e-11, await read(posteriorNll(q, f64(z, [2, 2]))), expected)
      }),
  },
]

const style: BlockStyle = { activation: 'silu', norm: 'group', groups: 1, epsilon: 1e-6, shortcuts: 'none' }
const silu = (x: number): number => x / (1 + Math.exp(-x))

/** Group norm of one group, with w and b. */
const normed = (x: readonly number[], w: readonly number[], b: readonly number[]): readonly number[] => {
  const mean = sum(x) / x.length
  const variance = sum(x.map((v) => (v - mean) ** 2)) / x.length
  return x.map((v, i) => (at(w, i % w.length) * (v - mean)) / Math.sqrt(variance + 1e-6) + at(b, i % b.length))
}

/** x·W + b. */
const affine = (x: readonly number[], w: readonly number[], b: readonly number[]): readonly number[] =>
  b.map((bias, o) => bias + sum(x.map((v, i) => v * at(w, i * b.length + o))))

const networks: readonly Equation[] = [
  {
    number: '15.5',
    statement: 'y = conv₂(act(norm₂(conv₁(act(norm₁(x)))))) + skip(x)',
    source: 'He et al. 2016, with norms first',
    by: 'from two channels to three on one pixel, where a convolution is the middle of its filter, in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(2), vectors(54), vectors(81), vectors(22)), async ([x, first, second, rest]) => {
        const part = (from: number, n: number): readonly number[] => rest.slice(from, from + n)
        const [w1, b1, w2, b2] = [part(0, 2), part(2, 2), part(4, 3), part(7, 3)]
        const [c1, c2, skip, s] = [part(10, 3), part(13, 3), part(16, 6), [0.5, -1, 2]]
        const params = {
          norm1: { weight: f64(w1), bias: f64(b1) },
          conv1: { weight: f64(first, [3, 3, 2, 3]), bias: f64(c1) },
          norm2: { weight: f64(w2), bias: f64(b2) },
          conv2: { weight: f64(second, [3, 3, 3, 3]), bias: f64(c2) },
          skip: { weight: f64(skip, [2, 3]), bias: f64(s) },
        }
        const h = affine(normed(x, w1, b1).map(silu), first.slice(24, 30), c1)
        const y = affine(normed(h, w2, b2).map(silu), second.slice(36, 45), c2)
        const expected = affine(x, skip, s).map((v, i) => v + at(y, i))
        return agree(1e-10, await read(latentBlock(2, 3, style).apply(params, f64(x, [1, 1, 1, 2]))), expected)
      }),
  },
  {
    number: '15.6',
    statement: 'y = x + W·softmax(q·kᵀ/√C)·v, q, k, v linear in norm(x)',
    source: 'Vaswani et al. 2017, eq. 1',
    by: 'two channels of three pixels, pixel by pixel in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(6), vectors(16), vectors(12)), async ([x, matrices, vectors_]) => {
        const names = ['query', 'key', 'value', 'out'] as const
        const of = (i: number) => ({ w: matrices.slice(4 * i, 4 * i + 4), b: vectors_.slice(2 * i, 2 * i + 2) })
        const layer = (i: number) => ({ weight: f64(of(i).w, [2, 2]), bias: f64(of(i).b) })
        const [w, b] = [vectors_.slice(8, 10), vectors_.slice(10, 12)]
        const pixels = (i: number): readonly (readonly number[])[] => {
          const y = normed(x, w, b)
          return [0, 2, 4].map((from) => affine(y.slice(from, from + 2), of(i).w, of(i).b))
        }
        const [q, k, v] = [pixels(0), pixels(1), pixels(2)]
        const expected = q.flatMap((query, p) => {
          const logits = k.map((key) => Math.exp(dot(query, key) / Math.SQRT2))
          const mixed = [0, 1].map((c) => sum(logits.map((e, j) => e * (v[j]?.[c] ?? NaN))) / sum(logits))
          return affine(mixed, of(3).w, of(3).b).map((y, c) => y + at(x, 2 * p + c))
        })
        const params = {
          norm: { weight: f64(w), bias: f64(b) },
          query: layer(0),
          key: layer(1),
          value: layer(2),
          out: layer(names.indexOf('out')),
        }
        return agree(1e-9, await read(latentAttention(2, style).apply(params, f64(x, [1, 1, 3, 2]))), expected)
      }),
  },
  {
    number: '15.7',
    statement: 'down(x)[i, j, c] = mean of C·4/C′ channels of unshuffle(x)[i, j], from channel c·C·4/C′ on',
    source: 'Chen et al. 2025, section 3.2',
    by: 'C = 2 and C′ = 4, 2 and 1 on a picture of 2×4, by indices',
    check: () =>
      forAll(fc.tuple(vectors(16), fc.constantFrom(4, 2, 1)), async ([x, outputs]) => {
        const channel = (j: number, m: number): number => {
          const [c, a, b] = [Math.floor(m / 4), Math.floor(m / 2) % 2, m % 2]
          return at(x, (a * 4 + 2 * j + b) * 2 + c)
        }
        const each = 8 / outputs
        const expected = [0, 1].flatMap((j) =>
          upTo(outputs).map((c) => sum(upTo(each).map((m) => channel(j, c * each + m))) / each),
        )
        return agree(1e-14, await read(downShortcut(f64(x, [1, 2, 4, 2]), outputs)), expected)
      }),
  },
  {
    number: '15.8',
    statement: 'up(z)[2i + a, 2j + b, c] = z[i, j, ⌊(4c + 2a + b)·C/(4C′)⌋]',
    source: 'Chen et al. 2025, section 3.2',
    by: 'C = 4 and C′ = 4, 2 and 1 on latents of 1×2, by indices',
    check: () =>
      forAll(fc.tuple(vectors(8), fc.constantFrom(4, 2, 1)), async ([z, outputs]) => {
        const expected = [0, 1].flatMap((a) =>
          upTo(4).flatMap((column) =>
            upTo(outputs).map((c) => {
              const [j, b] = [Math.floor(column / 2), column % 2]
              return at(z, j * 4 + Math.floor(((4 * c + 2 * a + b) * 4) / (4 * outputs)))
            }),
          ),
        )
        return agree(0, await read(upShortcut(f64(z, [1, 1, 2, 4]), outputs)), expected)
      }),
  },
]

const scales: readonly Equation[] = [
  {
    number: '15.9',
    statement: 'z′ = (z − m)·f/s',
    source: "diffusers' `latents_mean`, `latents_std` and `scaling_factor`",
    by: 'two channels with means and deviations, and one shift for all; and back',
    check: () =>
      forAll(fc.tuple(vectors(4), vectors(3), vectors(2, 0.1, 3)), async ([z, [shift = 0, ...mean], deviation]) => {
        const measured = { factor: 0.7, mean, deviation }
        const one = { factor: 0.18215, shift }
        const scaled = scaleLatents(measured, f64(z, [2, 2]))
        return together([
          agree(
            1e-13,
            await read(scaled),
            z.map((v, i) => ((v - at(mean, i % 2)) * 0.7) / at(deviation, i % 2)),
          ),
          agree(1e-13, await read(unscaleLatents(measured, scaled)), z),
          agree(
            1e-14,
            await read(scaleLatents(one, f64(z, [2, 2]))),
            z.map((v) => (v - shift) * 0.18215),
          ),
        ])
      }),
  },
  {
    number: '15.10',
    statement: 'bound(z) = 3·tanh(z/3)',
    source: 'TAESD, `Clamp`',
    by: 'random latents in [−10, 10]; a decoder without layers between gives its head of the bound',
    check: () =>
      forAll(vectors(6, -10, 10), async (z) => {
        const bound = z.map((v) => 3 * Math.tanh(v / 3))
        const { decoder } = autoencoderTiny({
          channels: 1,
          latentChannels: 1,
          width: 1,
          encoderBlocks: [1],
          decoderBlocks: [1],
        })
        const one = { weight: f64([0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 3, 1, 1]), bias: f64([0]) }
        const none = {
          weight: f64(
            upTo(9).map(() => 0),
            [3, 3, 1, 1],
          ),
          bias: f64([0]),
        }
        const block = { conv1: none, conv2: none, conv3: none, pool: undefined }
        const params = { stem: one, stages: [{ blocks: [block], resize: undefined }], head: one }
        return together([
          agree(1e-14, await read(softlyBounded(f64(z))), bound),
          agree(
            1e-14,
            await read(decoder.apply(params, f64(z, [1, 2, 3, 1]))),
            bound.map((v) => 2 * Math.max(0, v) - 1),
          ),
        ])
      }),
  },
]

/** Places of the nearest codes, and squared distances, in plain numbers. */
const nearestOf = (codes: readonly number[], z: readonly number[]): readonly number[] =>
  upTo(z.length / 2).map((i) => {
    const distances = upTo(codes.length / 2).map((k) =>
      sum([0, 1].map((d) => (at(z, 2 * i + d) - at(codes, 2 * k + d)) ** 2)),
    )
    return distances.indexOf(Math.min(...distances))
  })

const codes: readonly Equation[] = [
  {
    number: '15.11',
    statement: 'k = argmin ‖z − e_k‖, q(z) = e_k',
    source: 'van den Oord et al. 2017, eq. 1 and 2',
    by: 'four latents and five codes of two channels, all distances in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(10), vectors(8)), async ([table, z]) => {
        const k = nearestOf(table, z)
        const [e, x] = [f64(table, [5, 2]), f64(z, [4, 2])]
        return together([
          agree(0, await read(nearestCodes(e, x)), k),
          agree(
            1e-14,
            await read(quantize(e, x)),
            k.flatMap((row) => [at(table, 2 * row), at(table, 2 * row + 1)]),
          ),
        ])
      }),
  },
  {
    number: '15.12',
    statement: 'q(z) = z + sg(e_k − z), ∂q/∂z = 1, ∂q/∂e = 0',
    source: 'van den Oord et al. 2017, section 3.2',
    by: 'the pullback of random cotangents',
    check: () =>
      forAll(fc.tuple(vectors(10), vectors(8), vectors(8)), async ([table, z, g]) => {
        const { pullback } = vjp(quantize, f64(table, [5, 2]), f64(z, [4, 2]))
        const [byCodes, byZ] = pullback(f64(g, [4, 2]))
        return together([
          agree(0, await read(byZ), g),
          agree(
            0,
            await read(byCodes),
            table.map(() => 0),
          ),
        ])
      }),
  },
  {
    number: '15.13',
    statement: 'L = ‖sg(z) − e_k‖² + β·‖z − sg(e_k)‖², as means',
    source: 'van den Oord et al. 2017, eq. 3',
    by: 'value and both gradients with β = 0.25 and in the legacy form, in plain numbers',
    check: () =>
      forAll(
        fc.tuple(vectors(10), vectors(8), fc.constantFrom('paper' as const, 'legacy' as const)),
        async ([table, z, form]) => {
          const k = nearestOf(table, z)
          const gaps = z.map((v, i) => v - at(table, 2 * at(k, Math.floor(i / 2)) + (i % 2)))
          const [ofCodes, ofLatents] = form === 'paper' ? [1, 0.25] : [0.25, 1]
          const loss = (e: Tensor, x: Tensor): Tensor => codebookLoss(e, x, { form })
          const [e, x] = [f64(table, [5, 2]), f64(z, [4, 2])]
          const byCodes = table.map((_, i) =>
            sum(gaps.map((gap, j) => (2 * at(k, Math.floor(j / 2)) + (j % 2) === i ? (-ofCodes * 2 * gap) / 8 : 0))),
          )
          return together([
            agree(1e-13, await read(loss(e, x)), [(1.25 * sum(gaps.map((gap) => gap * gap))) / 8]),
            agree(1e-13, await read(grad((codes_: Tensor) => loss(codes_, x))(e)), byCodes),
            agree(
              1e-13,
              await read(grad((latents: Tensor) => loss(e, latents))(x)),
              gaps.map((gap) => (ofLatents * 2 * gap) / 8),
            ),
          ])
        },
      ),
  },
  {
    number: '15.14',
    statement: 'y_j = a_j + t·(b_j − a_j), t = (j + ½)/n',
    source: 'definition',
    by: 'two tiles whose decoder gives their mean everywhere, with overlaps of 2, 4 and 6',
    check: () =>
      forAll(fc.tuple(vectors(8), fc.integer({ min: 1, max: 3 }), real(0.5, 2)), async ([z, n, gain]) => {
        const net: Autoencoder<object, object> = {
          encoder: { init: () => ({}), apply: (_, x) => ({ mean: x }) },
          decoder: { init: () => ({}), apply: (_, x) => x.mean([1, 2], true).mul(gain).broadcastTo(x.shape) },
          factor: 1,
          latentChannels: 1,
        }
        const whole = 4 + n // two tiles of eight latents, which share 2n
        const shared = 2 * n
        const tiles = tiledAutoencoder(device, net, { size: whole, overlap: shared })
        const result = await tiles.decode({}, tensor(Float32Array.from(z), { shape: [1, 1, 8, 1] }))
        const mean = (from: number): number => (gain * sum(z.slice(from, from + whole))) / whole
        const [a, b] = [mean(0), mean(8 - whole)]
        const expected = upTo(8).map((x) => {
          const j = x - (8 - whole)
          return j < 0 ? a : j >= shared ? b : a + ((j + 0.5) / shared) * (b - a)
        })
        return agree(1e-5, await device.read(result), expected)
      }),
  },
]

/** All of chapter 15. */
export const autoencoders: readonly Equation[] = [...posterior, ...networks, ...scales, ...codes]
