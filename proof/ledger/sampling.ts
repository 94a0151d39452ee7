/** Equations of chapter 6 about samplers, and the case in which the perfect network is known. */
import fc from 'fast-check'
import { ddim } from '../../src/diffusion/samplers/ddim.ts'
import { ddpm } from '../../src/diffusion/samplers/ddpm.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { flowEuler } from '../../src/diffusion/samplers/flowEuler.ts'
import { heun } from '../../src/diffusion/samplers/heun.ts'
import { flowLevels, karrasLevels, levelAt, levelsFrom, type Levels } from '../../src/diffusion/levels.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { parameterizations, noiseLevel } from '../../src/diffusion/prediction.ts'
import type { Estimator, Sampler } from '../../src/diffusion/sampler.ts'
import type { Schedule } from '../../src/diffusion/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, forAll, integral, read, real, together, upTo, vectors, type Equation } from './equation.ts'
import { alphaBar, schedules, times } from './noise.ts'

const f64 = (values: readonly number[]): ReturnType<typeof tensor> => tensor([...values], { dtype: 'f64' })

/** One step of a sampler by its number, from x_t with the estimate x̂₀ and the noise z. */
const stepped = async (
  sampler: Sampler<Tensor>,
  schedule: Schedule,
  index: number,
  [xt = 0, x0 = 0, z = 0]: readonly number[],
): Promise<number> => {
  const x = f64([xt])
  const level = noiseLevel(schedule, scalar(at(Array.from(sampler.levels.time), index), 'i32'), x)
  const estimate = parameterizations.x0.estimate(level, x, f64([x0]))
  return at(
    await read(
      sampler.step(
        x,
        () => estimate,
        scalar(index, 'i32'),
        () => f64([z]),
      ),
    ),
    0,
  )
}

/** (6.11) and (6.12) from the betas alone. */
const posterior = (
  schedule: Schedule,
  t: number,
  xt: number,
  x0: number,
): readonly [mean: number, variance: number] => {
  const [beta, now, before] = [at(schedule.betas, t), alphaBar(schedule, t), alphaBar(schedule, t - 1)]
  const mean = (Math.sqrt(before) * beta * x0 + Math.sqrt(1 - beta) * (1 - before) * xt) / (1 - now)
  return [mean, (beta * (1 - before)) / (1 - now)]
}

/** (6.24) and (6.25) from the betas alone; t′ = −1 is the picture. */
const implicit = (
  schedule: Schedule,
  [t, next]: readonly [number, number],
  eta: number,
  [xt = 0, x0 = 0, z = 0]: readonly number[],
): { readonly x: number; readonly sigma: number } => {
  const [a, b] = [alphaBar(schedule, t), next < 0 ? 1 : alphaBar(schedule, next)]
  const sigma = eta * Math.sqrt(((1 - b) / (1 - a)) * (1 - a / b))
  const epsilon = (xt - Math.sqrt(a) * x0) / Math.sqrt(1 - a)
  return { x: Math.sqrt(b) * x0 + Math.sqrt(Math.max(0, 1 - b - sigma * sigma)) * epsilon + sigma * z, sigma }
}

const steps = fc.tuple(
  fc.constantFrom(...schedules),
  fc.integer({ min: 1, max: 200 }),
  fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  fc.constantFrom(0, 0.3, 1),
  vectors(3),
)

