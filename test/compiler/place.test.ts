/** Where the parts of padded and concatenated arrays lie. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at, range } from '../../src/prelude/array.ts'
import { addresses } from '../../src/compiler/addresses.ts'
import type { PlacedPart, PlaceKernel } from '../../src/compiler/kernel.ts'
import { isFilled, windowOf } from '../../src/compiler/place.ts'
import { contiguous } from '../../src/compiler/view.ts'
import { sizeOf, type Shape } from '../../src/graph/shape.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const placeOf = (f: (x: Tensor, y: Tensor) => Tensor, ...shapes: readonly [Shape, Shape]): PlaceKernel => {
  const { kernels } = cpuDevice().compile(f).plan(zeros(shapes[0]), zeros(shapes[1]))
  const found = kernels.find((k) => k.kind === 'place')
  if (found === undefined) throw new Error('nothing is placed')
  return found
}

/** Which element of a part the output's element is, as a gather computes it. */
const elementOf = ({ from, start, stride }: PlacedPart, shape: Shape, element: number): number | undefined => {
  let [left, index, step] = [element, 0, 1]
  for (const axis of range(shape.length).toReversed()) {
    const place = ((left % at(shape, axis)) - at(start, axis)) / at(stride, axis)
    left = Math.floor(left / at(shape, axis))
    const length = at(from.view.shape, axis)
    if (!Number.isInteger(place) || place < 0 || place >= length) return undefined
    index += place * step
    step *= length
  }
  return index
}

describe('a part of an output', () => {
  const axis = fc.record({
    length: fc.integer({ min: 0, max: 4 }),
    start: fc.integer({ min: 0, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    behind: fc.integer({ min: 0, max: 3 }),
  })

  it('is the same whether its elements are written where they go, or sought from the output', () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), (axes) => {
        const lengths = axes.map((a) => a.length)
        const shape = axes.map((a) => a.start + Math.max(0, (a.length - 1) * a.stride + 1) + a.behind)
        const part: PlacedPart = {
          from: { buffer: 0, view: contiguous(lengths), dtype: 'f32' },
          start: axes.map((a) => a.start),
          stride: axes.map((a) => a.stride),
        }
        const written = new Map([...addresses(windowOf(shape, part))].map((to, i) => [to, i]))
        const sought = range(sizeOf(shape)).map((element) => elementOf(part, shape, element))
        expect(sought).toEqual(range(sizeOf(shape)).map((element) => written.get(element)))
      }),
    )
  })

  it('of a pad begins behind the zeros before it, and its steps leave the zeros between', () => {
    const { parts, shape } = placeOf((x) => x.pad([1, 0], [2, 3], [0, 2]), [2, 3], [1])
    expect(shape).toEqual([5, 10])
    expect(parts).toMatchObject([{ start: [1, 0], stride: [1, 3], from: { view: { shape: [2, 3] } } }])
  })

  it('of a concatenation begins behind those before it', () => {
    const kernel = placeOf((x, y) => concatenate([x.exp(), y, x], 1), [2, 3], [2, 4])
    expect(kernel.parts.map((p) => p.start)).toEqual([
      [0, 0],
      [0, 3],
      [0, 7],
    ])
    expect(isFilled(kernel)).toBe(true)
  })

  it('leaves zeros where there are more elements than parts have', () => {
    expect(isFilled(placeOf((x) => x.pad([0], [1]), [3], [1]))).toBe(false)
  })
})
