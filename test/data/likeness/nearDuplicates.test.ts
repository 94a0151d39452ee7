import { describe, expect, it } from 'vitest'
import { nearDuplicates, seas } from '../../../src/data/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { bestPlacing, pixelsAgree, type Match } from '../../../src/data/likeness/overlap.ts'
import { keypointsOf } from '../../../src/data/likeness/keypoints.ts'
import { resampleArea } from '../../../src/data/resample.ts'
import { blurred, lit, mirror, noisy, shifted } from './tampered.ts'

const side = 64
const shape = { height: side, width: side, channels: 3 }
const sea = seas({ seed: 2, size: side })
const large = seas({ seed: 2, size: 160 })
const originals = range(30).map((i) => sea.image(100 + i))

/** A square of sea `i`, of `part` of its side, at the size of the others. */
const cut = (i: number, top: number, left: number, part: number): Uint8Array => {
  const within = { top: 160 * top, left: 160 * left, height: 160 * part, width: 160 * part }
  const pixels = resampleArea(large.image(i), { height: 160, width: 160, channels: 3 }, side, side, within)
  return Uint8Array.from(pixels, Math.round)
}

const setOf = (pictures: readonly Uint8Array[]) => ({
  ...shape,
  count: pictures.length,
  pixels: (i: number) => pictures[i] ?? new Uint8Array(),
})

/** Seas with much in them, whose cuts can be told. */
const rich = range(60).filter((i) => large.factors(i).objects.length >= 3)

