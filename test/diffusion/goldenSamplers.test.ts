/**
 * Samplers against 22 whole walks of diffusers' schedulers (0.27.2, torch 1.13 on a CPU, f32), with the noise that these drew: every x that was written down
 * on the way, to 1e-5 of the largest. The network is ε(x, t) = 0.9 · x · t / (t + 1).
 */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { karrasLevels, stepsOf, type Levels } from '../../src/diffusion/levels.ts'
import { thresholdEstimate } from '../../src/diffusion/threshold.ts'
import type { AnySampler, Estimator, Sampler } from '../../src/diffusion/sampler.ts'
import { dpmSolver, type DpmSolverOptions } from '../../src/diffusion/samplers/dpmSolver.ts'
import { eulerChurn } from '../../src/diffusion/samplers/churn.ts'
import { lms } from '../../src/diffusion/samplers/adams.ts'
import { pndm } from '../../src/diffusion/samplers/pndm.ts'
import { ddimBetween, ddpmBetween } from '../../src/diffusion/samplers/posterior.ts'
import { heunSigma } from '../../src/diffusion/samplers/secondOrder.ts'
import { uniPc, type UniPcOptions } from '../../src/diffusion/samplers/uniPc.ts'
import { tablesOf } from '../../src/diffusion/point.ts'
import { cosineSchedule, linearSchedule, scheduleFromBetas, type Schedule } from '../../src/diffusion/index.ts'
import { pointAtTime } from '../../src/diffusion/scheduleClock.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { at, range } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { goldenTensors, relativeError } from '../models/golden.ts'
import { estimating, walk, type Bounds } from './walks.ts'

interface Run {
  readonly name: string
  readonly scheduler: string
  readonly config: { readonly [option: string]: unknown }
  readonly eta: number
  readonly num_inference_steps: number
  readonly timesteps: readonly number[]
  readonly sigmas?: readonly number[]
  readonly trajectory_stride: number
}

const { runs } = JSON.parse(await readFile(new URL('../golden/schedulers/walks.json', import.meta.url), 'utf8')) as {
  readonly runs: readonly Run[]
}
const golden = await goldenTensors('schedulers/walks.safetensors')

/** The arrays of one name, along the first axis. */
const rowsOf = (name: string): readonly Float32Array[] => {
  const array = golden.get(name)
  if (array === undefined) return []
  const size = 2 * 3 * 4 * 4
  return range(array.values.length / size).map((i) => Float32Array.from(array.values.slice(i * size, (i + 1) * size)))
}
const shaped = (x: ArrayLike<number>): Tensor => tensor(Float32Array.from(x), { shape: [2, 3, 4, 4] })

/** ᾱ with its last entry at 0, and the first where it was (Lin et al. 2024, algorithm 1). */
const zeroTerminal = (schedule: Schedule): Schedule => {
  const roots = schedule.signal
  const [first, last] = [at(Array.from(roots), 0), at(Array.from(roots), schedule.steps - 1)]
  const signal = roots.map((r) => ((r - last) * first) / (first - last))
  return {
    ...schedule,
    signal,
    alphaBar: signal.map((r) => r * r),
    noise: signal.map((r) => Math.sqrt(1 - r * r)),
  }
}

const scheduleOf = ({ scheduler, config }: Run): Schedule => {
  const plain =
    config['beta_schedule'] === 'scaled_linear'
      ? scheduleFromBetas(
          Float64Array.from(
            range(1000),
            (i) => (Math.sqrt(0.00085) + (i / 999) * (Math.sqrt(0.012) - Math.sqrt(0.00085))) ** 2,
          ),
        )
      : config['beta_schedule'] === 'squaredcos_cap_v2'
        ? cosineSchedule(1000)
        : linearSchedule(1000, scheduler === 'HeunDiscrete' ? { start: 0.00085, end: 0.012 } : {})
  return config['rescale_betas_zero_snr'] === true ? zeroTerminal(plain) : plain
}

const use =
  <S>(sampler: Sampler<S>): AnySampler =>
  (f) =>
    f(sampler)

