/** The linear memory that everything lives in, and who has which part of it. */
import type { Memory } from '../backend.ts'

/** A range of linear memory. */
export interface WasmMemory extends Memory {
  readonly address: number
}

/** Ranges begin at multiples of this, and are padded to it: vectors may read and write past the last element. */
export const alignment = 256

const pageBytes = 65536

/** 4 GiB, all that 32-bit addresses reach. */
export const maximumPages = 65536

/** A linear memory and its free parts. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  readonly allocate: (bytes: number) => WasmMemory
  readonly release: (range: WasmMemory) => void
  /** Bytes handed out and not given back. */
  readonly used: () => number
}

const padded = (bytes: number): number => Math.max(alignment, Math.ceil(bytes / alignment) * alignment)

/** Opens a memory; it grows as it is asked to. Freed ranges are kept by size: a training step frees what the next one allocates. */
export const openHeap = (shared: boolean): Heap => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages, shared })
  const free = new Map<number, number[]>()
  let [end, used] = [alignment, 0] // address 0 stays unused
  const reserve = (bytes: number): number => {
    const address = end
    const missing = Math.ceil((address + bytes + alignment - memory.buffer.byteLength) / pageBytes)
    if (missing > 0) {
      const grown = Math.min(maximumPages - memory.buffer.byteLength / pageBytes, Math.max(missing, 256))
      if (missing > grown)
        throw new RangeError(
          `wasm: ${(bytes / 2 ** 20).toFixed(0)} MiB more do not fit into the 4 GiB that a wasm program can address (${(used / 2 ** 20).toFixed(0)} MiB are in use): use a smaller batch, or checkpoint parts of the model`,
        )
      memory.grow(grown)
    }
    end += bytes
    return address
  }
  return {
    memory,
    allocate: (bytes) => {
      const size = padded(bytes)
      used += size
      return { bytes, address: free.get(size)?.pop() ?? reserve(size) }
    },
    release: ({ bytes, address }) => {
      const size = padded(bytes)
      used -= size
      const known = free.get(size)
      if (known === undefined) free.set(size, [address])
      else known.push(address)
    },
    used: () => used,
  }
}
