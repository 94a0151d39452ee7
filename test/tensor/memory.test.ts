/** Memory of a device: what comes back, when, and what is said when it does not. */
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { valueAndGrad } from '../../src/autograd/index.ts'
import type { Backend, Memory } from '../../src/backends/backend.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { openWasm } from '../../src/backends/wasm/whole.ts'
import { OutOfMemory } from '../../src/prelude/errors.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { foldIn, key, normal, type Key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** A backend that counts what it has handed out, and has no more than `limit` bytes. */
interface Counted {
  readonly device: Device
  readonly held: () => number
  readonly peak: () => number
}

const counted = (backend: Backend, limit = Infinity): Counted => {
  let [held, peak] = [0, 0]
  const alive = new Set<Memory>()
  const device = deviceOn({
    ...backend,
    allocate: (bytes) => {
      if (held + bytes > limit)
        throw new OutOfMemory(`${bytes} bytes do not fit into ${limit}, of which ${held} are in use`)
      const memory = backend.allocate(bytes)
      alive.add(memory)
      held += bytes
      peak = Math.max(peak, held)
      return memory
    },
    release: (memory) => {
      if (!alive.delete(memory)) throw new Error('released twice')
      held -= memory.bytes
      backend.release(memory)
    },
  })
  return { device, held: () => held, peak: () => peak }
}

const onCpu = (limit?: number): Counted => counted(cpuBackend(true), limit)

const kilo = 1024
const mega = 1024 * kilo

describe('a loop in the style of the documentation', () => {
  const backends = [
    ['cpu', () => Promise.resolve(cpuBackend(true))],
    ['wasm', () => openWasm({ threads: 2 })],
  ] as const

  it.each(backends)(
    'trains 10,000 steps in flat memory on %s: state donated, batches made anew',
    async (_, open) => {
      const { device, held, peak } = counted(await open())
      const lossOf = (w: Tensor, x: Tensor, y: Tensor): Tensor => x.matmul(w).sub(y).square().mean()
      const step = device.compile(
        ({ w }: { readonly w: Tensor }, x: Tensor, y: Tensor, rate: number, k: Key) => {
          const [loss, g] = valueAndGrad(lossOf)(w, x.add(normal(k, [1]).mul(1e-3)), y)
          return { state: { w: w.sub(g.mul(rate)) }, loss }
        },
        { donate: [0] },
      )
      let state = { w: await device.realize(zeros([4, 1])) }
      const [xs, ys] = [new Float32Array(8 * 4), new Float32Array(8)]
      let loss: Tensor | undefined
      let early = 0
      for (let i = 0; i < 10_000; i++) {
        for (let n = 0; n < xs.length; n++) xs[n] = Math.sin(n * 12.9898 + i)
        for (let n = 0; n < ys.length; n++) ys[n] = (xs[4 * n] ?? 0) * 2 - (xs[4 * n + 3] ?? 0)
        const result = await step(
          state,
          tensor(xs, { shape: [8, 4] }),
          tensor(ys, { shape: [8, 1] }),
          0.1,
          foldIn(key(0), i),
        )
        ;({ state, loss } = result)
        if (i === 500) early = peak()
      }
      expect(loss === undefined ? NaN : ((await device.read(loss))[0] ?? NaN)).toBeLessThan(1e-4)
      const batch = 4 * (xs.length + ys.length)
      expect(early).toBeLessThan(2 * batch + 500 * 64)
      expect(peak()).toBeLessThan(early + 10_000 * 16) // four bytes a loss, until the collector has found it
      expect(held()).toBeLessThan(peak())
      await device.close()
    },
    300_000,
  )

  it.each(backends)(
    'replaces 300 kB 10,000 times in flat memory on %s, without donation',
    async (_, open) => {
      const { device, peak } = counted(await open())
      const f = device.compile((x: Tensor) => x.mul(1.5))
      let x = await device.realize(zeros([75_000]).add(1e-30))
      for (let i = 0; i < 10_000; i++) x = await f(x) // three gigabytes in all
      expect(peak()).toBeLessThan(1.1 * 512 * mega)
      expect([...(await device.read(x.slice([0, 1])))]).toEqual([Infinity])
      await device.close()
    },
    300_000,
  )

  it('collects small results by their number, for their objects add up though their bytes do not', async () => {
    const { device, held } = onCpu()
    const f = device.compile((x: Tensor) => ({ x: x.add(1), loss: x.mul(2) }), { donate: [0] })
    let x = await device.realize(scalar(0).add(0))
    let most = 0
    for (let i = 0; i < 100_000; i++) {
      ;({ x } = await f(x))
      most = Math.max(most, held())
    }
    expect(most).toBeLessThan(4 * 22_000)
    expect((await device.read(x))[0]).toBe(100_000)
  }, 300_000)

  it('reads a new expression with another number 10,000 times with one plan', async () => {
    const backend = cpuBackend(true)
    let plans = 0
    const { device, held } = counted({
      ...backend,
      prepare: (plan) => {
        plans++
        return backend.prepare(plan)
      },
    })
    const x = await device.realize(tensor([1, 2, 3]).mul(1))
    plans = 0
    for (let i = 0; i < 10_000; i++)
      expect((await device.read(x.mul(i + 0.5).sum()))[0]).toBe(Math.fround(6 * (i + 0.5)))
    expect(plans).toBe(1)
    expect(held()).toBe(12)
  }, 300_000)

  it('lets timers run while it awaits nothing but the device', async () => {
    const { device } = onCpu()
    const f = device.compile((x: Tensor) => x.add(1), { donate: [0] })
    let x = await device.realize(zeros([10_000]).add(0))
    const ticksDuring = async (work: () => Promise<unknown>): Promise<number> => {
      const ticks: number[] = []
      const timer = setInterval(() => ticks.push(performance.now()), 10)
      for (const end = performance.now() + 10_000; ticks.length < 5 && performance.now() < end;) await work()
      clearInterval(timer)
      return ticks.length
    }
    expect(await ticksDuring(async () => (x = await f(x)))).toBe(5)
    expect(await ticksDuring(() => device.read(x))).toBe(5)
    expect(await ticksDuring(() => device.realize(x.mul(2)))).toBe(5)
  })
})

