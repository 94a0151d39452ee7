/** Equations of chapter 6 up to what the network predicts: the forward process, schedules, the posterior. */
import fc from 'fast-check'
import { qPosterior, qSample } from '../../src/diffusion/forward.ts'
import { cosineSchedule, linearSchedule, sigmoidSchedule, type Schedule } from '../../src/diffusion/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, integral, read, sum, together, upTo, vectors, type Equation } from './equation.ts'

/** One of the three schedules at T = 200. */
export const schedules: readonly Schedule[] = [linearSchedule(200), cosineSchedule(200), sigmoidSchedule(200)]

/** A schedule and a time in it. */
export const times = (from = 0, to = 199): fc.Arbitrary<readonly [Schedule, number]> =>
  fc.tuple(fc.constantFrom(...schedules), fc.integer({ min: from, max: to }))

const f64 = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'f64' })

/** ᾱ_t as a product of 1 − β, from the betas alone. */
export const alphaBar = ({ betas }: Schedule, t: number): number =>
  Array.from(betas.slice(0, t + 1)).reduce((product, beta) => product * (1 - beta), 1)

/** Mean and variance of f(ε) for standard normal ε, by Simpson's rule over ±10. */
const moments = (f: readonly number[], nodes: readonly number[]): readonly [mean: number, variance: number] => {
  const h = 20 / (nodes.length - 1)
  const weight = nodes.map((z, i) => {
    const simpson = i === 0 || i === nodes.length - 1 ? 1 : i % 2 === 1 ? 4 : 2
    return (simpson * h * Math.exp((-z * z) / 2)) / (3 * Math.sqrt(2 * Math.PI))
  })
  const mean = dot(weight, f)
  return [
    mean,
    dot(
      weight,
      f.map((v) => (v - mean) ** 2),
    ),
  ]
}

const nodes = upTo(401).map((i) => -10 + i / 20)

const forward: readonly Equation[] = [
  {
    number: '6.1',
    statement: 'q(x_t | x_{t−1}) = N(√(1 − β_t) · x_{t−1}, β_t I)',
    source: 'Ho et al. 2020, eq. 2',
    by: 'factor and variance of one step, followed through all steps, give those of `qSample`, for every t',
    check: () =>
      together(
        schedules.map((schedule) => {
          let [factor, variance] = [1, 0]
          const followed = Array.from(schedule.betas, (beta) => {
            factor *= Math.sqrt(1 - beta)
            variance = (1 - beta) * variance + beta
            return [factor, variance]
          })
          const tables = upTo(200).map((t) => [at(schedule.signal, t), at(schedule.noise, t) ** 2])
          return agree(1e-13, tables.flat(), followed.flat())
        }),
      ),
  },
  {
    number: '6.2',
    statement: 'α_t = 1 − β_t, ᾱ_t = ∏_{s≤t} α_s',
    source: 'Ho et al. 2020, section 2',
    by: 'the table of ᾱ against exp of a sum of logarithms, for every t of three schedules',
    check: () =>
      together(
        schedules.map(({ alphaBar: table, betas }) => {
          const logs = Array.from(betas, (beta) => Math.log1p(-beta))
          return agree(
            1e-13,
            table,
            upTo(200).map((t) => Math.exp(sum(logs.slice(0, t + 1)))),
          )
        }),
      ),
  },
  {
    number: '6.3',
    statement: 'q(x_t | x₀) = N(√ᾱ_t · x₀, (1 − ᾱ_t) I)',
    source: 'Ho et al. 2020, eq. 4',
    by: 'mean and variance of `qSample` by quadrature over ε in f64, against products of 1 − β',
    check: () =>
      forAll(fc.tuple(times(), vectors(1)), async ([[schedule, t], [x0 = 0]]) => {
        const x = await read(qSample(schedule, f64(nodes.map(() => x0)), scalar(t, 'i32'), f64(nodes)))
        const signal = alphaBar(schedule, t)
        return agree(1e-10, moments(x, nodes), [Math.sqrt(signal) * x0, 1 - signal])
      }),
  },
  {
    number: '6.4',
    statement: 'x_t = √ᾱ_t · x₀ + √(1 − ᾱ_t) · ε, ε ~ N(0, I)',
    source: 'Ho et al. 2020, section 3.2',
    by: '`qSample` of a batch with a time for each picture, in f64, against products of 1 − β',
    check: () =>
      forAll(fc.tuple(times(), times(), vectors(6), vectors(6)), async ([[schedule, t], [, u], x0, epsilon]) => {
        const [a, b] = [f64(x0).reshape([2, 3]), f64(epsilon).reshape([2, 3])]
        const x = await read(qSample(schedule, a, tensor(Int32Array.of(t, u)), b))
        const expected = x0.map((v, k) => {
          const signal = alphaBar(schedule, k < 3 ? t : u)
          return Math.sqrt(signal) * v + Math.sqrt(1 - signal) * at(epsilon, k)
        })
        return agree(1e-13, x, expected)
      }),
  },
  {
    number: '6.5',
    statement: 'SNR_t = ᾱ_t / (1 − ᾱ_t)',
    source: 'Kingma et al. 2021, section 3',
    by: 'the table against ᾱ/(1 − ᾱ) with 1 − ᾱ summed up without cancellation: 1 − ᾱ_t = Σ β_s ∏_{r>s} (1 − β_r)',
    check: () =>
      together(
        schedules.map((schedule) => {
          let rest = 0
          const expected = Array.from(schedule.betas, (beta, t) => {
            rest = (1 - beta) * rest + beta
            return alphaBar(schedule, t) / rest
          })
          return agree(1e-11, schedule.snr, expected)
        }),
      ),
  },
]