/** Where diffusers' DDPM and DDIM end a step: T/N before its time, and beyond the first time at the image, or at the first noise. */
const endsOf = (run: Run, schedule: Schedule, levels: Levels): Pick<Levels, 'signal' | 'noise'> => {
  const back = Math.floor(schedule.steps / run.num_inference_steps)
  const beyond = run.config['set_alpha_to_one'] === false ? pointAtTime(schedule, 0) : { a: 1, s: 0 }
  return tablesOf(
    Array.from(levels.time.slice(0, -1), (t) => (t - back < 0 ? beyond : pointAtTime(schedule, t - back))),
  )
}

const dpmOptions = ({ scheduler, config }: Run): DpmSolverOptions => ({
  ...(config['solver_order'] !== undefined && { order: Number(config['solver_order']) }),
  ...(scheduler === 'DPMSolverMultistep' && { published: true }),
  ...(config['solver_type'] === 'heun' && { rule: 'heun' }),
  ...(config['algorithm_type'] === 'sde-dpmsolver++' && { kind: 'data-sde' }),
})

const curve = ({ config }: Run): { readonly sigmas?: 'karras' } =>
  config['use_karras_sigmas'] === true ? { sigmas: 'karras' } : {}

/** Each scheduler of diffusers by the sampler that it is here. */
const samplers: { readonly [scheduler: string]: (run: Run, schedule: Schedule) => AnySampler } = {
  DDPM: (run, schedule) => {
    const levels = scheduleLevels(schedule, run.num_inference_steps, { times: run.timesteps })
    const variance = run.config['variance_type'] === 'fixed_large' ? 'large' : 'small'
    return use(ddpmBetween(levels, { variance, ends: endsOf(run, schedule, levels) }))
  },
  DDIM: (run, schedule) => {
    const levels = scheduleLevels(schedule, run.num_inference_steps, { times: run.timesteps })
    return use(ddimBetween(levels, { eta: run.eta, ends: endsOf(run, schedule, levels) }))
  },
  PNDM: (run, schedule) => {
    const levels = scheduleLevels(schedule, run.num_inference_steps, { spacing: 'leading', end: 'least' })
    const start = run.config['skip_prk_steps'] === true ? 'twice' : 'runge-kutta'
    return use(pndm(levels, { start, pointAt: (t) => pointAtTime(schedule, t) }))
  },
  EulerDiscrete: (run, schedule) =>
    use(
      eulerChurn(
        scheduleLevels(schedule, run.num_inference_steps, { spacing: 'linspace', whole: false, ...curve(run) }),
        { churn: 0 },
      ),
    ),
  EulerAncestralDiscrete: (run, schedule) =>
    use(
      ddimBetween(
        scheduleLevels(schedule, run.num_inference_steps, { spacing: 'linspace', whole: false, ...curve(run) }),
        { eta: 1 },
      ),
    ),
  HeunDiscrete: (run, schedule) =>
    use(
      heunSigma(
        scheduleLevels(schedule, run.num_inference_steps, { spacing: 'linspace', whole: false, ...curve(run) }),
      ),
    ),
  LMSDiscrete: (run, schedule) =>
    use(lms(scheduleLevels(schedule, run.num_inference_steps, { spacing: 'linspace', whole: false, ...curve(run) }))),
  DPMSolverMultistep: (run, schedule) =>
    use(
      dpmSolver(
        scheduleLevels(schedule, run.num_inference_steps, {
          spacing: 'linspace',
          spare: true,
          rounded: true,
          ...curve(run),
        }),
        dpmOptions(run),
      ),
    ),
  UniPCMultistep: (run, schedule) =>
    use(
      uniPc(
        scheduleLevels(schedule, run.num_inference_steps, {
          spacing: 'linspace',
          spare: true,
          rounded: true,
          end: 'least',
          ...curve(run),
        }),
        dpmOptions(run) as UniPcOptions,
      ),
    ),
  EDMEuler: (run) => use(eulerChurn(karrasLevels({ steps: run.num_inference_steps }), { churn: 0 })),
  EDMDPMSolverMultistep: (run) => use(dpmSolver(karrasLevels({ steps: run.num_inference_steps }))),
}

const network = (x: Tensor, t: Tensor): Tensor => x.mul(t.mul(0.9).div(t.add(1)))

