/**
 * Permutation tests: where two samples are of one distribution, any assignment of the labels to the pooled points is as likely as the one
 * that was observed, so the share of assignments whose statistic is at least as extreme is a p-value, whatever the distribution
 * (Fisher 1935; Good 2005, "Permutation, Parametric, and Bootstrap Tests of Hypotheses").
 */
import { range } from '../prelude/array.ts'
import { requireWhole } from '../prelude/options.ts'
import { hostFold, hostUniform, type HostKey } from '../prelude/threefry.ts'

/** A random order of 0 … n − 1 (Fisher and Yates 1938; Durstenfeld 1964). */
export const shuffle = (key: HostKey, n: number): readonly number[] => {
  const order = [...range(n)]
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(hostUniform(key, i) * (i + 1))
    const [a = 0, b = 0] = [order[i], order[j]]
    order[i] = b
    order[j] = a
  }
  return order
}

/** Two samples of these sizes, pooled: the points of the first come first. */
export type Sizes = readonly [first: number, second: number]

/** Which of the pooled points are of the first sample: 1 for those, 0 for the others. */
export type Labels = Uint8Array

/** The labels as they were observed. */
export const observedLabels = ([first, second]: Sizes): Labels => new Uint8Array(first + second).fill(1, 0, first)

/** With fewer assignments no p-value is below 0.05. */
const leastAssignments = 19

/** Refuses a number of assignments with which nothing could be found. */
export const requirePermutations = (who: string, count: number): void => {
  requireWhole(who, 'permutations', count, leastAssignments)
}

/** Random assignments of the labels. */
export const assignments = (key: HostKey, [first, second]: Sizes, count: number): readonly Labels[] =>
  range(count).map((i) => {
    const labels = new Uint8Array(first + second)
    for (const place of shuffle(hostFold(key, i), first + second).slice(0, first)) labels[place] = 1
    return labels
  })

/** A statistic, and how often chance alone makes it as large. */
export interface Tested {
  readonly value: number
  readonly p: number
}

/**
 * The p-value of an observed statistic, of which large values speak against one distribution:
 *
 *     p = (1 + #{ statistic of a random assignment ≥ observed }) / (1 + assignments)
 *
 * The observed assignment is counted among them, so p is never 0 and P(p ≤ α) ≤ α exactly (Phipson and Smyth 2010, "Permutation P-values
 * should never be zero", eq. 2).
 */
export const permutationP = (observed: number, others: readonly number[]): number => {
  // Rounding must not make an assignment that is the observed one look smaller than it.
  const bar = observed - 1e-12 * Math.abs(observed)
  return (1 + others.filter((value) => value >= bar).length) / (1 + others.length)
}

/**
 * Holm's adjustment of several p-values: the chance that any of them is so small where none should be is at most the adjusted one
 * (Holm 1979, "A simple sequentially rejective multiple test procedure").
 *
 *     p̃₍ᵢ₎ = max_{j ≤ i} min(1, (m − j + 1) · p₍ⱼ₎)
 *
 * @example
 * ```ts
 * import { holm } from 'fathom/evaluation'
 *
 * holm([0.01, 0.04, 0.03]) // => [0.03, 0.06, 0.06]
 * ```
 */
export const holm = (ps: readonly number[]): readonly number[] => {
  const order = range(ps.length).toSorted((a, b) => (ps[a] ?? 1) - (ps[b] ?? 1))
  const adjusted = [...ps]
  let most = 0
  order.forEach((place, j) => {
    most = Math.max(most, Math.min(1, (ps.length - j) * (ps[place] ?? 1)))
    adjusted[place] = most
  })
  return adjusted
}
