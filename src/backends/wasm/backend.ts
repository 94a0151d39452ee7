/**
 * The wasm backend: kernels become WebAssembly at run time, and several threads run them. Plans, buffers and the memory are those of every
 * backend; a kernel without code here runs as cpu's does, over the same memory.
 */
import type { Backend } from '../backend.ts'
import { generate } from './generate.ts'
import type { Machine } from './kernelCode.ts'
import { openLibrary } from './library.ts'
import { openHeap, type Heap, type WasmMemory } from './memory.ts'
import { alone, openPool, type Pool } from './pool.ts'
import { makeProgram, type Shared } from './program.ts'
import { findPlatform } from './threads.ts'

/** A backend over a memory and the threads that share it. */
const backendOver = (heap: Heap, pool: Pool, machine: Machine): Backend => {
  const library = openLibrary(pool, heap.shared)
  const shared: Shared = { arena: heap.allocate(0), scratch: heap.allocate(0) }
  const bytesAt = ({ address, bytes }: WasmMemory): Uint8Array => new Uint8Array(heap.memory.buffer, address, bytes)
  const backend: Backend<WasmMemory> = {
    name: 'wasm',
    allocate: (bytes) => heap.allocate(bytes),
    release: (memory) => {
      heap.release(memory)
    },
    write: (memory, values) => {
      bytesAt(memory).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    },
    read: (memory) => Promise.resolve(bytesAt(memory).slice()),
    prepare: (plan) => {
      const generated = plan.kernels.map((kernel) => generate(kernel, machine))
      library.add(generated.flatMap((g) => (typeof g === 'string' ? [] : g.phases)))
      return makeProgram({ plan, generated, functionOf: library.indexOf }, heap, pool, shared)
    },
    close: () => {
      void pool.close()
    },
  }
  return backend as unknown as Backend // memory that this backend gets back is memory that it has given
}

/** Opens the wasm backend on the caller's thread alone. */
export const wasmBackend = (machine: Machine = { fma: false, wide: false }): Backend => {
  const heap = openHeap(false)
  return backendOver(heap, alone(heap), machine)
}

/** Opens the wasm backend with several threads. */
export const openWasm = async (threads: number, machine: Machine = { fma: false, wide: false }): Promise<Backend> => {
  const heap = openHeap(true)
  return backendOver(heap, await openPool(heap, await findPlatform(), threads), machine)
}
