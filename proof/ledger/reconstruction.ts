/** Equations of chapter 16: losses of pictures, the two sides of an adversary, and measures of reconstructions. */
import fc from 'fast-check'
import { grad } from '../../src/autograd/grad.ts'
import { fitLinearProjection, projectLinearly } from '../../src/data/quality/linearProjection.ts'
import { psnr } from '../../src/data/quality/psnr.ts'
import { ssim } from '../../src/data/quality/ssim.ts'
import { adaptiveWeight } from '../../src/models/adversary/adaptiveWeight.ts'
import { adversarialLosses } from '../../src/models/adversary/adversarialLosses.ts'
import { r1Penalty } from '../../src/models/adversary/r1Penalty.ts'
import { equivarianceLoss } from '../../src/models/reconstruction/equivarianceLoss.ts'
import { pyramidLoss } from '../../src/models/reconstruction/pyramidLoss.ts'
import { featureLoss } from '../../src/nn/featureLoss.ts'
import { charbonnier } from '../../src/nn/losses.ts'
import { tensor } from '../../src/tensor/create.ts'
import { upsampleNearest } from '../../src/tensor/resampling.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, slope, sum, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const mean = (values: readonly number[]): number => sum(values) / values.length

/** The details of a picture of side×side, each level's in one list, and the half of each level. */
const detailsOf = (picture: readonly number[], side: number, levels: number): readonly (readonly number[])[] => {
  if (levels === 0) return []
  const squares = upTo((side * side) / 4).map((i) => {
    const [y, x] = [2 * Math.floor(i / (side / 2)), 2 * (i % (side / 2))]
    const pixel = (dy: number, dx: number): number => at(picture, (y + dy) * side + x + dx)
    return [pixel(0, 0), pixel(0, 1), pixel(1, 0), pixel(1, 1)] as const
  })
  const own = squares.flatMap(([a, b, c, d]) => [(a - b + c - d) / 4, (a + b - c - d) / 4, (a - b - c + d) / 4])
  const half = squares.map(([a, b, c, d]) => (a + b + c + d) / 4)
  return [own, ...detailsOf(half, side / 2, levels - 1)]
}

const unit = (v: readonly number[]): readonly number[] => v.map((x) => x / Math.sqrt(dot(v, v)))

