/** Copies are found in their disguises, and pictures of their own are not called copies. */
import { beforeAll, describe, expect, it } from 'vitest'
import { disguises } from './faults.ts'
import { copiesAmong, findingOf, originalsOf, type CopyFinding, type Originals } from '../../src/evaluation/copies.ts'
import { usualCopies } from '../../src/evaluation/memory.ts'
import type { Pictures } from '../../src/evaluation/pictures.ts'
import { at, range } from '../../src/prelude/array.ts'
import { hostKey } from '../../src/prelude/threefry.ts'
import { greys, seaPictures } from './pictures.ts'

const some = 40
const copiesIn = (found: readonly CopyFinding[]): number => found.filter(({ copy }) => copy).length
const noised = (set: Pictures, seed: number): Pictures => disguises['noise']?.(set, hostKey(seed)) ?? set

/** How many of forty copies must be found, by their disguise; at 16×16 a pixel's blur takes more than half of what is compared. */
const least: Readonly<Record<32 | 16, Readonly<Record<string, number>>>> = {
  32: {
    ...Object.fromEntries(Object.keys(disguises).map((name) => [name, 38])),
    reconstructed: 34,
    'all together': 28,
  },
  16: { plain: 38, shift: 38, flip: 38, lighter: 38, noise: 30 },
}

describe.each([32, 16] as const)('copies at %i pixels', (size) => {
  const training = seaPictures(0, 200, size)
  const planted = { ...training, pictures: training.pictures.slice(0, some) }
  let originals: Originals
  beforeAll(() => {
    originals = originalsOf(training)
  })

  it.each(Object.entries(least[size]))('of a training picture are found: %s', (name, count) => {
    const found = copiesAmong(originals, disguises[name]?.(planted, hostKey(1)) ?? planted)
    expect(found.filter(({ copy, place }, i) => copy && place === i).length).toBeGreaterThanOrEqual(count)
  })

  it('are not seen in pictures that training has not: in one of a hundred at most', () => {
    expect(copiesIn(copiesAmong(originals, seaPictures(1000, 100, size)))).toBeLessThanOrEqual(1)
  })
})

describe('where training holds seven pictures of each view, and says so by groups', () => {
  const views = seaPictures(0, some, 32)
  const pictures = range(7).flatMap((seed) => noised(views, 10 + seed).pictures)
  const crowd: Pictures = { ...views, pictures, groups: range(7 * some).map((i) => i % some) }
  const others = seaPictures(1000, 50, 32)

  it('copies are found as well', () => {
    const found = copiesAmong(originalsOf(crowd), noised(views, 99))
    expect(found.filter(({ copy, place }, i) => copy && place % some === i).length).toBeGreaterThanOrEqual(38)
  })

  it('without the groups none is: the second nearest is as near as the first', () => {
    const { groups: _, ...alone } = crowd
    expect(copiesIn(copiesAmong(originalsOf(alone), noised(views, 99)))).toBe(0)
  })

  it('no picture of training is called a copy of another of its group', () => {
    const usual = usualCopies(
      { training: crowd, heldOut: others },
      originalsOf(crowd),
      range(some).map((i) => some + i),
    )
    expect(usual).toEqual({ found: 0, all: some + 50 })
    expect(findingOf(originalsOf(crowd), at(pictures, 3), 3).place % some).not.toBe(3)
  })

  it('among two groups pictures of training are not compared: without its own each has only one to be near to', () => {
    const two = { ...crowd, pictures: pictures.slice(0, 4), groups: [0, 0, 1, 1] }
    expect(usualCopies({ training: two, heldOut: others }, originalsOf(two), range(4))).toMatchObject({ all: 50 })
  })
})

describe('a search for copies', () => {
  it('says nothing of pictures that are all alike', () => {
    expect(copiesAmong(originalsOf(greys([9, 9, 9, 9])), greys([9]))).toMatchObject([{ ratio: 1, copy: false }])
  })

  it('is not made among pictures of one group', () => {
    expect(() => copiesAmong(originalsOf({ ...greys([1, 2]), groups: [0, 0] }), greys([1]))).toThrow(
      'the set holds fewer than two groups of pictures: there must be another to compare the nearest with',
    )
  })
})
