/** A device that is lost at any of its calls: whoever waits for it is told, at once, and of nothing else. */
import fc from 'fast-check'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { disagreements } from '../../src/backends/selfTest.ts'
import { DeviceLost, OutOfMemory } from '../../src/prelude/errors.ts'
import { ones, tensor } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { losableBackend, reset, type Answer } from '../support/losableBackend.ts'

const answers: readonly Answer[] = ['throws', 'is silent']

const step = (state: { readonly w: Tensor }, x: Tensor): readonly [{ readonly w: Tensor }, Tensor] => [
  { w: state.w.sub(x.mul(0.1)) },
  state.w.mul(x).sum(),
]

/** A program that calls, reads, releases, and computes in a scope. */
const program = async (device: Device): Promise<number> => {
  const trained = device.compile(step, { donate: [0] })
  let state = await device.realize({ w: ones([3]) })
  let sum = 0
  for (const i of [1, 2, 3]) {
    const [next, loss] = await trained(state, tensor([i, 1, 2]))
    sum += await device.item(loss)
    state = next
  }
  sum += await device.scope(async () => device.item(await device.realize(state.w.square().sum())))
  const { w } = await device.readTree(state)
  device.release(state)
  return sum + Array.from(w).reduce((a, b) => a + b, 0)
}

/** What was rejected and nobody has looked at. */
const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)

beforeAll(() => process.on('unhandledRejection', note))
afterAll(() => process.off('unhandledRejection', note))

const calls = async (): Promise<number> => {
  const { backend, calls: count } = losableBackend()
  await program(deviceOn(backend))
  return count()
}

describe('a device that is lost', () => {
  it.each(answers)('at any call, and %s: the program is told by a DeviceLost that names the reason', async (answer) => {
    const all = await calls()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: all }), async (lostAt) => {
        const { backend, isClosed } = losableBackend({ lostAt, answer })
        const device = deviceOn(backend)
        const error = await program(device).then(
          () => undefined,
          (e: unknown) => e,
        )
        expect(error).toBeInstanceOf(DeviceLost)
        expect(error).toMatchObject({
          reason: reset,
          message: expect.stringContaining(`${reset}. Open the device again`),
        })
        await expect(device.read(tensor([1]))).rejects.toThrow(`the device 'losable' was lost: ${reset}`)
        await expect(device.scope(() => device.realize(ones([2])))).rejects.toThrow(DeviceLost)
        await device.close()
        expect(isClosed()).toBe(true)
      }),
      { numRuns: 60 },
    )
    expect(unhandled).toEqual([])
  })

  it.each(answers)('%s: a profile ends too, with the arguments that it would put back', async (answer) => {
    const at = async (lostAt: number): Promise<unknown> => {
      const { backend } = losableBackend({ lostAt, answer })
      const device = deviceOn(backend)
      const f = device.compile(step, { donate: [0] })
      try {
        await f.profile(await device.realize({ w: ones([3]) }), tensor([1, 2, 3]))
        return undefined
      } catch (e) {
        return e
      }
    }
    let lostAt = 1
    for (let error = await at(lostAt); error !== undefined; error = await at(++lostAt))
      expect(error).toBeInstanceOf(DeviceLost)
    expect(lostAt).toBeGreaterThan(6)
    expect(unhandled).toEqual([])
  })

  it.each(answers)('%s, and lets go of what lay on it without a word', async (answer) => {
    const { backend, lose } = losableBackend({ answer })
    const device = deviceOn(backend)
    const scope = device.scope()
    const [x] = await device.realize([ones([2]).mul(2), ones([3]).mul(2)])
    lose()
    await new Promise(setImmediate)
    device.release(x)
    scope.end()
    await device.close()
  })

  it('while it is tested ends the test', async () => {
    const { backend } = losableBackend({ lostAt: 3, of: ['read'], answer: 'is silent' })
    await expect(disagreements(backend, cpuBackend(true))).rejects.toThrow(
      `the device 'losable' was lost while it was tested: ${reset}`,
    )
    expect(unhandled).toEqual([])
  })

  it('while memory is short is not asked again', async () => {
    const { backend, lose } = losableBackend({ answer: 'is silent' })
    const device = deviceOn({
      ...backend,
      allocate: () => {
        lose()
        throw new OutOfMemory('none is left')
      },
    })
    await expect(device.realize(ones([2]).mul(2))).rejects.toThrow(DeviceLost)
  })

  it('is not blamed for what the program does wrong', async () => {
    const device = deviceOn(losableBackend().backend)
    const x = await device.realize(ones([2]).mul(2))
    device.release(x)
    await expect(device.read(x)).rejects.toThrow('was released')
  })

  it('whose backend cannot say why is lost all the same', async () => {
    const { backend } = losableBackend()
    const device = deviceOn({ ...backend, lost: Promise.reject(new Error('the GPU process has ended')) })
    await new Promise(setImmediate)
    await expect(device.read(tensor([1]))).rejects.toThrow('the GPU process has ended')
  })
})
