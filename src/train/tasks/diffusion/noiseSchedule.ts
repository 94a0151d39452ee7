/** The noise schedule that settings name. */
import {
  cosineSchedule,
  exponentialSchedule,
  flowSchedule,
  isChain,
  laplaceSchedule,
  linearSchedule,
  scaledLinearSchedule,
  shiftedSchedule,
  sigmoidBetaSchedule,
  sigmoidSchedule,
  zeroTerminalSnr,
  type NoiseSchedule,
} from '../../../diffusion/index.ts'
import { keysOf } from '../../../prelude/record.ts'

/** β of the first time and of the last. */
export type Betas = readonly [first: number, last: number]

/** The schedules that are given by β, with their ends. */
const byBetas = {
  linear: (steps: number, betas?: Betas) =>
    // whose ends are those of a thousand steps, and are scaled for others
    linearSchedule(steps, betas && { start: (betas[0] * steps) / 1000, end: (betas[1] * steps) / 1000 }),
  'scaled-linear': (steps: number, betas?: Betas) =>
    scaledLinearSchedule(steps, betas && { start: betas[0], end: betas[1] }),
  'sigmoid-beta': (steps: number, betas?: Betas) =>
    sigmoidBetaSchedule(steps, betas && { start: betas[0], end: betas[1] }),
}

/** The schedules by name. */
const schedules = {
  ...byBetas,
  cosine: (steps: number) => cosineSchedule(steps),
  sigmoid: (steps: number) => sigmoidSchedule(steps),
  laplace: laplaceSchedule,
  exponential: exponentialSchedule,
  flow: flowSchedule,
} satisfies Readonly<Record<string, (steps: number, betas?: Betas) => NoiseSchedule>>

/** The name of a schedule. */
export type ScheduleName = keyof typeof schedules

/** The names of all schedules. */
export const scheduleNames: readonly ScheduleName[] = keysOf(schedules)

/** The names of those that are given by β, whose ends can be named. */
export const namesByBetas: readonly string[] = keysOf(byBetas)

/** What of the settings makes a schedule. */
export interface ScheduleConfig {
  readonly schedule: ScheduleName
  /** β of the first time and of the last, for the schedules that are given by β; absent for their own. */
  readonly betas?: Betas
  /** Whether the schedule is stretched until nothing of the picture is left at its last time (`zeroTerminalSnr`). Absent, it is not. */
  readonly zeroTerminal?: true
  /** By how much more noise there is for the signal at every time, as larger pictures need (`shiftedSchedule`); absent for 1. */
  readonly shift?: number
  /** T, the number of noise levels. */
  readonly timesteps: number
}

/** β of the first time and of the last, of a schedule that is given by β: those that are named, or its own. */
export const betasOf = ({ schedule, betas, timesteps }: ScheduleConfig): Betas => {
  if (betas !== undefined) return betas
  if (schedule === 'scaled-linear') return [0.00085, 0.012]
  const scale = schedule === 'linear' ? 1000 / timesteps : 1 // so that fewer steps destroy the picture as far
  return [0.0001 * scale, 0.02 * scale]
}

/**
 * The noise schedule of some settings.
 *
 * @throws RangeError where there is none of so many steps
 */
export const scheduleOf = ({
  schedule: name,
  betas,
  timesteps,
  zeroTerminal,
  shift = 1,
}: ScheduleConfig): NoiseSchedule => {
  const plain: NoiseSchedule = schedules[name](timesteps, betas)
  return shiftedSchedule(zeroTerminal === true && isChain(plain) ? zeroTerminalSnr(plain) : plain, shift)
}
