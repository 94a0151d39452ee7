/** Equations of chapter 25: what a network is told beside x_t and t, and what it says beside one prediction. */
import fc from 'fast-check'
import { assignNoise } from '../../src/diffusion/assignment.ts'
import {
  ddim,
  learnedLogVariance,
  learnedVarianceLosses,
  levelLogLikelihood,
  linearSchedule,
  normalDivergence,
  selfConditioned,
  selfConditionedDenoise,
  boundTerms,
  diffusionLosses,
  weightedEstimate,
  weightedObjective,
} from '../../src/diffusion/index.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { fourierTimeEmbedding } from '../../src/nn/fourierTimeEmbedding.ts'
import { agree, at, forAll, integral, read, real, sum, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape?: readonly number[]): Tensor =>
  tensor([...values], { dtype: 'f64', ...(shape && { shape }) })
const schedule = linearSchedule(200)
const number = (x: Tensor): Promise<number> => read(x).then((values) => at(Array.from(values), 0))

const told: readonly Equation[] = [
  {
    number: '25.1',
    statement: 'x̂₀ₖ = f(x_k, t_k, x̂₀ₖ₋₁), x̂₀₋₁ = 0',
    source: 'Chen et al. 2022, algorithm 2',
    by: 'three steps of `selfConditioned` DDIM with f = c·x + d·x̂₀, and the same walk by hand',
    check: () =>
      forAll(vectors(3), async ([c = 0, d = 0, start = 0]) => {
        const inner = ddim(schedule, { steps: 4 })
        const sampler = selfConditioned(inner)
        const say = (x: Tensor, before: Tensor): Tensor => x.mul(c / 4).add(before.mul(d / 4))
        const estimate = (x: Tensor, image: Tensor) => ({ x0: image, epsilon: x.sub(image) })
        let state = sampler.init(f64([start]))
        let [x, before] = [f64([start]), f64([0])]
        for (const i of upTo(3)) {
          const index = scalar(i, 'i32')
          state = sampler.step(
            state,
            (y, _, what = f64([0])) => estimate(y, say(y, what)),
            index,
            () => f64([0]),
          )
          const image = say(x, before)
          const own = x
          x = inner.step(
            x,
            () => estimate(own, image),
            index,
            () => f64([0]),
          )
          before = image
        }
        return agree(1e-12, await read(sampler.image(state)), await read(x))
      }),
  },
  {
    number: '25.2',
    statement: 'f(x_t, t, b·sg(f(x_t, t, 0))), b = 0 or 1 with probability ½',
    source: 'Chen et al. 2022, algorithm 1',
    by: '`selfConditionedDenoise` with f = c·x + d·x̂₀ for both b, beside c·x + b·d·c·x',
    check: () =>
      forAll(vectors(3), async ([c = 0, d = 0, x = 0]) => {
        const network = selfConditionedDenoise((y, _, before) => y.mul(c).add(before.mul(d)), tensor([false, true]), {
          schedule,
          prediction: 'x0',
          clip: false,
        })
        const found = await read(network(f64([x, x], [2, 1]), tensor(Int32Array.of(3, 90))))
        return agree(1e-12, found, [c * x, c * x + d * c * x])
      }),
  },
  {
    number: '25.3',
    statement: 't ↦ (t, sin 2πw₁t, …, cos 2πw₁t, …), w ~ N(0, 1) at first',
    source: "Tancik et al. 2020, eq. 5; with t itself as in lucidrains' code",
    by: '`fourierTimeEmbedding` in f64 at random times and frequencies',
    check: () =>
      forAll(vectors(3), async ([t = 0, a = 0, b = 0]) => {
        const found = await read(fourierTimeEmbedding(4).apply({ frequencies: f64([a, b]) }, f64([t])))
        const turn = (w: number): number => 2 * Math.PI * t * w
        return agree(1e-12, found, [t, Math.sin(turn(a)), Math.sin(turn(b)), Math.cos(turn(a)), Math.cos(turn(b))])
      }),
  },
]

