/** Equations of chapter 21: other schedules, paths that do not preserve variance, times, weights and noises of training. */
import fc from 'fast-check'
import { grad } from '../../src/autograd/index.ts'
import {
  classifierGuided,
  edmPreconditioned,
  exponentialSchedule,
  flowSchedule,
  laplaceSchedule,
  linearSchedule,
  lossWeights,
  nearestNoise,
  noiseLevel,
  offsetNoise,
  parameterizations,
  scaledLinearSchedule,
  shiftedSchedule,
  sigmoidBetaSchedule,
  trainingTimes,
  zeroTerminalSnr,
  type NoiseSchedule,
  type Schedule,
  type TimeDensity,
  type Weighting,
} from '../../src/diffusion/index.ts'
import { erf } from '../../src/prelude/erf.ts'
import { constant, scalar, tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, real, together, upTo, vectors, type Equation, type Outcome } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const T = 200

const every = <S extends NoiseSchedule>(
  schedule: S,
  table: (schedule: S) => ArrayLike<number>,
  of: (t: number) => number,
  tolerance = 1e-12,
): Outcome => agree(tolerance, table(schedule), upTo(schedule.steps).map(of))

const betas = ({ betas: table }: Schedule): Float64Array => table
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** A row of the table of schedules by their β. */
const byBeta = (
  number: string,
  name: string,
  formula: string,
  source: string,
  schedule: Schedule,
  of: (t: number) => number,
): Equation => ({
  number,
  statement: `\`${name}\`; ${formula}`,
  source,
  by: `every β at T = ${T}`,
  check: () => every(schedule, betas, of),
})

const share =
  (f: (u: number) => number) =>
  (t: number): number =>
    Math.min(0.999, 1 - f((t + 1) / T) / f(t / T))

const laplace = (u: number): number => {
  const lambda = -0.5 * Math.sign(0.5 - u) * Math.log(1 - 2 * Math.abs(0.5 - u) + 1e-6)
  return Math.sqrt(sigmoid(lambda))
}

const schedules: readonly Equation[] = [
  byBeta(
    '21.1',
    'scaledLinearSchedule',
    '√β_t = √b₀ + (√b₁ − √b₀) · t/(T − 1), b₀ = 0.00085, b₁ = 0.012',
    'Rombach et al. 2022, its code',
    scaledLinearSchedule(T),
    (t) => (Math.sqrt(0.00085) + ((Math.sqrt(0.012) - Math.sqrt(0.00085)) * t) / (T - 1)) ** 2,
  ),
  byBeta(
    '21.2',
    'sigmoidBetaSchedule',
    'β_t = b₀ + (b₁ − b₀) · σ(12t/(T − 1) − 6), b₀ = 10⁻⁴, b₁ = 0.02',
    'diffusers',
    sigmoidBetaSchedule(T),
    (t) => 1e-4 + (0.02 - 1e-4) * sigmoid((12 * t) / (T - 1) - 6),
  ),
  byBeta(
    '21.3',
    'laplaceSchedule',
    'ᾱ(u) ∝ √σ(λ), λ = −½ · sgn(½ − u) · ln(1 − 2·|½ − u| + 10⁻⁶)',
    'Hang et al. 2024, as in diffusers',
    laplaceSchedule(T),
    share(laplace),
  ),
  byBeta(
    '21.4',
    'exponentialSchedule',
    'ᾱ(u) ∝ e⁻¹²ᵘ',
    'diffusers',
    exponentialSchedule(T),
    share((u) => Math.exp(-12 * u)),
  ),
]

