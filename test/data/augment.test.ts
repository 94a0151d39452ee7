import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  augmentationNames,
  augmented,
  conditionsAt,
  dataOfSeas,
  likeness,
  seas,
  withAugmentation,
} from '../../src/data/index.ts'
import { range } from '../../src/prelude/array.ts'

const side = 32
const shape = { height: side, width: side, channels: 3 }
const picture = seas({ seed: 5, size: side }).image(3)

/** The first i whose change is of one kind alone. */
const onlyOf = (name: (typeof augmentationNames)[number], least = 0): number => {
  const k = augmentationNames.indexOf(name)
  const is = (condition: Float32Array): boolean =>
    condition.every((value, j) => (j === k ? Math.abs(value) > least : value === 0))
  return range(5000).findIndex((i) => is(augmented(picture, shape, 0, i, { probability: 0.2 }).condition))
}

const changeOf = (name: (typeof augmentationNames)[number], pixels: Uint8Array, least = 0) => {
  const { pixels: changed, condition } = augmented(pixels, shape, 0, onlyOf(name, least), { probability: 0.2 })
  return { changed, amount: condition[augmentationNames.indexOf(name)] ?? NaN }
}

/** A white square of 4 pixels whose middle is so far from the picture's, on black. */
const spot = (down: number, right: number): Uint8Array =>
  Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side]
    return Math.abs(y - (side - 1) / 2 - down) < 2.1 && Math.abs(x - (side - 1) / 2 - right) < 2.1 ? 255 : 0
  })

/** Where the light of a picture is, from its middle, and how much there is. */
const lightOf = (pixels: Uint8Array): { readonly down: number; readonly right: number; readonly sum: number } => {
  let [down, right, sum] = [0, 0, 0]
  for (let i = 0; i < pixels.length; i += 3) {
    const light = pixels[i] ?? 0
    down += light * (Math.floor(i / 3 / side) - (side - 1) / 2)
    right += light * ((Math.floor(i / 3) % side) - (side - 1) / 2)
    sum += light
  }
  return { down: down / sum, right: right / sum, sum }
}