describe('what is given to a device', () => {
  it('belongs to its owner again at once: a buffer may be used for the next batch', async () => {
    const { device } = onCpu()
    const f = device.compile((x: Tensor) => x.mul(2))
    const buffer = new Float32Array(3)
    const kept: Tensor[] = []
    for (let i = 0; i < 3; i++) {
      buffer.fill(i)
      const x = tensor(buffer)
      kept.push(x)
      expect([...(await device.read(await f(x)))]).toEqual([2 * i, 2 * i, 2 * i])
      expect([...(await device.read(x.mul(3)))]).toEqual([3 * i, 3 * i, 3 * i])
    }
    buffer.fill(99)
    for (const [i, x] of kept.entries()) expect([...(await device.read(x))]).toEqual([i, i, i])
  })

  it.each([Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array, Uint16Array])(
    'is copied from a %o, and what is read is copied too',
    async (TypedArray) => {
      const { device } = onCpu()
      const given = TypedArray.of(1, 2)
      const x = tensor(given)
      given.fill(0)
      const read = await device.read(x)
      const expected = [...read]
      read.fill(0)
      expect([...(await device.read(x))]).toEqual(expected)
      expect(expected.every((value) => value > 0)).toBe(true)
    },
  )

  it('is taken as it is when no copy is asked for', async () => {
    const { device } = onCpu()
    const given = Float32Array.of(1, 2)
    const x = tensor(given, { copy: false })
    given[0] = 7
    expect([...(await device.read(x))]).toEqual([7, 2])
  })

  it('is given back behind the call that it was brought for', async () => {
    const { device, held } = onCpu()
    const f = device.compile((x: Tensor, y: Tensor, n: number) => x.add(y).mul(n).sum())
    for (let i = 0; i < 100; i++) await device.read(await f(tensor(new Float32Array(1000)), normal(key(i), [1000]), i))
    expect(held()).toBeLessThanOrEqual(100 * 4)
  })

  it('stays when it is used again, and is brought once', async () => {
    const backend = cpuBackend(true)
    let writes = 0
    const { device, held } = counted({
      ...backend,
      write: (memory, values) => {
        writes += values.byteLength
        backend.write(memory, values)
      },
    })
    const f = device.compile((x: Tensor) => x.sum())
    const x = tensor(new Float32Array(1000).fill(2))
    for (let i = 0; i < 50; i++) expect((await device.read(await f(x)))[0]).toBe(2000)
    expect(writes).toBe(2 * 4000)
    expect(held()).toBeLessThanOrEqual(4000 + 50 * 4)
  })

  it('makes room when memory is short, as it can be brought again', async () => {
    const { device } = onCpu(3 * mega)
    const f = device.compile((x: Tensor) => x.sum())
    const sets = [1, 2, 3, 4].map((value) => tensor(new Float32Array(mega / 4).fill(value)))
    for (let round = 0; round < 3; round++)
      for (const [i, x] of sets.entries()) expect((await device.read(await f(x)))[0]).toBe(((i + 1) * mega) / 4)
  })
})

