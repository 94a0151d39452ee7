/**
 * Which times of a schedule a walk visits. The choice matters more than it seems: `leading` never sees the last time, where training saw almost pure
 * noise (Lin et al. 2024, section 3.3 and table 2).
 */
import { range } from '../prelude/array.ts'
import { requireKnown, requireNotNegative } from '../prelude/options.ts'

/** How times are spaced, by diffusers' names; `even` is lucidrains' and the default of this library. */
export type Spacing = 'even' | 'leading' | 'trailing' | 'linspace'

/** What {@link spacedTimes} takes. */
export interface SpacingOptions {
  /** Default `even`: T − 1 down to 0 or a little above it, and the image a step below. */
  readonly spacing?: Spacing
  /** Is added to times that are `leading`; default 0. */
  readonly offset?: number
  /** Whether times of one more step are spaced, and the clearest left out, as diffusers' DPM-Solver, DEIS and UniPC do; default false. */
  readonly spare?: boolean
  /** Whether times of `linspace` are rounded to whole ones, as all but diffusers' Euler, Heun and LMS do; default true. */
  readonly whole?: boolean
}

/** The nearest whole number, of two the even one. */
const rounded = (x: number): number => {
  const below = Math.floor(x)
  if (x - below !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** Times from the clearest to the noisiest, before the spare one is left out. */
const ascending: {
  readonly [K in Spacing]: (total: number, points: number, options: SpacingOptions) => readonly number[]
} = {
  even: (total, points) => range(points).map((i) => Math.trunc(((i + 1) * total) / points - 1)),
  leading: (total, points, { offset = 0 }) => range(points).map((i) => i * Math.floor(total / points) + offset),
  trailing: (total, points) => range(points).map((i) => rounded(total - (points - 1 - i) * (total / points)) - 1),
  linspace: (total, points, { whole = true }) =>
    range(points)
      .map((i) => (points === 1 ? 0 : (i * (total - 1)) / (points - 1)))
      .map((t) => (whole ? rounded(t) : t)),
}

/** The names of the spacings. */
export const spacings: readonly string[] = Object.keys(ascending)

/**
 * Whether there is a spacing of this name.
 *
 * @example
 * ```ts
 * import { isSpacing } from 'fathom/diffusion'
 *
 * isSpacing('trailing') // => true
 * isSpacing('trails') // => false
 * ```
 */
export const isSpacing = (name: string): name is Spacing => Object.hasOwn(ascending, name)

/**
 * Times of a schedule with `total`, from noise on: one for each step, without the image.
 *
 * @throws RangeError for more steps than the schedule has, for a spacing that there is not, and where the offset leads beyond the schedule
 * @example
 * ```ts
 * import { spacedTimes } from 'fathom/diffusion'
 *
 * spacedTimes(1000, 4) // => [999, 749, 499, 249]
 * spacedTimes(1000, 4, { spacing: 'leading', offset: 1 }) // => [751, 501, 251, 1]
 * spacedTimes(1000, 4, { spacing: 'linspace' }) // => [999, 666, 333, 0]
 * ```
 */
export const spacedTimes = (total: number, steps: number, options: SpacingOptions = {}): readonly number[] => {
  requireKnown('spacedTimes', options, ['spacing', 'offset', 'spare', 'whole'])
  const { spacing = 'even', offset = 0, spare = false } = options
  if (!isSpacing(spacing))
    throw new RangeError(`spacedTimes: the spacing is '${String(spacing)}'; it must be ${spacings.join(', ')}`)
  requireNotNegative('spacedTimes', 'offset', offset)
  if (!(Number.isInteger(steps) && steps > 0 && steps <= total))
    throw new RangeError(
      `spacedTimes: ${steps} sampling steps of a schedule with ${total}; take a whole number from 1 to ${total}`,
    )
  // trailing keeps its first time and has no spare one
  const points = spare && spacing !== 'trailing' ? steps + 1 : steps
  const times = ascending[spacing](total, points, options)
    .slice(points - steps)
    .toReversed()
  const beyond = times.find((t) => t > total - 1)
  if (beyond !== undefined)
    throw new RangeError(
      `spacedTimes: time ${beyond} is beyond the schedule's last, ${total - 1}: take a smaller offset`,
    )
  return times
}

/**
 * `steps` + 1 times from T − 1 down to −1, evenly spaced and cut to whole numbers; −1 is the image. lucidrains' choice.
 *
 * @example
 * ```ts
 * import { samplingTimes } from 'fathom/diffusion'
 *
 * samplingTimes(1000, 4) // => [999, 749, 499, 249, -1]
 * ```
 */
export const samplingTimes = (total: number, steps: number): readonly number[] => [...spacedTimes(total, steps), -1]
