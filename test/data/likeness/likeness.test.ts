import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyOf, likeness, pictureIndex, seas } from '../../../src/data/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { blurred, lit, mirror, noisy, shifted, type Tamper } from './tampered.ts'

const side = 32
const shape = { height: side, width: side, channels: 3 }
const sea = seas({ seed: 9, size: side })
const photos = range(120).map((i) => sea.image(i))
const photo = (i: number): Uint8Array => photos[i] ?? new Uint8Array()
const set = { ...shape, count: photos.length, pixels: photo }
const index = pictureIndex(set)

const tampers: Readonly<Record<string, Tamper>> = {
  noise: (pixels) => noisy(3)(pixels, side),
  'a shift': shifted(-1, 1),
  'a mirror': mirror,
  'less light': lit(0.9, -20),
  'more light': lit(1.1, 10),
  'a blur': blurred,
  'all of them': (pixels) =>
    noisy(4)(lit(0.9, 10)(mirror(shifted(1, 0)(blurred(pixels, side), side), side), side), side),
}

describe('the distance of two pictures', () => {
  it('is 0 to itself and to its mirror image, the same in both directions, and at most 2', () => {
    fc.assert(
      fc.property(fc.nat(119), fc.nat(119), (i, j) => {
        const [a, b] = [photo(i), photo(j)]
        expect(likeness(a, a, shape)).toBe(0)
        expect(likeness(a, mirror(a, side), shape)).toBe(0)
        expect(likeness(a, b, shape)).toBe(likeness(b, a, shape))
        expect(likeness(mirror(a, side), b, shape)).toBeCloseTo(likeness(a, b, shape), 3)
        expect(likeness(a, b, shape)).toBeLessThanOrEqual(2)
      }),
      { numRuns: 15, seed: 4 },
    )
  })

  it('is nearly 0 after a shift of four pixels of 64, where nothing new comes in', () => {
    const wide = seas({ seed: 9, size: 72 }).image(5)
    const cut = (top: number, left: number): Uint8Array =>
      Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => {
        const pixel = Math.floor(i / 3)
        return wide[((top + Math.floor(pixel / 64)) * 72 + left + (pixel % 64)) * 3 + (i % 3)] ?? NaN
      })
    const big = { height: 64, width: 64, channels: 3 }
    for (const [top, left] of [
      [0, 4],
      [8, 4],
      [4, 0],
      [4, 8],
      [1, 6],
    ] as const)
      expect(likeness(cut(4, 4), cut(top, left), big)).toBe(0)
  })

  it('of pictures without contrast is that of nothing', () => {
    const grey = new Uint8Array(side * side * 3).fill(90)
    expect(
      likeness(
        grey,
        grey.map(() => 200),
        shape,
      ),
    ).toBe(0)
    expect(likeness(grey, photo(0), shape)).toBeGreaterThan(0.9)
  })

  it('takes grey pictures, and does not compare opacity', () => {
    const grey = (i: number): Uint8Array => photo(i).filter((_, j) => j % 3 === 1)
    expect(likeness(grey(1), grey(2), { ...shape, channels: 1 })).toBeGreaterThan(0.1)
    const clear = (alpha: number): Uint8Array =>
      Uint8Array.from({ length: side * side * 4 }, (_, j) =>
        j % 4 === 3 ? alpha : (photo(1)[(j >> 2) * 3 + (j % 4)] ?? 0),
      )
    expect(likeness(clear(10), clear(200), { ...shape, channels: 4 })).toBe(0)
  })

  it('refuses bytes that are not of the shape', () => {
    expect(() => likeness(photo(0), new Uint8Array(5), shape)).toThrow('a picture has 5 bytes where 32×32×3 are 3072')
  })
})

describe('the search of the nearest', () => {
  it('finds what the distances of all say', () => {
    const asked = sea.image(500)
    const all = photos.map((picture, i) => ({ index: i, distance: likeness(asked, picture, shape) }))
    const nearest = all.toSorted((a, b) => a.distance - b.distance).slice(0, 3)
    expect(index.nearest(asked, { count: 3 })).toEqual(nearest)
  })

  it('leaves out what it is told to, and a picture of the set itself', () => {
    expect(index.nearest(photo(3))).toEqual([{ index: 3, distance: 0 }])
    expect(index.nearestOf(3)[0]?.index).not.toBe(3)
    expect(index.nearestOf(3)).toEqual(index.nearest(photo(3), { among: (i) => i !== 3 }))
  })

  it('refuses pictures of another size', () => {
    expect(() => index.nearest(new Uint8Array(12))).toThrow('a picture has 12 bytes where 32×32×3 are 3072')
    expect(() => index.nearestOf(120)).toThrow('index 120')
  })

  it('gives what there is where more is asked for', () => {
    expect(index.nearest(photo(3), { count: 500 })).toHaveLength(120)
    expect(pictureIndex({ ...set, count: 0 }).nearest(photo(3))).toEqual([])
  })
})

describe('copies', () => {
  it.each(Object.entries(tampers))('are found after %s, nearly all', (_, tamper) => {
    const found = range(20).filter((i) => {
      const { nearest, copy } = copyOf(index, tamper(photo(6 * i), side))
      return copy && nearest.index === 6 * i
    })
    expect(found.length).toBeGreaterThanOrEqual(17)
  })

  it('are not seen in other pictures', () => {
    const alarms = range(150).filter((i) => copyOf(index, sea.image(1000 + i)).copy)
    expect(alarms).toEqual([])
  })

  it('of a picture that is in the set twice are found when the two are of one group', () => {
    const twice = [...photos, ...range(12).map((i) => noisy(i)(photo(7), side))]
    const doubled = pictureIndex({ ...shape, count: twice.length, pixels: (i) => twice[i] ?? new Uint8Array() })
    const asked = lit(0.9, 0)(photo(7), side)
    const groups = twice.map((_unused, i) => (i < photos.length ? i : 7))
    expect(copyOf(doubled, noisy(77)(asked, side)).copy).toBe(false)
    const report = copyOf(doubled, noisy(77)(asked, side), groups)
    expect(report.copy).toBe(true)
    expect(groups[report.other.index]).not.toBe(7)
  })

  it('are compared with the groups of their own set', () => {
    expect(() => copyOf(index, photo(0), [0, 1])).toThrow('there are 2 groups for 120 pictures')
  })

  it('need another picture to compare with', () => {
    expect(() => copyOf(pictureIndex({ ...set, count: 1 }), photo(0))).toThrow('fewer than two groups')
    expect(() => copyOf(pictureIndex({ ...set, count: 0 }), photo(0))).toThrow('fewer than two groups')
    expect(() =>
      copyOf(
        index,
        photo(0),
        photos.map(() => 0),
      ),
    ).toThrow('fewer than two groups')
  })
})
