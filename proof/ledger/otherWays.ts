/** Equations of chapter 24, on other ways: filling in, guidance that stays on the manifold, and continuous time. */
import fc from 'fast-check'
import { cfgPlusPlus } from '../../src/diffusion/cfgPlusPlus.ts'
import { continuousLevels } from '../../src/diffusion/continuous/continuousLevels.ts'
import { cosineLogSnr, logSnrOf, shiftedLogSnr } from '../../src/diffusion/continuous/logSnr.ts'
import { autoguidance, guided } from '../../src/diffusion/guidance.ts'
import { samplingStep } from '../../src/diffusion/sample.ts'
import { ddimBetween } from '../../src/diffusion/samplers/posterior.ts'
import { key } from '../../src/tensor/random.ts'
import type { Levels } from '../../src/diffusion/levels.ts'
import { preservingPoint, tablesOf, type Point } from '../../src/diffusion/point.ts'
import { repaint } from '../../src/diffusion/samplers/repaint.ts'
import { conv3d } from '../../src/nn/conv3d.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { at as pointAt } from '../../src/prelude/array.ts'
import { agree, at, dot, forAll, read, real, together, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[]): Tensor => tensor([[...values]], { dtype: 'f64' })

/** Three levels and the image at falling σ, variance-preserving or exploding. */
const levelsAt = (sigmas: readonly number[], preserving: boolean): readonly [Levels, readonly Point[]] => {
  const points: readonly Point[] = [...sigmas, 0].map((s) => (preserving ? preservingPoint(s) : { a: 1, s }))
  return [{ ...tablesOf(points), time: Float64Array.from([...sigmas, 0]) }, points]
}

const falling = fc
  .array(real(0.3, 0.9), { minLength: 3, maxLength: 3 })
  .map((shares) => shares.reduce<readonly number[]>((list, share) => [...list, share * (list.at(-1) ?? 4)], []))

/** The step of a walk that fills in the second of two numbers, in which x̂₀ and z are given. */
const stepped = async (
  levels: Levels,
  index: number,
  jumps: { readonly jump: number; readonly resamples: number },
  [x, x0, z, picture]: readonly (readonly number[])[],
): Promise<readonly number[]> => {
  const sampler = repaint(levels, { picture: f64(picture ?? []), fill: f64([0, 1]), ...jumps })
  const state = sampler.init(f64(x ?? []))
  const estimate = { x0: f64(x0 ?? []), epsilon: f64([9, 9]) }
  return read(
    sampler.image(
      sampler.step(
        state,
        () => estimate,
        scalar(index, 'u32'),
        () => f64(z ?? []),
      ),
    ),
  )
}

/** (20.4): the mean of x′ given x and x̂₀, and its deviation. */
const posterior = (from: Point, to: Point, x: number, x0: number): readonly [mean: number, deviation: number] => {
  const rho = (from.a * to.s) / (to.a * from.s)
  return [to.a * (1 - rho ** 2) * x0 + rho * (to.s / from.s) * x, to.s * Math.sqrt(1 - rho ** 2)]
}

const pairs = fc.tuple(vectors(2), vectors(2), vectors(2), vectors(2))

