/** Views as kernels meet them: axes in any order in memory, with gaps, steps, repeated, reversed, behind an offset. */
import fc from 'fast-check'
import { at, range } from '../../src/prelude/array.ts'
import type { View } from '../../src/compiler/view.ts'

/** A view, and how long a buffer is that holds it. */
export interface Viewed {
  readonly view: View
  readonly length: number
}

/** Any view of this shape. */
export const viewOf = (shape: readonly number[]): fc.Arbitrary<Viewed> =>
  fc
    .record({
      order: fc.oneof(
        fc.constant(range(shape.length)),
        fc.shuffledSubarray([...range(shape.length)], { minLength: shape.length }),
      ),
      axes: fc.array(
        fc.record({
          gap: fc.oneof(
            { weight: 4, arbitrary: fc.constant(0) },
            { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
          ),
          step: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(2) }),
          kind: fc.oneof(
            { weight: 8, arbitrary: fc.constant('forward' as const) },
            { weight: 1, arbitrary: fc.constantFrom('backward' as const, 'repeated' as const) },
          ),
        }),
        { minLength: shape.length, maxLength: shape.length },
      ),
      offset: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ order, axes, offset }) => {
      const strides = shape.map(() => 0)
      let [length, start] = [1, offset]
      for (const a of order.toReversed()) {
        const { gap, step, kind } = at(axes, a)
        if (kind === 'repeated') continue
        strides[a] = kind === 'backward' ? -length * step : length * step
        if (kind === 'backward') start += Math.max(0, at(shape, a) - 1) * length * step
        length *= Math.max(1, at(shape, a) * step + gap)
      }
      return { view: { offset: start, shape, strides }, length: length + offset }
    })

/** Numbers between −1 and 1, from a seed. */
export const numbersFrom = (seed: number, length: number): Float32Array => {
  let state = seed | 0
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  })
}
