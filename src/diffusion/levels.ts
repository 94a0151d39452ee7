/**
 * Noise levels: the points that a sampler visits between noise and image.
 *
 * At a level x = a·x₀ + s·ε, with a signal a and a noise s that are free of one another. Variance-preserving levels have a² + s² = 1
 * (`scheduleLevels`), variance-exploding ones a = 1 (`karrasLevels`), those of a rectified flow a + s = 1 (`flowLevels`). A sampler that
 * needs nothing but a and s runs on all of them.
 *
 * What a user gives leads to the image, level by level clearer (`levelsFrom`). Levels that samplers make of these may repeat, where a method asks the
 * network twice a step, and may end before the image, or at noise where a picture is turned into it (`ddimInverse`).
 */
import { at, range } from '../prelude/array.ts'
import { requireKnown, requirePositive, requireWhole } from '../prelude/options.ts'
import { gather } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { NoiseLevel } from './prediction.ts'
import { powersOf } from './schedules/tables.ts'
import { sigmasAlong } from './sigmas.ts'
import { gatherTable } from './table.ts'

/** The levels from noise to image, as tables of one length; a walk of n steps has n + 1. Made by {@link levelsFrom}, which checks them. */
export interface Levels {
  /** a, the factor of the image; 1 at the last level, which is the image. */
  readonly signal: Float64Array
  /** s, the factor of the noise, above 0 but at the last level, where it is 0. */
  readonly noise: Float64Array
  /**
   * What the network is told. An `Int32Array` holds times of a schedule, and the network gets i32; a `Float64Array` holds times of a
   * continuous path, and the network gets f32 (f64 with an f64 batch). The network is never asked at the last level.
   */
  readonly time: Int32Array | Float64Array
}

/** A level between noise and image: its signal and its noise. */
type Pair = readonly [a: number, s: number]

const showLevel = ([a, s]: Pair): string => `a = ${a}, s = ${s}`

const requireImage = ([a, s]: Pair): void => {
  if (!(a === 1 && s === 0))
    throw new RangeError(`levels: the last is ${showLevel([a, s])}; it must be the image, a = 1 and s = 0`)
}

const requireNoisy = (i: number, [a, s]: Pair): void => {
  if (!(a >= 0 && Number.isFinite(a) && s > 0 && Number.isFinite(s)))
    throw new RangeError(`levels: level ${i} is ${showLevel([a, s])}; both must be finite, a ≥ 0 and s > 0`)
}

const requireClearer = (i: number, [a, s]: Pair, [before, noise]: Pair): void => {
  if (!(a * noise > before * s))
    throw new RangeError(
      `levels: level ${i} is ${showLevel([a, s])}, after ${showLevel([before, noise])}: each must hold more signal for its noise than the one before; order them from noise to image`,
    )
}

/**
 * Levels from their tables.
 *
 * @throws RangeError for tables of different lengths, and for levels that do not lead from noise to the image: at each
 *   step a/s must grow, and the last level must be a = 1 and s = 0
 * @example
 * ```ts
 * import { levelsFrom } from 'fathom/diffusion'
 *
 * const tables = { signal: Float64Array.of(0.6, 1), noise: Float64Array.of(0.8, 0), time: Int32Array.of(0, -1) }
 * levelsFrom(tables).noise // => [0.8, 0]
 * levelsFrom({ ...tables, noise: Float64Array.of(0.8, 0.1) })
 * // throws RangeError: levels: the last is a = 1, s = 0.1; it must be the image, a = 1 and s = 0
 * ```
 */
export const levelsFrom = ({ signal, noise, time }: Levels): Levels => {
  if (noise.length !== signal.length || time.length !== signal.length)
    throw new RangeError(
      `levels: there are ${signal.length} signals, ${noise.length} noises and ${time.length} times; give one of each for every level`,
    )
  const pairs = Array.from(signal, (a, i): Pair => [a, noise[i] ?? NaN])
  const last = pairs.length - 1
  if (last < 1)
    throw new RangeError(`levels: there are ${pairs.length}; a walk needs two at least, noise and the image`)
  const wrong = time.findIndex((t) => !Number.isFinite(t))
  if (wrong >= 0) throw new RangeError(`levels: the time of level ${wrong} is ${time[wrong]}; it must be finite`)
  pairs.slice(0, last).forEach((pair, i) => requireNoisy(i, pair))
  requireImage(at(pairs, last))
  pairs.slice(1).forEach((pair, i) => requireClearer(i + 1, pair, at(pairs, i)))
  return { signal, noise, time }
}

/**
 * The number of steps between levels.
 *
 * @example
 * ```ts
 * import { flowLevels, stepsOf } from 'fathom/diffusion'
 *
 * stepsOf(flowLevels(20)) // => 20
 * ```
 */
export const stepsOf = ({ time }: Levels): number => time.length - 1

/** What {@link karrasLevels} takes. */
export interface KarrasOptions {
  readonly steps: number
  /** The least noise before the image; default 0.002. */
  readonly sigmaMin?: number
  /** The noise to start from; default 80. */
  readonly sigmaMax?: number
  /** ρ: the larger, the shorter are the steps near the image; default 7. */
  readonly rho?: number
}

/**
 * Variance-exploding levels: a = 1 and s = σ, with σ^(1/ρ) evenly spaced and the image at the end (Karras et al. 2022,
 * eq. 5). The time of a level is its σ: what else a network wants to be told, such as ¼ ln σ, it makes of that.
 *
 * @example
 * ```ts
 * import { karrasLevels } from 'fathom/diffusion'
 *
 * const { signal, noise } = karrasLevels({ steps: 4 })
 * signal // => [1, 1, 1, 1, 1]
 * noise // => [80, 9.7232, 0.469979, 0.002, 0]
 * ```
 */
