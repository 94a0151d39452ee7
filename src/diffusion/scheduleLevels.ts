/** Levels of a schedule: which of its times a walk visits, or which σ between its ends, and where the walk ends. */
import { at } from '../prelude/array.ts'
import { requireKnown } from '../prelude/options.ts'
import { expectSchedule } from './expect.ts'
import { levelsFrom, type Levels } from './levels.ts'
import { pointsOf, sigma, tablesOf, wayOf, type Point } from './point.ts'
import type { NoiseSchedule } from './schedule.ts'
import { pointAtTime, timeAtSigma } from './scheduleClock.ts'
import { sigmasAlong, type SigmaCurve } from './sigmas.ts'
import { spacedTimes, type SpacingOptions } from './spacing.ts'

/** What {@link scheduleLevels} takes. */
export interface ScheduleLevelsOptions extends SpacingOptions {
  /** Times of one's own instead of a spacing, from noise on; they may be fractions. */
  readonly times?: readonly number[]
  /** A curve between the schedule's last σ and its first, or σ of one's own from noise on, instead of times. */
  readonly sigmas?: SigmaCurve | readonly number[]
  /** ρ of `karras`; default 7. */
  readonly rho?: number
  /** Whether the network is told the nearest whole times; default false, where `sigmas` are given, for networks that take fractions. */
  readonly rounded?: boolean
  /** Where the walk ends: at the `image` (default), or at the schedule's `least` noise, as diffusers' `sigma_min` and `set_alpha_to_one: false`. */
  readonly end?: 'image' | 'least'
}

const known = ['spacing', 'offset', 'spare', 'whole', 'times', 'sigmas', 'rho', 'rounded', 'end']

/** A level before it is a row of tables. */
interface Visit {
  readonly point: Point
  readonly time: number
}

const visitsOfSigmas = (schedule: NoiseSchedule, steps: number, options: ScheduleLevelsOptions): readonly Visit[] => {
  const { sigmas = 'karras', rho = 7, rounded = false } = options
  const points = pointsOf(schedule)
  const seen = points.map(sigma).filter(Number.isFinite) // but for pure noise, which no curve begins at
  const [sigmaMin, sigmaMax, way] = [at(seen, 0), at(seen, seen.length - 1), wayOf('scheduleLevels', points)]
  const list = typeof sigmas === 'string' ? sigmasAlong(sigmas, { steps, sigmaMin, sigmaMax, rho }) : sigmas
  return list.map((value) => {
    const time = timeAtSigma(schedule, value)
    return { point: way(value), time: rounded ? Math.round(time) : time }
  })
}

const visitsOfTimes = (schedule: NoiseSchedule, steps: number, options: ScheduleLevelsOptions): readonly Visit[] => {
  const { spacing = 'even', offset = 0, spare = false, whole = true } = options
  const times = options.times ?? spacedTimes(schedule.steps, steps, { spacing, offset, spare, whole })
  return times.map((time) => ({ point: pointAtTime(schedule, time), time }))
}

const requireSteps = (visits: readonly Visit[], steps: number): void => {
  if (visits.length !== steps)
    throw new RangeError(
      `scheduleLevels: there are ${visits.length} times or σ for ${steps} steps; give one for each step, without the image`,
    )
}

/** Times as the network is told them: whole ones in i32, fractions in f32. */
export const timesOf = (times: readonly number[]): Int32Array | Float64Array =>
  times.every((t) => Number.isInteger(t)) ? Int32Array.from(times) : Float64Array.from(times)

/**
 * Levels of a schedule: its a and s at the times of a spacing, of one's own, or along a curve of σ. Between whole times σ is interpolated, and
 * so is the time of a σ in between, which the network is told as a fraction.
 *
 * @throws RangeError for more steps than the schedule has, for times outside it, and for lists that do not lead from noise to image
 * @example
 * ```ts
 * import { cosineSchedule, linearSchedule, scheduleFromBetas, scheduleLevels } from 'fathom/diffusion'
 *
 * const { signal, noise, time } = scheduleLevels(scheduleFromBetas(Float64Array.of(0.36, 0.5)), 2)
 * time // => [1, 0, -1]
 * signal // => [0.565685, 0.8, 1]
 * noise // => [0.824621, 0.6, 0]
 * scheduleLevels(linearSchedule(1000), 4, { spacing: 'trailing' }).time // => [999, 749, 499, 249, -1]
 * scheduleLevels(linearSchedule(1000), 3, { sigmas: 'karras' }).time // => [999, 592.995, 0, -1]
 * scheduleLevels(cosineSchedule(1000), 3, { times: [850, 450, 100], end: 'least' }).noise.at(-1) // => 0.00643
 * ```
 */
export const scheduleLevels = (schedule: NoiseSchedule, steps: number, options: ScheduleLevelsOptions = {}): Levels => {
  expectSchedule('scheduleLevels', schedule, 'scheduleLevels(schedule, steps)')
  requireKnown('scheduleLevels', options, known)
  const { sigmas, end = 'image' } = options
  const visits = (sigmas === undefined ? visitsOfTimes : visitsOfSigmas)(schedule, steps, options)
  requireSteps(visits, steps)
  const levels = (last: Visit): Levels => ({
    ...tablesOf([...visits, last].map(({ point }) => point)),
    time: timesOf([...visits, last].map(({ time }) => time)),
  })
  const checked = levelsFrom(levels({ point: { a: 1, s: 0 }, time: -1 }))
  return end === 'image' ? checked : levels({ point: pointAtTime(schedule, 0), time: 0 })
}
