/** Between the times of a schedule: σ at a fractional time, and the time at which a network knows a σ. */
import { at } from '../prelude/array.ts'
import { expectSchedule } from './expect.ts'
import { pointsOf, sigma, wayOf, type Point } from './point.ts'
import { isChain, type NoiseSchedule } from './schedule.ts'

/** σ_t = √((1 − ᾱ_t)/ᾱ_t) at each time. */
const sigmasOf = ({ signal, noise }: NoiseSchedule): readonly number[] => pointsOf({ signal, noise }).map(sigma)

const requireTime = (who: string, { steps }: NoiseSchedule, t: number): void => {
  if (!(t >= 0 && t <= steps - 1))
    throw new RangeError(`${who}: time ${t} is not among those of the schedule, 0 … ${steps - 1}`)
}

/**
 * Signal and noise of a schedule at any time from 0 to T − 1; between whole times σ is a straight line, as in diffusers' Euler.
 *
 * @throws RangeError for a time outside the schedule
 * @example
 * ```ts
 * import { pointAtTime, scheduleFromBetas } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.36, 0.5))
 * pointAtTime(schedule, 0) // => { a: 0.8, s: 0.6 }
 * ```
 */
export const pointAtTime = (schedule: NoiseSchedule, t: number): Point => {
  expectSchedule('pointAtTime', schedule, 'pointAtTime(schedule, t)')
  requireTime('pointAtTime', schedule, t)
  const { signal, noise } = schedule
  const whole = (i: number): Point => ({ a: signal[i] ?? NaN, s: noise[i] ?? NaN })
  const below = Math.floor(t)
  if (below === t) return whole(t)
  const [low, high, share] = [whole(below), whole(below + 1), t - below]
  const straight = { a: low.a + share * (high.a - low.a), s: low.s + share * (high.s - low.s) }
  const way = wayOf('pointAtTime', pointsOf(schedule))
  // A flow is a straight line itself, and no σ is half of the way to pure noise.
  if (!isChain(schedule) || high.a === 0) return way(sigma(straight))
  return way(sigma(low) + share * (sigma(high) - sigma(low)))
}

/**
 * The time, often between whole ones, at which the schedule has this σ: ln σ is a straight line between times, and beyond the ends it is the first or
 * the last time.
 *
 * @example
 * ```ts
 * import { scheduleFromBetas, timeAtSigma } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.36, 0.5)) // σ is 0.75 and 1.457738
 * timeAtSigma(schedule, 1) // => 0.43289
 * timeAtSigma(schedule, 9) // => 1
 * ```
 */
export const timeAtSigma = (schedule: NoiseSchedule, value: number): number => {
  expectSchedule('timeAtSigma', schedule, 'timeAtSigma(schedule, sigma)')
  const sigmas = sigmasOf(schedule)
  const above = sigmas.findIndex((s) => s > value)
  if (above === 0) return 0
  if (above < 0) return sigmas.length - 1
  const [low, high] = [Math.log(at(sigmas, above - 1)), Math.log(at(sigmas, above))]
  const time = above - 1 + (Math.log(value) - low) / (high - low)
  return Math.abs(time - Math.round(time)) < 1e-9 ? Math.round(time) : time // a σ of the table is known at its own time
}
