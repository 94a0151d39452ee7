import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wasserstein1 } from '../../../src/evaluation/scenes/wasserstein.ts'

const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 20 })
const pairs = fc
  .integer({ min: 1, max: 12 })
  .chain((n) =>
    fc.tuple(
      fc.array(fc.integer({ min: -99, max: 99 }), { minLength: n, maxLength: n }),
      fc.array(fc.integer({ min: -99, max: 99 }), { minLength: n, maxLength: n }),
    ),
  )

describe('wasserstein1', () => {
  it('moves one grain over its distance, and a half of two over the half', () => {
    expect(wasserstein1([0], [3])).toBe(3)
    expect(wasserstein1([0, 0], [0, 3])).toBe(1.5)
    expect(wasserstein1([0, 4], [2])).toBe(2)
  })

  it('is zero for the same sample in any order, and for one that holds each value twice', () => {
    fc.assert(
      fc.property(numbers, (xs) => {
        expect(wasserstein1(xs, xs.toReversed())).toBeCloseTo(0, 9)
        expect(wasserstein1(xs, [...xs, ...xs])).toBeCloseTo(0, 9)
      }),
    )
  })

  it('is the same both ways', () => {
    fc.assert(
      fc.property(numbers, numbers, (xs, ys) => {
        expect(wasserstein1(xs, ys)).toBeCloseTo(wasserstein1(ys, xs), 9)
      }),
    )
  })

  it('is the shift of a shifted sample, and grows with the unit', () => {
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: -500, max: 500 }), (xs, ys, c) => {
        const shifted = xs.map((x) => x + c)
        expect(wasserstein1(xs, shifted)).toBeCloseTo(Math.abs(c), 8)
        const scaled = (zs: readonly number[]): readonly number[] => zs.map((z) => 3 * z)
        expect(wasserstein1(scaled(xs), scaled(ys))).toBeCloseTo(3 * wasserstein1(xs, ys), 8)
      }),
    )
  })

  it('is never longer than the way over a third sample', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (xs, ys, zs) => {
        expect(wasserstein1(xs, zs)).toBeLessThanOrEqual(wasserstein1(xs, ys) + wasserstein1(ys, zs) + 1e-8)
      }),
    )
  })

  it('of equal sizes is the mean distance of the sorted values', () => {
    fc.assert(
      fc.property(pairs, ([xs, ys]) => {
        const sorted = (zs: readonly number[]): readonly number[] => zs.toSorted((a, b) => a - b)
        const [a, b] = [sorted(xs), sorted(ys)]
        const expected = a.reduce((sum, x, i) => sum + Math.abs(x - (b[i] ?? NaN)), 0) / a.length
        expect(wasserstein1(xs, ys)).toBeCloseTo(expected, 9)
      }),
    )
  })
})