const samplers: readonly Equation[] = [
  {
    number: '6.23',
    statement: 'x_{t−1} = μ̃_t(x_t, x̂₀) + σ_t z, σ_t² = β̃_t (`small`) or β_t (`large`), σ₀ = 0',
    source: 'Ho et al. 2020, algorithm 2 and section 3.2',
    by: 'single steps of `ddpm` in f64 with both variances, times in order, and no noise at the last',
    check: () =>
      forAll(fc.tuple(times(), vectors(3)), async ([[schedule, t], numbers]) => {
        const [xt = 0, x0 = 0, z = 0] = numbers
        const [mean, small] = posterior(schedule, t, xt, x0)
        const outcomes = (['small', 'large'] as const).map(async (variance) => {
          const plan = ddpm(schedule, { variance })
          const sigma = t === 0 ? 0 : Math.sqrt(variance === 'small' ? small : at(schedule.betas, t))
          return together([
            agree(0, Array.from(plan.levels.time), [...upTo(200).map((i) => 199 - i), -1]),
            agree(1e-11, [await stepped(plan, schedule, 199 - t, numbers)], [(t === 0 ? x0 : mean) + sigma * z]),
          ])
        })
        return together(await Promise.all(outcomes))
      }),
  },
  {
    number: '6.24',
    statement: 'x_{t′} = √ᾱ_{t′} · x̂₀ + √(1 − ᾱ_{t′} − σ²) · ε̂ + σz',
    source: 'Song et al. 2021, eq. 12',
    by: 'single steps of `ddim` in f64, for any number of steps, any of them, and η of 0, 0.3 and 1',
    check: () =>
      forAll(steps, async ([schedule, count, place, eta, numbers]) => {
        const plan = ddim(schedule, { steps: count, eta })
        const index = Math.floor(place * count)
        const time = Array.from(plan.levels.time)
        const pair = [at(time, index), at(time, index + 1)] as const
        return agree(1e-9, [await stepped(plan, schedule, index, numbers)], [implicit(schedule, pair, eta, numbers).x])
      }),
  },
  {
    number: '6.25',
    statement: 'σ² = η² · ((1 − ᾱ_{t′}) / (1 − ᾱ_t)) · (1 − ᾱ_t / ᾱ_{t′})',
    source: 'Song et al. 2021, eq. 16',
    by: 'what z = 1 adds to a step of `ddim` over z = 0; the step keeps the marginal: its variance is 1 − ᾱ_{t′}',
    check: () =>
      forAll(steps, async ([schedule, count, place, eta]) => {
        const plan = ddim(schedule, { steps: count, eta })
        const index = Math.floor(place * count)
        const time = Array.from(plan.levels.time)
        const pair = [at(time, index), at(time, index + 1)] as const
        const from = async (z: number, x: number): Promise<number> => stepped(plan, schedule, index, [x, 0, z])
        const sigma = (await from(1, 0)) - (await from(0, 0))
        // x_t = s·ε at x̂₀ = 0: a step multiplies ε by some factor, and factor² + σ² is the next variance.
        const s = Math.sqrt(1 - alphaBar(schedule, pair[0]))
        const factor = await from(0, s)
        const next = pair[1] < 0 ? 0 : 1 - alphaBar(schedule, pair[1])
        return together([
          agree(1e-10, [sigma], [implicit(schedule, pair, eta, [0, 0, 0]).sigma]),
          agree(1e-9, [factor ** 2 + sigma ** 2], [next]),
        ])
      }),
  },
  {
    number: '6.26',
    statement: 'σ² = β̃_t and (6.24) is (6.23) with `small`, for η = 1 and t′ = t − 1',
    source: 'Song et al. 2021, section 4.1',
    by: 'single steps of `ddim` with `steps: 200, eta: 1` and `ddpm` with equal x_t, x̂₀ and z, over all schedules',
    check: () =>
      forAll(fc.tuple(times(), vectors(3)), async ([[schedule, t], numbers]) => {
        const [all, ancestral] = [ddim(schedule, { steps: 200, eta: 1 }), ddpm(schedule)]
        const one = await stepped(all, schedule, 199 - t, numbers)
        const other = await stepped(ancestral, schedule, 199 - t, numbers)
        const sigma = t === 0 ? 0 : implicit(schedule, [t, t - 1], 1, numbers).sigma
        return together([
          agree(0, Array.from(all.levels.time), Array.from(ancestral.levels.time)),
          agree(1e-9, [one], [other]),
          agree(1e-12, [sigma ** 2], [posterior(schedule, t, 0, 0)[1]]),
        ])
      }),
  },
  {
    number: '6.27',
    statement: 'E[ε | x_t] = √(1 − ᾱ_t) (x_t − √ᾱ_t μ) / (ᾱ_t s² + 1 − ᾱ_t) for x₀ ~ N(μ, s²)',
    source: 'own derivation',
    by: "the integral over x₀ of src's ε(x_t, x₀), weighted by the densities of x₀ and of x_t given x₀",
    check: () =>
      forAll(fc.tuple(times(5), real(-1, 1), real(0.2, 1), real()), async ([[schedule, t], mu, s, deviation]) => {
        const signal = alphaBar(schedule, t)
        const width = Math.sqrt(signal * s * s + 1 - signal)
        const xt = Math.sqrt(signal) * mu + deviation * width
        const formula = (Math.sqrt(1 - signal) * (xt - Math.sqrt(signal) * mu)) / width ** 2
        // ε is linear in x₀: two values of src give it everywhere.
        const level = noiseLevel(schedule, scalar(t, 'i32'), f64([xt, xt]))
        const { epsilon } = parameterizations.x0.estimate(level, f64([xt, xt]), f64([0, 1]))
        const [e0, e1] = await read(epsilon)
        const log = (x0: number): number =>
          -((x0 - mu) ** 2) / (2 * s * s) - (xt - Math.sqrt(signal) * x0) ** 2 / (2 * (1 - signal))
        const precision = 1 / (s * s) + signal / (1 - signal)
        const peak = (mu / (s * s) + (Math.sqrt(signal) * xt) / (1 - signal)) / precision
        const [from, to] = [peak - 12 / Math.sqrt(precision), peak + 12 / Math.sqrt(precision)]
        const p = (x0: number): number => Math.exp(log(x0) - log(peak))
        const mass = integral(p, from, to, 400)
        const expected =
          integral((x0) => p(x0) * ((e0 ?? NaN) + x0 * ((e1 ?? NaN) - (e0 ?? NaN))), from, to, 400) / mass
        return agree(1e-8, [expected], [formula])
      }),
  },
]

