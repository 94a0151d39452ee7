/**
 * Liveness, computed once for all passes behind the lowering: kernels in their order while passes move and join them, who writes and reads each
 * buffer, and how much memory lives at each place.
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

/** The last place at which a buffer is read; undefined where nothing reads it. */
export const lastRead = ({ readers }: Timeline, buffer: number): number | undefined => {
  let last: number | undefined
  for (const place of readers.get(buffer) ?? []) last = Math.max(last ?? 0, place)
  return last
}

/** The last place at which a buffer lives: where it is read last, or written where nothing reads it. */
export const deathOf = (timeline: Timeline, buffer: number): number =>
  Math.max(timeline.writer.get(buffer) ?? 0, lastRead(timeline, buffer) ?? 0)

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
  }
  kernels.forEach((kernel, place) => {
    enter(timeline, kernel, place)
  })
  for (const buffer of timeline.writer.keys()) recount(timeline, buffer, undefined)
  return timeline
}

/** The most bytes of temporaries that live at one place. */
export const peakOf = ({ live }: Timeline): number => live.reduce((a, b) => Math.max(a, b), 0)

/** The places at which a buffer lives, the last included. */
interface Life {
  readonly birth: number
  readonly death: number
}

/** From where a buffer is written to where it is read last; undefined where no kernel writes it. */
const lifeOf = (timeline: Timeline, buffer: number): Life | undefined => {
  const birth = timeline.writer.get(buffer)
  return birth === undefined ? undefined : { birth, death: deathOf(timeline, buffer) }
}

/** Counts a buffer at the places where it lives now and did not before, and no longer where it did: all others stay as they are, however long it lives. */
const recount = (timeline: Timeline, buffer: number, before: Life | undefined): void => {
  const bytes = bytesOf(timeline.buffers, buffer)
  const after = lifeOf(timeline, buffer)
  const life = after ?? before
  if (bytes === 0 || life === undefined) return
  const nowhere: Life = { birth: life.birth, death: life.birth - 1 }
  const [was, is] = [before ?? nowhere, after ?? nowhere]
  const { live } = timeline
  const shift = (from: number, to: number, change: number): void => {
    for (let place = from; place < to; place++) live[place] = (live[place] ?? 0) + change
  }
  shift(is.birth, was.birth, bytes)
  shift(was.birth, is.birth, -bytes)
  shift(was.death + 1, is.death + 1, bytes)
  shift(is.death + 1, was.death + 1, -bytes)
}

/** Whether buffers may live at further places without a new peak. */
const fits = ({ live, buffers }: Timeline, peak: number, extensions: readonly Extension[]): boolean => {
  const growing = extensions
    .map(({ buffer, from, to }) => ({ bytes: bytesOf(buffers, buffer), from, to }))
    .filter(({ bytes, from, to }) => bytes > 0 && from <= to)
  const first = Math.min(...growing.map((x) => x.from))
  const last = Math.max(...growing.map((x) => x.to))
  for (let place = first; place <= last; place++) {
    const more = growing.reduce((sum, { bytes, from, to }) => (place >= from && place <= to ? sum + bytes : sum), 0)
    if (more > 0 && (live[place] ?? 0) + more > peak) return false
  }
  return true
}

/** Bytes of the temporaries that live longer. */
export const bytesExtended = ({ buffers }: Timeline, extensions: readonly Extension[]): number =>
  extensions.reduce((sum, { buffer, from, to }) => sum + (from <= to ? bytesOf(buffers, buffer) : 0), 0)

/** Extensions of the temporaries that a kernel reads, if it runs later; nothing else takes more memory for living longer. */
export const heldUntil = (timeline: Timeline, kernel: Kernel, place: number): readonly Extension[] =>
  [...new Set(operandsOf(kernel).map((o) => o.buffer))]
    .filter((buffer) => bytesOf(timeline.buffers, buffer) > 0)
    .map((buffer) => ({ buffer, from: deathOf(timeline, buffer) + 1, to: place }))

