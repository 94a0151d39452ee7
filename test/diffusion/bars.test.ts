/**
 * The sums that diffusers' own tests of its schedulers expect (tests/schedulers), with the network x · t / (t + 1) and a ramp to begin with: sum |x| within 1e-2 and mean |x| within 1e-3.
 *
 * What their loops do that no sampler should is here and not in the library. Those of Euler, Heun, LMS, DPM-2 and their like take x/√(σ² + 1) for x at every step (`scaled`); stochastic ones draw from
 * PyTorch's generator with seed 0; a walk from the middle begins with another ramp as noise. Two of their sums are not met, and should not be: PNDM's of v (its history is of v, which it takes for the noise of one
 * level, 67.3986), and that of LMS from the middle (weights of fourth order with one estimate, 27663.6895).
 */
import { describe, expect, it } from 'vitest'
import { deis, lms } from '../../src/diffusion/samplers/adams.ts'
import { eulerChurn } from '../../src/diffusion/samplers/churn.ts'
import { consistency } from '../../src/diffusion/samplers/consistency.ts'
import { dpmSolverSingle } from '../../src/diffusion/samplers/dpmSingle.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { pndm } from '../../src/diffusion/samplers/pndm.ts'
import { ddimBetween, ddpmBetween, type Ends } from '../../src/diffusion/samplers/posterior.ts'
import { dpm2, dpm2Ancestral, heunSigma } from '../../src/diffusion/samplers/secondOrder.ts'
import { uniPc } from '../../src/diffusion/samplers/uniPc.ts'
import { karrasLevels, levelAt, stepsOf, timeAt, type Levels } from '../../src/diffusion/levels.ts'
import { tablesOf } from '../../src/diffusion/point.ts'
import { parameterizations, type Prediction } from '../../src/diffusion/prediction.ts'
import type { AnySampler, Estimator, Sampler } from '../../src/diffusion/sampler.ts'
import { scheduleFromBetas, type Schedule } from '../../src/diffusion/index.ts'
import { pointAtTime, timeAtSigma } from '../../src/diffusion/scheduleClock.ts'
import { scheduleLevels, type ScheduleLevelsOptions } from '../../src/diffusion/scheduleLevels.ts'
import { thresholdEstimate } from '../../src/diffusion/threshold.ts'
import { at, range } from '../../src/prelude/array.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'
import { torchNormal } from '../support/torchRandom.ts'
import type { Bounds } from './walks.ts'

const count = 4 * 3 * 8 * 8
/** (C, H, W, N) counted up, as N pictures: [4, 192]. */
const ramp = (of: (i: number) => number): readonly number[] =>
  range(4).flatMap((n) => range(192).map((i) => of(i * 4 + n) / count))
const sample = ramp((i) => i)
const noise = ramp((i) => count - 1 - i)
const pictures = (x: readonly number[]): Tensor => tensor([...x], { shape: [4, 192], dtype: 'f64' })

/** n numbers from one to another, as PyTorch has them in f32: from both ends. */
const linspace = (from: number, to: number, n: number): readonly number[] => {
  const step = Math.fround((Math.fround(to) - Math.fround(from)) / (n - 1))
  return range(n).map((i) =>
    Math.fround(i < n / 2 ? Math.fround(from) + step * i : Math.fround(to) - step * (n - 1 - i)),
  )
}

/** A schedule as PyTorch computes it: β and α in f32, and ᾱ summed up in f64 and rounded to f32, which is seen where 1 − ᾱ is small. */
const torchSchedule = (betas: readonly number[]): Schedule => {
  const schedule = scheduleFromBetas(Float64Array.from(betas))
  let product = 1
  const alphaBar = schedule.betas.map((beta) => {
    product *= Math.fround(1 - beta)
    return Math.fround(product)
  })
  return {
    ...schedule,
    alphaBar,
    signal: alphaBar.map(Math.sqrt),
    noise: alphaBar.map((a) => Math.sqrt(1 - a)),
  }
}
const linear = (total: number, [start, end]: readonly [number, number] = [1e-4, 0.02]): Schedule =>
  torchSchedule(linspace(start, end, total))
const scaledLinear = torchSchedule(
  linspace(Math.sqrt(0.00085), Math.sqrt(0.012), 1000).map((root) => Math.fround(root * root)),
)

interface Case {
  readonly sampler: AnySampler
  readonly prediction?: Prediction
  /** Whether the loop takes x/√(σ² + 1) for x, and begins with the deviation of its first level. */
  readonly scaled?: boolean
  /** The entry that a walk with the other ramp's noise begins at. */
  readonly first?: number
  /** Whether a walk from there begins without noise. */
  readonly quiet?: boolean
  readonly bounds?: Bounds
  /** At which entries noise is drawn from PyTorch's generator; by default none is needed. */
  readonly draws?: 'all' | 'but last' | 'odd'
  /** What is said of image and noise, where it is not what the network predicts. */
  readonly edm?: 'scaled' | 'as it is'
}

