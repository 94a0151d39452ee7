/**
 * The samplers by name, for those who choose one at run time: each walks levels of the schedule that a network was
 * trained on. `flowEuler` is not among them, for its levels are no schedule's.
 */
import { requireKnown } from '../../prelude/options.ts'
import type { AnySampler, Sampler } from '../sampler.ts'
import { expectSchedule } from '../expect.ts'
import type { Levels } from '../levels.ts'
import type { NoiseSchedule } from '../schedule.ts'
import { pointAtTime, timeAtSigma } from '../scheduleClock.ts'
import { scheduleLevels, type ScheduleLevelsOptions } from '../scheduleLevels.ts'
import { deis, lms } from './adams.ts'
import { eulerChurn } from './churn.ts'
import { consistency } from './consistency.ts'
import { ddpm } from './ddpm.ts'
import { dpmSolverSingle } from './dpmSingle.ts'
import { dpmSolver } from './dpmSolver.ts'
import { heun } from './heun.ts'
import { pndm } from './pndm.ts'
import { ddimBetween, ddpmBetween } from './posterior.ts'
import { dpm2, dpm2Ancestral, heunSigma } from './secondOrder.ts'
import { uniPc } from './uniPc.ts'

/** Which times a walk visits, or along which curve σ falls; default {@link scheduleLevels}' even times. */
export type WalkLevels = Pick<ScheduleLevelsOptions, 'spacing' | 'sigmas'>

/** A sampler that can be named. */
export interface NamedSampler {
  /** What it is, in a few words. */
  readonly about: string
  /** The class of diffusers' schedulers that walks as it does; absent where there is none. */
  readonly diffusers?: string
  /** The steps it takes where nobody says how many, of a schedule with `total`. */
  readonly usualSteps: (total: number) => number
  /** Whether it makes every step of the schedule, so that nobody can choose how many, nor which. */
  readonly everyStep: boolean
  /**
   * Whether it adds the noise that is seen as it is, x′ = a′·x̂₀ + …·ε̂, so that it may be another's than that of the image: what `cfgPlusPlus` needs.
   */
  readonly renoises: boolean
  /** Makes it for a schedule. */
  readonly make: (schedule: NoiseSchedule, steps: number, walk?: WalkLevels) => AnySampler
}

/** The name of a sampler. */
export type SamplerName =
  | 'ddim'
  | 'ddpm'
  | 'heun'
  | 'dpm-solver'
  | 'ddpm-respaced'
  | 'euler'
  | 'euler-ancestral'
  | 'euler-churn'
  | 'heun-sigma'
  | 'dpm2'
  | 'dpm2-ancestral'
  | 'lms'
  | 'deis'
  | 'dpm-solver-3'
  | 'dpm-solver-noise'
  | 'dpm-solver-sde'
  | 'dpm-solver-single'
  | 'unipc'
  | 'unipc-3'
  | 'pndm'
  | 'plms'
  | 'consistency'

const use =
  <S>(sampler: Sampler<S>): AnySampler =>
  (f) =>
    f(sampler)

/** One that takes any levels of a schedule. */
const onLevels = (
  about: string,
  usual: number,
  of: (levels: Levels, schedule: NoiseSchedule) => AnySampler,
  diffusers?: string,
  renoises = false,
): NamedSampler => ({
  about,
  ...(diffusers !== undefined && { diffusers }),
  usualSteps: (total) => Math.min(usual, total),
  everyStep: false,
  renoises,
  make: (schedule, steps, walk = {}) => of(scheduleLevels(schedule, steps, walk), schedule),
})

/** The clock of networks that were trained on a schedule. */
const clockOf = (schedule: NoiseSchedule): { readonly timeOf: (sigma: number) => number } => ({
  timeOf: (sigma) => timeAtSigma(schedule, sigma),
})

/**
 * The samplers by name.
 *
 * @example
 * ```ts
 * import { samplers } from 'fathom/diffusion'
 *
 * Object.keys(samplers).slice(0, 4) // => ['ddim', 'ddpm', 'heun', 'dpm-solver']
 * samplers['dpm-solver'].usualSteps(1000) // => 25
 * samplers.ddpm.usualSteps(1000) // => 1000
 * ```
 */
