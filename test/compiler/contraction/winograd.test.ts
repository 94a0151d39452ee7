/** Winograd's transforms as numbers. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, range } from '../../../src/prelude/array.ts'
import { matrixOf, winograds, type Transform } from '../../../src/compiler/contraction/winograd.ts'

const algorithms = Object.values(winograds)

const transposed = (m: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  range(m[0]?.length ?? 0).map((j) => m.map((row) => at(row, j)))

const applied = (transform: Transform, x: readonly number[]): readonly number[] =>
  matrixOf(transform).map((row) => row.reduce((sum, a, i) => sum + a * at(x, i), 0))

const close = (found: readonly number[], expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length)
  found.forEach((x, i) => {
    expect(x).toBeCloseTo(at(expected, i), 10)
  })
}

const numbers = (length: number): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.integer({ min: -100, max: 100 }), { minLength: length, maxLength: length })

describe("Winograd's transforms", () => {
  it('F(4, 3) evaluates an image by the matrix of Lavin and Gray', () => {
    expect(matrixOf(winograds[4].input)).toEqual([
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ])
  })

  it.each(algorithms)('F($outputs, 3) filters: Aᵀ((G g) ⊙ (Bᵀ d)) are the sums of three products', (w) => {
    fc.assert(
      fc.property(numbers(3), numbers(w.points), (g, d) => {
        const products = applied(w.filter, g).map((x, i) => x * at(applied(w.input, d), i))
        close(
          applied(w.output, products),
          range(w.outputs).map((o) => g.reduce((sum, tap, t) => sum + tap * at(d, o + t), 0)),
        )
      }),
    )
  })

  it.each(algorithms)('F($outputs, 3) has the transposes of its own matrices for cotangents', (w) => {
    close(matrixOf(w.outputTransposed).flat(), transposed(matrixOf(w.output)).flat())
    close(matrixOf(w.filterTransposed).flat(), transposed(matrixOf(w.filter)).flat())
  })

  it.each(algorithms)('F($outputs, 3) says how many values each transform takes and makes', (w) => {
    for (const transform of [w.filter, w.input, w.output, w.outputTransposed, w.filterTransposed]) {
      const matrix = matrixOf(transform)
      expect([matrix.length, ...matrix.map((row) => row.length)]).toEqual([
        transform.to,
        ...range(transform.to).map(() => transform.from),
      ])
    }
  })
})