/** β of a curve ᾱ(u), as (6.6) prints it. */
const fromCurve = (steps: number, curve: (u: number) => number): readonly number[] =>
  upTo(steps).map((t) => Math.min(0.999, 1 - curve((t + 1) / steps) / curve(t / steps)))

const cosine = (u: number): number => Math.cos((Math.PI / 2) * ((u + 0.008) / 1.008)) ** 2
const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
const sigmoid = (u: number): number => logistic(3) - logistic(6 * u - 3)

const lengths = [21, 50, 200, 1000]

const curves: readonly Equation[] = [
  {
    number: '6.6',
    statement: 'β_t = min(0.999, 1 − ᾱ((t + 1)/T) / ᾱ(t/T))',
    source: 'Nichol & Dhariwal 2021, section 3.2',
    by: 'ᾱ_t of the cosine and sigmoid tables is ᾱ(u) at u = (t + 1)/T, and only the last β is cut, to 0.999',
    check: () =>
      together(
        (
          [
            [cosineSchedule, cosine],
            [sigmoidSchedule, sigmoid],
          ] as const
        ).flatMap(([make, curve]) =>
          lengths.map((steps) => {
            const { alphaBar: table, betas } = make(steps)
            const whole = upTo(steps - 1).map((t) => curve((t + 1) / steps) / curve(0))
            return together([agree(1e-13, table.slice(0, -1), whole), agree(0, [at(betas, steps - 1)], [0.999])])
          }),
        ),
      ),
  },
  {
    number: '6.7',
    statement: '`linearSchedule`; β_t = (1000/T) · (10⁻⁴ + (0.02 − 10⁻⁴) · t/(T − 1))',
    source: 'Ho et al. 2020, section 4',
    by: "every β at four lengths; ᾱ at T = 1000 against lucidrains' values",
    check: () =>
      together([
        ...lengths.map((steps) =>
          agree(
            1e-15,
            linearSchedule(steps).betas,
            upTo(steps).map((t) => (1000 / steps) * (1e-4 + ((0.02 - 1e-4) * t) / (steps - 1))),
          ),
        ),
        agree(
          1e-8,
          [0, 249, 499, 749, 999].map((t) => at(linearSchedule(1000).alphaBar, t)),
          [0.9999, 0.52408537, 0.078587243, 0.0033505504, 4.0358298e-5],
        ),
      ]),
  },
  {
    number: '6.8',
    statement: '`cosineSchedule`; ᾱ(u) ∝ cos²(½π · (u + s)/(1 + s)), s = 0.008',
    source: 'Nichol & Dhariwal 2021, eq. 17',
    by: "every β at four lengths; ᾱ at T = 1000 against lucidrains' values",
    check: () =>
      together([
        ...lengths.map((steps) => agree(1e-14, cosineSchedule(steps).betas, fromCurve(steps, cosine))),
        agree(
          1e-8,
          [0, 249, 499, 749, 998, 999].map((t) => at(cosineSchedule(1000).alphaBar, t)),
          [0.99995872, 0.84701216, 0.49384359, 0.1442721, 2.4287669e-6, 2.4287669e-9],
        ),
      ]),
  },
  {
    number: '6.9',
    statement: '`sigmoidSchedule`; ᾱ(u) ∝ σ(3) − σ(6u − 3), σ(x) = 1/(1 + e⁻ˣ)',
    source: 'Jabri et al. 2022, appendix B',
    by: "every β at four lengths; ᾱ at T = 1000 against lucidrains' values",
    check: () =>
      together([
        ...lengths.map((steps) => agree(1e-13, sigmoidSchedule(steps).betas, fromCurve(steps, sigmoid))),
        agree(
          1e-8,
          [0, 249, 499, 749, 998, 999].map((t) => at(sigmoidSchedule(1000).alphaBar, t)),
          [0.99969972, 0.85085355, 0.5, 0.14914645, 3.002792e-4, 3.002792e-7],
        ),
      ]),
  },
]

