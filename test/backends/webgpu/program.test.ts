/** What runs kernels: programs in memory that moves, in buffers of their own, over very many workgroups, in pieces, and timed. */
import { describe, expect, it } from 'vitest'
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { arrange, operationsPerBatch } from '../../../src/backends/webgpu/arrangement.ts'
import { backendOver } from '../../../src/backends/webgpu/backend.ts'
import { generate } from '../../../src/backends/webgpu/generate.ts'
import { targetOf } from '../../../src/backends/webgpu/target.ts'
import { timeKernels } from '../../../src/backends/webgpu/timing.ts'
import { memoryOf } from '../../../src/compiler/cost.ts'
import type { Plan } from '../../../src/compiler/plan.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { at, range } from '../../../src/prelude/array.ts'
import { constant, iota, tensor, zeros } from '../../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../../src/tensor/device.ts'
import { softmax } from '../../../src/tensor/softmax.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice } from '../../support/device.ts'
import { numbersFrom } from '../../support/views.ts'

useSwiftShader()
const opened = await openAdapter({ software: true })
const least = await openAdapter({ software: true, limits: 'least' })
const cpu = cpuDevice()

const oneMemory = (): Device => deviceOn(backendOver(opened))
const apart = (): Device => deviceOn(backendOver(least, { apart: true }))

const numbers = (seed: number, n: number): Tensor => tensor(new Float32Array(numbersFrom(seed, n)))

const close = async (device: Device, got: Tensor, expected: Tensor): Promise<void> => {
  const [a, b] = [await device.read(got), await cpu.read(expected)]
  expect(a.length).toBe(b.length)
  expect(Math.max(...Array.from(b, (v, i) => Math.abs(v - (a[i] ?? NaN))))).toBeLessThan(1e-5)
}

/** Kernels of several kinds, temporaries between them, and literals. */
const program = (x: Tensor): Tensor => {
  const y = softmax(
    x
      .mul(3)
      .reshape([4, x.size / 4])
      .matmul(constant(new Float32Array(numbersFrom(1, (x.size / 4) * 8)), { shape: [x.size / 4, 8] })),
  )
  return y.sub(y.mean(0)).reverse([1]).reshape([32])
}

/** A plan of a program that is only compiled. */
const planOf = (f: (x: Tensor) => Tensor, shape: readonly number[]): Plan => cpu.compile(f).plan(zeros(shape))

