/**
 * The memory of a GPU: a few large buffers, of which ranges are handed out. A kernel reaches a tensor by the buffer that it lies in and an address,
 * which is a number of its block: so one group of bindings serves all kernels, and a result may lie in the place of an argument.
 */
import { alignment } from '../../compiler/arena.ts'
import { showBytes } from '../../compiler/print.ts'
import { OutOfMemory } from '../../prelude/errors.ts'
import type { Memory } from '../backend.ts'
import { freeRanges, type FreeRanges } from '../freeRanges.ts'
import { usage } from './flags.ts'

/** A range of one of the buffers, in bytes. */
export interface GpuMemory extends Memory {
  readonly chunk: number
  readonly offset: number
}

interface Chunk {
  readonly buffer: GPUBuffer
  readonly size: number
  readonly free: FreeRanges
  /** Where what has never been handed out begins. */
  end: number
}

/** The memory of a device. */
export interface Heap {
  readonly allocate: (bytes: number) => GpuMemory
  readonly release: (memory: GpuMemory) => void
  readonly bufferOf: (chunk: number) => GPUBuffer
  /** Bytes that can be handed out altogether. */
  readonly limit: number
  readonly destroy: () => void
}

/** How a heap is opened. */
export interface HeapOptions {
  /** Each range is a buffer of its own, so that no kernel reaches another's memory unnoticed. */
  readonly apart: boolean
  /** Bytes of the first buffer. */
  readonly first: number
  /** Bytes of a buffer at most, where that is to be less than the GPU gives: a test sees many small ones. */
  readonly largest?: number
  /** Called when the GPU has refused a buffer, which is known later. */
  readonly refused: (error: OutOfMemory) => void
}

/** Bytes that a range takes. */
export const padded = (bytes: number): number => Math.max(alignment, Math.ceil(bytes / alignment) * alignment)

const advice = 'use a smaller batch and accumulate, smaller pictures, mixed precision, or the device wasm'

/** Bytes of so many buffers, each of the size that is due behind those before. */
const totalOf = (count: number, sizeBehind: (total: number) => number): number => {
  let total = 0
  for (let i = 0; i < count; i++) total += sizeBehind(total)
  return total
}

/** Opens a memory; it grows as it is asked to. */
export const openHeap = (device: GPUDevice, { apart, first, largest: most = Infinity, refused }: HeapOptions): Heap => {
  const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } = device.limits
  const largest = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize, most) / alignment) * alignment
  const grownFrom = (total: number): number => Math.min(largest, Math.max(first, total))
  const limit = apart ? Infinity : totalOf(maxStorageBuffersPerShaderStage, grownFrom)
  const chunks: (Chunk | undefined)[] = []
  let [total, used] = [0, 0]
  const doesNotFit = (bytes: number): OutOfMemory =>
    new OutOfMemory(
      `webgpu: ${showBytes(bytes)} are asked for; this GPU gives ${showBytes(largest)} at once and ${showBytes(limit)} altogether, of which ${showBytes(used)} are in use: ${advice}`,
    )
  const watch = async (scope: Promise<GPUError | null>, size: number): Promise<void> => {
    const error = await scope.catch(() => null) // a device that is lost meanwhile has other ways to say so
    if (error !== null)
      refused(
        new OutOfMemory(
          `webgpu: the GPU has no ${showBytes(size)} left, beside ${showBytes(total - size)} that are in use: ${advice}; this device cannot be used any more, so open it again`,
        ),
      )
  }
  const addChunk = (size: number): number => {
    device.pushErrorScope('out-of-memory')
    const buffer = device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget })
    void watch(device.popErrorScope(), size)
    total += size
    return chunks.push({ buffer, size, free: freeRanges(), end: 0 }) - 1
  }
  const within = (chunk: number, size: number): number | undefined => {
    const found = chunks[chunk]
    if (found === undefined) return undefined
    const offset = found.free.take(size)
    if (offset !== undefined) return offset
    if (found.end + size > found.size) return undefined
    found.end += size
    return found.end - size
  }
  const place = (size: number): readonly [chunk: number, offset: number] => {
    for (const chunk of apart ? [] : chunks.keys()) {
      const offset = within(chunk, size)
      if (offset !== undefined) return [chunk, offset]
    }
    const isFull = size > largest || (!apart && chunks.length >= maxStorageBuffersPerShaderStage)
    if (isFull) throw doesNotFit(size)
    const chunk = addChunk(apart ? size : Math.max(size, grownFrom(total)))
    return [chunk, within(chunk, size) ?? 0]
  }
  return {
    limit,
    allocate: (bytes) => {
      const size = padded(bytes)
      const [chunk, offset] = place(size)
      used += size
      return { bytes, chunk, offset }
    },
    release: ({ bytes, chunk, offset }) => {
      const size = padded(bytes)
      used -= size
      const found = chunks[chunk]
      if (!apart) found?.free.give(offset, size)
      else {
        found?.buffer.destroy()
        total -= size
        chunks[chunk] = undefined
      }
    },
    bufferOf: (chunk) => {
      const found = chunks[chunk]
      if (found === undefined) throw new RangeError('webgpu: memory is used that was given back')
      return found.buffer
    },
    destroy: () => {
      for (const chunk of chunks) chunk?.buffer.destroy()
    },
  }
}