const use =
  <S>(sampler: Sampler<S>): AnySampler =>
  (f) =>
    f(sampler)

const network = (x: Tensor, t: Tensor): Tensor => x.mul(t.div(t.add(1)))

/** Karras et al. 2022, table 1, with σ_data = ½: the image that the network's output stands for. */
const preconditioned = ({ edm, prediction }: Case, x: Tensor, sigma: Tensor): Tensor => {
  const power = sigma.square().add(0.25)
  const output = network(edm === 'scaled' ? x.div(power.sqrt()) : x, sigma.log().div(4))
  const share = sigma.mul(prediction === 'v' ? -0.5 : 0.5).div(power.sqrt())
  return x.mul(0.25).div(power).add(output.mul(share))
}

/** What is said of image and noise on these levels. */
const seenOn =
  (levels: Levels, walk: Case): Estimator =>
  (x, index) => {
    const { prediction = 'epsilon', scaled = false, edm, bounds } = walk
    const level = levelAt(levels, index, x)
    const t = timeAt(levels, index, x).cast('f64')
    const raw =
      edm === undefined
        ? parameterizations[prediction].estimate(level, x, network(scaled ? x.div(level.signal) : x, t))
        : parameterizations.x0.estimate(level, x, preconditioned(walk, x, t))
    return bounds === undefined ? raw : bounds(level, x, raw)
  }

/** Where a walk begins: the ramp, or at a later entry the ramp with the other one as noise. */
const beginning = (levels: Levels, { scaled = false, edm, first, quiet = false }: Case): readonly number[] => {
  const [a, s] = [Array.from(levels.signal), Array.from(levels.noise)]
  const i = first ?? 0
  const spread = edm === 'scaled' ? Math.hypot(at(a, 0), at(s, 0)) : scaled ? at(s, 0) / at(a, 0) : 1
  const [signal, level] = [at(a, i), at(s, i)] // where the loop is in σ, its x is x/a here
  const noised = first !== undefined && !quiet
  return sample.map((value, k) => {
    const x = value * spread * (scaled || noised ? signal : 1)
    return noised ? x + level * (noise[k] ?? NaN) : x
  })
}

/** Whether noise is drawn before entry `place` of so many. */
const isDrawn = ({ draws }: Case, place: number, steps: number): boolean => {
  if (draws === 'odd') return place % 2 === 1
  return draws === 'all' || (draws === 'but last' && place < steps - 1)
}

/** Sum |x| at the end of a walk. */
const sumOf = (walk: Case): Promise<number> =>
  walk.sampler(async <S>({ levels, init, step, image }: Sampler<S>) => {
    const device = cpuDevice()
    const [steps, { first = 0, scaled = false }] = [stepsOf(levels), walk]
    const estimate = seenOn(levels, walk)
    const advance = device.compile((state: S, index: Tensor, z: Tensor) => step(state, estimate, index, () => z))
    const normal = torchNormal(0)
    let state = init(pictures(beginning(levels, walk)))
    for (let i = first; i < steps; i += 1) {
      if (scaled) {
        // x in σ is x/a here; divided by √(σ² + 1), which is 1/a, it is smaller by a.
        const x = pictures((await values(image(state), device)).map((value) => value * (levels.signal[i] ?? NaN)))
        state = (typeof state === 'object' && state !== null && 'kept' in state ? { ...state, x } : x) as S
      }
      const z = pictures(isDrawn(walk, i, steps) ? [...normal(count)] : range(count).map(() => 0))
      state = await advance(state, scalar(i, 'u32'), z)
    }
    const found = await values(image(state), device)
    const last = scaled ? (levels.signal[steps] ?? NaN) : 1
    return found.reduce((total, x) => total + Math.abs(x / last), 0)
  })

const leading = (total: number, n: number, schedule: Schedule, alphaToOne: boolean): readonly [Levels, Ends] => {
  const levels = scheduleLevels(schedule, n, { spacing: 'leading' })
  const beyond = alphaToOne ? { a: 1, s: 0 } : pointAtTime(schedule, 0)
  const back = Math.floor(total / n)
  const ends = tablesOf(
    Array.from(levels.time.slice(0, -1), (t) => (t < back ? beyond : pointAtTime(schedule, t - back))),
  )
  return [levels, { ends }]
}
const clipX0: Bounds = (_, __, { x0, epsilon }) => ({ x0: x0.maximum(-1).minimum(1), epsilon })
const thresholded: Bounds = (level, x, estimate) => thresholdEstimate(level, x, estimate, { ratio: 0.87, most: 0.5 })

