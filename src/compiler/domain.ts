/**
 * The elements of a kernel as a box of axes, with the way that the output and each leaf take through it. Kernels whose elements do not depend
 * on each other may walk the box in any order, and in parts.
 */
import { at, permute } from '../prelude/array.ts'
import { nestOf } from './nest.ts'
import type { View } from './view.ts'

/** The way of one operand: where it begins and how far it goes along each axis, in elements. */
export interface Track {
  readonly offset: number
  readonly strides: readonly number[]
}

/** A box of elements. There is at least one axis. */
export interface Domain {
  readonly lengths: readonly number[]
  readonly tracks: readonly Track[]
}

/** The box of `size` elements over which the views walk together; undefined where their axes cross. */
export const domainOf = (size: number, views: readonly View[]): Domain | undefined => {
  const nest = nestOf(size, views)
  if (nest === undefined) return undefined
  if (nest.lengths.length === 0) return { lengths: [1], tracks: views.map(() => ({ offset: 0, strides: [0] })) }
  return { lengths: nest.lengths, tracks: nest.strides.map((strides) => ({ offset: 0, strides })) }
}

/** The box with its axes in another order. */
export const reordered = ({ lengths, tracks }: Domain, order: readonly number[]): Domain => ({
  lengths: permute(lengths, order),
  tracks: tracks.map(({ offset, strides }) => ({ offset, strides: permute(strides, order) })),
})

/** The elements `from … from + count` of an axis. */
export const part = ({ lengths, tracks }: Domain, axis: number, from: number, count: number): Domain => ({
  lengths: lengths.with(axis, count),
  tracks: tracks.map(({ offset, strides }) => ({ offset: offset + from * at(strides, axis), strides })),
})

/** An axis as two, of which the inner has `length` elements; `length` divides the axis. */
export const split = ({ lengths, tracks }: Domain, axis: number, length: number): Domain => ({
  lengths: lengths.toSpliced(axis, 1, at(lengths, axis) / length, length),
  tracks: tracks.map(({ offset, strides }) => ({
    offset,
    strides: strides.toSpliced(axis, 1, at(strides, axis) * length, at(strides, axis)),
  })),
})

/** Neighbouring axes as one where every track goes on from one to the other. */
export const joined = (domain: Domain): Domain => {
  const { lengths, tracks } = domain
  const axis = lengths.findIndex(
    (_, a) =>
      a + 1 < lengths.length &&
      tracks.every(({ strides }) => at(strides, a) === at(strides, a + 1) * at(lengths, a + 1)),
  )
  if (axis < 0) return domain
  return joined({
    lengths: lengths.toSpliced(axis, 2, at(lengths, axis) * at(lengths, axis + 1)),
    tracks: tracks.map(({ offset, strides }) => ({ offset, strides: strides.toSpliced(axis, 1) })),
  })
}

/** A box in equal runs of its linear index: the axes on which the runs lie, and what is in one of them. Both have at least one axis. */
export interface Peeled {
  readonly runs: Domain
  readonly run: Domain
}

const axesOf = ({ lengths, tracks }: Domain, from: number, to: number): Domain => {
  if (from === to) return { lengths: [1], tracks: tracks.map(() => ({ offset: 0, strides: [0] })) }
  return {
    lengths: lengths.slice(from, to),
    tracks: tracks.map(({ strides }) => ({ offset: 0, strides: strides.slice(from, to) })),
  }
}

/** A box whose axes are in the order of its linear index, as `count` equal runs; undefined where a run would end within an axis. */
export const peeled = (domain: Domain, count: number): Peeled | undefined => {
  const { lengths } = domain
  let axis = 0
  let left = count
  for (; axis < lengths.length && left % at(lengths, axis) === 0 && left > 1; axis++) left /= at(lengths, axis)
  if (left > 1 && (axis === lengths.length || at(lengths, axis) % left !== 0)) return undefined
  const cut = left > 1 ? split(domain, axis, at(lengths, axis) / left) : domain
  const outer = left > 1 ? axis + 1 : axis
  return { runs: axesOf(cut, 0, outer), run: axesOf(cut, outer, cut.lengths.length) }
}
