/** The GPU's memory: what fits, what is said where it does not, and kernels over several buffers. */
import { describe, expect, it } from 'vitest'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../../src/backends/webgpu/backend.ts'
import { openHeap, type Heap } from '../../../src/backends/webgpu/memory.ts'
import { OutOfMemory } from '../../../src/prelude/errors.ts'
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { deviceOn, type Device } from '../../../src/tensor/device.ts'
import { key } from '../../../src/tensor/random.ts'
import { leaves } from '../../../src/tensor/tree.ts'
import { initialState, recipeOf, stepperOn } from '../../../src/train/index.ts'
import { tinyConfig } from '../../train/tinyRun.ts'

const mega = 2 ** 20

/** A GPU that hands out buffers, and refuses those that make more than `most` bytes, as real ones do: later, by an error scope. */
const fakeGpu = (limits: Partial<GPUSupportedLimits>, most = Infinity) => {
  const made: number[] = []
  let destroyed = 0
  let total = 0
  const device = {
    limits: {
      maxStorageBufferBindingSize: 128 * mega,
      maxBufferSize: 256 * mega,
      maxStorageBuffersPerShaderStage: 8,
      ...limits,
    },
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(total > most ? { message: 'out of memory' } : null),
    createBuffer: ({ size }: { readonly size: number }) => {
      made.push(size)
      total += size
      return { destroy: () => (destroyed += 1) }
    },
  } as unknown as GPUDevice
  return { device, made, destroyed: () => destroyed }
}

const heapOn = (device: GPUDevice, options: Partial<Parameters<typeof openHeap>[1]> = {}) => {
  const refused: OutOfMemory[] = []
  const heap = openHeap(device, { apart: false, first: 16 * mega, refused: (e) => refused.push(e), ...options })
  return { heap, refused }
}

const messageOf = (work: () => unknown): string => {
  try {
    work()
  } catch (e) {
    if (e instanceof OutOfMemory) return e.message
    throw e
  }
  return 'it fits'
}