const paths: readonly Equation[] = [
  {
    number: '21.5',
    statement: 'a = 1 − σ, s = σ, σ = (t + 1)/T',
    source: 'Liu et al. 2023, section 2.1',
    by: '`flowSchedule` at every t',
    check: () =>
      together([
        every(
          flowSchedule(T),
          ({ signal }) => signal,
          (t) => 1 - (t + 1) / T,
        ),
        every(
          flowSchedule(T),
          ({ noise }) => noise,
          (t) => (t + 1) / T,
        ),
      ]),
  },
  {
    number: '21.6',
    statement: 'Δv² = (a² + s²)·(SNR + 1)·Δx₀², Δu² = (√SNR + 1)²·Δx₀², SNR = a²/s²',
    source: 'own derivation, from v = a·ε − s·x₀ and u = ε − x₀ at one x_t',
    by: 'targets of src for two images in one x_t, on a flow and on a flow that is shifted; their weights are the reciprocals',
    check: () =>
      forAll(
        fc.tuple(fc.integer({ min: 0, max: T - 2 }), real(0.3, 3), vectors(3)),
        async ([t, factor, [xt = 0, one = 0, two = 1]]) => {
          const schedule = shiftedSchedule(flowSchedule(T), factor)
          const [a, s] = [at(schedule.signal, t), at(schedule.noise, t)]
          const level = noiseLevel(schedule, scalar(t, 'i32'), f64([xt]))
          const said = async (name: 'v' | 'flow', x0: number): Promise<number> =>
            at(await read(parameterizations[name].target(level, f64([x0]), f64([(xt - a * x0) / s]))), 0)
          const changes = async (name: 'v' | 'flow'): Promise<number> =>
            (await said(name, two)) - (await said(name, one))
          const [v, u, snr] = [await changes('v'), await changes('flow'), (a / s) ** 2]
          const weights = (['x0', 'v', 'flow'] as const).map((prediction) =>
            at(lossWeights({ schedule, prediction }), t),
          )
          return together([
            agree(
              1e-9,
              [v ** 2, u ** 2],
              [(a * a + s * s) * (snr + 1) * (two - one) ** 2, (Math.sqrt(snr) + 1) ** 2 * (two - one) ** 2],
            ),
            agree(
              1e-9,
              [at(weights, 1) * (a * a + s * s) * (snr + 1), at(weights, 2) * (Math.sqrt(snr) + 1) ** 2],
              [snr, snr],
            ),
          ])
        },
      ),
  },
  {
    number: '21.7',
    statement: '√ᾱ′_t = (√ᾱ_t − √ᾱ_{T−1}) · √ᾱ₀ / (√ᾱ₀ − √ᾱ_{T−1})',
    source: 'Lin et al. 2024, algorithm 1',
    by: '`zeroTerminalSnr` of a linear schedule at every t',
    check: () => {
      const { signal } = linearSchedule(T)
      const [first, last] = [at(signal, 0), at(signal, T - 1)]
      return every(
        zeroTerminalSnr(linearSchedule(T)),
        ({ signal: table }) => table,
        (t) => ((at(signal, t) - last) * first) / (first - last),
      )
    },
  },
  {
    number: '21.8',
    statement: 's′/a′ = m · s/a',
    source: 'Hoogeboom et al. 2023, section 3',
    by: '`shiftedSchedule` of a linear schedule and of a flow, at every t, for random m',
    check: () =>
      forAll(real(0.3, 4), (factor) =>
        together(
          [linearSchedule(T), flowSchedule(T)].map((schedule) => {
            const { signal, noise } = shiftedSchedule(schedule, factor)
            const times = upTo(T - 1)
            const ratios = (a: Float64Array, s: Float64Array, by: number): readonly number[] =>
              times.map((t) => (by * at(s, t)) / at(a, t))
            return agree(1e-10, ratios(signal, noise, 1), ratios(schedule.signal, schedule.noise, factor))
          }),
        ),
      ),
  },
  {
    number: '21.9',
    statement: 'σ′ = mσ / (1 + (m − 1)·σ)',
    source: 'Esser et al. 2024, eq. 23',
    by: '`shiftedSchedule` of a flow at every t, for random m',
    check: () =>
      forAll(real(0.3, 4), (m) =>
        every(
          shiftedSchedule(flowSchedule(T), m),
          ({ noise }) => noise,
          (t) => (m * (t + 1)) / T / (1 + ((m - 1) * (t + 1)) / T),
        ),
      ),
  },
]

/** A row of the table of weightings. */
const weighting = (
  number: string,
  name: Weighting,
  formula: string,
  source: string,
  of: (snr: number) => number,
): Equation => ({
  number,
  statement: `\`${name}\`; ${formula}`,
  source,
  by: 'the weight of x₀ at every t of a linear schedule',
  check: () =>
    every(
      linearSchedule(T),
      (schedule) => lossWeights({ schedule, prediction: 'x0', weighting: name }),
      (t) => of(at(linearSchedule(T).snr, t)),
      1e-11,
    ),
})