const losses: readonly Equation[] = [
  {
    number: '16.1',
    statement: '√(d² + ε²), with the derivative d/√(d² + ε²)',
    source: 'Charbonnier et al. 1994',
    by: '`charbonnier` and its gradient in f64 against the formula, and that against finite differences',
    check: () =>
      forAll(vectors(5), async (d) => {
        const epsilon = 0.3
        const loss = (x: Tensor): Tensor => charbonnier(x, x.mul(0), { epsilon, reduction: 'none' })
        const printed = d.map((x) => x / Math.hypot(x, epsilon))
        return together([
          agree(
            1e-14,
            await read(loss(f64(d))),
            d.map((x) => Math.hypot(x, epsilon)),
          ),
          agree(1e-14, await read(grad((x: Tensor) => loss(x).sum())(f64(d))), printed),
          agree(
            1e-6,
            printed,
            d.map((x) => slope((y) => Math.hypot(y, epsilon), x)),
          ),
        ])
      }),
  },
  {
    number: '16.2',
    statement:
      'half = (a + b + c + d)/4, columns = (a − b + c − d)/4, rows = (a + b − c − d)/4, diagonals = (a − b − c + d)/4',
    source: 'Haar 1910',
    by: '`pyramidLoss` of one square, and of the half of four, against the printed differences',
    check: () =>
      forAll(vectors(16), async (picture) => {
        const found = pyramidLoss(f64(picture.slice(0, 4), [1, 2, 2, 1]), f64([0, 0, 0, 0], [1, 2, 2, 1]), {
          levels: 1,
        })
        const nothing = f64(Array<number>(16).fill(0), [1, 4, 4, 1])
        const twice = pyramidLoss(f64(picture, [1, 4, 4, 1]), nothing, { levels: 2 })
        const once = pyramidLoss(f64(picture, [1, 4, 4, 1]), nothing, { levels: 1 })
        const [first = [], second = []] = detailsOf(picture, 4, 2)
        return together([
          agree(1e-14, await read(found), [mean((detailsOf(picture.slice(0, 4), 2, 1)[0] ?? []).map(Math.abs))]),
          agree(1e-14, await read(once), [mean(first.map(Math.abs))]),
          agree(1e-14, await read(twice.mul(2).sub(once)), [mean(second.map(Math.abs))]),
        ])
      }),
  },
  {
    number: '16.3',
    statement: '(1/L)·Σ_l mean |details_l(x̂ − x)|',
    source: 'definition',
    by: '`pyramidLoss` of three levels in f64 against details by plain loops',
    check: () =>
      forAll(fc.tuple(vectors(64), vectors(64)), async ([a, b]) => {
        const levels = detailsOf(
          a.map((v, i) => v - at(b, i)),
          8,
          3,
        )
        const loss = pyramidLoss(f64(a, [1, 8, 8, 1]), f64(b, [1, 8, 8, 1]))
        return agree(1e-13, await read(loss), [mean(levels.map((own) => mean(own.map(Math.abs))))])
      }),
  },
  {
    number: '16.4',
    statement: '(1/L)·Σ_l mean_p ‖f_l/‖f_l‖ − g_l/‖g_l‖‖²',
    source: 'Zhang et al. 2018, eq. 1, with equal weights',
    by: '`featureLoss` of two layers of two pixels in f64 against the formula',
    check: () =>
      forAll(fc.tuple(vectors(6, 0.1, 2), vectors(6, 0.1, 2)), async ([a, b]) => {
        const features = (x: Tensor): readonly Tensor[] => [x, x.square()]
        const loss = featureLoss(features, f64(a, [1, 1, 2, 3]), f64(b, [1, 1, 2, 3]))
        const layer = (f: (x: number) => number): number =>
          mean(
            [0, 3].map((start) => {
              const [u, v] = [unit(a.slice(start, start + 3).map(f)), unit(b.slice(start, start + 3).map(f))]
              return sum(u.map((x, i) => (x - at(v, i)) ** 2))
            }),
          )
        return agree(1e-13, await read(loss), [(layer((x) => x) + layer((x) => x * x)) / 2])
      }),
  },
  {
    number: '16.5',
    statement: 'mean |decode(τz) − τx|',
    source: 'Kouzelis et al. 2025 (EQ-VAE), with one direction of the pair',
    by: '`equivarianceLoss` of a picture turned by each right angle, against plain loops',
    check: async () => {
      const [z, x] = [upTo(4).map((i) => Math.sin(i + 1)), upTo(16).map((i) => Math.cos(1.7 * i * i))]
      const turn = (p: readonly number[], side: number): readonly number[] =>
        upTo(side * side).map((i) => at(p, (i % side) * side + side - 1 - Math.floor(i / side)))
      const uneven = [1, 2, 3, 4]
      const expected = upTo(4).map((quarters) => {
        let [latents, pictures] = [z, x] as readonly (readonly number[])[]
        for (let i = 0; i < quarters; i++) [latents, pictures] = [turn(latents ?? [], 2), turn(pictures ?? [], 4)]
        const decoded = upTo(16).map((i) => {
          const place = 2 * Math.floor(i / 8) + Math.floor((i % 4) / 2)
          return at(latents ?? [], place) * at(uneven, place)
        })
        return mean(decoded.map((v, i) => Math.abs(v - at(pictures ?? [], i))))
      })
      const decode = (w: Tensor): Tensor => upsampleNearest(w.mul(f64(uneven, [1, 2, 2, 1])), 2)
      const found = upTo(4).map(async (quarters) => {
        const turns = tensor(Int32Array.of(quarters))
        return read(equivarianceLoss(decode, f64(z, [1, 2, 2, 1]), f64(x, [1, 4, 4, 1]), turns, { shrink: [1] }))
      })
      return agree(1e-13, (await Promise.all(found)).flat(), expected)
    },
  },
]

