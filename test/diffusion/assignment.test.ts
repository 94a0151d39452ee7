/** Assignments of least cost, and noises that are assigned to pictures. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignment, assignNoise } from '../../src/diffusion/index.ts'
import { range } from '../../src/prelude/array.ts'

/** All orders of some numbers. */
const orders = (numbers: readonly number[]): readonly (readonly number[])[] =>
  numbers.length === 0
    ? [[]]
    : numbers.flatMap((first) => orders(numbers.filter((n) => n !== first)).map((rest) => [first, ...rest]))

const costOf = (costs: readonly number[], n: number, columns: ArrayLike<number>): number =>
  range(n).reduce((sum, row) => sum + (costs[row * n + (columns[row] ?? NaN)] ?? NaN), 0)

describe('assignment', () => {
  it('costs as little as the best of all orders, and uses each column once', () => {
    const matrices = fc
      .integer({ min: 1, max: 7 })
      .chain((n) =>
        fc.tuple(fc.constant(n), fc.array(fc.integer({ min: -20, max: 20 }), { minLength: n * n, maxLength: n * n })),
      )
    fc.assert(
      fc.property(matrices, ([n, costs]) => {
        const columns = assignment(costs, n)
        expect([...columns].toSorted((a, b) => a - b)).toEqual(range(n))
        const least = Math.min(...orders(range(n)).map((order) => costOf(costs, n, order)))
        expect(costOf(costs, n, columns)).toBe(least)
      }),
      { numRuns: 60 },
    )
  })

  it('finds its way back in a large matrix: an order that is hidden in noise', () => {
    const n = 120
    const hidden = range(n).map((i) => (37 * i + 11) % n)
    const costs = range(n * n).map((k) => (hidden[Math.floor(k / n)] === k % n ? 0 : 1 + ((k * 7919) % 13)))
    expect([...assignment(costs, n)]).toEqual(hidden)
  })

  it('of nothing is nothing, and refuses what is no square of finite numbers', () => {
    expect([...assignment([], 0)]).toEqual([])
    expect(() => assignment([1, 2, 3], 2)).toThrow('there are 3 costs for 2 rows; give 2 × 2')
    expect(() => assignment([1, NaN, 3, 4], 2)).toThrow('the cost 1 is NaN; it must be finite')
  })
})

describe('assignNoise', () => {
  it('gives each picture a noise of its own, so that they lie nearest together', () => {
    // One picture at 0 and one at 1, noises at 0.9 and −2: crossing costs 0.9 + 3, and not crossing 2 + 0.1.
    expect([...assignNoise(Float32Array.of(0, 1), Float32Array.of(0.9, -2), 2)]).toEqual([-2, 0.9].map(Math.fround))
    const [x0, epsilon] = [Float32Array.of(0, 0, 3, 4), Float32Array.of(6, 8, 0, 1)]
    expect([...assignNoise(x0, epsilon, 2)]).toEqual([0, 1, 6, 8])
  })

  it('gives each picture the noise that is its own, where they stand in a ring', () => {
    expect([...assignNoise(Float32Array.of(0, 10, 20), Float32Array.of(21, 1, 11), 3)]).toEqual([1, 11, 21])
  })

  it('is by the sum of distances, where that of squares would choose otherwise', () => {
    // √65 + 0 against 4 + 5; of squares 65 against 16 + 25.
    const [x0, epsilon] = [Float32Array.of(0, 0, 4, 0), Float32Array.of(4, 0, 7, 4)]
    expect([...assignNoise(x0, epsilon, 2)]).toEqual([7, 4, 4, 0])
  })

  it('refuses arrays that are not so many of one length', () => {
    expect(() => assignNoise(new Float32Array(4), new Float32Array(6), 2)).toThrow('give 2 of one length')
    expect(() => assignNoise(new Float32Array(5), new Float32Array(5), 2)).toThrow('give 2 of one length')
  })
})
