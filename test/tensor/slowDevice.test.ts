/** Devices whose code is compiled meanwhile, and that can be lost: what a GPU is like. */
import { describe, expect, it } from 'vitest'
import { DeviceLost } from '../../src/index.ts'
import { disagreements } from '../../src/backends/selfTest.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { slowBackend, type Slow } from '../support/slowBackend.ts'

/** The result of work, whose plans are compiled one after the other as they are asked for. */
const compiling = async <T>({ waiting, compileAll }: Slow, work: Promise<T>): Promise<T> => {
  const state = { isDone: false }
  const done = work.finally(() => {
    state.isDone = true
  })
  done.catch(() => undefined)
  for (let turn = 0; !state.isDone && turn < 1000; turn++) {
    if (waiting() > 0) compileAll()
    await Promise.resolve()
  }
  return done
}

describe('a device whose code is compiled meanwhile', () => {
  it('calls, realizes and reads what others do', async () => {
    const slow = slowBackend()
    const device = deviceOn(slow.backend)
    const f = device.compile((x: Tensor, rate: Tensor) => x.mul(rate).exp().sum())
    const called = await compiling(slow, f(tensor([0, 1]).add(0), 2))
    expect(await device.item(called)).toBeCloseTo(1 + Math.exp(2), 5)
    const { a } = await compiling(slow, device.realize({ a: tensor([1, 2]).square() }))
    expect([...(await device.read(a))]).toEqual([1, 4])
    expect([...(await compiling(slow, device.read(a.add(scalar(1)))))]).toEqual([2, 5])
    expect(slow.waiting()).toBe(0)
  })

  it('waits once for a plan, and not at all when it is ready', async () => {
    const slow = slowBackend()
    const device = deviceOn(slow.backend)
    const f = device.compile((x: Tensor) => x.add(1))
    const x = tensor([1, 2])
    const both = Promise.all([f(x), f(x)])
    await Promise.resolve()
    expect(slow.waiting()).toBe(1)
    const [first, second] = await compiling(slow, both)
    expect([...(await device.read(first)), ...(await device.read(second))]).toEqual([2, 3, 2, 3])
    expect([...(await device.read(await f(x)))]).toEqual([2, 3])
  })

  it('does things in the order in which they were asked for', async () => {
    const slow = slowBackend()
    const device = deviceOn(slow.backend)
    const step = device.compile((x: Tensor) => x.mul(10), { donate: [0] })
    const x = await device.realize(tensor([1, 2]))
    await compiling(slow, step(await device.realize(tensor([0, 0])))) // the step's code is there
    const before = device.read(x.add(1)) // this one's is not
    const after = step(x)
    const late = device.read(x)
    late.catch(() => undefined)
    expect([...(await compiling(slow, before))]).toEqual([2, 3])
    expect([...(await device.read(await after))]).toEqual([10, 20])
    await expect(late).rejects.toThrow('was donated as')
  })

  it('says in every call that the code could not be compiled, and goes on with other plans', async () => {
    const slow = slowBackend()
    const device = deviceOn(slow.backend)
    const f = device.compile((x: Tensor) => x.exp())
    const call = f(tensor([1]))
    await Promise.resolve()
    slow.compileAll('kernel 0: no such function')
    await expect(call).rejects.toThrow('kernel 0: no such function')
    await expect(f(tensor([1]))).rejects.toThrow('kernel 0: no such function')
    expect([...(await compiling(slow, device.read(tensor([1]).add(1))))]).toEqual([2])
  })

  it('shows the code that is being compiled, and profiles when it is there', async () => {
    const slow = slowBackend()
    const device = deviceOn({
      ...slow.backend,
      prepare: (plan) => ({
        ...slow.backend.prepare(plan),
        profile: () => Promise.resolve(plan.kernels.map(() => 1)),
      }),
    })
    const f = device.compile((x: Tensor) => x.exp())
    expect(f.source(tensor([1]))).toEqual(['exp'])
    expect(slow.waiting()).toBe(1)
    expect((await compiling(slow, f.profile(tensor([1])))).milliseconds).toEqual([1])
  })

  it('does not run when it was closed meanwhile', async () => {
    const slow = slowBackend()
    const device = deviceOn(slow.backend)
    const call = device.compile((x: Tensor) => x.exp())(tensor([1]))
    await device.close()
    slow.compileAll()
    await expect(call).rejects.toThrow("the device 'slow' is closed")
  })

  it('passes the self-test', async () => {
    const slow = slowBackend()
    expect(await compiling(slow, disagreements(slow.backend, cpuBackend(true)))).toEqual([])
  })
})

describe('a device that is lost', () => {
  it.each(['reject first', 'never end'] as const)('says what was lost, whether reads %s', async (how) => {
    const slow = slowBackend(true)
    const device = deviceOn(slow.backend)
    const f = device.compile(function step(x: Tensor) {
      return x.add(1)
    })
    const y = await compiling(slow, f(tensor([1, 2])))
    const reading = device.read(y)
    const lazily = compiling(slow, device.read(y.exp()))
    lazily.catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve))
    slow.lose('the driver was reset', how)
    await expect(reading).rejects.toThrow(DeviceLost)
    await expect(reading).rejects.toThrow(
      "f32[2] of the compiled function 'step' was lost with the device 'slow': the driver was reset. Open the device again, and go on from what was read or saved before",
    )
    await expect(lazily).rejects.toThrow("f32[2] of realize was lost with the device 'slow': the driver was reset")
  })

  it('does nothing any more', async () => {
    const slow = slowBackend()
    const device = deviceOn(slow.backend)
    const f = device.compile((x: Tensor) => x.exp())
    const waiting = f(tensor([1]))
    await Promise.resolve()
    slow.lose('it was unplugged')
    await expect(waiting).rejects.toThrow(
      /^the code of the function compiled at .*slowDevice\.test\.ts.* was lost with the device 'slow': it was unplugged/,
    )
    const error = "the device 'slow' was lost: it was unplugged. Open the device again"
    await expect(f(tensor([1]))).rejects.toThrow(error)
    await expect(device.realize(tensor([1]))).rejects.toThrow(error)
    await expect(device.read(tensor([1]))).rejects.toThrow(error)
    await device.close()
  })

  it('has no say in what its backend rejects by itself', async () => {
    const slow = slowBackend()
    const device = deviceOn({ ...slow.backend, read: () => Promise.reject(new Error('no such buffer')) })
    await expect(device.read(await device.realize(tensor([1])))).rejects.toThrow('no such buffer')
  })
})
