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

describe('a split of groups', () => {
  const groupsOf = (count: number, most: number, seed: number): readonly number[] =>
    range(count).map((i) => Math.floor((i * (1 + (seed % 3))) % most))

  it('holds out whole groups, and draws every other picture once in each epoch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.integer({ min: 2, max: 200 }),
        fc.nat(1000),
        (count, most, seed) => {
          const groups = groupsOf(count, most, seed)
          const data = dataOfSet(numbered(count), seed, { groups })
          const held = range(data.heldOutCount).map((i) => indexOf(data.heldOut(i)))
          const drawn = range(data.count).map((i) => indexOf(data.picture(data.count + i)))
          if (new Set(groups).size > 1) {
            expect([...held, ...drawn].toSorted((a, b) => a - b)).toEqual(range(count))
            const heldGroups = new Set(held.map((i) => groups[i]))
            expect(drawn.filter((i) => heldGroups.has(groups[i]))).toEqual([])
            expect(held.length).toBeGreaterThan(0)
          } else expect(data.count).toBe(count)
        },
      ),
      { numRuns: 60, seed: 8 },
    )
  })

  it('holds out no more than the share where the groups allow it', () => {
    const groups = range(196).map((i) => Math.floor(i / 7))
    const { heldOutCount, count } = dataOfSet(numbered(196), 3, { groups })
    expect([heldOutCount, count]).toEqual([14, 182])
  })

  it('holds out the smallest group where all are larger than the share', () => {
    const groups = [0, 0, 0, 0, 4, 4, 4, 7, 7, 7, 7, 7]
    const data = dataOfSet(numbered(12), 5, { groups })
    expect(range(data.heldOutCount).map((i) => indexOf(data.heldOut(i)))).toEqual([4, 5, 6])
  })

  it('of pictures that are each alone is the split without groups, in the same order', () => {
    const [grouped, plain] = [dataOfSet(numbered(90), 6, { groups: range(90) }), dataOfSet(numbered(90), 6)]
    expect(range(9).map((i) => grouped.heldOut(i))).toEqual(range(9).map((i) => plain.heldOut(i)))
    expect(range(200).map((i) => grouped.picture(i))).toEqual(range(200).map((i) => plain.picture(i)))
  })

  it('needs the group of each picture', () => {
    expect(() => dataOfSet(numbered(3), 0, { groups: [0, 1] })).toThrow('there are 2 groups for 3 pictures')
  })
})
