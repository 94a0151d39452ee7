/** What the scores say of samples whose distributions are known. */
import { describe, expect, it } from 'vitest'
import { hostNormal } from '../../../src/evaluation/normal.ts'
import { assignments, permutationP } from '../../../src/evaluation/permutations.ts'
import { pickRows, rowsOf, type Rows } from '../../../src/evaluation/rows.ts'
import { manifold } from '../../../src/evaluation/scores/manifold.ts'
import { kernelDistance } from '../../../src/evaluation/scores/mmd.ts'
import { neighboursOf } from '../../../src/evaluation/scores/neighbours.ts'
import { oneNearest } from '../../../src/evaluation/scores/oneNearest.ts'
import { nearerToTraining } from '../../../src/evaluation/scores/trainingRank.ts'
import { mean } from '../../../src/evaluation/statistics.ts'
import { range } from '../../../src/prelude/array.ts'
import { hostFold, hostKey } from '../../../src/prelude/threefry.ts'

/** Normal points around a place. */
const points = (seed: number, count: number, width = 4, centre = 0): Rows =>
  rowsOf(range(count).map((i) => range(width).map((k) => centre + hostNormal(hostFold(hostKey(seed), i), k))))

/** The p-values of many pairs of samples of one distribution. */
const nullPs = (p: (a: Rows, b: Rows, labels: readonly Uint8Array[]) => number): readonly number[] =>
  range(120).map((s) => p(points(2 * s, 20), points(2 * s + 1, 20), assignments(hostKey(1000 + s), [20, 20], 99)))

/** The largest distance of the distribution of values in (0, 1] from the uniform one. */
const kolmogorov = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.max(...sorted.map((p, i) => Math.max((i + 1) / sorted.length - p, p - i / sorted.length)))
}

describe('the kernel distance', () => {
  it('is 3(μ₁−ν₁)² + 3(μ₂−ν₂)² + (μ₃−ν₃)² of the moments in one dimension, on average over samples', () => {
    // N(0, 1) against N(½, 1): moments 0, 1, 0 and m, m² + 1, m³ + 3m.
    const m = 0.5
    const exact = 3 * m ** 2 + 3 * m ** 4 + (m ** 3 + 3 * m) ** 2
    const values = range(300).map((s) => kernelDistance(points(2 * s, 40, 1), points(2 * s + 1, 40, 1, m), []).value)
    expect(mean(values)).toBeGreaterThan(exact - 0.6)
    expect(mean(values)).toBeLessThan(exact + 0.6)
  })

  it('of halves of one sample is as often below 0 as above: it is unbiased', () => {
    const below = range(200).filter((s) => kernelDistance(points(2 * s, 15), points(2 * s + 1, 15), []).value < 0)
    expect(below.length).toBeGreaterThan(80)
  })

  it('is asked of three points of each sample at least', () => {
    expect(() => kernelDistance(points(1, 2), points(2, 9), [])).toThrow(
      'the kernel distance needs three points of each sample, got 2 and 9',
    )
  })
})

describe('p under one distribution is uniform', () => {
  // 120 values: the distance that 99 % stay below is 1.63 / √120.
  const bar = 1.63 / Math.sqrt(120)

  it('of the kernel distance', () => {
    expect(kolmogorov(nullPs((a, b, labels) => kernelDistance(a, b, labels).p))).toBeLessThan(bar)
  })

  it('of the nearest neighbour and of the coverage, whose values are few, it is not smaller', () => {
    for (const ps of [
      nullPs((a, b, labels) => oneNearest(neighboursOf(a, b), labels).p),
      nullPs((a, b, labels) => manifold(neighboursOf(a, b), labels, 3).p),
    ])
      for (const level of [0.05, 0.2, 0.5])
        expect(ps.filter((p) => p <= level).length / ps.length).toBeLessThan(level + 0.1)
  })

  it('is never 0, and counts what was observed', () => {
    expect(permutationP(3, [1, 2, 3])).toBe(0.5)
    expect(permutationP(4, [1, 2, 3])).toBe(0.25)
  })
})

describe('neighbours', () => {
  it('real points against themselves: everything is precise and covered, and the nearest neighbour is always the twin', () => {
    const real = points(1, 30)
    const neighbours = neighboursOf(real, real)
    expect(manifold(neighbours, [])).toMatchObject({ precision: 1, recall: 1, coverage: 1 })
    expect(oneNearest(neighbours, [])).toMatchObject({ value: 0, generated: 0 })
  })

  it('far points: nothing is precise or covered, and the neighbour always tells', () => {
    const neighbours = neighboursOf(points(1, 30), points(2, 30, 4, 50))
    const labels = assignments(hostKey(1), [30, 30], 99)
    expect(manifold(neighbours, labels)).toEqual({ precision: 0, recall: 0, density: 0, coverage: 0, p: 0.01 })
    expect(oneNearest(neighbours, labels)).toEqual({ value: 1, real: 1, generated: 1, p: 0.01 })
  })

  it('a sample that crowds in one place is precise and dense, and covers little', () => {
    const real = points(1, 60)
    const crowd = pickRows(
      points(2, 60),
      range(60).map(() => 0),
    )
    const { density, coverage } = manifold(neighboursOf(real, crowd), [])
    expect(coverage).toBeLessThan(0.3)
    expect(density).toBeGreaterThan(coverage)
  })

  it('of which there are fewer than asked for are an error that says so', () => {
    expect(() => manifold(neighboursOf(points(1, 5), points(2, 5)), [])).toThrow(
      '5 neighbours need more than 5 pictures of each kind, and there are 5',
    )
  })
})

describe('nearer to training', () => {
  const permuted = assignments(hostKey(5), [20, 20], 199)

  it('samples beside points of training are found, whatever their quality', () => {
    const { value, p } = nearerToTraining(range(20), 20, permuted)
    expect(value).toBe(1)
    expect(p).toBe(1 / 200)
  })

  it('samples as far from both are not', () => {
    const nearest = range(20).map((i) => (7 * i) % 40)
    expect(nearerToTraining(nearest, 20, permuted).p).toBeGreaterThan(0.05)
  })
})