export const samplers: { readonly [K in SamplerName]: NamedSampler } = {
  ddim: onLevels('first order', 50, (l) => use(ddimBetween(l)), 'DDIMScheduler', true),
  ddpm: {
    about: 'every step of the schedule, with fresh noise',
    diffusers: 'DDPMScheduler',
    usualSteps: (total) => total,
    everyStep: true,
    renoises: false,
    make: (schedule) => use(ddpm(schedule)),
  },
  heun: onLevels('second order, two evaluations a step', 25, (l) => use(heun(l))),
  'dpm-solver': onLevels(
    'second order, one evaluation a step',
    25,
    (l) => use(dpmSolver(l)),
    'DPMSolverMultistepScheduler',
  ),
  'ddpm-respaced': onLevels('ddpm in fewer steps', 100, (l) => use(ddpmBetween(l)), 'DDPMScheduler'),
  euler: onLevels('ddim by its other name', 50, (l) => use(ddimBetween(l)), 'EulerDiscreteScheduler', true),
  'euler-ancestral': onLevels(
    'first order, with fresh noise',
    50,
    (l) => use(ddimBetween(l, { eta: 1 })),
    'EulerAncestralDiscreteScheduler',
    true,
  ),
  'euler-churn': onLevels('first order, some noise is renewed', 50, (l, s) => use(eulerChurn(l, clockOf(s)))),
  'heun-sigma': onLevels(
    'second order, two evaluations a step, in σ',
    25,
    (l) => use(heunSigma(l)),
    'HeunDiscreteScheduler',
  ),
  dpm2: onLevels(
    'second order, asks in the middle of steps',
    25,
    (l, s) => use(dpm2(l, clockOf(s))),
    'KDPM2DiscreteScheduler',
  ),
  'dpm2-ancestral': onLevels(
    'dpm2 with fresh noise',
    25,
    (l, s) => use(dpm2Ancestral(l, clockOf(s))),
    'KDPM2AncestralDiscreteScheduler',
  ),
  lms: onLevels('fourth order, one evaluation a step, in σ', 25, (l) => use(lms(l)), 'LMSDiscreteScheduler'),
  deis: onLevels('second order, one evaluation a step, in ln σ', 25, (l) => use(deis(l)), 'DEISMultistepScheduler'),
  'dpm-solver-3': onLevels(
    'third order, one evaluation a step',
    25,
    (l) => use(dpmSolver(l, { order: 3 })),
    'DPMSolverMultistepScheduler',
  ),
  'dpm-solver-noise': onLevels(
    'second order, of the noise instead of the image',
    25,
    (l) => use(dpmSolver(l, { kind: 'noise' })),
    'DPMSolverMultistepScheduler',
  ),
  'dpm-solver-sde': onLevels(
    'second order, with fresh noise',
    25,
    (l) => use(dpmSolver(l, { kind: 'data-sde' })),
    'DPMSolverMultistepScheduler',
  ),
  'dpm-solver-single': onLevels(
    'second order, nothing of the step before',
    26,
    (l) => use(dpmSolverSingle(l)),
    'DPMSolverSinglestepScheduler',
  ),
  unipc: onLevels('second order, each step corrected by the next', 25, (l) => use(uniPc(l)), 'UniPCMultistepScheduler'),
  'unipc-3': onLevels(
    'third order, each step corrected by the next',
    25,
    (l) => use(uniPc(l, { order: 3 })),
    'UniPCMultistepScheduler',
  ),
  pndm: onLevels(
    'fourth-order weights, twelve evaluations to begin',
    25,
    (l, s) => use(pndm(l, { pointAt: (t) => pointAtTime(s, t) })),
    'PNDMScheduler',
  ),
  plms: onLevels(
    'fourth-order weights, two evaluations to begin',
    25,
    (l) => use(pndm(l, { start: 'twice' })),
    'PNDMScheduler',
  ),
  consistency: onLevels(
    'of consistency models: noise anew at each step',
    4,
    (l) => use(consistency(l)),
    'LCMScheduler',
  ),
}

/** The sampler of those who name none. */
export const defaultSampler: SamplerName = 'ddim'

/**
 * Whether there is a sampler of this name.
 *
 * @example
 * ```ts
 * import { isSamplerName } from 'fathom/diffusion'
 *
 * isSamplerName('heun') // => true
 * isSamplerName('hein') // => false
 * ```
 */
export const isSamplerName = (name: string): name is SamplerName => Object.hasOwn(samplers, name)

/**
 * A sampler by its name, for a schedule.
 *
 * @param walk which times it visits, or which σ
 * @throws RangeError for steps that the sampler cannot take
 * @example
 * ```ts
 * import { cosineSchedule, samplerNamed, stepsOf } from 'fathom/diffusion'
 *
 * const schedule = cosineSchedule(100)
 * samplerNamed('heun', schedule, 10)(({ levels }) => stepsOf(levels)) // => 10
 * samplerNamed('lms', schedule, 3, { spacing: 'linspace' })(({ levels }) => levels.time) // => [99, 50, 0, -1]
 * samplerNamed('ddpm', schedule, 10)
 * // throws RangeError: ddpm makes every step of the schedule: steps must be 100, got 10
 * ```
 */
export const samplerNamed = (
  name: SamplerName,
  schedule: NoiseSchedule,
  steps: number,
  walk: WalkLevels = {},
): AnySampler => {
  if (!isSamplerName(name))
    throw new RangeError(
      `samplerNamed: there is no sampler '${String(name)}'; there are ${Object.keys(samplers).join(', ')}`,
    )
  expectSchedule('samplerNamed', schedule, `samplerNamed('${name}', schedule, steps)`)
  requireKnown('samplerNamed', walk, ['spacing', 'sigmas'])
  const { everyStep, make } = samplers[name]
  if (everyStep && steps !== schedule.steps)
    throw new RangeError(`${name} makes every step of the schedule: steps must be ${schedule.steps}, got ${steps}`)
  if (everyStep && Object.keys(walk).length > 0)
    throw new RangeError(`${name} makes every step of the schedule: it takes no spacing and no sigmas`)
  return make(schedule, steps, walk)
}
