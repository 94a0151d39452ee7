/**
 * Reductions as boxes: axes along which results lie, and axes that are reduced. Long reductions to few results are cut into parts, each of which a
 * backend may give to another thread, before it joins them in their order.
 */
import { at, range } from '../prelude/array.ts'
import { joined, reordered, type Domain } from './domain.ts'

/**
 * A box whose axes are sorted: those of the results, the last of which the output walks element by element, then the reduced ones. The output is
 * its first track.
 */
export interface ReductionBox {
  readonly domain: Domain
  /** How many axes are the results'; at least one, and at least one is reduced. */
  readonly kept: number
}

const oneMore = ({ lengths, tracks }: Domain, place: number, outputStride: number): Domain => ({
  lengths: lengths.toSpliced(place, 0, 1),
  tracks: tracks.map((t, k) => ({ ...t, strides: t.strides.toSpliced(place, 0, k === 0 ? outputStride : 0) })),
})

/** The box with its axes sorted, and joined where all tracks go on from one to the other; those that reach farthest in memory are outermost. */
export const reductionBox = (domain: Domain): ReductionBox => {
  const { lengths, tracks } = domain
  const output = at(tracks, 0).strides
  const all = range(lengths.length)
  const reach = (a: number): number => tracks.reduce((sum, { strides }) => sum + Math.abs(at(strides, a)), 0)
  const results = all.filter((a) => output[a] !== 0).toSorted((a, b) => at(output, b) - at(output, a))
  const reduced = all.filter((a) => output[a] === 0).toSorted((a, b) => reach(b) - reach(a))
  const whole = joined(reordered(domain, [...results, ...reduced]))
  const kept = at(whole.tracks, 0).strides.filter((s) => s !== 0).length
  const withResult = kept === 0 ? oneMore(whole, 0, 1) : whole
  const first = Math.max(1, kept)
  return { domain: first === withResult.lengths.length ? oneMore(withResult, first, 0) : withResult, kept: first }
}

/** When a backend cuts reductions. */
export interface CutPolicy {
  /** Elements that a part has at least. */
  readonly partSize: number
  /** Units of work that occupy all threads. */
  readonly enoughUnits: number
  /** Parts are multiples of this along the axis that is cut. */
  readonly multiple: number
}

/** How a reduced axis is cut. */
export interface Cut {
  readonly axis: number
  readonly parts: number
  /** Elements of a part along the axis; the last may have fewer. */
  readonly length: number
}

/** The longest reduced axis of a box; the last one where that is as long as any. */
const longestReduced = ({ domain: { lengths }, kept }: ReductionBox): number =>
  range(lengths.length)
    .slice(kept)
    .reduce((best, a) => (at(lengths, a) > at(lengths, best) ? a : best), lengths.length - 1)

/**
 * How a reduction is cut: it follows from sizes alone, so the order of every sum is fixed with the plan.
 *
 * @param units units of work that there are without a cut
 * @param size elements that are reduced, all together
 */
export const cutOf = (box: ReductionBox, units: number, size: number, policy: CutPolicy): Cut => {
  const { enoughUnits, partSize, multiple } = policy
  const axis = longestReduced(box)
  const length = at(box.domain.lengths, axis)
  const parts = Math.min(Math.ceil(enoughUnits / units), Math.floor(size / partSize), length)
  if (units >= enoughUnits || parts < 2) return { axis, parts: 1, length }
  const each = Math.ceil(Math.ceil(length / parts) / multiple) * multiple
  return { axis, parts: Math.ceil(length / each), length: each }
}