/** diffusers bounds the image alone: the noise stays as the network said it. */
const boundsOf = ({ scheduler, config }: Run): Bounds => {
  if (config['thresholding'] === true) {
    const options = { ratio: Number(config['dynamic_thresholding_ratio']), most: Number(config['sample_max_value']) }
    return (level, x, estimate) => thresholdEstimate(level, x, estimate, options)
  }
  if (['DDPM', 'DDIM'].includes(scheduler) && config['clip_sample'] !== false)
    return (_, __, { x0, epsilon }) => ({ x0: x0.maximum(-1).minimum(1), epsilon })
  return (_, __, estimate) => estimate
}

/** Karras et al. 2022, table 1, with σ_data = ½: what the network says is scaled, and its time is ¼ ln σ. */
const preconditioned =
  (levels: Levels): Estimator =>
  (x, index) => {
    const conditioned = (scaled: Tensor, sigma: Tensor): Tensor => network(scaled, sigma.log().div(4))
    return estimating(levels, 'x0', (x, sigma) => {
      const power = sigma.square().add(0.25)
      const output = conditioned(x.div(power.sqrt()), sigma)
      return x
        .mul(0.25)
        .div(power)
        .add(output.mul(sigma.mul(0.5)).div(power.sqrt()))
    })(x, index)
  }

const isEdm = ({ scheduler }: Run): boolean => scheduler.startsWith('EDM')

/** Whether x is divided by its signal there: x/a = x₀ + σ·ε. */
const inSigma = ({ scheduler }: Run): boolean => /^(Euler|Heun|LMS)/.test(scheduler)

const predictions = { epsilon: 'epsilon', sample: 'x0', v_prediction: 'v' } as const

describe('the walks of diffusers', () => {
  it.each(runs.map((run) => [run.name, run] as const))('%s', async (name, run) => {
    const make = samplers[run.scheduler]
    if (make === undefined) throw new Error(run.scheduler)
    await make(
      run,
      scheduleOf(run),
    )(async (sampler) => {
      const { levels } = sampler
      const steps = stepsOf(levels)
      const told = Array.from(levels.time.slice(0, steps), (t) => (isEdm(run) ? Math.log(t) / 4 : t))
      expect(relativeError(told, run.timesteps)).toBeLessThan(1e-5)
      const ratios = Array.from(levels.noise, (s, i) => s / (levels.signal[i] ?? NaN))
      run.sigmas?.forEach((sigma, i) => expect(Math.abs((ratios[i] ?? NaN) - sigma)).toBeLessThanOrEqual(2e-4 * sigma)) // 1 − ᾱ is in f32 there
      const prediction = predictions[(run.config['prediction_type'] ?? 'epsilon') as keyof typeof predictions]
      const estimate = isEdm(run) ? preconditioned(levels) : estimating(levels, prediction, network, boundsOf(run))
      const scale = (i: number): number => (inSigma(run) ? (levels.signal[i] ?? NaN) : 1)
      const noises = rowsOf(`${name}.noise`)
      const begin = at(rowsOf(`${name}.init`), 0).map((x) => x * scale(0))
      const drawn = [...noises, ...range(steps - noises.length).map(() => new Float32Array(96))].map(shaped)
      const found = await walk(sampler, shaped(begin), estimate, noises.length > 0 ? { noises: drawn } : {})
      const scaled = found.map((x, i) => x.map((value) => value / scale(i + 1)))
      const kept = scaled.filter((_, i) => i % run.trajectory_stride === 0)
      // At the image no noise is added here; diffusers does so where its last time is not 0.
      const extra = name === 'ddpm-large-trailing' ? (levels.noise[steps - 1] ?? NaN) : 0
      const final = at(scaled, steps - 1).map((x, i) => x + extra * (noises[steps - 1]?.[i] ?? 0))
      const [mine, theirs] = [
        [...kept, final].flat(),
        [...rowsOf(`${name}.trajectory`), ...rowsOf(`${name}.final`)].flatMap((row) => Array.from(row)),
      ]
      expect(relativeError(mine, theirs)).toBeLessThan(1e-5)
    })
  })
})
