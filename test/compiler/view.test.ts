/** Views as laws over their addresses: what each movement, merge and reshape may do to the walk over a buffer. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refined } from '../../src/compiler/nest.ts'
import { coalesce, contiguous, isContiguous, reshaped, type View } from '../../src/compiler/view.ts'
import { sizeOf, type Shape } from '../../src/graph/shape.ts'
import { loadRun, walker } from '../../src/backends/cpu/walk.ts'
import { addresses } from '../../src/compiler/addresses.ts'
import { indices } from '../../proof/array.ts'

/** offset + Σ iₐ·strides[a], element by element. */
const walk = ({ offset, shape, strides }: View): readonly number[] =>
  indices(shape).map((index) => index.reduce((sum, i, a) => sum + i * (strides[a] ?? NaN), offset))

/** Views such as movements make: a buffer's axes in any order, each whole, cut, strided, reversed or repeated. */
const views: fc.Arbitrary<View> = fc
  .array(fc.record({ length: fc.integer({ min: 1, max: 6 }), kind: fc.nat(4), order: fc.nat() }), { maxLength: 4 })
  .map((axes) => {
    const whole = contiguous(axes.map((a) => a.length))
    const cut = axes.map(({ length, kind }, a) => {
      const stride = whole.strides[a] ?? 1
      if (kind === 1) return { start: 0, length: Math.ceil(length / 2), stride: 2 * stride }
      if (kind === 2) return { start: (length - 1) * stride, length, stride: -stride }
      if (kind === 3) return { start: 0, length, stride: 0 }
      return kind === 4 && length > 1 ? { start: stride, length: length - 1, stride } : { start: 0, length, stride }
    })
    const order = [...axes.keys()].toSorted((a, b) => (axes[a]?.order ?? 0) - (axes[b]?.order ?? 0))
    return {
      offset: cut.reduce((sum, c) => sum + c.start, 0),
      shape: order.map((a) => cut[a]?.length ?? 1),
      strides: order.map((a) => cut[a]?.stride ?? 0),
    }
  })

/** Shapes with as many elements. */
const shapesOf = (size: number): fc.Arbitrary<Shape> =>
  fc.array(fc.nat(), { maxLength: 3 }).map((choices) => {
    const shape: number[] = []
    let rest = size
    for (const choice of choices) {
      const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0)
      const length = divisors[choice % divisors.length] ?? 1
      shape.push(length)
      rest /= length
    }
    return [...shape, rest]
  })

const runs = { seed: 81, numRuns: 1000 }

describe('views', () => {
  it('a coalesced view walks the same addresses in the same order, over the fewest axes', () => {
    fc.assert(
      fc.property(views, (view) => {
        expect(walk(coalesce(view))).toEqual(walk(view))
        expect(coalesce(coalesce(view))).toEqual(coalesce(view))
      }),
      runs,
    )
  })

  it('a view is contiguous exactly when its addresses follow one another', () => {
    fc.assert(
      fc.property(views, (view) => {
        const all = walk(view)
        expect(isContiguous(view)).toBe(all.every((address, i) => address === view.offset + i))
      }),
      runs,
    )
  })

  it('a reshaped view walks the same addresses; where there is none, no strides would do', () => {
    const cases = views.chain((view) => fc.tuple(fc.constant(view), shapesOf(sizeOf(view.shape))))
    fc.assert(
      fc.property(cases, ([view, shape]) => {
        const found = reshaped(view, shape)
        const expected = walk(view)
        if (found !== undefined) {
          expect(found.shape).toEqual(shape)
          expect(walk(found)).toEqual(expected)
          return
        }
        // The only strides that could do are read off the addresses: one step along each axis.
        const steps = shape.map((_, a) => sizeOf(shape.slice(a + 1)))
        const strides = steps.map((n, a) => (shape[a] === 1 ? 0 : (expected[n] ?? NaN) - (expected[0] ?? NaN)))
        expect(walk({ offset: view.offset, shape, strides })).not.toEqual(expected)
      }),
      runs,
    )
  })

  it('a view without elements takes any shape without elements', () => {
    expect(walk(reshaped(contiguous([2, 0, 3]), [0, 7]) ?? contiguous([1]))).toEqual([])
  })
})

describe('views in the axes of a shape', () => {
  const cases = views.chain((view) => fc.tuple(fc.constant(view), shapesOf(sizeOf(view.shape))))

  it('a refined view walks the same addresses, and its parts make up every axis of the shape, in order', () => {
    fc.assert(
      fc.property(cases, ([view, shape]) => {
        const found = refined(view, shape)
        if (found === undefined) {
          expect(reshaped(view, shape)).toBeUndefined() // what is a view in these axes can be refined to them
          return
        }
        expect(walk(found.view)).toEqual(walk(view))
        expect(found.parts.flat()).toEqual([...found.view.shape.keys()])
        expect(found.parts.map((part) => sizeOf(part.map((a) => found.view.shape[a] ?? NaN)))).toEqual(shape)
      }),
      runs,
    )
  })

  it('heads that are joined to channels are two parts of one axis', () => {
    const heads = { offset: 0, shape: [2, 5, 4, 3], strides: [60, 3, 15, 1] } // [2, 4, 5, 3] with its middle axes exchanged
    expect(reshaped(heads, [2, 5, 12])).toBeUndefined()
    expect(refined(heads, [2, 5, 12])).toEqual({ view: heads, parts: [[0], [1], [2, 3]] })
  })
})

describe('walks', () => {
  it('all addresses of a view come in order', () => {
    fc.assert(
      fc.property(views, (view) => {
        expect([...addresses(view)]).toEqual(walk(view))
      }),
      runs,
    )
  })

  it('any part of a walk is loaded as the whole would be, wherever it begins and ends', () => {
    fc.assert(
      fc.property(views, fc.nat(), fc.nat(), (view, first, last) => {
        const size = sizeOf(view.shape)
        const [start, end] = [Math.min(first % size, last % size), Math.max(first % size, last % size) + 1]
        const out = new Float64Array(end - start + 2).fill(-1)
        const source = Float64Array.from({ length: 6 ** 4 }, (_, i) => i)
        loadRun(out, 1, source, walker(view), start, end - start)
        expect([...out]).toEqual([-1, ...walk(view).slice(start, end), -1])
      }),
      runs,
    )
  })
})
