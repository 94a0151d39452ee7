/**
 * Kernels in their order while passes move and join them: who writes and reads each buffer, and how much memory lives at each place.
 *
 * Every kernel keeps the place in the order that it had at first, or takes that of a kernel it is joined with; so what holds of the places of
 * all others goes on to hold.
 */
import { at } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import type { Buffer } from './buffer.ts'
import { operandsOf, resultsOf, type Kernel } from './kernel.ts'

/** The planner's licensed mutation: kernels by place, with what must be known to move them. */
export interface Timeline {
  readonly buffers: readonly Buffer[]
  /** undefined where a kernel has been joined with another. */
  readonly kernels: (Kernel | undefined)[]
  /** Buffer → the place of the kernel that writes it. */
  readonly writer: Map<number, number>
  /** Buffer → the places of the kernels that read it. */
  readonly readers: Map<number, Set<number>>
  /** Bytes of temporaries that live at each place. */
  readonly live: number[]
  readonly peak: number
}

/** Places in the order, the last included. */
export interface Extension {
  readonly buffer: number
  readonly from: number
  readonly to: number
}

const bytesOf = (buffers: readonly Buffer[], buffer: number): number => {
  const { dtype, length, placement } = at(buffers, buffer)
  return placement.kind === 'temporary' ? length * bytesPerElement[dtype] : 0
}

/** The last place at which a buffer is read; that at which it is written where nothing reads it. */
const lastReader = ({ readers, writer }: Timeline, buffer: number): number => {
  let last = writer.get(buffer) ?? 0
  for (const place of readers.get(buffer) ?? []) last = Math.max(last, place)
  return last
}

/** Records that the kernel at `place` reads and writes what it does. */
const enter = ({ writer, readers }: Timeline, kernel: Kernel, place: number): void => {
  for (const { buffer } of resultsOf(kernel)) writer.set(buffer, place)
  for (const { buffer } of operandsOf(kernel)) {
    const places = readers.get(buffer) ?? new Set()
    readers.set(buffer, places)
    places.add(place)
  }
}

/** The timeline of kernels in order. */
export const timelineOf = (kernels: readonly Kernel[], buffers: readonly Buffer[]): Timeline => {
  const timeline: Timeline = {
    buffers,
    kernels: [...kernels],
    writer: new Map(),
    readers: new Map(),
    live: kernels.map(() => 0),
    peak: 0,
  }
  kernels.forEach((kernel, place) => {
    enter(timeline, kernel, place)
  })
  for (const [buffer, birth] of timeline.writer)
    extend(timeline, { buffer, from: birth, to: lastReader(timeline, buffer) })
  return { ...timeline, peak: timeline.live.reduce((a, b) => Math.max(a, b), 0) }
}

/** A buffer lives at further places. */
const extend = ({ live, buffers }: Timeline, { buffer, from, to }: Extension): void => {
  const bytes = bytesOf(buffers, buffer)
  if (bytes > 0) for (let place = from; place <= to; place++) live[place] = (live[place] ?? 0) + bytes
}

/** Whether buffers may live at further places without a new peak. */
const fits = ({ live, peak, buffers }: Timeline, extensions: readonly Extension[]): boolean => {
  const first = Math.min(...extensions.map((x) => x.from))
  const last = Math.max(...extensions.map((x) => x.to))
  for (let place = first; place <= last; place++) {
    const more = extensions.reduce(
      (sum, { buffer, from, to }) => (place >= from && place <= to ? sum + bytesOf(buffers, buffer) : sum),
      0,
    )
    if (more > 0 && (live[place] ?? 0) + more > peak) return false
  }
  return true
}

/** Extensions of what a kernel reads, if it runs later. */
export const heldUntil = (timeline: Timeline, kernel: Kernel, place: number): readonly Extension[] =>
  [...new Set(operandsOf(kernel).map((o) => o.buffer))].map((buffer) => ({
    buffer,
    from: lastReader(timeline, buffer) + 1,
    to: place,
  }))

/** Puts a kernel that does the work of two in the place of one of them, if no new peak of memory comes of it. */
export const join = (
  timeline: Timeline,
  kernel: Kernel,
  [first, second]: readonly [number, number],
  place: number,
  extensions: readonly Extension[],
): boolean => {
  if (extensions.length > 0 && !fits(timeline, extensions)) return false
  for (const extension of extensions) extend(timeline, extension)
  for (const old of [first, second]) {
    const gone = timeline.kernels[old]
    if (gone !== undefined) for (const { buffer } of operandsOf(gone)) timeline.readers.get(buffer)?.delete(old)
    timeline.kernels[old] = undefined
  }
  timeline.kernels[place] = kernel
  enter(timeline, kernel, place)
  return true
}

/** The kernels in order, without the places that have become empty. */
export const inOrder = ({ kernels }: Timeline): readonly Kernel[] => kernels.filter((k) => k !== undefined)
