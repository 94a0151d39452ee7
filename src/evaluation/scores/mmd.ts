/**
 * The kernel distance of two samples in a feature space: the unbiased estimate of the squared maximum mean discrepancy with the cubic
 * polynomial kernel, which is the Kernel Inception Distance where the features are Inception's.
 *
 * Unlike Fréchet's distance it has no bias that depends on the number of pictures, so hundreds are enough (Bińkowski, Sutherland, Arbel and
 * Gretton 2018, "Demystifying MMD GANs").
 */
import { range } from '../../prelude/array.ts'
import { observedLabels, permutationP, type Labels, type Sizes } from '../permutations.ts'
import { joinedRows, products, type Rows } from '../rows.ts'
import { mean } from '../statistics.ts'

/** A kernel distance: the estimate, its 95 % interval, and how often chance makes it as large. */
export interface KernelDistance {
  /** MMD²; 0 for one distribution, and by chance below. */
  readonly value: number
  readonly interval: readonly [low: number, high: number]
  readonly p: number
}

/** k(x, y) = (⟨x, y⟩ / d + 1)³ of all pairs of points of two samples (Bińkowski et al. 2018, section 4). */
export const cubicKernel = (x: Rows, y: Rows = x): Rows => {
  const inner = products(x, y)
  return { ...inner, values: inner.values.map((xy) => (xy / x.width + 1) ** 3) }
}

/** Sums of the kernel over pairs of different points: both of the first sample, both of the second, and one of each. */
interface Sums {
  readonly first: number
  readonly second: number
  readonly across: number
}

const mmdOf = ({ first, second, across }: Sums, [m, n]: Sizes): number =>
  first / (m * (m - 1)) + second / (n * (n - 1)) - (2 * across) / (m * n)

/** The sum of each row without its diagonal. */
const rowSums = ({ count, values }: Rows): Float64Array => {
  const sums = new Float64Array(count)
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) if (j !== i) sums[i] = (sums[i] ?? 0) + (values[i * count + j] ?? 0)
  return sums
}

/** MMD² of any labels over one kernel matrix; what is the same for all labels is summed once. */
const estimator = (kernel: Rows, sizes: Sizes): ((labels: Labels) => number) => {
  const { count, values } = kernel
  const totals = rowSums(kernel)
  const total = totals.reduce((a, b) => a + b, 0)
  return (labels) => {
    const places = Int32Array.from(range(count).filter((i) => labels[i] === 1))
    let [first, rows] = [0, 0]
    for (const i of places) {
      rows += totals[i] ?? 0
      for (const j of places) if (j !== i) first += values[i * count + j] ?? 0
    }
    const across = rows - first
    return mmdOf({ first, second: total - first - 2 * across, across }, sizes)
  }
}

/** The sum of (U₍₋ᵢ₎ − Ū)² · (n − 1)/n over the values that leave one point out each. */
const jackknife = (values: readonly number[]): number => {
  const middle = mean(values)
  return ((values.length - 1) / values.length) * values.reduce((sum, v) => sum + (v - middle) ** 2, 0)
}

/**
 * The variance of MMD² by leaving out one point at a time, of either sample (Arvesen 1969, "Jackknifing U-statistics", for two samples).
 */
const variance = ({ count, values }: Rows, labels: Labels, [m, n]: Sizes): number => {
  // Of each point: its kernel with its own sample and with the other.
  const sums = range(count).map((i) => {
    let [own, other] = [0, 0]
    for (let j = 0; j < count; j++) {
      if (j === i) continue
      if (labels[j] === labels[i]) own += values[i * count + j] ?? 0
      else other += values[i * count + j] ?? 0
    }
    return { own, other }
  })
  const total = (label: number, which: 'own' | 'other'): number =>
    sums.reduce((sum, s, i) => sum + (labels[i] === label ? s[which] : 0), 0)
  const all: Sums = { first: total(1, 'own'), second: total(0, 'own'), across: total(1, 'other') }
  const without = sums.map(({ own, other }, i) =>
    labels[i] === 1
      ? mmdOf({ ...all, first: all.first - 2 * own, across: all.across - other }, [m - 1, n])
      : mmdOf({ ...all, second: all.second - 2 * own, across: all.across - other }, [m, n - 1]),
  )
  return jackknife(without.filter((_, i) => labels[i] === 1)) + jackknife(without.filter((_, i) => labels[i] === 0))
}

/**
 * The kernel distance of two samples of points, in a feature space.
 *
 *     MMD² = Σ_{i≠j} k(xᵢ, xⱼ) / m(m−1) + Σ_{i≠j} k(yᵢ, yⱼ) / n(n−1) − 2 Σ_{i,j} k(xᵢ, yⱼ) / mn,    k(x, y) = (⟨x, y⟩ / d + 1)³
 *
 * (Gretton et al. 2012, "A Kernel Two-Sample Test", eq. 3; the kernel of Bińkowski et al. 2018).
 *
 * @param permuted assignments of labels, from which p is taken
 * @returns p by permutation; the interval by the jackknife, ±1.96 deviations, which is wide rather than narrow where the samples are of one
 * distribution
 * @throws RangeError for a sample of fewer than three points, which cannot be one fewer and still have pairs
 */
export const kernelDistance = (x: Rows, y: Rows, permuted: readonly Labels[]): KernelDistance => {
  if (x.count < 3 || y.count < 3)
    throw new RangeError(`the kernel distance needs three points of each sample, got ${x.count} and ${y.count}`)
  const sizes: Sizes = [x.count, y.count]
  const kernel = cubicKernel(joinedRows(x, y))
  const mmd = estimator(kernel, sizes)
  const labels = observedLabels(sizes)
  const value = mmd(labels)
  const half = 1.96 * Math.sqrt(variance(kernel, labels, sizes))
  return { value, interval: [value - half, value + half], p: permutationP(value, permuted.map(mmd)) }
}