const weightings: readonly Equation[] = [
  weighting('21.10', 'truncated-snr', 'max(SNR, 1)', 'Salimans & Ho 2022, section 4', (snr) => Math.max(snr, 1)),
  weighting(
    '21.11',
    'soft-min-snr',
    '1 / (1/SNR + 1/4)',
    'Crowson et al. 2024, section 4.4',
    (snr) => 1 / (1 / snr + 1 / 4),
  ),
  weighting('21.12', 'p2', 'SNR / (1 + SNR)', 'Choi et al. 2022, eq. 8', (snr) => snr / (1 + snr)),
]

const below = (x: number): number => 0.5 * (1 + erf(x / Math.SQRT2))
const logit = (x: number): number => Math.log(x / (1 - x))

/** A row of the table of densities: the share of times below some places, of many draws. */
const density = (
  number: string,
  formula: string,
  source: string,
  named: TimeDensity,
  distribution: (share: number) => number,
): Equation => ({
  number,
  statement: `\`${named.density}\`; ${formula}`,
  source,
  by: 'the share of 40,000 times below nine places, against the distribution that follows from the formula; what is drawn scatters by 0.0025',
  check: async () => {
    const times = await read(trainingTimes(flowSchedule(1000), named)(key(7), 40_000))
    const places = upTo(9).map((i) => (i + 1) / 10)
    return agree(
      0.012,
      places.map((p) => times.filter((t) => t < 1000 * p).length / times.length),
      places.map(distribution),
    )
  },
})

/** The share of u with which the mode's time lies below a place: it falls with u. */
const modeBelow =
  (scale: number) =>
  (place: number): number => {
    const time = (u: number): number => 1 - u - scale * (Math.cos((Math.PI * u) / 2) ** 2 - 1 + u)
    let [low, high] = [0, 1]
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2
      if (time(middle) < place) high = middle
      else low = middle
    }
    return 1 - low
  }

const times: readonly Equation[] = [
  density(
    '21.13',
    't/T = σ(m + d·z)',
    'Esser et al. 2024, eq. 19',
    { density: 'logit-normal', mean: 0.3, deviation: 0.8 },
    (p) => below((logit(p) - 0.3) / 0.8),
  ),
  density(
    '21.14',
    't/T = 1 − u − c·(cos²(½πu) − 1 + u), c = 1.29',
    'Esser et al. 2024, eq. 20',
    { density: 'mode' },
    modeBelow(1.29),
  ),
  density(
    '21.15',
    't/T = 1 − 1/(tan(½πu) + 1)',
    'Esser et al. 2024, eq. 21',
    { density: 'cosmap' },
    (p) => (2 / Math.PI) * Math.atan(p / (1 - p)),
  ),
  density(
    '21.16',
    's/a = e^(m + d·z), m = −1.2, d = 1.2',
    'Karras et al. 2022, table 1',
    { density: 'log-normal' },
    (p) => below((logit(p) + 1.2) / 1.2),
  ),
]

const noises: readonly Equation[] = [
  {
    number: '21.17',
    statement: 'ε′ = ε + r·o, one o ~ N(0, 1) for each picture and channel',
    source: 'Guttenberg 2023',
    by: '`offsetNoise` of two pictures of two pixels and two channels, element by element',
    check: () =>
      forAll(fc.tuple(vectors(8), vectors(4), real(0, 1)), async ([epsilon, offset, strength]) =>
        agree(
          1e-14,
          await read(offsetNoise(f64(epsilon, [2, 2, 2]), f64(offset, [2, 2]), strength)),
          epsilon.map((e, i) => e + strength * at(offset, 2 * Math.floor(i / 4) + (i % 2))),
        ),
      ),
  },
  {
    number: '21.18',
    statement: 'ε = argmin_k ‖x₀ − ε_k‖²',
    source: 'Li et al. 2025',
    by: '`nearestNoise` of three candidates for one picture',
    check: () =>
      forAll(fc.tuple(vectors(4), vectors(12)), async ([x0, noise]) => {
        const candidates = upTo(3).map((k) => noise.slice(4 * k, 4 * k + 4))
        const away = (e: readonly number[]): number =>
          dot(
            e.map((v, i) => v - at(x0, i)),
            e.map((v, i) => v - at(x0, i)),
          )
        const nearest = candidates.reduce((a, b) => (away(b) < away(a) ? b : a))
        return agree(0, await read(nearestNoise(f64(x0, [1, 4]), f64(noise, [3, 1, 4]))), nearest)
      }),
  },
]

