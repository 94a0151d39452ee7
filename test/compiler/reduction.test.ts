/** The boxes of reductions, and how they are cut. */
import { describe, expect, it } from 'vitest'
import { cutOf, reductionBox, type CutPolicy } from '../../src/compiler/reduction.ts'

const box = (lengths: readonly number[], ...tracks: readonly (readonly number[])[]): ReturnType<typeof reductionBox> =>
  reductionBox({ lengths, tracks: tracks.map((strides) => ({ offset: 0, strides })) })

describe('the box of a reduction', () => {
  it('has the axes of the results first, then the reduced ones, farthest steps outermost', () => {
    const { domain, kept } = box([4, 5, 6], [0, 1, 0], [1, 4, 20])
    expect(kept).toBe(1)
    expect(domain.lengths).toEqual([5, 6, 4])
    expect(domain.tracks.map((t) => t.strides)).toEqual([
      [1, 0, 0],
      [4, 20, 1],
    ])
  })

  it('joins axes over which everything goes on', () => {
    const { domain, kept } = box([2, 3, 4, 5], [3, 1, 0, 0], [60, 20, 5, 1])
    expect([kept, domain.lengths]).toEqual([1, [6, 20]])
  })

  it('has an axis of one result where all is reduced, and a reduced axis of one element where nothing is', () => {
    const all = box([7], [0], [1])
    expect([all.kept, all.domain.lengths, all.domain.tracks[0]?.strides]).toEqual([1, [1, 7], [1, 0]])
    const none = box([7], [1], [1])
    expect([none.kept, none.domain.lengths, none.domain.tracks[1]?.strides]).toEqual([1, [7, 1], [1, 0]])
  })
})

describe('the cut of a reduction', () => {
  const policy: CutPolicy = { partSize: 100, enoughUnits: 8, multiple: 16 }
  const long = box([3, 1000], [1, 0], [1000, 1])

  it('is along the longest reduced axis, in parts that are multiples of what the backend wants', () => {
    expect(cutOf(long, 1, 3000, policy)).toEqual({ axis: 1, parts: 8, length: 128 })
    expect(cutOf(box([3, 40, 50], [1, 0, 0], [1, 3, 3000]), 4, 6000, policy)).toEqual({ axis: 1, parts: 2, length: 32 })
  })

  it('is none where units are enough without it, or parts would be too small', () => {
    expect(cutOf(long, 8, 3000, policy)).toEqual({ axis: 1, parts: 1, length: 1000 })
    expect(cutOf(long, 1, 199, policy)).toEqual({ axis: 1, parts: 1, length: 1000 })
  })
})