const thousand = linear(1000)
const ddim = (alphaToOne: boolean, schedule = thousand): AnySampler => {
  const [levels, ends] = leading(1000, 10, schedule, alphaToOne)
  return use(ddimBetween(levels, ends))
}
const ddpm = use(ddpmBetween(scheduleLevels(thousand, 1000)))
const fast = (options: ScheduleLevelsOptions = {}): Levels =>
  scheduleLevels(thousand, 10, { spacing: 'linspace', spare: true, rounded: true, end: 'least', ...options })
const karras = { sigmas: 'karras' } as const
const long = linear(1100)
const inSigma = (options: ScheduleLevelsOptions = {}): Levels =>
  scheduleLevels(long, 10, { spacing: 'linspace', whole: false, ...options })
const multi = (options: ScheduleLevelsOptions = {}): AnySampler =>
  use(dpmSolver(fast(options), { lowerOrderFinal: false }))
const single = (options: ScheduleLevelsOptions = {}): AnySampler =>
  use(dpmSolverSingle(fast(options), { lowerOrderFinal: false }))
const fifty = scheduleLevels(thousand, 50, { spacing: 'linspace', spare: true, end: 'least' })
const pndmOf = (alphaToOne: boolean, schedule = thousand): AnySampler =>
  use(
    pndm(scheduleLevels(schedule, 10, { spacing: 'leading', end: alphaToOne ? 'image' : 'least' }), {
      pointAt: (t) => pointAtTime(schedule, t),
    }),
  )
const clock = { timeOf: (sigma: number) => timeAtSigma(long, sigma) }
const lcm = (n: number): AnySampler => {
  const times = range(n).map((i) => 999 - 20 * Math.floor((i * 50) / n))
  return use(consistency(scheduleLevels(scaledLinear, n, { times }), { boundary: 10 }))
}