export const karrasLevels = (options: KarrasOptions): Levels => {
  requireKnown('karrasLevels', options, ['steps', 'sigmaMin', 'sigmaMax', 'rho'])
  const { steps, sigmaMin = 0.002, sigmaMax = 80, rho = 7 } = options
  requireWhole('karrasLevels', 'steps', steps, 1)
  for (const [name, value] of Object.entries({ sigmaMin, sigmaMax, rho })) requirePositive('karrasLevels', name, value)
  if (!(sigmaMin < sigmaMax))
    throw new RangeError(`karrasLevels: σ falls from ${sigmaMax} to ${sigmaMin}; sigmaMin must be below sigmaMax`)
  return explodingLevels(sigmasAlong('karras', { steps, sigmaMin, sigmaMax, rho }))
}

/**
 * Variance-exploding levels at these σ, from noise on; the image is added. The time of a level is its σ.
 *
 * @throws RangeError for σ that do not fall
 * @example
 * ```ts
 * import { explodingLevels, sigmasAlong } from 'fathom/diffusion'
 *
 * explodingLevels([4, 2, 1]).noise // => [4, 2, 1, 0]
 * explodingLevels(sigmasAlong('exponential', { steps: 2, sigmaMin: 0.1, sigmaMax: 10 })).time // => [10, 0.1, 0]
 * ```
 */
export const explodingLevels = (sigmas: readonly number[]): Levels => {
  const noise = Float64Array.of(...sigmas, 0)
  return levelsFrom({ signal: noise.map(() => 1), noise, time: noise })
}

/**
 * Levels of a rectified flow: a = 1 − t and s = t, with t evenly spaced from 1 to 0 (Liu et al. 2023, section 2.1). The
 * time of a level is t.
 *
 * @param options shift: t becomes shift·t / (1 + (shift − 1)·t), which spends more steps at noise, as large pictures need (Esser et al. 2024, eq. 23);
 *   default 1
 * @example
 * ```ts
 * import { flowLevels } from 'fathom/diffusion'
 *
 * const { signal, time } = flowLevels(4)
 * signal // => [0, 0.25, 0.5, 0.75, 1]
 * time // => [1, 0.75, 0.5, 0.25, 0]
 * ```
 */
export const flowLevels = (steps: number, options: { readonly shift?: number } = {}): Levels => {
  requireWhole('flowLevels', 'steps', steps, 1)
  requireKnown('flowLevels', options, ['shift'])
  const { shift = 1 } = options
  requirePositive('flowLevels', 'shift', shift)
  const even = Float64Array.from(range(steps + 1), (i) => (steps - i) / steps)
  const time = shift === 1 ? even : even.map((t) => (shift * t) / (1 + (shift - 1) * t))
  return levelsFrom({ signal: time.map((t) => 1 - t), noise: time, time })
}

/** Whether the levels are variance-preserving: of images of variance 1, x has variance 1 at each. */
const preserving = (power: Float64Array): boolean => power.every((p) => Math.abs(p - 1) < 1e-9)

/**
 * The standard deviation of x at the first level, √(a² + s²): 1 on variance-preserving levels and on those of a flow. Of images of
 * variance 1 that is exact.
 *
 * @example
 * ```ts
 * import { flowLevels, karrasLevels, startingDeviation } from 'fathom/diffusion'
 *
 * startingDeviation(flowLevels(10)) // => 1
 * startingDeviation(karrasLevels({ steps: 10 })) // => 80.00625
 * ```
 */
export const startingDeviation = (levels: Levels): number => {
  const power = powersOf(levels)
  return preserving(power) ? 1 : Math.sqrt(power[0] ?? NaN)
}

/**
 * The level with this number, shaped to meet a batch.
 *
 * @param index [] or [N], i32 or u32, from 0
 * @example
 * ```ts
 * import { scalar, zeros } from 'fathom'
 * import { flowLevels, levelAt } from 'fathom/diffusion'
 *
 * const { signal, noise } = levelAt(flowLevels(4), scalar(1, 'u32'), zeros([2, 8]))
 * signal // => 0.25
 * noise // => 0.75
 * ```
 */
export const levelAt = (levels: Levels, index: Tensor, batch: Tensor): NoiseLevel => {
  const power = powersOf(levels)
  return {
    signal: gatherTable(levels.signal, index, batch),
    noise: gatherTable(levels.noise, index, batch),
    ...(!preserving(power) && { power: gatherTable(power, index, batch) }),
  }
}

/**
 * The time of a level, as the network is told it: i32 or f32, in f64 for an f64 batch.
 *
 * @example
 * ```ts
 * import { scalar, zeros } from 'fathom'
 * import { cosineSchedule, flowLevels, scheduleLevels, timeAt } from 'fathom/diffusion'
 *
 * timeAt(flowLevels(4), scalar(1, 'u32'), zeros([2, 8])) // => 0.75
 * timeAt(scheduleLevels(cosineSchedule(100), 4), scalar(1, 'u32'), zeros([2, 8])).dtype // => 'i32'
 * ```
 */
export const timeAt = ({ time }: Levels, index: Tensor, batch: Tensor): Tensor =>
  gather(
    time instanceof Int32Array ? constant(time) : constant(time, { dtype: batch.dtype === 'f64' ? 'f64' : 'f32' }),
    index,
  )
