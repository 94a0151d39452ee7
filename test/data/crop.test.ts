import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataOfSet, likeness, seas, withMargin, type ImageSet } from '../../src/data/index.ts'
import { range } from '../../src/prelude/array.ts'
import { resampleArea } from '../../src/data/resample.ts'

/** Pictures whose red is the row, and green the column; blue is their index. */
const rulers = (height: number, width: number, count = 20): ImageSet => ({
  name: 'rulers',
  height,
  width,
  channels: 3,
  count,
  pixels: (index) =>
    Uint8Array.from({ length: height * width * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3)
      return [Math.floor(pixel / width), pixel % width, index][i % 3] ?? 0
    }),
})

const crop = { height: 40, width: 60 }
const set = rulers(60, 90)
const data = dataOfSet(set, 4, { crop })

/** The part that a picture of rulers shows: first and last row and column. */
const partOf = (pixels: Uint8Array): readonly number[] => [
  pixels[0] ?? NaN,
  pixels[pixels.length - 3] ?? NaN,
  pixels[1] ?? NaN,
  pixels[pixels.length - 2] ?? NaN,
]

describe('parts of larger pictures', () => {
  it('have the size that was asked for, lie within, are never enlarged, and keep their proportions', () => {
    fc.assert(
      fc.property(fc.nat(100_000), (i) => {
        const pixels = data.picture(i)
        expect(pixels.length).toBe(40 * 60 * 3)
        const [top = NaN, bottom = NaN, left = NaN, right = NaN] = partOf(pixels)
        expect(top).toBeGreaterThanOrEqual(0)
        expect(bottom).toBeLessThan(60)
        expect(right).toBeLessThan(90)
        const [down, across] = [(bottom - top) / 39, (right - left) / 59]
        expect(down).toBeGreaterThan(0.95)
        expect(down).toBeLessThan(1.53)
        expect(Math.abs(down - across)).toBeLessThan(0.06)
      }),
      { numRuns: 60, seed: 12 },
    )
  })

  it('are the same for the same seed and place; the same picture shows another part in another epoch', () => {
    expect(dataOfSet(set, 4, { crop }).picture(37)).toEqual(data.picture(37))
    const shown = range(3 * data.count).map((i) => data.picture(i))
    const ofOne = shown.filter((pixels) => pixels[2] === shown[0]?.[2]).map((pixels) => String(partOf(pixels)))
    expect(ofOne).toHaveLength(3)
    expect(new Set(ofOne).size).toBe(3)
  })

  it('reach from edge to edge, at every scale', () => {
    const parts = range(300).map((i) => partOf(data.picture(i)))
    expect(Math.min(...parts.map(([top = NaN]) => top))).toBeLessThan(2)
    expect(Math.max(...parts.map(([, bottom = NaN]) => bottom))).toBeGreaterThan(57)
    expect(Math.max(...parts.map(([top = NaN]) => top))).toBeGreaterThan(14)
    const shown = parts.map(([top = NaN, bottom = NaN]) => bottom - top)
    expect(Math.max(...shown)).toBeGreaterThan(56)
    expect(Math.min(...shown)).toBeLessThan(42)
  })

  it('are of the pictures, and in the order, that they are without', () => {
    const plain = dataOfSet(set, 4)
    range(40).forEach((i) => {
      expect(data.picture(i)[2]).toBe(plain.picture(i)[2])
    })
    expect([data.count, data.heldOutCount, data.height, data.width]).toEqual([plain.count, plain.heldOutCount, 40, 60])
  })

  it('are not taken of what is held out, which is seen whole', () => {
    const held = data.heldOut(0)
    expect(held.length).toBe(40 * 60 * 3)
    // A pixel is the mean of 1½ of the picture's, each way.
    expect(partOf(held)).toEqual([0, 59, 0, 89])
  })

  it('of pictures that are just as large are the pictures', () => {
    const same = dataOfSet(set, 4, { crop: { height: 60, width: 90 } })
    expect(same.picture(3)).toEqual(dataOfSet(set, 4).picture(3))
    expect(same.heldOut(0)).toEqual(dataOfSet(set, 4).heldOut(0))
  })

  it('have these bytes, which a run that goes on must see again', () => {
    const { picture } = dataOfSet(rulers(9, 9, 5), 2, { crop: { height: 4, width: 4 } })
    expect([...picture(7).subarray(0, 12)]).toEqual([3, 2, 2, 3, 3, 2, 3, 4, 2, 3, 5, 2])
    expect([...picture(8).subarray(0, 12)]).toEqual([1, 4, 2, 1, 5, 2, 1, 6, 2, 1, 7, 2])
  })

  it('must fit', () => {
    expect(() => dataOfSet(set, 0, { crop: { height: 61, width: 60 } })).toThrow(
      'parts of 61×60 cannot be taken from the pictures of rulers, which are 60×90: open it at a larger size (withMargin)',
    )
    expect(() => dataOfSet(set, 0, { crop: { height: 1.5, width: 2 } })).toThrow('parts of 1.5×2')
    expect(withMargin({ height: 33, width: 32 }, 1.25)).toEqual({ height: 42, width: 40 })
    expect(() => withMargin(crop, Infinity)).toThrow('margin is Infinity')
  })
})

describe('a picture at another size', () => {
  const sea = seas({ seed: 1, size: 48 }).image(0)
  const shape = { height: 48, width: 48, channels: 3 }

  it('has the same mean light, and is alike', () => {
    const small = resampleArea(sea, shape, 17, 31)
    const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length
    expect(mean(small)).toBeCloseTo(mean(sea), 6)
    const square = Uint8Array.from(resampleArea(sea, shape, 24, 24), Math.round)
    const back = Uint8Array.from(resampleArea(square, { ...shape, height: 24, width: 24 }, 48, 48), Math.round)
    expect(likeness(back, sea, shape)).toBeLessThan(0.1)
  })

  it('at the same size is the same', () => {
    expect([...resampleArea(sea, shape, 48, 48)]).toEqual([...sea])
  })

  it('of a rectangle is that of the pixels in it', () => {
    const within = { top: 2, left: 4, height: 2, width: 2 }
    const [red = NaN] = resampleArea(rulers(10, 10).pixels(0), { height: 10, width: 10, channels: 3 }, 1, 1, within)
    expect(red).toBe(2.5)
  })
})