/** Density of a normal distribution. */
const density = (x: number, mean: number, variance: number): number =>
  Math.exp((-0.5 * (x - mean) ** 2) / variance) / Math.sqrt(2 * Math.PI * variance)

const shares = fc.tuple(fc.integer({ min: 1, max: 199 }), real(0, 1))

const sure: readonly Equation[] = [
  {
    number: '25.4',
    statement: 'log σ² = f·log β_t + (1 − f)·log β̃_t, f = (v + 1)/2',
    source: 'Nichol & Dhariwal 2021, eq. 15',
    by: '`learnedLogVariance` in f64 at random times and shares, against powers of both variances',
    check: () =>
      forAll(shares, async ([t, f]) => {
        const found = await number(learnedLogVariance(schedule, f64([f], [1, 1]), tensor(Int32Array.of(t))))
        const expected = at(schedule.betas, t) ** f * at(schedule.posteriorVariance, t) ** (1 - f)
        return agree(1e-9, [Math.exp(found) / expected], [1])
      }),
  },
  {
    number: '25.5',
    statement: 'KL(p ‖ q) = ½·(log σ_q² − log σ_p² − 1 + (σ_p² + (μ_p − μ_q)²)/σ_q²)',
    source: 'the integral of p·log(p/q)',
    by: '`normalDivergence` in f64 against the integral, for random means and variances',
    check: () =>
      forAll(fc.tuple(real(-2, 2), real(-2, 2), real(0.2, 2), real(0.2, 2)), async ([m, n, v, w]) => {
        const found = normalDivergence(
          { mean: f64([m]), logVariance: f64([Math.log(v)]) },
          { mean: f64([n]), logVariance: f64([Math.log(w)]) },
        )
        const reach = 11 * Math.sqrt(v)
        const log = (x: number): number => 0.5 * (Math.log(w / v) - (x - m) ** 2 / v + (x - n) ** 2 / w)
        const expected = integral((x) => density(x, m, v) * log(x), m - reach, m + reach, 2000)
        return agree(1e-7, await read(found), [expected])
      }),
  },
  {
    number: '25.6',
    statement: 'log p(x₀) = log(Φ((x₀ + 1/255 − μ)/σ) − Φ((x₀ − 1/255 − μ)/σ)), to ±∞ at the ends',
    source: 'Ho et al. 2020, eq. 13',
    by: '`levelLogLikelihood` in f64 against the integral of the density over the level; 256 levels sum to 1',
    check: () =>
      forAll(fc.tuple(fc.integer({ min: 1, max: 254 }), real(-1, 1), real(0.1, 1)), async ([byte, away, deviation]) => {
        const x = (2 * byte) / 255 - 1
        const logVariance = 2 * Math.log(deviation)
        const mean = x + away * deviation
        const of = (levels: readonly number[]): Promise<ArrayLike<number>> =>
          read(
            levelLogLikelihood(f64(levels), {
              mean: f64(levels.map(() => mean)),
              logVariance: f64(levels.map(() => logVariance)),
            }),
          )
        const mass = integral((y) => density(y, mean, deviation ** 2), x - 1 / 255, x + 1 / 255, 40)
        const all = Array.from(await of(upTo(256).map((b) => (2 * b) / 255 - 1)))
        return together([
          agree(1e-8, [Math.exp(at(Array.from(await of([x])), 0)) / mass], [1]),
          agree(1e-9, [sum(all.map(Math.exp))], [1]),
        ])
      }),
  },
  {
    number: '25.7',
    statement: 'L = L_simple + 0.001·L_vlb',
    source: 'Nichol & Dhariwal 2021, eq. 16',
    by: '`learnedVarianceLosses` against `diffusionLosses` and T times `boundTerms`, in f64',
    check: () =>
      forAll(
        fc.tuple(fc.integer({ min: 1, max: 199 }), vectors(4)),
        async ([t, [image = 0, said = 0, v = 0, e = 0]]) => {
          const options = { schedule, prediction: 'x0' } as const
          const [x0, epsilon, time] = [f64([image], [1, 1]), f64([e], [1, 1]), tensor(Int32Array.of(t))]
          const network = (): Tensor => concatenate([f64([said], [1, 1]), f64([v], [1, 1])], -1)
          const whole = await number(learnedVarianceLosses(options)(network, x0, time, epsilon))
          const simple = await number(diffusionLosses(options)(() => f64([said], [1, 1]), x0, time, epsilon))
          const bound = await number(boundTerms(options)(network, x0, time, epsilon))
          return agree(1e-9, [(simple + 0.001 * schedule.steps * bound) / whole], [1])
        },
      ),
  },
]