const edm: readonly Equation[] = [
  {
    number: '21.19',
    statement: 'D(x; σ) = σ_d²/(σ² + σ_d²) · x + σ·σ_d/√(σ² + σ_d²) · F(x/√(σ² + σ_d²); ¼ ln σ)',
    source: 'Karras et al. 2022, eq. 7 and table 1',
    by: '`edmPreconditioned` with F(y; c) = 0.3·y + c, for random x, σ and σ_d',
    check: () =>
      forAll(fc.tuple(real(), real(0.01, 20), real(0.2, 2)), async ([x, s, d]) => {
        const denoise = edmPreconditioned((_: object, y: Tensor, c: Tensor) => y.mul(0.3).add(c), { sigmaData: d })
        const root = Math.hypot(s, d)
        const expected = (d * d * x) / root ** 2 + ((s * d) / root) * ((0.3 * x) / root + Math.log(s) / 4)
        return agree(1e-12, await read(denoise({}, f64([x]), f64([s]))), [expected])
      }),
  },
  {
    number: '21.20',
    statement: 'F = −v at a = 1/√(1 + σ²), s = σ·a, for σ_d = 1',
    source: 'own derivation, (21.19) beside x₀ = a·x_t − s·v with x_t = a·x',
    by: '`edmPreconditioned` beside the estimate of src from v, for random x, σ and F',
    check: () =>
      forAll(fc.tuple(real(), real(0.01, 20), real()), async ([x, s, said]) => {
        const denoise = edmPreconditioned((_: object, y: Tensor) => y.mul(0).add(said), { sigmaData: 1 })
        const a = 1 / Math.sqrt(1 + s * s)
        const level = { signal: constant(a, { dtype: 'f64' }), noise: constant(s * a, { dtype: 'f64' }) }
        const { x0 } = parameterizations.v.estimate(level, f64([a * x]), f64([-said]))
        return agree(1e-12, await read(denoise({}, f64([x]), f64([s]))), await read(x0))
      }),
  },
]

const guidance: readonly Equation[] = [
  {
    number: '21.21',
    statement: 'ε̂′ = ε̂ − w·s·∇ log p(y | x_t), x̂₀′ = x̂₀ + w·(s²/a)·∇ log p(y | x_t)',
    source: 'Dhariwal & Nichol 2021, eq. 14',
    by: '`classifierGuided` of a network that predicts ε, and of one that predicts x₀, with log p = c·x²/2',
    check: () =>
      forAll(
        fc.tuple(fc.integer({ min: 0, max: T - 2 }), vectors(2), real(), real(0, 4)),
        async ([t, [x = 0, said = 0], c, weight]) => {
          const schedule = linearSchedule(T)
          const [a, s] = [at(schedule.signal, t), at(schedule.noise, t)]
          const of = async (prediction: 'epsilon' | 'x0'): Promise<number> => {
            const denoise = classifierGuided((_: object, y: Tensor) => y.mul(0).add(said), {
              differentiate: grad,
              logProbability: (_: object, y: Tensor) =>
                y
                  .square()
                  .mul(c / 2)
                  .reshape([1]),
              schedule,
              prediction,
              weight,
            })
            return at(
              await read(denoise({ params: {}, classifier: {} }, f64([x], [1, 1]), tensor(Int32Array.of(t)))),
              0,
            )
          }
          return agree(
            1e-9,
            [await of('epsilon'), await of('x0')],
            [said - weight * s * c * x, said + weight * ((s * s) / a) * c * x],
          )
        },
      ),
  },
]

/** The equations of chapter 21. */
export const noisePaths: readonly Equation[] = [
  ...schedules,
  ...paths,
  ...weightings,
  ...times,
  ...noises,
  ...edm,
  ...guidance,
]