/** Mean and variance of x_{t−1} given x_t and x₀ by Bayes' rule: the product of two densities, integrated. */
const bayes = (schedule: Schedule, t: number, x0: number, xt: number): readonly [mean: number, variance: number] => {
  const [beta, before] = [at(schedule.betas, t), alphaBar(schedule, t - 1)]
  const log = (x: number): number =>
    -((xt - Math.sqrt(1 - beta) * x) ** 2) / (2 * beta) - (x - Math.sqrt(before) * x0) ** 2 / (2 * (1 - before))
  // The exponent is a parabola: three of its values give where to integrate, and how wide. Its peak is not used further.
  const [left, middle, right] = [log(-1), log(0), log(1)]
  const curvature = 2 * middle - left - right
  const peak = (right - left) / (2 * curvature)
  const reach = 12 / Math.sqrt(curvature)
  const p = (x: number): number => Math.exp(log(x) - log(peak))
  const over = (f: (x: number) => number): number => integral(f, peak - reach, peak + reach, 400)
  const mass = over(p)
  const mean = over((x) => x * p(x)) / mass
  return [mean, over((x) => (x - mean) ** 2 * p(x)) / mass]
}

const posteriors = fc.tuple(times(1), vectors(2))

const stepBack: readonly Equation[] = [
  {
    number: '6.10',
    statement: 'q(x_{t−1} | x_t, x₀) = N(μ̃_t(x_t, x₀), β̃_t I)',
    source: 'Ho et al. 2020, eq. 6',
    by: "mean and variance of `qPosterior` in f64 against Bayes' rule, integrated over x_{t−1}",
    check: () =>
      forAll(posteriors, async ([[schedule, t], [x0 = 0, xt = 0]]) => {
        const { mean, variance } = qPosterior(schedule, f64([x0]), f64([xt]), scalar(t, 'i32'))
        const [m, v] = bayes(schedule, t, x0, xt)
        return together([agree(1e-9, await read(mean), [m]), agree(1e-9, [at(await read(variance), 0) / v], [1])])
      }),
  },
  {
    number: '6.11',
    statement: 'μ̃_t(x_t, x₀) = (√ᾱ_{t−1} β_t / (1 − ᾱ_t)) x₀ + (√α_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)) x_t',
    source: 'Ho et al. 2020, eq. 7',
    by: 'the mean of `qPosterior` in f64 against the formula with products of 1 − β; at t = 0 it is x₀',
    check: () =>
      forAll(fc.tuple(times(), vectors(2)), async ([[schedule, t], [x0 = 0, xt = 0]]) => {
        const { mean } = qPosterior(schedule, f64([x0]), f64([xt]), scalar(t, 'i32'))
        const [beta, now, before] = [at(schedule.betas, t), alphaBar(schedule, t), alphaBar(schedule, t - 1)]
        const formula =
          ((Math.sqrt(before) * beta) / (1 - now)) * x0 + ((Math.sqrt(1 - beta) * (1 - before)) / (1 - now)) * xt
        return agree(1e-12, await read(mean), [t === 0 ? x0 : formula])
      }),
  },
  {
    number: '6.12',
    statement: 'β̃_t = β_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t)',
    source: 'Ho et al. 2020, eq. 7',
    by: 'the table against 1/(α_t/β_t + 1/(1 − ᾱ_{t−1})), the precision of two normal densities, for every t',
    check: () =>
      together(
        schedules.map((schedule) => {
          const later = upTo(200).slice(1)
          return together([
            agree(
              1e-10,
              later.map((t) => {
                const [beta, before] = [at(schedule.betas, t), alphaBar(schedule, t - 1)]
                return at(schedule.posteriorVariance, t) * ((1 - beta) / beta + 1 / (1 - before))
              }),
              later.map(() => 1),
            ),
            agree(0, [at(schedule.posteriorVariance, 0)], [0]),
          ])
        }),
      ),
  },
]

/** The entries. */
export const noise: readonly Equation[] = [...forward, ...curves, ...stepBack]
