/** The linear memory: who has which part of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cpuBackend } from '../../../src/backends/cpu/backend.ts'
import { wasmBackend } from '../../../src/backends/wasm/backend.ts'
import { alignment, openHeap, padded, type WasmMemory } from '../../../src/backends/wasm/memory.ts'
import { key, normal, type Tensor } from '../../../src/index.ts'
import { disagreements } from '../../../src/backends/wasm/selfTest.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { machines } from '../../support/machines.ts'

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