/** Name, sum or mean, and the walk. */
const sums: readonly (readonly [name: string, sum: number, walk: Case])[] = [
  ['DDPM', 258.9606, { sampler: ddpm, bounds: clipX0, draws: 'but last' }],
  ['DDPM, v', 202.0296, { sampler: ddpm, bounds: clipX0, draws: 'but last', prediction: 'v' }],
  ['DDIM', 172.0067, { sampler: ddim(true), bounds: clipX0 }],
  ['DDIM, v', 52.5302, { sampler: ddim(true), bounds: clipX0, prediction: 'v' }],
  ['DDIM, α to one', 149.8295, { sampler: ddim(true, linear(1000, [0.01, 0.02])), bounds: clipX0 }],
  ['DDIM, α not to one', 149.0784, { sampler: ddim(false, linear(1000, [0.01, 0.02])), bounds: clipX0 }],
  ['DDIM, with noise', 354.5418, { sampler: ddim(true), bounds: clipX0, first: 8 }],
  ['DPM-Solver++, with noise', 318.4111, { sampler: multi(), first: 5 }],
  ['UniPC, with noise', 315.5757, { sampler: use(uniPc(fast())), first: 8 }],
  ['DEIS, with noise', 315.3016, { sampler: use(deis(fast())), first: 8 }],
  ['DPM-Solver++ single steps, with noise', 269.2187, { sampler: single(), first: 5 }],
  ['Euler', 10.0807, { sampler: use(eulerChurn(inSigma(), { churn: 0 })), scaled: true }],
  ['Euler, karras', 124.52299, { sampler: use(eulerChurn(inSigma(karras), { churn: 0 })), scaled: true }],
  ['Euler, v', 0.0002, { sampler: use(eulerChurn(inSigma(), { churn: 0 })), scaled: true, prediction: 'v' }],
  ['Euler ancestral', 152.3192, { sampler: use(ddimBetween(inSigma(), { eta: 1 })), scaled: true, draws: 'all' }],
  [
    'Euler ancestral, v',
    108.4439,
    { sampler: use(ddimBetween(inSigma(), { eta: 1 })), scaled: true, draws: 'all', prediction: 'v' },
  ],
  ['Heun', 0.1233, { sampler: use(heunSigma(inSigma())), scaled: true }],
  ['Heun, karras', 0.00015, { sampler: use(heunSigma(inSigma(karras))), scaled: true }],
  ['LMS', 1006.388, { sampler: use(lms(inSigma())), scaled: true }],
  ['LMS, v', 0.0017, { sampler: use(lms(inSigma())), scaled: true, prediction: 'v' }],
  ['LMS, karras', 3812.9927, { sampler: use(lms(inSigma(karras))), scaled: true }],
  ['DPM-2', 20.4125, { sampler: use(dpm2(inSigma(), clock)), scaled: true }],
  ['DPM-2 ancestral', 13979.9433, { sampler: use(dpm2Ancestral(inSigma(), clock)), scaled: true, draws: 'odd' }],
  [
    'DPM-2 ancestral, v',
    331.8133,
    { sampler: use(dpm2Ancestral(inSigma(), clock)), scaled: true, draws: 'odd', prediction: 'v' },
  ],
  ['PNDM', 198.1318, { sampler: pndmOf(false) }],
  ['PNDM, α to one', 230.0399, { sampler: pndmOf(true, linear(1000, [0.01, 0.02])) }],
  ['PNDM, α not to one', 186.9482, { sampler: pndmOf(false, linear(1000, [0.01, 0.02])) }],
  ['EDM, Euler', 34.1855, { sampler: use(eulerChurn(karrasLevels({ steps: 10 }), { churn: 0 })), edm: 'scaled' }],
  ['LCM, one step', 18.7097, { sampler: lcm(1), draws: 'but last' }],
  ['LCM, ten steps', 197.7616, { sampler: lcm(10), draws: 'but last' }],
  ['Euler, with noise', 57062.9297, { sampler: use(eulerChurn(inSigma(), { churn: 0 })), scaled: true, first: 8 }],
  [
    'Euler ancestral, with noise',
    56163.0508,
    { sampler: use(ddimBetween(inSigma(), { eta: 1 })), scaled: true, draws: 'all', first: 8 },
  ],
  ['Heun, with noise', 75074.8906, { sampler: use(heunSigma(inSigma())), scaled: true, first: 16 }],
  ['DPM-2, with noise', 70408.4062, { sampler: use(dpm2(inSigma(), clock)), scaled: true, first: 16 }],
  [
    'DPM-2 ancestral, with noise',
    93087.3437,
    { sampler: use(dpm2Ancestral(inSigma(), clock)), scaled: true, draws: 'odd', first: 16 },
  ],
]
const means: readonly (readonly [name: string, mean: number, walk: Case])[] = [
  ['DPM-Solver++', 0.3301, { sampler: multi() }],
  ['DPM-Solver++, thresholded', 1.1364, { sampler: multi(), bounds: thresholded }],
  ['DPM-Solver++, v', 0.2251, { sampler: multi(), prediction: 'v' }],
  ['DPM-Solver++, karras, v', 0.2096, { sampler: multi(karras), prediction: 'v' }],
  ['DPM-Solver++, lu, v', 0.1554, { sampler: multi({ sigmas: 'lu' }), prediction: 'v' }],
  ['DPM-Solver++ single steps', 0.2791, { sampler: single() }],
  ['DPM-Solver++ single steps, v', 0.1453, { sampler: single(), prediction: 'v' }],
  ['DPM-Solver++ single steps, karras', 0.2248, { sampler: single(karras) }],
  ['DPM-Solver++ single steps, karras, v', 0.0649, { sampler: single(karras), prediction: 'v' }],
  [
    'DPM-Solver++ single steps, fifty',
    0.2574,
    { sampler: use(dpmSolverSingle(fifty, { lowerOrderFinal: false })), first: 3, quiet: true },
  ],
  ['DEIS', 0.23916, { sampler: use(deis(fast())) }],
  ['DEIS, v', 0.091, { sampler: use(deis(fast())), prediction: 'v' }],
  ['UniPC', 0.2464, { sampler: use(uniPc(fast())) }],
  ['UniPC, v', 0.1014, { sampler: use(uniPc(fast())), prediction: 'v' }],
  ['UniPC, karras', 0.2925, { sampler: use(uniPc(fast(karras))) }],
  ['UniPC, karras, v', 0.1966, { sampler: use(uniPc(fast(karras))), prediction: 'v' }],
]
describe('sum |x| of diffusers’ tests', () => {
  it.each(sums)('%s: %s', async (_, sum, walk) => {
    expect(Math.abs((await sumOf(walk)) - sum)).toBeLessThan(1e-2)
  })

  it('DDPM, with noise: 387.9466, but for f32', async () => {
    // At t = 1 it computes 1 − ᾱ₁/ᾱ₀ in f32, which is wrong in the fourth digit, and so is the sum of its factors.
    const sum = await sumOf({ sampler: ddpm, bounds: clipX0, draws: 'but last', first: 998 })
    expect(Math.abs(sum / 387.9466 - 1)).toBeLessThan(1e-4)
  })
})

describe('mean |x| of diffusers’ tests', () => {
  it.each(means)('%s: %s', async (_, mean, walk) => {
    expect(Math.abs((await sumOf(walk)) / count - mean)).toBeLessThan(1e-3)
  })
})
