/** Levels of a walk through continuous time: any sampler goes along them. */
import { range } from '../../prelude/array.ts'
import { requireWhole } from '../../prelude/options.ts'
import { levelsFrom, type Levels } from '../levels.ts'
import type { LogSnr } from './logSnr.ts'

/**
 * Variance-preserving levels at even times from t = 1 on, with the image at the end: a = √sigmoid(λ), s = √sigmoid(−λ). The time of a level is t, which the
 * network gets in f32: what else it wants to be told, such as λ, it makes of that.
 *
 * @throws RangeError where λ does not fall with t
 * @example
 * ```ts
 * import { continuousLevels, cosineLogSnr } from 'fathom/diffusion'
 *
 * const { signal, noise, time } = continuousLevels(cosineLogSnr(), 2)
 * time // => [1, 0.5, 0]
 * signal // => [0.000553, 0.707107, 1]
 * noise // => [1, 0.707107, 0]
 * ```
 */
export const continuousLevels = ({ at }: LogSnr, steps: number): Levels => {
  requireWhole('continuousLevels', 'steps', steps, 1)
  const times = range(steps).map((i) => 1 - i / steps)
  const root = (lambda: number): number => Math.sqrt(1 / (1 + Math.exp(-lambda)))
  return levelsFrom({
    signal: Float64Array.of(...times.map((t) => root(at(t))), 1),
    noise: Float64Array.of(...times.map((t) => root(-at(t))), 0),
    time: Float64Array.of(...times, 0),
  })
}
