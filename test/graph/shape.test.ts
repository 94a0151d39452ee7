/** Shapes: NumPy's rule of broadcasting and axes from the end, as laws over all small shapes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { broadcastShapes, normalizeAxis, rowMajor, sizeOf } from '../../src/graph/shape.ts'

const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 })

/** NumPy's rule for one axis, counted from the end; undefined where the lengths do not fit. */
const lengthOf = (x: number, y: number): number | undefined => (x === y || y === 1 ? x : x === 1 ? y : undefined)

/** NumPy's rule, written from the end of the shapes. */
const numpy = (a: readonly number[], b: readonly number[]): readonly number[] | undefined => {
  const lengths = Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    lengthOf(a.at(-1 - i) ?? 1, b.at(-1 - i) ?? 1),
  )
  return lengths.includes(undefined) ? undefined : lengths.map((n) => n ?? 0).toReversed()
}

describe('broadcastShapes', () => {
  it('is NumPy’s rule: aligned at the right, and an axis of 1 takes the other’s length, be it 0', () => {
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        const expected = numpy(a, b)
        if (expected === undefined) expect(() => broadcastShapes('add', a, b)).toThrow('do not broadcast')
        else expect(broadcastShapes('add', a, b)).toEqual(expected)
      }),
      { seed: 31, numRuns: 2000 },
    )
    expect(broadcastShapes('add', [2, 0, 1], [1, 5])).toEqual([2, 0, 5])
  })

  it('commutes, and a shape with itself or with no axes is itself', () => {
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        expect(broadcastShapes('add', a, a)).toEqual(a)
        expect(broadcastShapes('add', a, [])).toEqual(a)
        if (numpy(a, b) !== undefined) expect(broadcastShapes('add', a, b)).toEqual(broadcastShapes('add', b, a))
      }),
      { seed: 32, numRuns: 500 },
    )
  })
})

describe('normalizeAxis', () => {
  it('counts negative axes from the end, and refuses what is outside', () => {
    for (let rank = 0; rank < 5; rank++)
      for (let axis = -rank; axis < rank; axis++) expect(normalizeAxis('sum', axis, rank)).toBe((axis + rank) % rank)
    for (const axis of [2, -3, 0.5, NaN]) expect(() => normalizeAxis('sum', axis, 2)).toThrow('sum: axis')
  })
})

describe('rowMajor', () => {
  it('walks the last axis first: the stride of an axis is the number of elements behind it', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        rowMajor(shape).forEach((stride, a) => {
          expect(stride).toBe(sizeOf(shape.slice(a + 1)))
        })
      }),
      { seed: 33, numRuns: 200 },
    )
  })
})
