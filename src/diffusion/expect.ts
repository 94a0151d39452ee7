/** Checks of what the type system cannot see at run time: that what is given as a schedule, or as levels, is one. */
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { isRecord } from '../prelude/record.ts'

const isLevels = (x: unknown): boolean => isRecord(x) && x['signal'] instanceof Float64Array && 'time' in x

const isSchedule = (x: unknown): boolean => isRecord(x) && x['snr'] instanceof Float64Array

/** `a schedule`: what a value is, for messages. */
const nameOf = (x: unknown): string => {
  if (isSchedule(x)) return 'a schedule'
  return isLevels(x) ? 'levels' : whatIs(x)
}

/**
 * Refuses what is no noise schedule.
 *
 * @param who the function that takes it
 * @param call how it is called: `ddim(schedule, { steps })`
 */
export const expectSchedule = (who: string, x: unknown, call: string): void => {
  if (!isSchedule(x))
    throw typeError(
      `${who}: got ${nameOf(x)} where a noise schedule is expected: call ${call}, with schedule = cosineSchedule(1000) for instance`,
    )
}

/**
 * Refuses a schedule that is no chain of steps which preserve variance.
 *
 * @param who the function that takes it
 * @param call how it is called: `ddpm(schedule)`
 */
export const expectChain = (who: string, x: unknown, call: string): void => {
  expectSchedule(who, x, call)
  if (!(isRecord(x) && 'betas' in x))
    throw typeError(
      `${who}: this schedule is no chain of steps that preserve variance, so it has no βs; what needs none, such as heun and dpmSolver, takes it`,
    )
}

/** Refuses what are no levels of noise. @param who the sampler that walks them */
export const expectLevels = (who: string, x: unknown): void => {
  if (!isLevels(x))
    throw typeError(
      `${who}: got ${nameOf(x)} where levels of noise are expected: call ${who}(levels), with levels = scheduleLevels(schedule, steps) for instance`,
    )
}
