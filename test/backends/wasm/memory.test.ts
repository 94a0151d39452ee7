/** The linear memory: who has which part of it. */
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { cpuBackend } from '../../../src/backends/cpu/backend.ts'
import { wasmBackend, writers } from '../../../src/backends/wasm/whole.ts'
import { alignment } from '../../../src/compiler/arena.ts'
import { openHeap, padded, type WasmMemory } from '../../../src/backends/wasm/memory.ts'
import {
  constant,
  conv2d,
  full,
  grad,
  key,
  memoryOf,
  normal,
  OutOfMemory,
  zeros,
  type Tensor,
} from '../../../src/index.ts'
import { generate } from '../../../src/backends/wasm/generate.ts'
import { openLibrary } from '../../../src/backends/wasm/library.ts'
import { alone } from '../../../src/backends/wasm/threads/pool.ts'
import { bytesNeeded, makeProgram, noMemory } from '../../../src/backends/wasm/program.ts'
import { sizeOf } from '../../../src/graph/shape.ts'
import { disagreements } from '../../../src/backends/selfTest.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { cpuDevice } from '../../support/device.ts'
import { machines } from '../../support/machines.ts'

const device = cpuDevice().compile

/** Allocate so many bytes, or release one of those that are held. */
const requests = fc.array(
  fc.oneof(
    fc.record({ allocate: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 3_000_000 })) }),
    fc.record({ release: fc.nat() }),
  ),
  { maxLength: 200 },
)

const overlap = (a: WasmMemory, b: WasmMemory): boolean =>
  a.address < b.address + padded(b.bytes) && b.address < a.address + padded(a.bytes)

