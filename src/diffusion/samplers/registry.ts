/**
 * The samplers by name, for those who choose one at run time: each walks the levels of the schedule that a network was
 * trained on. `flowEuler` is not among them, for its levels are no schedule's.
 */
import type { AnySampler } from '../sampler.ts'
import { expectSchedule } from '../expect.ts'
import { scheduleLevels } from '../scheduleLevels.ts'
import type { Schedule } from '../schedule.ts'
import { ddim } from './ddim.ts'
import { ddpm } from './ddpm.ts'
import { dpmSolver } from './dpmSolver.ts'
import { heun } from './heun.ts'

/** A sampler that can be named. */
export interface NamedSampler {
  /** What it is, in a few words. */
  readonly about: string
  /** The steps it takes where nobody says how many, of a schedule with `total`. */
  readonly usualSteps: (total: number) => number
  /** Whether it makes every step of the schedule, so that nobody can choose how many. */
  readonly everyStep: boolean
  /** Makes it for a schedule. */
  readonly make: (schedule: Schedule, steps: number) => AnySampler
}

/** The name of a sampler. */
export type SamplerName = 'ddim' | 'ddpm' | 'heun' | 'dpm-solver'

const atMost =
  (steps: number) =>
  (total: number): number =>
    Math.min(steps, total)

/**
 * The samplers by name.
 *
 * @example
 * ```ts
 * import { samplers } from 'fathom/diffusion'
 *
 * Object.keys(samplers) // => ['ddim', 'ddpm', 'heun', 'dpm-solver']
 * samplers['dpm-solver'].usualSteps(1000) // => 25
 * samplers.ddpm.usualSteps(1000) // => 1000
 * ```
 */
export const samplers: { readonly [K in SamplerName]: NamedSampler } = {
  ddim: {
    about: 'first order',
    usualSteps: atMost(50),
    everyStep: false,
    make: (schedule, steps) => (use) => use(ddim(schedule, { steps })),
  },
  ddpm: {
    about: 'every step of the schedule, with fresh noise',
    usualSteps: (total) => total,
    everyStep: true,
    make: (schedule) => (use) => use(ddpm(schedule)),
  },
  heun: {
    about: 'second order, two evaluations a step',
    usualSteps: atMost(25),
    everyStep: false,
    make: (schedule, steps) => (use) => use(heun(scheduleLevels(schedule, steps))),
  },
  'dpm-solver': {
    about: 'second order, one evaluation a step',
    usualSteps: atMost(25),
    everyStep: false,
    make: (schedule, steps) => (use) => use(dpmSolver(scheduleLevels(schedule, steps))),
  },
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
 * @throws RangeError for steps that the sampler cannot take
 * @example
 * ```ts
 * import { cosineSchedule, samplerNamed, stepsOf } from 'fathom/diffusion'
 *
 * const schedule = cosineSchedule(100)
 * samplerNamed('heun', schedule, 10)(({ levels }) => stepsOf(levels)) // => 10
 * samplerNamed('ddpm', schedule, 10)
 * // throws RangeError: ddpm makes every step of the schedule: steps must be 100, got 10
 * ```
 */
export const samplerNamed = (name: SamplerName, schedule: Schedule, steps: number): AnySampler => {
  if (!isSamplerName(name))
    throw new RangeError(
      `samplerNamed: there is no sampler '${String(name)}'; there are ${Object.keys(samplers).join(', ')}`,
    )
  expectSchedule('samplerNamed', schedule, `samplerNamed('${name}', schedule, steps)`)
  const { everyStep, make } = samplers[name]
  if (everyStep && steps !== schedule.steps)
    throw new RangeError(`${name} makes every step of the schedule: steps must be ${schedule.steps}, got ${steps}`)
  return make(schedule, steps)
}