describe('a picture that is changed at random', () => {
  it('is the picture itself, and its condition 0, where nothing is probable', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(10_000), (seed, i) => {
        const { pixels, condition } = augmented(picture, shape, seed, i, { probability: 0 })
        expect(pixels).toBe(picture)
        expect([...condition]).toEqual(augmentationNames.map(() => 0))
      }),
      { numRuns: 30 },
    )
  })

  it('is the same for the same seed and place, and another for another', () => {
    const at = (seed: number, i: number): string =>
      String(augmented(picture, shape, seed, i, { probability: 1 }).condition)
    expect(at(1, 2)).toBe(at(1, 2))
    expect(new Set([at(1, 2), at(1, 3), at(2, 2)]).size).toBe(3)
  })

  it('is changed in each way as often as the probability says, by amounts in [−1, 1]', () => {
    const all = range(4000).map(
      (i) => augmented(new Uint8Array(3), { height: 1, width: 1, channels: 3 }, 9, i).condition,
    )
    augmentationNames.forEach((name, k) => {
      const amounts = all.map((condition) => condition[k] ?? NaN).filter((amount) => amount !== 0)
      expect(amounts.length / 4000, name).toBeGreaterThan(0.1)
      expect(amounts.length / 4000, name).toBeLessThan(0.14)
      expect(Math.max(...amounts.map(Math.abs)), name).toBeLessThanOrEqual(1)
    })
  })

  it('is itself again when it is mirrored twice', () => {
    const once = changeOf('mirrored', picture).changed
    expect(once).not.toEqual(picture)
    expect(changeOf('mirrored', once).changed).toEqual(picture)
    expect(likeness(once, picture, shape)).toBe(0)
  })

  it('is moved to the right and down by an eighth of the side at most, as its condition says', () => {
    const right = changeOf('right', spot(0, 0), 0.3)
    expect(lightOf(right.changed).right).toBeCloseTo(4 * right.amount, 1)
    expect(lightOf(right.changed).down).toBeCloseTo(0, 1)
    const down = changeOf('down', spot(0, 0), 0.3)
    expect(lightOf(down.changed).down).toBeCloseTo(4 * down.amount, 1)
  })

  it('is turned clockwise about its middle, and its size stays', () => {
    const { changed, amount } = changeOf('turned', spot(0, 8), 0.4)
    const angle = 2 * Math.atan(0.07 * amount)
    expect(lightOf(changed).down).toBeCloseTo(8 * Math.sin(angle), 1)
    expect(lightOf(changed).right).toBeCloseTo(8 * Math.cos(angle), 1)
    expect(lightOf(changed).sum / lightOf(spot(0, 8)).sum).toBeCloseTo(1, 1)
  })

  it('is scaled about its middle', () => {
    const { changed, amount } = changeOf('scaled', spot(6, 0), 0.4)
    const scale = (1 + 0.1 * amount) / (1 - 0.1 * amount)
    expect(lightOf(changed).down).toBeCloseTo(6 * scale, 1)
    expect(lightOf(changed).sum / lightOf(spot(6, 0)).sum).toBeCloseTo(scale * scale, 1)
  })

  it('is continued by its reflection beyond the edges: a grey one stays grey, and no byte is new', () => {
    const grey = new Uint8Array(side * side * 3).fill(77)
    const bright = picture.map((byte) => Math.max(100, byte))
    range(40).forEach((i) => {
      expect(augmented(grey, shape, 1, i, { probability: 1 }).pixels).toEqual(grey)
      expect(Math.min(...augmented(bright, shape, 1, i, { probability: 1 }).pixels)).toBeGreaterThanOrEqual(100)
    })
  })

  it('does not begin anew beyond an edge', () => {
    const halves = picture.map((_, i) => (Math.floor(i / 3) % side < side / 2 ? 0 : 255))
    const { changed } = changeOf('right', halves, 0.5)
    for (let i = 0; i < changed.length; i += side * 3) expect([changed[i], changed[i + side * 3 - 1]]).toEqual([0, 255])
  })

  it('has these bytes, which a run that goes on must see again', () => {
    const ramp = Uint8Array.from({ length: 8 * 6 * 3 }, (_, i) => (i * 37) % 251)
    const { pixels, condition } = augmented(ramp, { height: 8, width: 6, channels: 3 }, 2, 11, { probability: 1 })
    expect(Array.from(condition, (value) => value.toFixed(4))).toEqual([
      '1.0000',
      '0.9760',
      '0.8134',
      '0.5868',
      '-0.0368',
    ])
    expect([...pixels.subarray(60, 72)]).toEqual([125, 125, 101, 147, 170, 95, 174, 211, 82, 124, 129, 150])
  })

  it('refuses probabilities and options that mean nothing', () => {
    expect(() => augmented(picture, shape, 0, 0, { probability: -1 })).toThrow('probability is -1')
    expect(() => withAugmentation(dataOfSeas({ seed: 1, size: 8 }), 0, { probability: NaN })).toThrow(
      'withAugmentation',
    )
    const misspelt = { probability: 1, probabilty: 1 }
    expect(() => augmented(picture, shape, 0, 0, misspelt)).toThrow("no option 'probabilty'")
  })
})

describe('a stream of changed pictures', () => {
  const plain = dataOfSeas({ seed: 3, size: side }, { labels: true })
  const data = withAugmentation(plain, 8, { probability: 0.5 })

  it('has the conditions that it had, and then what was done to each picture', () => {
    expect(data.conditions).toBe(19)
    expect(data.conditionNames?.slice(14)).toEqual(augmentationNames)
    range(12).forEach((i) => {
      const { pixels, condition } = augmented(plain.picture(i), plain, 8, i, { probability: 0.5 })
      expect(data.picture(i)).toEqual(pixels)
      expect(data.condition?.(i)).toEqual(Float32Array.of(...(plain.condition?.(i) ?? []), ...condition))
    })
    expect(conditionsAt(data, 5, 2)).toEqual(
      Float32Array.of(...(data.condition?.(5) ?? []), ...(data.condition?.(6) ?? [])),
    )
  })

  it('leaves what is held out as it is, with its labels and nothing done', () => {
    expect(data.heldOut(4)).toEqual(plain.heldOut(4))
    expect(data.heldOutCondition?.(4)).toEqual(Float32Array.of(...(plain.heldOutCondition?.(4) ?? []), 0, 0, 0, 0, 0))
  })
})