/** A row of the table of adversarial losses. */
const side = (
  number: string,
  printed: string,
  source: string,
  src: (real: Tensor, made: Tensor) => Tensor,
  formula: (real: readonly number[], made: readonly number[]) => number,
): Equation => ({
  number,
  statement: printed,
  source,
  by: 'src in f64 against the formula in plain numbers',
  check: () =>
    forAll(fc.tuple(vectors(4), vectors(6)), async ([real, made]) =>
      agree(1e-14, await read(src(f64(real), f64(made))), [formula(real, made)]),
    ),
})

const log1pExp = (x: number): number => Math.log1p(Math.exp(x))

const adversary: readonly Equation[] = [
  side(
    '16.6',
    'hinge, discriminator; ½·(mean max(0, 1 − D(x)) + mean max(0, 1 + D(x̂)))',
    'Lim & Ye 2017, halved as by Esser et al. 2021',
    (real, made) => adversarialLosses.hinge.discriminator(real, made),
    (real, made) => (mean(real.map((d) => Math.max(0, 1 - d))) + mean(made.map((d) => Math.max(0, 1 + d)))) / 2,
  ),
  side(
    '16.7',
    'hinge, generator; −mean D(x̂)',
    'Lim & Ye 2017',
    (_, made) => adversarialLosses.hinge.generator(made),
    (_, made) => -mean(made),
  ),
  side(
    '16.8',
    'vanilla, discriminator; ½·(mean log(1 + exp(−D(x))) + mean log(1 + exp(D(x̂))))',
    'Goodfellow et al. 2014, eq. 1',
    (real, made) => adversarialLosses.vanilla.discriminator(real, made),
    (real, made) => (mean(real.map((d) => log1pExp(-d))) + mean(made.map(log1pExp))) / 2,
  ),
  side(
    '16.9',
    'vanilla, generator; mean log(1 + exp(−D(x̂)))',
    'Goodfellow et al. 2014, section 3',
    (_, made) => adversarialLosses.vanilla.generator(made),
    (_, made) => mean(made.map((d) => log1pExp(-d))),
  ),
  {
    number: '16.10',
    statement: '‖∂/∂x Σ D(x)‖² / P',
    source: 'Mescheder et al. 2018, eq. 9, for one judgement',
    by: '`r1Penalty` of a curved D with two judgements against its derivatives by finite differences',
    check: () =>
      forAll(vectors(4), async (x) => {
        const D = (p: Tensor): Tensor => p.sin().mul(p).reshape([2, 2]).sum(1)
        const slopes = x.map((v) => slope((u) => u * Math.sin(u), v))
        return agree(1e-9, await read(r1Penalty(grad, D, f64(x))), [dot(slopes, slopes) / 2])
      }),
  },
  {
    number: '16.11',
    statement: 'w = factor·min(‖∂L_rec/∂θ‖ / (‖∂L_gan/∂θ‖ + ε), 1)',
    source: 'Esser et al. 2021, eq. 7, which has no bound',
    by: '`adaptiveWeight` of trees of two tensors in f64 against the formula',
    check: () =>
      forAll(fc.tuple(vectors(5), vectors(5)), async ([a, b]) => {
        const tree = (v: readonly number[]) => ({ weight: f64(v.slice(0, 4), [2, 2]), bias: f64(v.slice(4)) })
        const quotient = Math.sqrt(dot(a, a)) / (Math.sqrt(dot(b, b)) + 1e-4)
        return agree(1e-14, await read(adaptiveWeight(tree(a), tree(b))), [0.5 * Math.min(quotient, 1)])
      }),
  },
]

const gaussian: readonly number[] = (() => {
  const raw = upTo(11).map((i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)))
  return raw.map((w) => w / sum(raw))
})()

