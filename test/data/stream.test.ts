/** Which pictures training sees, by name: the order that a seed makes must never change, or a run that resumes sees others. */
import { describe, expect, it } from 'vitest'
import { dataOfSeas, dataOfSet, meanPicture, renderSea, seas, type ImageSet } from '../../src/data/index.ts'
import { range } from '../../src/prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../src/prelude/threefry.ts'

/** Pictures of one byte: their index. */
const numbered = (count: number): ImageSet => ({
  name: 'numbered',
  height: 1,
  width: 1,
  channels: 1,
  count,
  pixels: (i) => Uint8Array.of(i),
})

const streamOf = (count: number, seed: number, pictures: number) => {
  const data = dataOfSet(numbered(count), seed)
  return {
    heldOut: range(data.heldOutCount).map((i) => data.heldOut(i)[0]),
    stream: range(pictures).map((i) => data.picture(i)[0]),
  }
}

describe('the stream of twelve pictures', () => {
  it('of seed 0 is this one, for two epochs and a little', () => {
    const [first, second] = [
      [11, 4, 0, 1, 5, 10, 9, 7, 6, 3, 8],
      [1, 3, 0, 10, 9, 4, 8, 7, 11, 6, 5],
    ]
    expect(streamOf(12, 0, 24)).toEqual({ heldOut: [2], stream: [...first, ...second, 8, 9] })
  })

  it('of seed 7 is this one', () => {
    expect(streamOf(12, 7, 12)).toEqual({ heldOut: [4], stream: [7, 1, 3, 9, 10, 11, 2, 6, 0, 5, 8, 8] })
  })

  it('is made of two keys: one splits the set, one orders each epoch of the rest', () => {
    const [count, held, seed] = [43, 4, 3]
    const member = (place: number): number => hostPermutationIndex(hostFold(hostKey(seed), 0), count, place)
    const order = (i: number): number => {
      const epoch = Math.floor(i / (count - held))
      return hostPermutationIndex(hostFold(hostFold(hostKey(seed), 1), epoch), count - held, i % (count - held))
    }
    const { heldOut, stream } = streamOf(count, seed, 100)
    expect(heldOut).toEqual(range(held).map(member))
    expect(stream).toEqual(range(100).map((i) => member(held + order(i))))
  })
})

describe('the mean picture', () => {
  it('is of what training sees, without what is held out', () => {
    const data = dataOfSet(numbered(40), 2)
    const seen = range(data.count).map((i) => data.picture(i)[0] ?? NaN)
    const mean = seen.reduce((a, b) => a + b) / data.count
    expect(meanPicture(data)[0]).toBeCloseTo(mean / 127.5 - 1, 6)
  })

  it('is of the first pictures of a larger stream, and of no others', () => {
    const data = dataOfSet(numbered(40), 2)
    const [a, b, c] = range(3).map((i) => data.picture(i)[0] ?? NaN)
    expect(meanPicture(data, 3)[0]).toBeCloseTo(((a ?? NaN) + (b ?? NaN) + (c ?? NaN)) / 3 / 127.5 - 1, 6)
  })
})

/** The mean colours of the quarters of a picture of 16 × 16: top left, top right, bottom left, bottom right. */
const quartersOf = (pixels: Uint8Array): readonly number[] =>
  range(12).map((k) => {
    const [quarter, c] = [Math.floor(k / 3), k % 3]
    const inside = range(64).map((p) => {
      const [y, x] = [8 * (quarter >> 1) + (p >> 3), 8 * (quarter & 1) + (p & 7)]
      return pixels[3 * (16 * y + x) + c] ?? NaN
    })
    return inside.reduce((a, b) => a + b) / 64
  })

describe('the stream of seas', () => {
  const config = { seed: 4, width: 12, height: 8 }

  it('is the seas in their order, each of its own labels', () => {
    const [data, sea] = [dataOfSeas(config), seas(config)]
    const size = { width: 12, height: 8 }
    for (const i of [0, 1, 2, 3, 1_000_000]) expect(data.picture(i)).toEqual(renderSea(sea.factors(i), size))
    expect(new Set(range(32).map((i) => String(data.picture(i)))).size).toBe(32)
  })

  it.each([
    [0, 'overcast', 'stonesAndBoat', 17.122, [144, 150, 158, 140, 147, 157, 95, 102, 102, 76, 88, 93]],
    [1, 'clear', 'boats', 18.346, [186, 127, 81, 186, 128, 84, 78, 57, 76, 84, 62, 77]],
    [2, 'fair', 'boats', 14.844, [145, 183, 230, 148, 178, 216, 125, 161, 185, 103, 130, 156]],
    [1000, 'clear', 'boats', 18.199, [167, 105, 121, 185, 130, 137, 97, 70, 77, 155, 117, 103]],
  ] as const)(
    'of seed 4: sea %i is %s, has %s, and these colours in its quarters',
    (i, weather, cast, hour, colours) => {
      const sea = seas({ seed: 4, size: 16 })
      expect(sea.factors(i)).toMatchObject({ weather, cast })
      expect(sea.factors(i).hour).toBeCloseTo(hour, 3)
      const quarters = quartersOf(sea.image(i))
      colours.forEach((value, k) => expect(Math.abs(value - (quarters[k] ?? NaN))).toBeLessThan(1.5))
    },
  )

  it('holds out the seas from 2⁴⁰ on, which no run comes to', () => {
    const [data, sea] = [dataOfSeas(config), seas(config)]
    for (const i of [0, 1, 63]) expect(data.heldOut(i)).toEqual(sea.image(2 ** 40 + i))
  })
})