/** Two kernels that become one. */
export interface Joining {
  /** It does the work of both. */
  readonly kernel: Kernel
  readonly places: readonly [first: number, second: number]
  /** The one of the two places that it takes. */
  readonly place: number
  /** What then lives longer. */
  readonly extensions: readonly Extension[]
}

/** Where a joined kernel may run, with what then lives longer: where the second did, or else where the first did. */
export const placesFor = (
  timeline: Timeline,
  [first, i]: readonly [Kernel, number],
  [second, j]: readonly [Kernel, number],
): readonly (readonly [place: number, extensions: readonly Extension[]])[] => {
  const waits = resultsOf(first).every(({ buffer }) => [...(timeline.readers.get(buffer) ?? [])].every((r) => r >= j))
  const isReady = operandsOf(second).every(({ buffer }) => (timeline.writer.get(buffer) ?? -1) <= i)
  return [
    ...(waits ? [[j, heldUntil(timeline, first, j)] as const] : []),
    ...(isReady ? [[i, resultsOf(second).map(({ buffer }) => ({ buffer, from: i, to: j - 1 }))] as const] : []),
  ]
}

/** Puts a kernel in the place of two, if no more memory than `peak` is live anywhere because of it. */
export const join = (timeline: Timeline, peak: number, { kernel, places, place, extensions }: Joining): boolean => {
  if (extensions.length > 0 && !fits(timeline, peak, extensions)) return false
  const gone = places.flatMap((old) => timeline.kernels[old] ?? [])
  const touched = new Set(gone.flatMap((k) => [...resultsOf(k), ...operandsOf(k)].map(({ buffer }) => buffer)))
  const before = new Map([...touched].map((buffer) => [buffer, lifeOf(timeline, buffer)]))
  for (const old of places) {
    for (const buffer of touched) timeline.readers.get(buffer)?.delete(old)
    timeline.kernels[old] = undefined
  }
  for (const k of gone) for (const { buffer } of resultsOf(k)) timeline.writer.delete(buffer)
  timeline.kernels[place] = kernel
  enter(timeline, kernel, place)
  for (const buffer of touched) recount(timeline, buffer, before.get(buffer))
  return true
}

/**
 * Goes over all kernels in their order, and joins each with others until it stays as it is.
 *
 * @param one joins the kernel at a place with another; where the two now are, or undefined where it stays alone
 */
export const joinAll = ({ kernels }: Timeline, one: (place: number) => number | undefined): void => {
  for (const start of kernels.keys()) {
    let place: number | undefined = start
    while (place !== undefined) place = one(place)
  }
}

/** A kernel that goes to another place. */
export interface Moving {
  readonly kernel: Kernel
  readonly from: number
  readonly to: number
  /** The other kernels at the place where it was. */
  readonly staying: readonly Kernel[]
  /** What then lives longer. */
  readonly extensions: readonly Extension[]
}

/** Counts what a kernel reads and writes at another place, if no more memory than `peak` is live anywhere because of it; who runs there is the caller's. */
export const move = (timeline: Timeline, peak: number, { kernel, from, to, staying, extensions }: Moving): boolean => {
  if (extensions.length > 0 && !fits(timeline, peak, extensions)) return false
  const touched = [...new Set([...resultsOf(kernel), ...operandsOf(kernel)].map(({ buffer }) => buffer))]
  const before = touched.map((buffer) => lifeOf(timeline, buffer))
  for (const buffer of touched) timeline.readers.get(buffer)?.delete(from)
  for (const other of staying) enter(timeline, other, from)
  enter(timeline, kernel, to)
  touched.forEach((buffer, i) => {
    recount(timeline, buffer, before[i])
  })
  return true
}

/** The kernels in order, without the places that have become empty. */
export const inOrder = ({ kernels }: Timeline): readonly Kernel[] => kernels.filter((k) => k !== undefined)
