/** Which part of a picture fills a square, and bytes of pictures from canvases and to them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { centredIn, withAlpha, withoutAlpha } from '../../../examples/page/crop.ts'

const size = fc.record({ width: fc.integer({ min: 1, max: 8000 }), height: fc.integer({ min: 1, max: 8000 }) })

describe('the part of a picture that fills a format', () => {
  it.each([
    ['a wide picture loses its sides', { width: 300, height: 200 }, { left: 50, top: 0, width: 200, height: 200 }],
    ['a high one its top and bottom', { width: 100, height: 240 }, { left: 0, top: 70, width: 100, height: 100 }],
    ['a square nothing', { width: 64, height: 64 }, { left: 0, top: 0, width: 64, height: 64 }],
    [
      'one that is smaller than the square nothing either',
      { width: 4, height: 4 },
      { left: 0, top: 0, width: 4, height: 4 },
    ],
  ])('%s', (_, picture, expected) => {
    expect(centredIn(picture, { width: 16, height: 16 })).toEqual(expected)
  })

  it('lies in the picture and in its middle, has the proportions of the format, and reaches two edges', () => {
    fc.assert(
      fc.property(size, size, (picture, format) => {
        const { left, top, width, height } = centredIn(picture, format)
        expect(width / height).toBeCloseTo(format.width / format.height, 6)
        expect(2 * left + width).toBeCloseTo(picture.width, 6)
        expect(2 * top + height).toBeCloseTo(picture.height, 6)
        expect(Math.min(left, top)).toBeCloseTo(0, 6)
        expect(Math.min(left, top)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('pixels of a canvas', () => {
  it('lose their opacity, and keep their colours in order', () => {
    expect(withoutAlpha(Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 0))).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6))
  })

  it('come back opaque', () => {
    const bytes = Uint8Array.from({ length: 30 }, (_, i) => i * 7)
    expect(withAlpha(bytes).filter((_, i) => i % 4 === 3)).toEqual(new Uint8ClampedArray(10).fill(255))
    expect(withoutAlpha(withAlpha(bytes))).toEqual(bytes)
  })
})
