/** Which of two samples is nearer to a third, of samples whose distributions are known. */
import { describe, expect, it } from 'vitest'
import { hostNormal } from '../../../src/evaluation/normal.ts'
import { assignments } from '../../../src/evaluation/permutations.ts'
import { rowsOf, type Rows } from '../../../src/evaluation/rows.ts'
import { kernelDistance } from '../../../src/evaluation/scores/mmd.ts'
import { neighboursOf } from '../../../src/evaluation/scores/neighbours.ts'
import { oneNearest } from '../../../src/evaluation/scores/oneNearest.ts'
import { relativeKernel, relativeNearest } from '../../../src/evaluation/scores/relative.ts'
import { range } from '../../../src/prelude/array.ts'
import { hostFold, hostKey } from '../../../src/prelude/threefry.ts'

/** Normal points around a place. */
const points = (seed: number, count: number, centre = 0): Rows =>
  rowsOf(range(count).map((i) => range(4).map((k) => centre + hostNormal(hostFold(hostKey(seed), i), k))))

const permuted = (seed: number, count: number, all = 99): readonly Uint8Array[] =>
  assignments(hostKey(seed), [count, count], all)

describe('of two samples and real points', () => {
  const [real, near, far] = [points(1, 30), points(2, 30, 0.3), points(3, 30, 1)]
  const labels = permuted(4, 30)

  it('both kernel distances are those that each has by itself', () => {
    const { first, second } = relativeKernel(real, near, far, labels)
    expect(first).toBeCloseTo(kernelDistance(real, near, []).value, 10)
    expect(second).toBeCloseTo(kernelDistance(real, far, []).value, 10)
  })

  it('both accuracies of the nearest neighbour are those that each has by itself', () => {
    const { first, second } = relativeNearest(real, near, far, labels)
    expect(first).toBe(oneNearest(neighboursOf(real, near), []).value)
    expect(second).toBe(oneNearest(neighboursOf(real, far), []).value)
  })

  it('the nearer is found, whichever comes first, with the same chance', () => {
    for (const relative of [relativeKernel, relativeNearest]) {
      const one = relative(real, near, far, labels)
      const opposite = labels.map((assigned) => assigned.map((label) => 1 - label))
      const other = relative(real, far, near, opposite)
      expect(one.first).toBeLessThan(one.second)
      expect(one.p).toBe(0.01)
      expect([other.second, other.first, other.p]).toEqual([one.first, one.second, one.p])
    }
  })

  it('a sample against itself differs in nothing, and chance always does as much', () => {
    for (const relative of [relativeKernel, relativeNearest])
      expect(relative(real, far, far, labels)).toMatchObject({ p: 1 })
  })

  it('p is uniform where both are of one distribution, though both are far from the real one', () => {
    const ps = range(100).map(
      (s) => relativeKernel(points(3 * s, 20), points(3 * s + 1, 20, 1), points(3 * s + 2, 20, 1), permuted(s, 20)).p,
    )
    const sorted = ps.toSorted((a, b) => a - b)
    const distance = Math.max(...sorted.map((p, i) => Math.max((i + 1) / sorted.length - p, p - i / sorted.length)))
    expect(distance).toBeLessThan(1.63 / Math.sqrt(100))
    const nearest = range(60).map(
      (s) => relativeNearest(points(3 * s, 15), points(3 * s + 1, 15, 1), points(3 * s + 2, 15, 1), permuted(s, 15)).p,
    )
    expect(nearest.filter((p) => p <= 0.1).length).toBeLessThan(14) // 6 expected
  })

  it('the kernel is asked of two points of each', () => {
    expect(() => relativeKernel(points(1, 1), near, far, labels)).toThrow('needs two points of each set, got 1')
  })
})