describe('when memory is short', () => {
  it('the collector is let run before anything fails', async () => {
    const { device } = onCpu(5 * mega)
    const f = device.compile((x: Tensor) => x.add(1))
    let x = await device.realize(zeros([mega / 4]).add(0))
    for (let i = 0; i < 100; i++) x = await f(x)
    expect((await device.read(x))[5]).toBe(100)
  })

  it('calls that were not awaited keep their order', async () => {
    const { device } = onCpu(4 * mega)
    const read = device.compile((x: Tensor) => x.slice([0, 1]))
    const add = device.compile((x: Tensor) => x.add(1), { donate: [0] })
    const large = device.compile((x: Tensor) => x.mul(1))
    const x = await device.realize(zeros([mega / 4]).add(0))
    for (let i = 0; i < 3; i++) await large(x) // garbage, which only the collector can find
    const results = [large(x), read(x), add(x)] as const // the first must wait, and the last consumes what it reads
    expect((await device.read(await results[0]))[0]).toBe(0)
    expect((await device.read(await results[1]))[0]).toBe(0)
    expect((await device.read(await results[2]))[0]).toBe(1)
  })

  it('the error says what is still referred to, and who made it', async () => {
    const { device } = onCpu(5 * mega)
    const f = device.compile(function double(x: Tensor) {
      return x.mul(2)
    })
    const x = await device.realize(zeros([mega / 4]).add(0))
    const kept: Tensor[] = []
    for (let i = 0; i < 9; i++) await f(tensor(new Float32Array(mega / 4))) // uploads that are gone do not count
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) kept.push(await f(x))
    }
    await expect(fill()).rejects.toThrow(OutOfMemory)
    await expect(f(x)).rejects.toThrow(
      "Tensors that something still refers to hold 5.0 MiB: 4 × f32[262144] of the compiled function 'double' (4.0 MiB), 1 × f32[262144] of realize (1.0 MiB). Donate",
    )
    device.release(kept.pop())
    expect((await device.read(await f(x)))[0]).toBe(0)
  })

  it('a run that fails gives back what it had brought and allocated', async () => {
    const { device, held } = onCpu(4 * mega)
    const f = device.compile((x: Tensor) => [x.add(1), x.add(2), x.add(3), x.add(4)])
    await expect(f(zeros([mega / 4]).add(0))).rejects.toThrow('do not fit')
    expect(held()).toBe(0)
  })
})