/** Two neighbouring levels, the first with noise, and the numbers x, x̂₀ and x̂₀ of another evaluation. */
const neighbours = fc.tuple(
  fc.double({ min: 0.1, max: 0.6, noNaN: true }),
  fc.double({ min: 0.5, max: 0.9, noNaN: true }),
  fc.double({ min: 0.7, max: 2, noNaN: true }),
  vectors(3),
)

/** Three levels and the image: a step before, a step, and the last. */
const levelsOf = (a: number, share: number, b: number): Levels =>
  levelsFrom({
    signal: Float64Array.of(a / 2, a, b, 1),
    noise: Float64Array.of(1, 0.8, 0.8 * share, 0),
    time: Float64Array.of(3, 2, 1, 0),
  })

/** An estimator that says these images, one evaluation after another. */
const saying = (levels: Levels, ...images: readonly number[]): Estimator => {
  const left = [...images]
  return (x, index) => parameterizations.x0.estimate(levelAt(levels, index, x), x, f64([left.shift() ?? NaN]))
}

const withoutNoise = (): never => {
  throw new Error('noise was drawn')
}

const levelled: readonly Equation[] = [
  {
    number: '6.28',
    statement: 'x = a·x₀ + s·ε; a² + s² = 1 (`scheduleLevels`), a = 1 (`karrasLevels`), a + s = 1 (`flowLevels`)',
    source: 'definition',
    by: 'the curves of the three families at every level of walks of 1 to 40 steps',
    check: () =>
      together(
        upTo(40).map((n) => {
          const sum = (levels: Levels, f: (a: number, s: number) => number): number[] =>
            Array.from(levels.signal, (a, i) => f(a, at(levels.noise, i)))
          const all = [
            ...schedules.flatMap((schedule) => sum(scheduleLevels(schedule, n + 1), (a, s) => a * a + s * s)),
            ...sum(karrasLevels({ steps: n + 1 }), (a) => a),
            ...sum(flowLevels(n + 1), (a, s) => a + s),
          ]
          return agree(
            1e-12,
            all,
            all.map(() => 1),
          )
        }),
      ),
  },
  {
    number: '6.29',
    statement: 'dx = x̂₀ da + ε̂ ds',
    source: 'own derivation, from (6.24) with σ = 0 for a small step',
    by: 'the rate at which `ddim` moves x from one time to the next, against (a′ − a)·x̂₀ + (s′ − s)·ε̂',
    check: () =>
      forAll(fc.tuple(times(1), vectors(3)), async ([[schedule, t], numbers]) => {
        const [xt = 0, x0 = 0] = numbers
        const [now, before] = [alphaBar(schedule, t), alphaBar(schedule, t - 1)]
        const epsilon = (xt - Math.sqrt(now) * x0) / Math.sqrt(1 - now)
        const moved = (await stepped(ddim(schedule, { steps: 200 }), schedule, 199 - t, numbers)) - xt
        const rate = (Math.sqrt(before) - Math.sqrt(now)) * x0 + (Math.sqrt(1 - before) - Math.sqrt(1 - now)) * epsilon
        return agree(1e-11, [moved], [rate])
      }),
  },
  {
    number: '6.30',
    statement: 'x′ = x + ½ (a′ − a)(x̂₀ + x̂₀′) + ½ (s′ − s)(ε̂ + ε̂′)',
    source: 'own derivation, the trapezoidal rule for (6.29)',
    by: 'single steps of `heun` in f64 between random levels, with two estimates',
    check: () =>
      forAll(neighbours, async ([a, share, b, [x = 0, first = 0, second = 0]]) => {
        const levels = levelsOf(a, share, b)
        const found = heun(levels).step(f64([x]), saying(levels, first, second), scalar(1, 'u32'), withoutNoise)
        const [s, t] = [0.8, 0.8 * share]
        const epsilon = (x - a * first) / s
        const end = b * first + t * epsilon
        const formula = x + 0.5 * (b - a) * (first + second) + 0.5 * (t - s) * (epsilon + (end - b * second) / t)
        return agree(1e-10, await read(found), [formula])
      }),
  },
  {
    number: '6.31',
    statement: 'x′ = (s′/s)·x + (a′ − a·s′/s)·D, D = x̂₀ + (h / 2h₋)·(x̂₀ − x̂₀₋)',
    source: 'Lu et al. 2022, algorithm 2',
    by: 'second steps of `dpmSolver` in f64 between random levels, with exponentials of h as in the paper',
    check: () =>
      forAll(neighbours, async ([a, share, b, [x = 0, first = 0, second = 0]]) => {
        const levels = levelsOf(a, share, b)
        const { init, step, image } = dpmSolver(levels)
        const before = step(init(f64([0])), saying(levels, first), scalar(0, 'u32'), withoutNoise)
        const state = { ...before, x: f64([x]) }
        const found = image(step(state, saying(levels, second), scalar(1, 'u32'), withoutNoise))
        const lambda = [Math.log(a / 2), Math.log(a / 0.8), Math.log(b / (0.8 * share))]
        const [h, back] = [at(lambda, 2) - at(lambda, 1), at(lambda, 1) - at(lambda, 0)]
        const r = back / h
        const d = (1 + 1 / (2 * r)) * second - (1 / (2 * r)) * first
        return agree(1e-10, await read(found), [share * x - b * (Math.exp(-h) - 1) * d])
      }),
  },
  {
    number: '6.32',
    statement: 'x′ = x + (t′ − t)·u, u = ε̂ − x̂₀',
    source: 'Liu et al. 2023, algorithm 1',
    by: 'single steps of `flowEuler` in f64, at the first and a later of four levels',
    check: () =>
      forAll(vectors(3), async ([x = 0, x0 = 0]) => {
        const levels = flowLevels(4)
        const found = upTo(2).map(async (i) => {
          const end = flowEuler(levels).step(f64([x]), saying(levels, x0), scalar(i, 'u32'), withoutNoise)
          const t = 1 - i / 4
          return agree(1e-11, await read(end), [x - ((x - (1 - t) * x0) / t - x0) / 4])
        })
        return together(await Promise.all(found))
      }),
  },
]

/** The entries. */
export const sampling: readonly Equation[] = [...samplers, ...levelled]