describe('a program', () => {
  it('runs in any memory: where arguments move from run to run, and temporaries need more than before', async () => {
    const device = oneMemory()
    const held: Tensor[] = []
    for (const n of [16, 16, 16, 4000]) {
      const f = device.compile(program)
      for (const seed of [1, 2]) {
        const x = await device.realize(numbers(seed, n))
        held.push(x)
        await close(device, await f(x), await cpu.compile(program)(numbers(seed, n)))
      }
    }
    expect(held.length).toBe(8)
  })

  it('runs where tensors lie in a buffer each, run after run, with more operands than a kernel binds', async () => {
    const device = apart()
    const sum = (...xs: readonly Tensor[]): Tensor => xs.reduce((a, b) => a.mul(0.5).add(b))
    const [few, many] = [device.compile(program), device.compile(sum)]
    const held: Tensor[] = []
    for (let i = 0; i < 7; i++) {
      const x = await device.realize(numbers(i, 16))
      const y = await few(x)
      held.push(x, y)
      await close(device, y, await cpu.compile(program)(numbers(i, 16)))
    }
    const terms = range(12).map((i) => numbers(i, 20))
    await close(device, await many(...terms), await cpu.compile(sum)(...terms))
    const pairs = (...xs: readonly Tensor[]): readonly Tensor[] => xs.map((x) => x.mul(2))
    const got = await device.compile(pairs)(...terms)
    for (const [i, x] of (await cpu.compile(pairs)(...terms)).entries()) await close(device, at(got, i), x)
    expect(held.length).toBe(14)
  })

  it('binds no memory that it has not: a convolution of which no tap meets the image is 0', async () => {
    const backend = backendOver(least, { apart: true })
    backend.release(backend.allocate(4)) // what binds the first buffer by mistake is told
    const device = deviceOn(backend)
    const [x, w] = [numbers(1, 16).reshape([2, 2, 1, 4]), numbers(2, 8).reshape([2, 1, 2, 2])]
    const convolved = (images: Tensor, filter: Tensor): Tensor =>
      new Tensor(
        makeNode(
          'conv',
          {
            stride: [2, 2],
            padLow: [-1, 1],
            padHigh: [1, -1],
            inputDilation: [1, 3],
            filterDilation: [1, 2],
            groups: 2,
            dtype: 'f32',
          },
          [images.node, filter.node],
        ),
      )
    expect([...(await device.read(await device.compile(convolved)(x, w)))]).toEqual([0, 0, 0, 0])
  })

  it('has more workgroups than a dispatch has in one dimension', async () => {
    const device = oneMemory()
    const n = 64 * 65535 + 64 * 7 + 3
    const got = await device.read(await device.compile(() => iota([n], 0, 'i32').mul(3))())
    expect(got.findIndex((value, i) => value !== 3 * i)).toBe(-1)
    expect(got.length).toBe(n)
  })

  it('that takes long is cut into pieces, which have all of its workgroups, each once', () => {
    const plan = planOf((x) => x.matmul(x), [9000, 9000])
    const generated = plan.kernels.map((kernel) => generate(kernel, targetOf(opened)))
    const { launches, values } = arrange(plan, generated, () => 0)
    const groups = Math.ceil(9000 / 4) ** 2 / 64
    expect(launches.length).toBeGreaterThan(5)
    let next = 0
    for (const { first, end, operations, offset } of launches) {
      expect(first).toBe(next)
      expect([values[offset / 4], values[offset / 4 + 1]]).toEqual([first, end])
      expect(operations).toBeLessThanOrEqual(operationsPerBatch)
      next = end
    }
    expect(next).toBe(Math.ceil(groups))
  })

  it('needs the memory between the steps of its kernels, and a profile runs all of them', async () => {
    const backend = backendOver(opened)
    const values = new Float32Array(numbersFrom(3, 300_000))
    const plan = planOf((x) => x.sum(), [values.length])
    const scratch = Math.max(...plan.kernels.map((kernel) => generate(kernel, targetOf(opened)).scratch))
    expect(scratch).toBeGreaterThan(256)
    expect(backend.bytesNeeded(plan)).toBeGreaterThanOrEqual(memoryOf(plan) + scratch)
    const [input, output] = [backend.allocate(4 * values.length), backend.allocate(4)]
    backend.write(input, values)
    backend.write(output, Float32Array.of(NaN))
    const executable = backend.prepare(plan)
    await executable.ready
    const times = await executable.profile?.([input], [output])
    expect(times?.length).toBe(plan.kernels.length)
    const [found] = new Float32Array((await backend.read(output)).buffer)
    expect(found).toBeCloseTo(
      values.reduce((a, b) => a + b, 0),
      2,
    )
  })
})

describe('the backend', () => {
  it('reads and writes what it is asked to, and nothing beside it', async () => {
    const backend = backendOver(opened)
    const memory = backend.allocate(7)
    backend.write(memory, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9).subarray(2))
    expect([...(await backend.read(memory))]).toEqual([3, 4, 5, 6, 7, 8, 9])
  })
})

describe('the times of kernels', () => {
  it('are asked for in the order of the kernels, each once, however many there are', async () => {
    const seen: number[] = []
    const times = await timeKernels(opened.device, 1500, (_, kernel) => seen.push(kernel))
    expect(times.length).toBe(1500)
    expect(seen).toEqual(range(1500))
  })

  it('are times in milliseconds, which do not go backwards', async () => {
    const device = oneMemory()
    const f = device.compile((x: Tensor) => x.matmul(x).matmul(x))
    const x = await device.realize(numbers(1, 160 * 160).reshape([160, 160]))
    await f(x)
    const { milliseconds, total } = await f.profile(x)
    for (const time of milliseconds) expect(time).toBeGreaterThan(0.01)
    expect(milliseconds.reduce((a, b) => a + b)).toBeLessThanOrEqual(total)
  })
})