describe('the heap', () => {
  it('hands out ranges that begin at multiples of the alignment, lie in the memory and do not overlap', () => {
    fc.assert(
      fc.property(requests, (list) => {
        const heap = openHeap(false)
        const held: WasmMemory[] = []
        for (const request of list) {
          if ('allocate' in request) {
            const fresh = heap.allocate(request.allocate)
            expect(fresh.address % alignment).toBe(0)
            expect(fresh.address).toBeGreaterThan(0)
            expect(fresh.address + padded(fresh.bytes)).toBeLessThan(heap.memory.buffer.byteLength)
            expect(held.some((other) => overlap(fresh, other))).toBe(false)
            held.push(fresh)
          } else if (held.length > 0) {
            for (const range of held.splice(request.release % held.length, 1)) heap.release(range)
          }
          expect(heap.used()).toBe(held.reduce((sum, { bytes }) => sum + padded(bytes), 0))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('gives the same range again to who asks for as much as was released', () => {
    const heap = openHeap(false)
    const first = heap.allocate(1000)
    heap.release(first)
    expect(heap.allocate(1000)).toEqual(first)
  })

  it('joins neighbours that were released, and cuts what is larger than asked for', () => {
    const heap = openHeap(false)
    const ranges = Array.from({ length: 64 }, () => heap.allocate(65536))
    const { byteLength } = heap.memory.buffer
    for (const range of ranges) heap.release(range)
    const [large, small] = [heap.allocate(63 * 65536), heap.allocate(65536)]
    expect([large.address, small.address]).toEqual([ranges[0]?.address, ranges[63]?.address])
    expect(heap.memory.buffer.byteLength).toBe(byteLength)
  })

  it('says how much is asked for, how much is in use, and what helps, when 4 GiB do not suffice', () => {
    const heap = openHeap(false)
    heap.allocate(2 ** 31)
    expect(() => heap.allocate(2 ** 31)).toThrow(
      /2048 MiB, does not fit into the 4 GiB .* 2048 MiB are in use: use a smaller/,
    )
  })
})

describe('a device of 4 GiB', () => {
  it.each(machines)('computes above 2 GiB as below, for addresses have no sign: %o', async (machine) => {
    const backend = wasmBackend(machine)
    backend.allocate(2 ** 31 + 2 ** 20)
    expect(await disagreements(backend, cpuBackend(true))).toEqual([])
  })

  it('refuses a plan that cannot fit before anything runs', async () => {
    const device = deviceOn(wasmBackend())
    const large = device.compile((x: Tensor) => x.broadcastTo([3, 2 ** 29]).exp())
    await expect(
      large(
        normal(key(0), [2 ** 20])
          .sum()
          .reshape([1, 1]),
      ),
    ).rejects.toThrow(/what the plan needs beside its arguments, 6144 MiB/)
    await device.close()
  })
})

describe('a machine that gives no more memory', () => {
  it('costs the plan that asked for it, and no value of another', async () => {
    const device = deviceOn(wasmBackend())
    const product = device.compile((x: Tensor) => x.matmul(x).matmul(x).sum())
    const add = device.compile((x: Tensor, n: Tensor) => x.add(n))
    const read = async (x: Tensor): Promise<number> => (await device.read(x))[0] ?? NaN
    const kept = await device.realize(full([64, 64], 7).add(0))
    expect(await read(await product(full([64, 64], 1)))).toBe(64 ** 4)
    const denied = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('no more')
    })
    try {
      for (let i = 0; i < 2; i++) await expect(product(full([1500, 1500], 1))).rejects.toThrow(OutOfMemory)
    } finally {
      denied.mockRestore()
    }
    const sums: Tensor[] = []
    for (let i = 0; i < 6; i++) sums.push(await add(zeros([64, 64]), i))
    for (const n of [64, 200, 3, 64]) expect(await read(await product(full([n, n], 1)))).toBe(n ** 4)
    for (const [i, x] of sums.entries()) expect(await read(x)).toBe(i)
    expect(await read(kept)).toBe(7)
    await device.close()
  })
})

describe('what a plan needs', () => {
  it('is what is in use when it has been made ready and its results have their places', () => {
    const x = normal(key(0), [2, 12, 12, 16])
    const w = normal(key(1), [3, 3, 16, 16])
    const learned = device(
      grad((p: { x: Tensor; w: Tensor }) =>
        conv2d(p.x, p.w, { padding: 1 })
          .mul(constant([1, 2, 3, 4]).sum())
          .square()
          .sum(),
      ),
    )
    for (const plan of [
      learned.plan({ x, w }),
      device((a: Tensor) => a.add(1)).plan(x),
      device(() => zeros([3])).plan(),
    ]) {
      for (const machine of machines) {
        const heap = openHeap(false)
        const pool = alone(heap)
        const library = openLibrary(pool, false, writers)
        const before = heap.used() // what the pool has
        const shared = { arena: noMemory, scratch: noMemory }
        const generated = plan.kernels.map((kernel) => generate(kernel, machine))
        void library.add(generated.flatMap(({ phases }) => phases))
        for (const slot of plan.arguments) heap.allocate(4 * sizeOf(slot.shape))
        makeProgram({ plan, generated, functionOf: library.indexOf, sharing: 'worthwhile' }, heap, pool, shared)
        for (const slot of plan.outputs) heap.allocate(4 * sizeOf(slot.shape))
        expect(heap.used() - before).toBe(bytesNeeded(plan, generated))
      }
    }
  })

  it('is more than arguments, results and temporaries, and of what is far too large at least these, without making code', () => {
    const backend = wasmBackend()
    const own = deviceOn(backend)
    const product = own.compile((a: Tensor, b: Tensor) => a.matmul(b))
    const plan = product.plan(zeros([64, 128]), zeros([128, 64]))
    expect(own.bytesNeeded(plan) - memoryOf(plan)).toBeGreaterThan(4 * 64 * 128) // y in panels
    const huge = product.plan(zeros([2 ** 22, 2 ** 10]), zeros([2 ** 10, 2 ** 22]))
    expect(own.bytesNeeded(huge)).toBe(memoryOf(huge))
    expect(own.bytesNeeded(huge)).toBeGreaterThan(own.memoryLimit)
  })

  it('on cpu is what memoryOf counts', () => {
    const own = deviceOn(cpuBackend(true))
    const plan = own.compile((a: Tensor) => a.add(1)).plan(zeros([8]))
    expect(own.bytesNeeded(plan)).toBe(64)
  })
})
