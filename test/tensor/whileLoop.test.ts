/** Loops of unknown length: they end where the condition does, leave their first state alone, stay flat in memory, and refuse what they cannot run. */
import { describe, expect, it } from 'vitest'
import { useSwiftShader } from '../../proof/webgpu.ts'
import { openWebgpu } from '../../src/backends/webgpu/backend.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Backend } from '../../src/backends/backend.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { foldIn, key, uniform } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { whileLoop } from '../../src/tensor/whileLoop.ts'
import { cpuDevice } from '../support/device.ts'

useSwiftShader()
const gpu = await openWebgpu({ software: true })

const devices: readonly (readonly [name: string, open: () => Device])[] = [
  ['cpu', () => cpuDevice()],
  ['cpu, one primitive at a time', () => cpuDevice({ fused: false })],
  ['wasm', () => deviceOn(wasmBackend())],
  ['webgpu', () => deviceOn({ ...gpu, close: () => Promise.resolve() })],
]

interface Collatz {
  readonly n: Tensor
  readonly steps: Tensor
}

/** Collatz' sequences: how long they are is not known before. */
const collatz = (every: number): Parameters<typeof whileLoop<Collatz>>[1] => ({
  while: ({ n }) => n.greater(1),
  do: ({ n, steps }) => ({ n: n.rem(2).equal(0).select(n.div(2), n.mul(3).add(1)), steps: steps.add(1) }),
  every,
})

describe.each(devices)('%s', (_, open) => {
  it.each([1, 4, 1000])('ends where its condition does, read after every %i turns', async (every) => {
    const device = open()
    const run = whileLoop(device, collatz(every))
    const init = { n: scalar(27, 'i32'), steps: scalar(0, 'i32') }
    expect(Array.from(await device.read((await run(init)).steps))).toEqual([111])
    expect(Array.from(await device.read(init.n))).toEqual([27])
    const other = await run({ n: scalar(1, 'i32'), steps: scalar(5, 'i32') })
    expect(Array.from(await device.read(other.steps))).toEqual([5]) // no turn at all
  })
})

describe('states', () => {
  it('stay flat in memory over 10,000 turns, and leave what they began with', async () => {
    const most = { bytes: 0, live: 0 }
    const inner = cpuBackend(true)
    const counting: Backend = {
      ...inner,
      allocate: (bytes) => {
        most.live += bytes
        most.bytes = Math.max(most.bytes, most.live)
        return inner.allocate(bytes)
      },
      release: (memory) => {
        most.live -= memory.bytes
        inner.release(memory)
      },
    }
    const device = deviceOn(counting)
    const init = await device.realize({ x: zeros([1000]), turns: scalar(0, 'i32') })
    const run = whileLoop(device, {
      while: ({ turns }: typeof init) => turns.less(10_000),
      do: ({ x, turns }: typeof init) => ({ x: x.add(1), turns: turns.add(1) }),
    })
    const last = await run(init)
    expect((await device.read(last.x))[999]).toBe(10_000)
    expect((await device.read(init.x))[999]).toBe(0)
    expect(most.bytes).toBeLessThan(20_000)
    expect(most.live).toBeLessThan(10_000)
  })

  it('may hold keys, from which every turn draws', async () => {
    const device = cpuDevice()
    // rejection: the first number below 0.05
    const run = whileLoop(device, {
      while: ({ u }: { readonly u: Tensor; readonly i: Tensor }) => u.less(0.05).not(),
      do: ({ i }) => ({ u: uniform(foldIn(key(3), i), []), i: i.add(1) }),
      limit: 1000,
    })
    const { u, i } = await run({ u: scalar(1), i: scalar(0, 'u32') })
    expect((await device.read(u))[0]).toBeLessThan(0.05)
    expect((await device.read(i))[0]).toBeGreaterThan(1)
  })
})

describe('what is refused', () => {
  const device = cpuDevice()
  const on = { while: (x: Tensor): Tensor => x.less(10), do: (x: Tensor): Tensor => x.add(1) }

  it('a loop that goes on behind its limit, also because of NaN', async () => {
    await expect(whileLoop(device, { ...on, limit: 10 })(scalar(0))).resolves.toBeDefined()
    await expect(whileLoop(device, { ...on, limit: 9 })(scalar(0))).rejects.toThrow(
      'whileLoop: the loop has not ended after 9 turns, its limit',
    )
    const forever = whileLoop(device, { while: (x: Tensor) => x.less(1).not(), do: (x) => x, limit: 3 })
    await expect(forever(scalar(NaN))).rejects.toThrow('also of NaN')
  })

  it('conditions that are no bool scalar, and states that become others', async () => {
    await expect(whileLoop(device, { ...on, while: (x) => x })(scalar(1))).rejects.toThrow(
      'whileLoop: the condition must be a bool scalar, it is f32[]',
    )
    await expect(whileLoop(device, on)(tensor([1, 2]))).rejects.toThrow(
      'it is bool[2]: compare, and take any or all of it',
    )
    const widening = {
      while: (s: { readonly a: Tensor }) => s.a.less(3),
      do: ({ a }: { readonly a: Tensor }) => ({ a: a.cast('f64') }),
    }
    await expect(whileLoop(device, widening)({ a: scalar(0) })).rejects.toThrow(
      "whileLoop: 'a' of the state is f32[] before a turn and f64[] behind it",
    )
    expect(() => whileLoop(device, { ...on, every: 0 })).toThrow(
      'whileLoop: every is a whole number of turns from 1 on, got 0',
    )
  })
})
