/**
 * Which times a network is trained at, and how often. There is most to learn at times of middling noise: with little noise the picture is there
 * already, and with much of it little can be said.
 *
 * Source: Esser et al. 2024, section 3.1 (logit-normal, mode, cosmap); Karras et al. 2022, table 1 (log-normal).
 */
import { range } from '../prelude/array.ts'
import { requireKnown, requirePositive } from '../prelude/options.ts'
import { keysOf } from '../prelude/record.ts'
import { gather } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import { randint, type Key } from '../tensor/random.ts'
import { normalQuantile } from '../tensor/random/as241.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSchedule } from './expect.ts'
import type { NoiseSchedule } from './schedule.ts'

/**
 * How training's times are spread over a schedule; u is uniform in (0, 1), and z a standard normal number:
 *
 * | density | |
 * |---|---|
 * | `uniform` | each time as often |
 * | `logit-normal` | the share of the way t/T is sigmoid(mean + deviation·z); 0 and 1 by default (Esser et al. 2024, eq. 19) |
 * | `mode` | 1 − u − scale·(cos²(πu/2) − 1 + u), scale 1.29 by default (eq. 20) |
 * | `cosmap` | 1 − 1/(tan(πu/2) + 1): on a flow the noises of a cosine schedule (eq. 21) |
 * | `log-normal` | the noise for its signal, s/a, is exp(mean + deviation·z); −1.2 and 1.2 by default (Karras et al. 2022) |
 */
export type TimeDensity =
  | { readonly density: 'uniform' | 'cosmap' }
  | { readonly density: 'logit-normal' | 'log-normal'; readonly mean?: number; readonly deviation?: number }
  | { readonly density: 'mode'; readonly scale?: number }

/** Equally probable times, of which one is drawn: what is less probable than one of so many is left out. */
const quantiles = 2 ** 14

/** The numbers of a density, those that are not named by default. */
interface Numbers {
  readonly mean: number
  readonly deviation: number
  readonly scale: number
}

/** The time of a schedule at a share of the way. */
const timeAlong = ({ steps }: NoiseSchedule, share: number): number =>
  Math.min(steps - 1, Math.max(0, Math.floor(share * steps)))

/** The time of a schedule whose noise for its signal is nearest to a ratio, by the logarithm. */
const timeOfRatio = ({ snr, steps }: NoiseSchedule, ratio: number): number => {
  const logAt = (t: number): number => -0.5 * Math.log(snr[t] ?? NaN)
  const sought = Math.log(ratio)
  let [below, above] = [0, steps - 1]
  while (above - below > 1) {
    const middle = (below + above) >> 1
    if (logAt(middle) <= sought) below = middle
    else above = middle
  }
  return sought - logAt(below) <= logAt(above) - sought ? below : above
}

/** For each density the time at a probability u. */
const timesAt: {
  readonly [D in Exclude<TimeDensity['density'], 'uniform'>]: (
    u: number,
    schedule: NoiseSchedule,
    of: Numbers,
  ) => number
} = {
  'logit-normal': (u, schedule, { mean, deviation }) =>
    timeAlong(schedule, 1 / (1 + Math.exp(-mean - deviation * normalQuantile(u)))),
  mode: (u, schedule, { scale }) => timeAlong(schedule, 1 - u - scale * (Math.cos((Math.PI * u) / 2) ** 2 - 1 + u)),
  cosmap: (u, schedule) => timeAlong(schedule, 1 - 1 / (Math.tan((Math.PI * u) / 2) + 1)),
  'log-normal': (u, schedule, { mean, deviation }) =>
    timeOfRatio(schedule, Math.exp(mean + deviation * normalQuantile(u))),
}

/** The names of all densities. */
export const timeDensities: readonly TimeDensity['density'][] = ['uniform', ...keysOf(timesAt)]

/** The numbers that each density takes, with what they are by default. */
const defaults: { readonly [D in TimeDensity['density']]: Partial<Numbers> } = {
  uniform: {},
  cosmap: {},
  'logit-normal': { mean: 0, deviation: 1 },
  'log-normal': { mean: -1.2, deviation: 1.2 },
  mode: { scale: 1.29 },
}

/** The steepest mode whose times still rise with u (Esser et al. 2024). */
const mostScale = 2 / (Math.PI - 2)

const numbersOf = ({ density, ...named }: TimeDensity): Numbers => {
  if (!timeDensities.includes(density))
    throw new RangeError(`trainingTimes: the density is '${density}'; it must be ${timeDensities.join(', ')}`)
  requireKnown('trainingTimes', named, Object.keys(defaults[density]))
  const { mean = 0, deviation = 1, scale = 1 }: Partial<Numbers> = { ...defaults[density], ...named }
  if (!Number.isFinite(mean)) throw new RangeError(`trainingTimes: the mean is ${mean}; it must be finite`)
  requirePositive('trainingTimes', 'deviation', deviation)
  if (!(scale >= -1 && scale <= mostScale))
    throw new RangeError(`trainingTimes: the scale is ${scale}; it must be from −1 to ${mostScale.toFixed(2)}`)
  return { mean, deviation, scale }
}

/**
 * Draws the times of training.
 *
 * Those of more samples begin with those of fewer, and a part of them is drawn alone with `first`. The table of equally probable times is part of the
 * program.
 *
 * @returns `(key, count, first?) → i32 [count]` in 0 … T − 1
 * @throws RangeError for a density that is none, and for numbers that it does not take
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { flowSchedule, trainingTimes } from 'fathom/diffusion'
 *
 * const draw = trainingTimes(flowSchedule(1000), { density: 'logit-normal', deviation: 0.5 })
 * draw(key(0), 6) // => [474, 531, 403, 605, 712, 542]
 * ```
 */
export const trainingTimes = (
  schedule: NoiseSchedule,
  density: TimeDensity = { density: 'uniform' },
): ((key: Key, count: number, first?: Tensor) => Tensor) => {
  expectSchedule('trainingTimes', schedule, 'trainingTimes(schedule, { density })')
  const numbers = numbersOf(density)
  if (density.density === 'uniform') return (key, count, first) => randint(key, [count], 0, schedule.steps, first)
  const timeAt = timesAt[density.density]
  const table = Int32Array.from(range(quantiles), (i) => timeAt((i + 0.5) / quantiles, schedule, numbers))
  return (key, count, first) => gather(constant(table), randint(key, [count], 0, quantiles, first))
}
