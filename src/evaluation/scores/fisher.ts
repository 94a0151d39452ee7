/** Fisher's exact test: whether one share is larger than another by more than chance (Fisher 1935, "The Design of Experiments"). */
import { range } from '../../prelude/array.ts'

/** log n!, by the sum of logarithms. */
const logFactorials = (n: number): readonly number[] => {
  const sums = [0]
  for (let i = 1; i <= n; i++) sums.push((sums[i - 1] ?? 0) + Math.log(i))
  return sums
}

/** So many of all. */
export interface Counted {
  readonly found: number
  readonly all: number
}

/**
 * The chance that as many or more of the first are among those found, were they found at random among all.
 *
 *     p = Σ_{i ≥ a} C(n, i) · C(m, a + b − i) / C(n + m, a + b),    a of n found in the first, b of m in the second
 */
export const fisherP = (first: Counted, second: Counted): number => {
  const [n, m, found] = [first.all, second.all, first.found + second.found]
  const log = logFactorials(n + m)
  const choose = (of: number, k: number): number => (log[of] ?? 0) - (log[k] ?? 0) - (log[of - k] ?? 0)
  const most = Math.min(n, found)
  return Math.min(
    1,
    range(most - first.found + 1)
      .map((i) => first.found + i)
      .filter((i) => found - i <= m)
      .reduce((sum, i) => sum + Math.exp(choose(n, i) + choose(m, found - i) - choose(n + m, found)), 0),
  )
}