/** Equations (24.1) and so on. */
export const otherWays: readonly Equation[] = [
  {
    number: '24.1',
    statement: 'x′ = m·(a′(1 − ρ²)·x̂₀ + ρ·(s′/s)·x + s′√(1 − ρ²)·z) + (1 − m)·(a′·x₀ + s′·z)',
    source: 'Lugmayr et al. 2022, eq. 8, on any levels',
    by: '`repaint` in f64 on random levels of both kinds, each of its steps, of two numbers of which one is known',
    check: () =>
      forAll(fc.tuple(falling, fc.boolean(), pairs), async ([sigmas, preserving, [x, x0, z, picture]]) => {
        const [levels, points] = levelsAt(sigmas, preserving)
        const each = [0, 1, 2].map(async (i) => {
          const [from, to] = [pointAt(points, i), pointAt(points, i + 1)]
          const [mean, deviation] = posterior(from, to, at(x, 1), at(x0, 1))
          const found = await stepped(levels, i, { jump: 1, resamples: 1 }, [x, x0, z, picture])
          return agree(1e-13, found, [to.a * at(picture, 0) + to.s * at(z, 0), mean + deviation * at(z, 1)])
        })
        return together(await Promise.all(each))
      }),
  },
  {
    number: '24.2',
    statement: 'x = (a/a′)·x′ + √(s² − (a/a′)²·s′²)·z',
    source: 'Lugmayr et al. 2022, algorithm 1, on any levels',
    by: '`repaint` in f64 with a jump of one: the mean after a step down and up, and the variance that both noises come to',
    check: () =>
      forAll(fc.tuple(falling, fc.boolean(), pairs), async ([sigmas, preserving, [x, x0, , picture]]) => {
        const [levels, points] = levelsAt(sigmas, preserving)
        const [from, to] = [pointAt(points, 0), pointAt(points, 1)] // down to the second level, and up to the first again
        const [mean, deviation] = posterior(from, to, at(x, 1), at(x0, 1))
        const kept = from.a / to.a
        const added = Math.sqrt(from.s ** 2 - (kept * to.s) ** 2)
        const jumps = { jump: 1, resamples: 2 }
        const [still, moved] = await Promise.all([0, 1].map((z) => stepped(levels, 0, jumps, [x, x0, [z, z], picture])))
        const noise = at(moved ?? [], 1) - at(still ?? [], 1)
        return together([
          agree(1e-12, [at(still ?? [], 1)], [kept * mean]),
          agree(1e-12, [noise ** 2], [(kept * deviation) ** 2 + added ** 2]),
        ])
      }),
  },
  {
    number: '24.3',
    statement: 'x′ = a′·x̂₀(ε_G + λ·(ε_D − ε_G)) + s′·ε_G',
    source: 'Chung et al. 2024, algorithm 2',
    by: '`samplingStep` of `ddimBetween` and `cfgPlusPlus` in f64 at random levels, with random predictions',
    check: () =>
      forAll(fc.tuple(falling, pairs, real(0, 1)), async ([sigmas, [x, own, guide], weight]) => {
        const [levels, points] = levelsAt(sigmas, true)
        const [from, to] = [pointAt(points, 0), pointAt(points, 1)]
        const fixed = (output: Tensor): Tensor => output
        const denoise = cfgPlusPlus(autoguidance(fixed, fixed), { weight })
        const step = samplingStep({ denoise, prediction: 'epsilon', sampler: ddimBetween(levels), clip: false })
        const found = await read(step({ params: f64(own), guide: f64(guide) }, f64(x), key(0), scalar(0, 'u32')))
        const wanted = x.map((value, i) => {
          const moved = at(guide, i) + weight * (at(own, i) - at(guide, i))
          return (to.a * (value - from.s * moved)) / from.a + to.s * at(guide, i)
        })
        return agree(1e-12, found, wanted)
      }),
  },
  {
    number: '24.4',
    statement: 'd⊥ = d − (1 − η)·⟨d, D⟩/⟨D, D⟩·D, d = D − G',
    source: 'Sadat et al. 2024, eqs. 7 and 8, of predictions',
    by: '`guided` in f64 with random predictions, weights and η',
    check: () =>
      forAll(fc.tuple(vectors(4), vectors(4), real(-2, 4), real(0, 1)), async ([own, guide, weight, parallel]) => {
        const fixed = (output: Tensor): Tensor => output
        const denoise = guided(autoguidance(fixed, fixed), { weight, parallel })
        const found = await read(denoise({ params: f64(own), guide: f64(guide) }, f64([0, 0, 0, 0]), f64([0])))
        const d = own.map((value, i) => value - at(guide, i))
        const share = dot(own, own) === 0 ? 0 : dot(d, own) / dot(own, own)
        return agree(
          1e-11,
          found,
          own.map((value, i) => value + (weight - 1) * (at(d, i) - (1 - parallel) * share * value)),
        )
      }),
  },
  {
    number: '24.5',
    statement: 'a² = sigmoid(λ), s² = sigmoid(−λ)',
    source: 'Kingma et al. 2021, section 3.1',
    by: '`continuousLevels` of random falling values: a²/s² is e^λ and a² + s² is 1',
    check: () =>
      forAll(fc.array(real(0.1, 3), { minLength: 4, maxLength: 4 }), (drops) => {
        const list = drops.reduce<readonly number[]>((xs, drop) => [...xs, (xs.at(-1) ?? 4) - drop], [])
        const { signal, noise } = continuousLevels(logSnrOf(list), 3)
        return together(
          [0, 1, 2].map((i) => {
            const [a, s] = [signal[i] ?? NaN, noise[i] ?? NaN]
            return agree(1e-12, [Math.log((a * a) / (s * s)), a * a + s * s], [at(list, 3 - i), 1])
          }),
        )
      }),
  },
  {
    number: '24.6',
    statement: 'λ = −2·ln tan(u) + 2·ln(from/to), u = atan(e^(−most/2)) + t·(atan(e^(−least/2)) − atan(e^(−most/2)))',
    source: 'Hoogeboom et al. 2023, eqs. 3 and 4',
    by: '`shiftedLogSnr` of `cosineLogSnr` in f64, of tensors, at random times and ends',
    check: () =>
      forAll(fc.tuple(real(0, 1), real(2, 16), real(-16, -2), real(16, 512)), async ([t, most, least, to]) => {
        const [first, last] = [Math.atan(Math.exp(-most / 2)), Math.atan(Math.exp(-least / 2))]
        const u = first + t * (last - first)
        const found = shiftedLogSnr(cosineLogSnr({ most, least }), { from: 32, to }).of(tensor([t], { dtype: 'f64' }))
        return agree(1e-9, await read(found), [-2 * Math.log(Math.tan(u)) + 2 * Math.log(32 / to)])
      }),
  },
  {
    number: '24.7',
    statement: 'Σ_{t,y,x,c} w[t, y, x, c]·v[t, y, x, c] = Σ_{y,x} Σ_{(t,c)} w[y, x, (t, c)]·v[y, x, (t, c)]',
    source: 'own derivation',
    by: '`conv3d` in f64 of random frames and filters, each number a sum over all four',
    check: () =>
      forAll(fc.tuple(vectors(3 * 3 * 3 * 2), vectors(3 * 3 * 3 * 2)), async ([w, v]) => {
        const layer = conv3d(2, 1, 3, { bias: false })
        const weight = tensor([...w], { shape: [3, 3, 3, 2, 1], dtype: 'f64' })
        const found = layer.apply({ weight }, tensor([...v], { shape: [1, 3, 3, 3, 2], dtype: 'f64' }))
        return agree(1e-12, await read(found), [dot(w, v)])
      }),
  },
]