describe('giving back by hand', () => {
  it('release gives memory back at once, and names what is used afterwards', async () => {
    const { device, held } = onCpu()
    const state = await device.realize({ w: zeros([1000]).add(1), b: [zeros([10]).add(1)] })
    const host = tensor([1, 2])
    device.release({ state: { w: state.w }, host, lazy: host.mul(2), none: null })
    expect(held()).toBe(40)
    await expect(device.read(state.w.sum())).rejects.toThrow('a tensor that is used was released')
    await expect(device.compile((s: typeof state) => s.w)(state)).rejects.toThrow("the tensor '0.w' was released")
    expect([...(await device.read(host))]).toEqual([1, 2])
    device.release(state)
    device.release(state)
    expect(held()).toBe(0)
  })

  it('a scope gives back what was made in it, but what it returns or keeps', async () => {
    const { device, held } = onCpu()
    const f = device.compile((x: Tensor) => x.add(1))
    const x = await device.realize(zeros([100]).add(0))
    let lost: Tensor | undefined
    const { y, z } = await device.scope(async (scope) => {
      lost = await f(x)
      const inner = await device.scope(async () => ({ kept: await f(lost ?? x), gone: scalar(1) }))
      scope.keep(inner.kept)
      await device.scope(() => f(x)) // is kept for this scope, and ends with it
      return { y: await f(inner.kept), z: (await f(x)).mul(2) } // a graph over what was made
    })
    expect(held()).toBe(4 * 400)
    expect((await device.read(y))[0]).toBe(3)
    expect((await device.read(z))[0]).toBe(2)
    await expect(device.read(lost ?? x)).rejects.toThrow('the tensor was made in a scope that has ended')
  })

  it('a scope ends when its body throws, and with its block', async () => {
    const { device, held } = onCpu()
    await expect(
      device.scope(async () => {
        await device.realize(zeros([100]).add(0))
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    expect(held()).toBe(0)
    const scope = device.scope()
    await device.realize(zeros([100]).add(0))
    expect(held()).toBe(400)
    scope[Symbol.dispose]()
    scope.end()
    expect(held()).toBe(0)
  })

  it('scopes that overlap are an error, not a surprise', () => {
    const { device } = onCpu()
    const outer = device.scope()
    const inner = device.scope()
    expect(() => {
      outer.end()
    }).toThrow('scopes of a device must end in the order opposite to that in which they were opened')
    inner.end()
    outer.end()
  })

  it('a state that goes through scopes is donated as ever', async () => {
    const { device, held } = onCpu()
    const step = device.compile((s: { readonly w: Tensor }) => ({ w: s.w.add(1) }), { donate: [0] })
    let state = await device.realize({ w: zeros([100]).add(0) })
    for (let i = 0; i < 100; i++) state = await device.scope(() => step(state))
    expect((await device.read(state.w))[0]).toBe(100)
    expect(held()).toBe(400)
  })

  it('nothing is lost, and nothing given back twice, whatever a program does', async () => {
    const action = fc.constantFrom('upload', 'lazy', 'again', 'donate', 'release', 'scope', 'read', 'fail')
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const { device, held } = onCpu()
        const add = device.compile((x: Tensor, y: Tensor) => x.add(y), { donate: [0] })
        const bad = device.compile((x: Tensor, y: Tensor) => x.matmul(y))
        const host = tensor([5])
        let [x, expected] = [await device.realize(scalar(0).add(0)), 0]
        const steps: Record<(typeof actions)[number], () => Promise<void>> = {
          upload: async () => {
            x = await add(x, scalar(1))
            expected += 1
          },
          lazy: async () => {
            x = await add(x, scalar(1).add(1))
            expected += 2
          },
          again: async () => {
            x = await add(x, host.reshape([]))
            expected += 5
          },
          donate: async () => {
            const before = x
            x = await add(before, scalar(3))
            expected += 3
            await expect(device.read(before)).rejects.toThrow('donated')
          },
          release: async () => {
            const copy = await device.realize(x.mul(1))
            device.release(copy)
            device.release(copy)
          },
          scope: async () => {
            x = await device.scope(() => add(x, scalar(4)))
            expected += 4
          },
          read: async () => {
            expect([...(await device.read(x.mul(2)))]).toEqual([2 * expected])
          },
          fail: async () => {
            await expect(bad(x, scalar(1))).rejects.toThrow('matmul')
          },
        }
        for (const name of actions) await steps[name]()
        expect([...(await device.read(x))]).toEqual([expected])
        device.release([x, host])
        expect(held()).toBe(0)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a device that is closed', () => {
  const { device } = onCpu()
  afterAll(() => device.close())

  it('says so, whatever it is asked for', async () => {
    const closed = deviceOn(cpuBackend(true))
    const f = closed.compile((x: Tensor) => x.mul(2))
    const x = await f(scalar(1))
    await closed.close()
    const message = "the device 'cpu' is closed: open another, and read what is to be kept before closing"
    await expect(closed.read(x)).rejects.toThrow(message)
    await expect(closed.read(scalar(1))).rejects.toThrow(message)
    await expect(closed.realize(scalar(1))).rejects.toThrow(message)
    await expect(f(scalar(1))).rejects.toThrow(message)
    expect((await device.read(scalar(3)))[0]).toBe(3)
  })
})
