/**
 * Which of two sets of pictures is nearer to real ones. Each of the two may be told from real ones beyond doubt, so p-values of their own do not
 * compare them; here the labels of the two sets are exchanged at random, and real pictures stay as they are.
 *
 * That an estimate of MMD may be compared with another against the same real pictures: Bounliphone, Belilovsky, Blaschko, Antonoglou and Gretton
 * 2016, "A Test of Relative Similarity for Model Selection in Generative Models". The exchange of labels is exact where the two are of one
 * distribution, which is what a small p speaks against.
 */
import { at, range } from '../../prelude/array.ts'
import { observedLabels, permutationP, type Labels } from '../permutations.ts'
import { joinedRows, row, squaredDistances, type Rows } from '../rows.ts'
import { mean } from '../statistics.ts'
import { cubicKernel } from './mmd.ts'

/** A score of two sets against the same real pictures, of which less is nearer. */
export interface Relative {
  readonly first: number
  readonly second: number
  /** How often chance alone makes them differ so much, in either direction. */
  readonly p: number
}

/** Means over the points of one label. */
const meanOf = (values: ArrayLike<number>, labels: Labels, label: number): number =>
  mean(range(values.length).flatMap((i) => (labels[i] === label ? [values[i] ?? 0] : [])))

/** The absolute difference of a score of both labels, observed and under all assignments. */
const relative = (
  score: (labels: Labels, label: number) => number,
  observed: Labels,
  permuted: readonly Labels[],
): Relative => {
  const [first, second] = [score(observed, 1), score(observed, 0)]
  const differences = permuted.map((labels) => Math.abs(score(labels, 1) - score(labels, 0)))
  return { first, second, p: permutationP(Math.abs(first - second), differences) }
}

/** The mean of a kernel over pairs of different points of one label. */
const within = ({ count, values }: Rows, labels: Labels, label: number): number => {
  const places = range(count).filter((i) => labels[i] === label)
  let sum = 0
  for (const i of places) for (const j of places) if (j !== i) sum += values[i * count + j] ?? 0
  return sum / (places.length * (places.length - 1))
}

/**
 * The kernel distances MMD² of two sets to the same real points, and whether they differ.
 *
 * @param permuted assignments of the labels of both sets, the first 1
 * @throws RangeError for sets of fewer than two points
 */
export const relativeKernel = (real: Rows, first: Rows, second: Rows, permuted: readonly Labels[]): Relative => {
  for (const { count } of [real, first, second])
    if (count < 2) throw new RangeError(`the kernel distance needs two points of each set, got ${count}`)
  const both = joinedRows(first, second)
  const own = cubicKernel(both)
  const toReal = cubicKernel(both, real)
  const near = range(both.count).map((i) => mean([...row(toReal, i)]))
  const ofReal = within(cubicKernel(real), new Uint8Array(real.count).fill(1), 1)
  const score = (labels: Labels, label: number): number =>
    within(own, labels, label) + ofReal - 2 * meanOf(near, labels, label)
  return relative(score, observedLabels([first.count, second.count]), permuted)
}

/** The place of the nearest point among those for which `isIn` holds, in an order by distance. */
const firstIn = (order: Int32Array, isIn: (place: number) => boolean): number => order.find(isIn) ?? -1

/**
 * The accuracies of the nearest neighbour in telling each of two sets from the same real points, ½ where it cannot, and whether they differ.
 *
 * @param permuted assignments of the labels of both sets, the first 1
 */
export const relativeNearest = (real: Rows, first: Rows, second: Rows, permuted: readonly Labels[]): Relative => {
  const points = joinedRows(real, joinedRows(first, second))
  const distances = squaredDistances(points, points)
  const order = range(points.count).map((i) => {
    const from = row(distances, i)
    return Int32Array.from(range(points.count).filter((j) => j !== i)).toSorted(
      (a, b) => (from[a] ?? 0) - (from[b] ?? 0) || a - b,
    )
  })
  const score = (labels: Labels, label: number): number => {
    const isReal = (place: number): boolean => place < real.count
    const isIn = (place: number): boolean => isReal(place) || labels[place - real.count] === label
    const places = range(points.count).filter(isIn)
    return mean(places.map((i) => (isReal(firstIn(at(order, i), isIn)) === isReal(i) ? 1 : 0)))
  }
  return relative(score, observedLabels([first.count, second.count]), permuted)
}