describe('the memory of a GPU', () => {
  it('of 8 buffers of 128 MiB, the least that there is, is a gigabyte where the first is as large as it may be', () => {
    const { heap } = heapOn(fakeGpu({}).device, { first: 256 * mega })
    expect(heap.limit).toBe(8 * 128 * mega)
    for (let i = 0; i < 8; i++) heap.allocate(128 * mega)
    expect(messageOf(() => heap.allocate(1))).toMatch(/this GPU gives 134 MB at once and 1.07 GB altogether/)
  })

  it('grows by buffers as large as all before, and says beforehand how far', () => {
    const { device, made } = fakeGpu({})
    const { heap } = heapOn(device)
    expect(heap.limit).toBe((16 + 16 + 32 + 64 + 4 * 128) * mega)
    for (let i = 0; i < 40; i++) heap.allocate(16 * mega)
    expect(made).toEqual([16, 16, 32, 64, 128, 128, 128, 128].map((size) => size * mega))
    expect(messageOf(() => heap.allocate(129 * mega))).toMatch(
      /^webgpu: 135 MB are asked for; this GPU gives 134 MB at once and 671 MB altogether, of which \d+ MB are in use: use a smaller batch/,
    )
  })

  it('says when it is full, and takes again what was given back', () => {
    const { heap } = heapOn(fakeGpu({}).device, { largest: mega, first: mega })
    const all = Array.from({ length: 8 }, () => heap.allocate(mega))
    expect(messageOf(() => heap.allocate(1))).toMatch(/256 B are asked for; .* of which 8.39 MB are in use/)
    for (const memory of all.slice(2, 4)) heap.release(memory)
    expect(heap.allocate(mega / 2)).toMatchObject({ chunk: 2, offset: 0 })
    expect(heap.allocate(mega / 2)).toMatchObject({ chunk: 2, offset: mega / 2 })
    expect(heap.allocate(5)).toMatchObject({ chunk: 3, offset: 0, bytes: 5 })
    expect(heap.allocate(0)).toMatchObject({ chunk: 3, offset: 256, bytes: 0 })
  })

  it('counts what is in use, and not what was given back', () => {
    const { heap } = heapOn(fakeGpu({}).device, { largest: mega, first: mega })
    const all = [5, 300, mega].map((bytes) => heap.allocate(bytes))
    expect(messageOf(() => heap.allocate(2 * mega))).toMatch(/of which 1.05 MB are in use/)
    for (const memory of all) heap.release(memory)
    expect(messageOf(() => heap.allocate(2 * mega))).toMatch(/of which 0 B are in use/)
  })

  it('hands out ranges that do not overlap, whatever is allocated and given back', () => {
    const { heap } = heapOn(fakeGpu({}).device, { largest: 2 ** 16, first: 2 ** 14 })
    const held: ReturnType<Heap['allocate']>[] = []
    let state = 1
    const choose = (n: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n
    for (let i = 0; i < 2000; i++) {
      const gone = held.length > 0 && choose(2) === 0 ? held.splice(choose(held.length), 1) : []
      for (const memory of gone) heap.release(memory)
      if (held.length < 40) held.push(heap.allocate(choose(6000)))
      const ranges = held.map(({ chunk, offset, bytes }) => [chunk * 2 ** 20 + offset, Math.max(1, bytes)] as const)
      const sorted = ranges.toSorted(([a], [b]) => a - b)
      expect(sorted.every(([at, size], k) => at + size <= (sorted[k + 1]?.[0] ?? Infinity))).toBe(true)
    }
  })

  it('may be refused by the GPU, which is known later and says how much was in use', async () => {
    const { heap, refused } = heapOn(fakeGpu({}, 40 * mega).device)
    heap.allocate(16 * mega)
    await Promise.resolve()
    expect(refused).toEqual([])
    heap.allocate(64 * mega)
    await new Promise(setImmediate)
    expect(refused.map((e) => e.message)).toEqual([
      expect.stringMatching(
        /^webgpu: the GPU has no 67.1 MB left, beside 16.8 MB that are in use: use a smaller batch/,
      ),
    ])
  })

  it('asks nothing of a device that was lost meanwhile', async () => {
    const { device } = fakeGpu({})
    const { heap, refused } = heapOn({ ...device, popErrorScope: () => Promise.reject(new Error('lost')) })
    heap.allocate(1)
    await new Promise(setImmediate)
    expect(refused).toEqual([])
  })

  it('is a buffer for each tensor where that is asked for, destroyed when it is given back', () => {
    const { device, made, destroyed } = fakeGpu({})
    const { heap } = heapOn(device, { apart: true })
    const [a, b] = [heap.allocate(1000), heap.allocate(3)]
    expect(made).toEqual([1024, 256])
    heap.release(a)
    expect(destroyed()).toBe(1)
    expect(() => heap.bufferOf(a.chunk)).toThrow('memory is used that was given back')
    expect(heap.bufferOf(b.chunk)).toBeDefined()
  })
})

/** A U-Net's loss and state after a step, as bytes. */
const trained = async (device: Device): Promise<readonly Uint8Array[]> => {
  const recipe = recipeOf(tinyConfig('run'))
  const examples = recipe.task.examples(Uint8Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => (i * 89) % 256))
  const first = await device.realize(initialState(recipe, key(0)))
  const [state, { loss }] = await stepperOn(device, recipe).run(first, examples, 1)
  const read: Uint8Array[] = []
  for (const x of [loss, ...leaves(state)]) read.push(new Uint8Array((await device.read(x)).buffer))
  return read
}

describe('kernels over several buffers', () => {
  it('train a U-Net to the bits that they have in one', async () => {
    useSwiftShader()
    const results: (readonly Uint8Array[])[] = []
    const counts: number[] = []
    for (const sizes of [{}, { first: 2 ** 16, largest: 2 ** 19 }]) {
      const opened = await openAdapter({ software: true })
      const storage: number[] = []
      const create = opened.device.createBuffer.bind(opened.device)
      opened.device.createBuffer = (descriptor) => {
        if ((descriptor.usage & 0x80) !== 0) storage.push(descriptor.size)
        return create(descriptor)
      }
      const device = deviceOn(backendOver(opened, {}, undefined, sizes))
      results.push(await trained(device))
      counts.push(storage.length)
      await device.close()
    }
    expect(counts[0]).toBe(1)
    expect(counts[1]).toBeGreaterThanOrEqual(3)
    expect(results[1]).toEqual(results[0])
  }, 300_000)
})
