/**
 * The arena: one piece of memory for all temporary buffers of a plan; and the block of its literals. Each lives from the kernel that writes it to the last that reads it. The
 * largest chooses first, and each takes the lowest offset that is free for as long as it lives (Pisarchyk & Lee 2020, "greedy by size").
 */
import { at } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import type { Buffer } from './buffer.ts'
import type { Plan } from './plan.ts'
import { deathOf, type Timeline } from './timeline.ts'

/**
 * Buffers begin at multiples of this, in an arena and in a backend's memory: what WebGPU asks of a storage buffer's binding, and more than vectors
 * and cache lines ask.
 */
export const alignment = 256

/** Bytes that a buffer takes, rounded up to the alignment. */
export const alignedBytes = (buffer: Pick<Buffer, 'dtype' | 'length'>): number =>
  Math.ceil((buffer.length * bytesPerElement[buffer.dtype]) / alignment) * alignment

/** A temporary with the time for which it lives, from the kernel that writes it to the last that reads it. */
interface Lifetime {
  readonly buffer: number
  readonly bytes: number
  readonly birth: number
  readonly death: number
}

/** In the order in which they are written. */
const lifetimesOf = (timeline: Timeline, reuse: boolean): readonly Lifetime[] =>
  [...timeline.writer]
    .flatMap(([buffer, birth]) => {
      const made = at(timeline.buffers, buffer)
      const death = reuse ? deathOf(timeline, buffer) : timeline.kernels.length
      return made.placement.kind === 'temporary' ? [{ buffer, bytes: alignedBytes(made), birth, death }] : []
    })
    .toSorted((a, b) => a.birth - b.birth)

/** A temporary in its place. */
interface Block extends Lifetime {
  readonly start: number
}

/** The lowest offset at which a temporary fits between those placed, which are sorted by offset and may overlap where they never meet. */
const firstFit = (placed: readonly Block[], { bytes, birth, death }: Lifetime): number => {
  let start = 0
  for (const block of placed) {
    if (block.birth > death || block.death < birth) continue
    if (block.start - start >= bytes) return start
    start = Math.max(start, block.start + block.bytes)
  }
  return start
}

/** Where a block belongs in the order of offsets, by bisection. */
const positionOf = (placed: readonly Block[], start: number): number => {
  let [low, high] = [0, placed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(placed, middle).start < start) low = middle + 1
    else high = middle
  }
  return low
}

/** Gives every temporary its place in the arena; without `reuse`, one that no other has. */
export const place = (
  timeline: Timeline,
  reuse: boolean,
): { readonly buffers: readonly Buffer[]; readonly arenaBytes: number } => {
  const { buffers } = timeline
  const placed: Block[] = []
  // What no kernel writes any more, because its values stay in registers, takes no memory.
  const result = buffers.map((b) => (b.placement.kind === 'temporary' ? { ...b, length: 0 } : b))
  for (const lifetime of lifetimesOf(timeline, reuse).toSorted((a, b) => b.bytes - a.bytes)) {
    const start = firstFit(placed, lifetime)
    placed.splice(positionOf(placed, start), 0, { ...lifetime, start })
    result[lifetime.buffer] = { ...at(buffers, lifetime.buffer), placement: { kind: 'temporary', offset: start } }
  }
  return { buffers: result, arenaBytes: placed.reduce((end, block) => Math.max(end, block.start + block.bytes), 0) }
}

/** Gives every literal its place in one block, one behind the other. */
export const placeLiterals = (
  buffers: readonly Buffer[],
): { readonly buffers: readonly Buffer[]; readonly literalBytes: number } => {
  let end = 0
  const placed = buffers.map((buffer) => {
    if (buffer.placement.kind !== 'literal') return buffer
    const offset = end
    end += alignedBytes(buffer)
    return { ...buffer, placement: { ...buffer.placement, offset } }
  })
  return { buffers: placed, literalBytes: end }
}

/** The bytes of the block of literals, as they are uploaded once. */
export const literalBlock = ({ buffers, literalBytes }: Pick<Plan, 'buffers' | 'literalBytes'>): Uint8Array => {
  const block = new Uint8Array(literalBytes)
  for (const { placement } of buffers)
    if (placement.kind === 'literal') {
      const { buffer, byteOffset, byteLength } = placement.values
      block.set(new Uint8Array(buffer, byteOffset, byteLength), placement.offset)
    }
  return block
}
