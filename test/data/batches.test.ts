import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchAt, dataOfSeas, dataOfSet, heldOutShare, meanPicture, type ImageSet } from '../../src/data/index.ts'
import { range } from '../../src/prelude/array.ts'

/** Pictures of one pixel that hold their index. */
const numbered = (count: number): ImageSet => ({
  name: 'numbered',
  height: 1,
  width: 1,
  channels: 3,
  count,
  pixels: (i) => Uint8Array.of(i % 256, Math.floor(i / 256), 0),
})

const indexOf = (picture: Uint8Array): number => (picture[0] ?? NaN) + 256 * (picture[1] ?? NaN)

describe('the stream of a set', () => {
  it('draws every picture that is not held out once in each epoch, and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 900 }), fc.nat(1000), fc.nat(3), (count, seed, epoch) => {
        const data = dataOfSet(numbered(count), seed)
        const held = range(data.heldOutCount).map((i) => indexOf(data.heldOut(i)))
        const drawn = range(data.count).map((i) => indexOf(data.picture(epoch * data.count + i)))
        expect([...held, ...drawn].toSorted((a, b) => a - b)).toEqual(range(count))
      }),
      { numRuns: 40 },
    )
  })

  it('has another order in another epoch and for another seed', () => {
    const order = (seed: number, epoch: number): readonly number[] => {
      const data = dataOfSet(numbered(200), seed)
      return range(data.count).map((i) => indexOf(data.picture(epoch * data.count + i)))
    }
    expect(order(1, 1)).not.toEqual(order(1, 0))
    expect(order(2, 0)).not.toEqual(order(1, 0))
  })

  it.each([
    [1, 0],
    [2, 1],
    [19, 1],
    [20, 2],
    [640, 64],
    [100_000, 64],
  ])('holds out of %i pictures %i', (count, held) => {
    expect(heldOutShare(count)).toBe(held)
  })

  it('of a single picture trains on it, and measures it too', () => {
    const data = dataOfSet(numbered(1), 0)
    expect([data.count, data.heldOutCount, data.picture(5), data.heldOut(0)]).toEqual([
      1,
      1,
      numbered(1).pixels(0),
      numbered(1).pixels(0),
    ])
  })
})

describe('batches', () => {
  it('hold the pictures of the stream one after the other, from the one that is asked for', () => {
    const data = dataOfSet(numbered(50), 4)
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 9 }), (start, size) => {
        const bytes = batchAt(data, start, size)
        expect(bytes.length).toBe(3 * size)
        range(size).forEach((i) => {
          expect(bytes.slice(3 * i, 3 * i + 3)).toEqual(data.picture(start + i))
        })
      }),
      { seed: 61, numRuns: 50 },
    )
  })
})

describe('the stream of seas', () => {
  it('is endless, the same for the same seed, and never reaches what is held out', () => {
    const [a, b] = [dataOfSeas({ seed: 3, size: 4 }), dataOfSeas({ seed: 3, size: 4 })]
    expect(a.count).toBe(Infinity)
    expect(batchAt(a, 1_000_000, 2)).toEqual(batchAt(b, 1_000_000, 2))
    expect(a.heldOut(0)).not.toEqual(a.picture(0))
  })
})

describe('the mean picture', () => {
  it('is the mean of each pixel in [−1, 1]', () => {
    const black: ImageSet = { ...numbered(2), pixels: () => Uint8Array.of(0, 255, 51) }
    const [r, g, b] = meanPicture(dataOfSet(black, 0))
    expect([r, g]).toEqual([-1, 1])
    expect(b).toBeCloseTo(-0.6, 6)
  })
})
