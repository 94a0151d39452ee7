import { describe, expect, it } from 'vitest'
import { cumsum, sort, tensor, type Tensor } from '../../../src/index.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { wasmBackend as backendWith } from '../../../src/backends/wasm/backend.ts'
import type { Writers } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { wasmBackend, writers } from '../../../src/backends/wasm/whole.ts'

/** A device whose writers are loaded by these, one load after the other, and how many loads there were. */
const deviceOf = (...loads: readonly (() => Promise<Writers>)[]) => {
  const begun: number[] = []
  const load = (): Promise<Writers> => loads[begun.push(begun.length) - 1]?.() ?? Promise.reject(new Error('no more'))
  const backend = backendWith(load)
  return { device: deviceOn(backend), backend, begun }
}

const there = (): Promise<Writers> => Promise.resolve(writers)
const x = tensor([3, 1, 2])

describe('a wasm device that loads what writes kernels that few programs have', () => {
  it('loads nothing for a program without one, which runs at once', async () => {
    const { device, backend, begun } = deviceOf()
    const double = device.compile((a: Tensor) => a.mul(2))
    expect(await device.read(await double(x))).toEqual(Float32Array.of(6, 2, 4))
    expect(backend.prepare(double.plan(x)).ready).toBeUndefined()
    expect(begun).toEqual([])
  })

  it('loads it once for all plans that need it, and from then on none waits', async () => {
    const { device, backend, begun } = deviceOf(there)
    const [sorted, sums] = [device.compile((a: Tensor) => sort(a)), device.compile((a: Tensor) => cumsum(a))]
    const results = await Promise.all([sorted(x), sums(x), sorted(tensor([9, 8, 7]))])
    expect(await Promise.all(results.map((y) => device.read(y)))).toEqual([
      Float32Array.of(1, 2, 3),
      Float32Array.of(3, 4, 6),
      Float32Array.of(7, 8, 9),
    ])
    expect(begun).toEqual([0])
    const further = device.compile((a: Tensor) => cumsum(a.cast('i32')))
    expect(backend.prepare(further.plan(x)).ready).toBeUndefined()
  })

  it('makes a plan wait for functions that another plan is waiting for', async () => {
    let begin = (): void => undefined
    const asked = new Promise<Writers>((resolve) => {
      begin = () => {
        resolve(writers)
      }
    })
    const { device, backend } = deviceOf(() => asked)
    const plan = device.compile((a: Tensor) => sort(a)).plan(x)
    const [first, second] = [backend.prepare(plan), backend.prepare(plan)]
    expect(first.ready).toBeDefined()
    expect(second.ready).toBeDefined()
    begin()
    await Promise.all([first.ready, second.ready])
    expect(backend.prepare(plan).ready).toBeUndefined()
  })

  it('knows before what a plan needs, and how it is explained', () => {
    const { device, backend } = deviceOf(there)
    const long = tensor(Float32Array.from({ length: 5000 }, (_, i) => -i))
    const [sorted, whole] = [device, deviceOn(wasmBackend())].map((d) => d.compile((a: Tensor) => sort(a)))
    expect(sorted?.explain(long)).toContain('sort by digits')
    expect(sorted?.explain(long)).toBe(whole?.explain(long))
    const plan = device.compile((a: Tensor) => sort(a)).plan(long)
    expect(backend.bytesNeeded(plan)).toBe(wasmBackend().bytesNeeded(plan))
  })

  it('says what to do where the code is asked for before, and has it afterwards', async () => {
    const { device } = deviceOf(there)
    const sorted = device.compile((a: Tensor) => sort(a))
    expect(() => sorted.source(x)).toThrow(
      "source: what writes 'sort {dtype:f32}' is loaded with the first call; await one, and ask again",
    )
    await sorted(x)
    expect(sorted.source(x).join()).toContain('(func')
  })

  it('says what could not be loaded, and tries again for the next plan', async () => {
    const { device, begun } = deviceOf(() => Promise.reject(new Error('no network')), there)
    const sorting = (): ((a: Tensor) => Promise<Tensor>) => device.compile((a: Tensor) => sort(a))
    await expect(sorting()(x)).rejects.toThrow(
      /^wasm: what writes .*sort \{dtype:f32\}.* could not be loaded \(no network\): compile the function again/,
    )
    expect(await device.read(await sorting()(x))).toEqual(Float32Array.of(1, 2, 3))
    expect(begun).toEqual([0, 1])
  })
})