const measures: readonly Equation[] = [
  {
    number: '16.12',
    statement: '10·log₁₀(peak² / mean (x̂ − x)²)',
    source: 'definition',
    by: '`psnr` of bytes and of numbers in [0, 1]',
    check: () =>
      forAll(fc.tuple(vectors(7, 0, 1), vectors(7, 0, 1)), ([a, b]) => {
        const error = mean(a.map((v, i) => (v - at(b, i)) ** 2))
        const bytes = (v: readonly number[]): Uint8Array => Uint8Array.from(v, (x) => Math.round(255 * x))
        const ofBytes = mean(Array.from(bytes(a), (v, i) => (v - at(bytes(b), i)) ** 2))
        return together([
          agree(1e-12, [psnr(a, b, 1)], [-10 * Math.log10(error)]),
          agree(1e-12, [psnr(bytes(a), bytes(b))], [20 * Math.log10(255) - 10 * Math.log10(ofBytes)]),
        ])
      }),
  },
  {
    number: '16.13',
    statement: '(2μ_x μ_y + c₁)(2σ_xy + c₂) / ((μ_x² + μ_y² + c₁)(σ_x² + σ_y² + c₂))',
    source: 'Wang et al. 2004, eq. 13',
    by: '`ssim` of pictures that are one window, against moments about their means',
    check: () =>
      forAll(
        fc.tuple(vectors(121, 0, 1), vectors(121, 0, 1)),
        ([x, y]) => {
          const weight = (i: number): number => at(gaussian, Math.floor(i / 11)) * at(gaussian, i % 11)
          const mu = (v: readonly number[]): number => sum(v.map((u, i) => weight(i) * u))
          const [a, b, c1, c2] = [mu(x), mu(y), 0.01 ** 2, 0.03 ** 2]
          const moment = (u: readonly number[], v: readonly number[]): number =>
            sum(u.map((s, i) => weight(i) * (s - mu(u)) * (at(v, i) - mu(v))))
          const printed =
            ((2 * a * b + c1) * (2 * moment(x, y) + c2)) / ((a * a + b * b + c1) * (moment(x, x) + moment(y, y) + c2))
          return agree(1e-12, [ssim(x, y, { height: 11, width: 11, channels: 1 }, 1)], [printed])
        },
        5,
      ),
  },
  {
    number: '16.14',
    statement: 'min Σ ‖x̂ − x‖² = n·(λ_c₊₁ + λ_c₊₂ + …) over all linear codes of c numbers for n patches',
    source: 'Eckart & Young 1936',
    by: 'the error of `projectLinearly` and the trace of the covariance without the variances along the components that it keeps',
    check: () =>
      forAll(vectors(48), (picture) => {
        const size = { height: 4, width: 4, channels: 3 }
        const patches = upTo(4).map((p) =>
          upTo(12).map((i) => {
            const [y, x] = [2 * Math.floor(p / 2) + Math.floor(i / 6), 2 * (p % 2) + Math.floor((i % 6) / 3)]
            return at(picture, (4 * y + x) * 3 + (i % 3))
          }),
        )
        const centre = upTo(12).map((i) => mean(patches.map((patch) => at(patch, i))))
        const centred = patches.map((patch) => patch.map((v, i) => v - at(centre, i)))
        const outcomes = [1, 2, 3].map((latentChannels) => {
          const fitted = fitLinearProjection([picture], size, { factor: 2, latentChannels })
          const made = projectLinearly(fitted, picture)
          const kept = fitted.components.map((v) => sum(centred.map((patch) => dot(patch, Array.from(v)) ** 2)))
          const all = sum(centred.map((patch) => dot(patch, patch)))
          return agree(1e-9, [sum(picture.map((v, i) => (v - at(made, i)) ** 2))], [all - sum(kept)])
        })
        return together(outcomes)
      }),
  },
]

/** The entries. */
export const reconstruction: readonly Equation[] = [...losses, ...adversary, ...measures]