describe('near-duplicates', () => {
  const copies = range(5).flatMap((i) => {
    const pixels = originals[i] ?? new Uint8Array()
    return [
      noisy(i)(pixels, side),
      mirror(pixels, side),
      shifted(2, -1)(lit(0.9, 5)(pixels, side), side),
      blurred(pixels, side),
    ]
  })

  it('of a picture are in its group, whatever was done to it, and no other is', () => {
    const { groups, pictures, shared, cuts, summary } = nearDuplicates(setOf([...originals, ...copies]))
    const expected = [...range(30), ...range(5).flatMap((i) => [i, i, i, i])]
    expect(groups).toEqual(expected)
    expect({ pictures, shared, cuts }).toEqual({ pictures: 25, shared: 5, cuts: true })
    expect(summary).toBe('25 pictures are near-duplicates of others, in 5 groups')
  })

  it('are searched for with word of how far it is', () => {
    const shares: number[] = []
    nearDuplicates(setOf(originals.slice(0, 4)), { onProgress: (share) => shares.push(share) })
    expect(shares).toEqual(range(8).map((i) => (i + 1) / 8))
    nearDuplicates(setOf(originals.slice(0, 4)), { cutsUpTo: 0, onProgress: (share) => shares.push(share) })
    expect(shares.slice(8)).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('are none in a set of different pictures, of which there is nothing to say', () => {
    const { groups, summary } = nearDuplicates(setOf(originals))
    expect(groups).toEqual(range(30))
    expect(summary).toBe('')
  })

  it('are grouped the same in any order of the set: being of one group is an equivalence', () => {
    const all = [...originals.slice(0, 12), ...copies]
    const { groups } = nearDuplicates(setOf(all))
    const turned = nearDuplicates(setOf(all.toReversed())).groups.toReversed()
    for (const i of range(all.length))
      for (const j of range(i)) expect(turned[i] === turned[j], `${i}, ${j}`).toBe(groups[i] === groups[j])
    for (const [i, group] of groups.entries()) {
      expect(group).toBeLessThanOrEqual(i)
      expect(groups[group]).toBe(group)
    }
  })

  it('are overlapping cuts of one picture too, at different scales', () => {
    expect(rich.length).toBeGreaterThan(7)
    const cuts = rich.slice(0, 8).flatMap((i) => [cut(i, 0.1, 0.05, 0.8), cut(i, 0.2, 0.25, 0.72)])
    const { groups } = nearDuplicates(setOf(cuts))
    const together = range(8).filter((i) => groups[2 * i] === groups[2 * i + 1])
    expect(together.length).toBeGreaterThanOrEqual(7)
    const apart = range(16).filter((i) => Math.floor((groups[i] ?? 0) / 2) !== Math.floor(i / 2))
    expect(apart).toEqual([])
  })

  it('are one group where two that have nothing in common both overlap a third', () => {
    const chains = rich
      .slice(0, 6)
      .flatMap((i) => [cut(i, 0.2, 0, 0.52), cut(i, 0.2, 0.48, 0.52), cut(i, 0.2, 0.2, 0.6)])
    const { groups } = nearDuplicates(setOf(chains))
    const whole = range(6).filter((k) => [1, 2].every((j) => groups[3 * k + j] === groups[3 * k]))
    expect(whole.length).toBeGreaterThanOrEqual(4)
    const ends = nearDuplicates(setOf(chains.filter((_, i) => i % 3 < 2))).groups
    expect(ends).toEqual(range(12))
  })

  it('are looked for in an empty set and in one of grey pictures', () => {
    expect(nearDuplicates(setOf([])).groups).toEqual([])
    const grey = range(4).map(() => new Uint8Array(side * side).fill(80))
    const flat = {
      height: side,
      width: side,
      channels: 1,
      count: 4,
      pixels: (i: number) => grey[i] ?? new Uint8Array(),
    }
    expect(nearDuplicates(flat).groups).toEqual([0, 0, 0, 0])
  })

  it('among more pictures than cuts are looked for are whole copies alone, and the summary says so', () => {
    const [first = 0] = rich
    const cuts = setOf([
      cut(first, 0.1, 0.05, 0.8),
      cut(first, 0.2, 0.25, 0.72),
      ...originals.slice(0, 2),
      ...copies.slice(0, 1),
    ])
    expect(nearDuplicates(cuts).groups).toEqual([0, 0, 2, 3, 2])
    const { groups, summary } = nearDuplicates(cuts, { cutsUpTo: 4 })
    expect(groups).toEqual([0, 1, 2, 3, 2])
    expect(summary).toBe(
      '2 pictures are near-duplicates of others, in 1 group; copies of whole pictures were looked for alone: overlapping cuts are, among up to 4 pictures',
    )
  })
})

describe('where a cut lies in another', () => {
  const grey = (pixels: Uint8Array) => ({
    height: side,
    width: side,
    values: Float32Array.from({ length: side * side }, (_, i) => pixels[3 * i + 1] ?? 0),
  })
  const [i = 0] = rich
  const [a, b] = [grey(cut(i, 0.1, 0.05, 0.8)), grey(cut(i, 0.2, 0.25, 0.64))]
  const [inA, inB] = [keypointsOf(a), keypointsOf(b)]
  const alike = (x: Float32Array, y: Float32Array): boolean => x.reduce((sum, v, j) => sum + v * (y[j] ?? 0), 0) > 0.92
  const matches = inA.flatMap((p) => inB.filter((q) => alike(p.descriptor, q.descriptor)).map((q): Match => [p, q]))

  it('is found from keypoints: its scale to 5 %, its place to two pixels', () => {
    const placing = bestPlacing(matches, side)
    expect(placing?.scale).toBeGreaterThan(1.25 * 0.95)
    expect(placing?.scale).toBeLessThan(1.25 * 1.05)
    // A place of a lies at (a · 0.8/64 + 0.1 − 0.2) · 64/0.64 of b.
    expect(Math.abs((placing?.down ?? NaN) + 10)).toBeLessThan(2)
    expect(Math.abs((placing?.right ?? NaN) + 20)).toBeLessThan(2)
  })

  it('is where the pixels agree, and they do not elsewhere', () => {
    expect(pixelsAgree(a, b, { scale: 1.25, down: -10, right: -20 })).toBe(true)
    expect(pixelsAgree(a, b, { scale: 1.25, down: 0, right: 5 })).toBe(false)
    expect(pixelsAgree(a, b, { scale: 1.25, down: -200, right: 0 })).toBe(false)
  })

  it('is not found from fewer than four matches', () => {
    expect(bestPlacing(matches.slice(0, 3), side)).toBeUndefined()
  })
})
