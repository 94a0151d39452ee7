/** Copies are found in their disguises, and pictures of their own are not called copies. */
import { beforeAll, describe, expect, it } from 'vitest'
import { disguises } from './faults.ts'
import { copiesAmong, nearestOriginal, originalsOf, type Originals } from '../../src/evaluation/copies.ts'
import { at } from '../../src/prelude/array.ts'
import { hostKey } from '../../src/prelude/threefry.ts'
import { greys, seaPictures } from './pictures.ts'

const training = seaPictures(0, 300, 32)
const planted = { ...training, pictures: training.pictures.slice(0, 40) }

describe('copies', () => {
  let originals: Originals

  beforeAll(() => {
    originals = originalsOf(training)
  })

  it.each(Object.keys(disguises))('of a training picture are found: %s', (name) => {
    const disguised = disguises[name]?.(planted, hostKey(1)) ?? planted
    const found = copiesAmong(originals, disguised)
    expect(found.filter(({ copy }) => copy).length).toBeGreaterThanOrEqual(38)
    expect(found.filter(({ place }, i) => place === i).length).toBeGreaterThanOrEqual(38)
  })

  it('are not seen in pictures that training has not', () => {
    const found = copiesAmong(originals, seaPictures(1000, 100, 32))
    expect(found.filter(({ copy }) => copy).length).toBeLessThanOrEqual(2)
  })

  it('are found as well where training holds seven pictures of each view', () => {
    // Seven nearly equal pictures of each of forty seas: the second nearest is as near as the first.
    const views = Array.from(
      { length: 7 },
      (_, s) => disguises['noise']?.(planted, hostKey(10 + s)).pictures ?? [],
    ).flat()
    const crowded = originalsOf({ ...training, pictures: views })
    const found = copiesAmong(crowded, disguises['noise']?.(planted, hostKey(99)) ?? planted)
    expect(found.filter(({ copy }) => copy).length).toBeGreaterThanOrEqual(38)
  })

  it('in much other light is nearest to its original all the same: brightness is no likeness', () => {
    const brighter = { ...planted, pictures: planted.pictures.map((pixels) => pixels.map((byte) => 60 + 0.6 * byte)) }
    const found = copiesAmong(originals, brighter)
    expect(found.filter(({ place, copy }, i) => copy && place === i).length).toBeGreaterThanOrEqual(38)
  })

  it('a picture of training is not a copy of itself, where it is left out', () => {
    const { place, ratio } = nearestOriginal(originals, at(training.pictures, 5), 5)
    expect(place).not.toBe(5)
    expect(ratio).toBeGreaterThan(0)
  })

  it('of pictures that are all alike nothing is said', () => {
    const [found] = copiesAmong(originalsOf(greys([9, 9, 9, 9])), greys([9]))
    expect(found).toMatchObject({ ratio: 1, copy: false })
  })

  it('are not sought among two pictures', () => {
    expect(() => copiesAmong(originalsOf(greys([1, 2])), greys([1]))).toThrow(
      'copies are sought among at least three pictures, got 2',
    )
  })
})
