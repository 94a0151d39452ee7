/**
 * Whether two samples could be of one distribution, judged by what chance does to two real ones of the same size.
 *
 * From a pool of real values two disjoint halves of n are drawn, again and again. Their distances W₁(half, other half)
 * are the noise: what n values cannot tell apart. The generated sample is compared with the same halves. If it were real,
 * its distance would be one more of the same (a two-sample test by resampling: Efron and Tibshirani 1993, "An Introduction
 * to the Bootstrap", ch. 15); the median over the halves takes the luck of the draw out of one of its two sides.
 */
import { range } from '../../src/prelude/array.ts'
import { hostFold, hostPermutationIndex, type HostKey } from '../../src/prelude/threefry.ts'
import { deviation, mean, median, quantile } from '../../src/evaluation/statistics.ts'
import { wasserstein1 } from '../../src/evaluation/scenes/wasserstein.ts'

/** Places in a pool: two halves without a common member. */
export type Halves = readonly [readonly number[], readonly number[]]

/**
 * Random pairs of disjoint halves.
 *
 * @param pool the number of values, ≥ 2 · size
 */
export const drawHalves = (key: HostKey, pool: number, size: number, pairs: number): readonly Halves[] => {
  if (pool < 2 * size) throw new RangeError(`drawHalves: a pool of ${pool} does not hold two halves of ${size}`)
  return range(pairs).map((pair): Halves => {
    const place = (i: number): number => hostPermutationIndex(hostFold(key, pair), pool, i)
    return [range(size).map(place), range(size).map((i) => place(size + i))]
  })
}

/** Mean and standard deviation of a sample. */
export interface Moments {
  readonly mean: number
  readonly deviation: number
}

/** What a comparison found; distances are W₁, in the unit of the values. */
export interface Comparison {
  readonly generated: Moments
  readonly real: Moments
  /** Of the generated sample to a real half, in the middle of all halves. */
  readonly distance: number
  /** Of two real halves: the middle of all pairs, and what 95 % of them stay below. */
  readonly noise: { readonly median: number; readonly most: number }
  /** The distance over the noise's median: 1 where nothing but chance tells the samples apart. */
  readonly ratio: number
  /** Whether the distance is one that 95 % of real pairs stay below. */
  readonly within: boolean
}

const moments = (xs: readonly number[]): Moments => ({ mean: mean(xs), deviation: deviation(xs) })

/** Compares a generated sample with a pool of real values, by pairs of halves of the pool. */
export const compare = (
  generated: readonly number[],
  pool: readonly number[],
  pairs: readonly Halves[],
): Comparison => {
  const drawn = pairs.map(([one, other]) => [one, other].map((places) => places.map((i) => pool[i] ?? NaN)))
  const noises = drawn.map(([one = [], other = []]) => wasserstein1(one, other))
  const distance = median(drawn.map(([one = []]) => wasserstein1(generated, one)))
  const noise = { median: median(noises), most: quantile(noises, 0.95) }
  return {
    generated: moments(generated),
    real: moments(pool),
    distance,
    noise,
    ratio: distance / noise.median,
    within: distance <= noise.most,
  }
}
