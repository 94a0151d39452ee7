/** The linear memory that everything lives in, and who has which part of it. */
import { alignment } from '../../compiler/arena.ts'
import { OutOfMemory } from '../../prelude/errors.ts'
import type { Memory } from '../backend.ts'

/** A range of linear memory. */
export interface WasmMemory extends Memory {
  readonly address: number
}

const pageBytes = 65536

/** Pages of a memory at its beginning; code is compiled for memories that have at least as many. */
export const initialPages = 16

/** 4 GiB, all that 32-bit addresses reach. */
export const maximumPages = 65536

/** Bytes that can be handed out: full vectors may reach past the last range, and the first is unused. */
export const maximumBytes = maximumPages * pageBytes - 2 * alignment

/** A linear memory and its free parts. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  /** Whether other threads see the memory. */
  readonly shared: boolean
  readonly allocate: (bytes: number) => WasmMemory
  readonly release: (range: WasmMemory) => void
  /** Bytes handed out and not given back, padding included. */
  readonly used: () => number
  /** Bytes that can still be handed out, if they need not lie together. */
  readonly left: () => number
  /** The whole memory as words: made again when the memory has grown. */
  readonly words: () => Int32Array
}

/** Bytes that a range takes: padded to the alignment, for vectors may read and write past the last element. */
export const padded = (bytes: number): number => Math.max(alignment, Math.ceil(bytes / alignment) * alignment)

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`

/** The error of a memory that is too small for what is asked of it. */
export const doesNotFit = (what: string, bytes: number, used: number): OutOfMemory =>
  new OutOfMemory(
    `wasm: ${what}, ${mebibytes(bytes)}, does not fit into the 4 GiB that a wasm program can address, of which ${mebibytes(used)} are in use: use a smaller batch and accumulate, smaller pictures, or checkpoint parts of the model`,
  )

/** Free ranges by size: a training step frees what the next one allocates. */
type FreeRanges = Map<number, number[]>

const give = (free: FreeRanges, size: number, address: number): void => {
  const known = free.get(size)
  if (known === undefined) free.set(size, [address])
  else known.push(address)
}

/** Joins free ranges that touch. */
const join = (free: FreeRanges): void => {
  const ranges = [...free].flatMap(([size, addresses]) => addresses.map((address) => ({ address, size })))
  free.clear()
  let open = { address: 0, size: 0 }
  for (const range of ranges.toSorted((a, b) => a.address - b.address)) {
    if (open.address + open.size === range.address) open = { address: open.address, size: open.size + range.size }
    else {
      if (open.size > 0) give(free, open.size, open.address)
      open = range
    }
  }
  if (open.size > 0) give(free, open.size, open.address)
}

/** Takes a range out of the smallest free one that has room; the rest stays free. */
const takeFrom = (free: FreeRanges, size: number): number | undefined => {
  let best = Infinity
  for (const [candidate, addresses] of free)
    if (candidate >= size && candidate < best && addresses.length > 0) best = candidate
  const address = free.get(best)?.pop()
  if (address !== undefined && best > size) give(free, best - size, address + size)
  return address
}

/** Makes a memory at least so many pages larger. */
const grow = (memory: WebAssembly.Memory, missing: number, bytes: number, used: number): void => {
  const left = maximumPages - memory.buffer.byteLength / pageBytes
  try {
    memory.grow(Math.min(left, Math.max(missing, 256)))
  } catch {
    throw doesNotFit('what is asked for (this machine gives no more)', bytes, used)
  }
}

/** Opens a memory; it grows as it is asked to. */
export const openHeap = (shared: boolean): Heap => {
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages, shared })
  const free: FreeRanges = new Map()
  let [end, used] = [alignment, 0] // address 0 stays unused
  let words = new Int32Array(memory.buffer)
  const extend = (bytes: number): number => {
    if (end + bytes > alignment + maximumBytes) throw doesNotFit('what is asked for', bytes, used)
    const missing = Math.ceil((end + bytes + alignment - memory.buffer.byteLength) / pageBytes)
    if (missing > 0) grow(memory, missing, bytes, used)
    end += bytes
    return end - bytes
  }
  const reserve = (size: number): number => {
    join(free)
    return takeFrom(free, size) ?? extend(size)
  }
  return {
    memory,
    shared,
    allocate: (bytes) => {
      const size = padded(bytes)
      const address = free.get(size)?.pop() ?? reserve(size)
      used += size
      return { bytes, address }
    },
    release: ({ bytes, address }) => {
      const size = padded(bytes)
      used -= size
      give(free, size, address)
    },
    used: () => used,
    left: () => maximumBytes - used,
    words: () => {
      if (words.buffer !== memory.buffer) words = new Int32Array(memory.buffer)
      return words
    },
  }
}