const others: readonly Equation[] = [
  {
    number: '25.8',
    statement: 'x̂₀ = p₁·(x_t − s·ε̂)/a + p₂·x₀′',
    source: "lucidrains' weighted objective",
    by: '`weightedEstimate` in f64 with images that ε̂ means within its bounds',
    check: () =>
      forAll(
        fc.tuple(real(-1.9, 1.9), real(), real(), real(-2, 2), real(-2, 2)),
        async ([meant, epsilon, x0, u, w]) => {
          const [a, s] = [0.8, 0.6]
          const level = { signal: f64([a]), noise: f64([s]) }
          const xt = f64([a * meant + s * epsilon], [1, 1])
          const { weighted } = weightedEstimate(level, xt, f64([epsilon, x0, u, w], [1, 4]))
          const p = Math.exp(u) / (Math.exp(u) + Math.exp(w))
          return agree(1e-12, await read(weighted), [p * meant + (1 - p) * x0])
        },
      ),
  },
  {
    number: '25.9',
    statement: 'L = ‖x₀ − x̂₀‖² + 0.1·‖ε − ε̂‖² + 0.1·‖x₀ − x₀′‖²',
    source: 'the same',
    by: 'the losses of `weightedObjective` in f64, of a network that trusts its image',
    check: () =>
      forAll(vectors(4), async ([x0 = 0, epsilon = 0, image = 0, noise = 0]) => {
        const { losses } = weightedObjective({ schedule })
        const says = (): Tensor => f64([noise, image, -800, 0], [1, 4])
        const found = losses(says, f64([x0], [1, 1]), tensor(Int32Array.of(50)), f64([epsilon], [1, 1]))
        return agree(1e-11, await read(found), [1.1 * (x0 - image) ** 2 + 0.1 * (epsilon - noise) ** 2])
      }),
  },
  {
    number: '25.10',
    statement: 'π = argmin Σᵢ ‖x₀ᵢ − ε_π(i)‖ over all orders π',
    source: 'Li et al. 2024, section 3.2',
    by: '`assignNoise` of three pictures against all six orders',
    check: () =>
      forAll(vectors(12), async (numbers) => {
        const [x0, epsilon] = [Float32Array.from(numbers.slice(0, 6)), Float32Array.from(numbers.slice(6))]
        const pair = (of: Float32Array, i: number): readonly [number, number] => [at(of, 2 * i), at(of, 2 * i + 1)]
        const cost = (noises: Float32Array, order: readonly number[]): number =>
          sum(
            order.map((j, i) => {
              const [[a, b], [c, d]] = [pair(x0, i), pair(noises, j)]
              return Math.hypot(a - c, b - d)
            }),
          )
        const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] // prettier-ignore
        const least = Math.min(...orders.map((order) => cost(epsilon, order)))
        return Promise.resolve(agree(1e-6, [cost(assignNoise(x0, epsilon, 3), [0, 1, 2])], [least]))
      }),
  },
]

/** The entries. */
export const toldAndSaid: readonly Equation[] = [...told, ...sure, ...others]
