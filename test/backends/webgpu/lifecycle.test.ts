/** A device of the GPU from its opening to its end: memory that stays flat, devices that come and go, and one that goes while it works. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../../src/autograd/index.ts'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { backendOver, openWebgpu } from '../../../src/backends/webgpu/backend.ts'
import { measureGpu } from '../../../src/backends/webgpu/peak.ts'
import { DeviceLost } from '../../../src/prelude/errors.ts'
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { tensor, zeros } from '../../../src/tensor/create.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

useSwiftShader()

describe('a device of the GPU', () => {
  it('trains 2,000 steps in flat memory: state donated, batches made anew', async () => {
    const backend = await openWebgpu({ software: true })
    let held = 0
    const device = deviceOn({
      ...backend,
      allocate: (bytes) => {
        held += bytes
        return backend.allocate(bytes)
      },
      release: (memory) => {
        held -= memory.bytes
        backend.release(memory)
      },
    })
    const lossOf = (w: Tensor, x: Tensor): Tensor =>
      x
        .matmul(w)
        .sub(x.slice([0, 8], [0, 1]))
        .square()
        .mean()
    const step = device.compile((w: Tensor, x: Tensor) => w.sub(grad((v: Tensor) => lossOf(v, x))(w).mul(0.1)), {
      donate: [0],
    })
    let w = await device.realize(zeros([4, 1]))
    const seen: number[] = []
    for (let i = 0; i < 2000; i++) {
      w = await step(
        w,
        tensor(
          Float32Array.from({ length: 32 }, (_, n) => Math.sin(n * 12.9898 + i)),
          { shape: [8, 4] },
        ),
      )
      if (i % 500 === 499) seen.push(held)
    }
    const learned = [...(await device.read(w))]
    expect(learned[0]).toBeGreaterThan(0.5)
    expect(learned.every(Number.isFinite)).toBe(true)
    expect(Math.max(...seen)).toBeLessThan(10_000)
    expect(seen.at(-1)).toBe(seen[0])
    await device.close()
  }, 120_000)

  it('opens and closes 50 times in one process', async () => {
    for (let i = 0; i < 50; i++) {
      const device = deviceOn(await openWebgpu({ software: true }))
      if (i % 10 === 0) expect([...(await device.read(tensor([i, 2]).add(1)))]).toEqual([i + 1, 3])
      await device.close()
    }
  }, 120_000)

  it('that is destroyed while it works rejects what waits for it, with the reason, and another one works', async () => {
    const opened = await openAdapter({ software: true })
    const device = deviceOn(backendOver(opened))
    const f = device.compile((x: Tensor) => x.matmul(x).sin())
    const x = await device.realize(zeros([256, 256]).add(0.5))
    const y = await f(x)
    const waiting = device.read(y)
    opened.device.destroy()
    await expect(waiting).rejects.toThrow(DeviceLost)
    await expect(f(x)).rejects.toThrow(/the device 'webgpu' was lost: .*destroyed/)
    await device.close()
    const other = deviceOn(await openWebgpu({ software: true }))
    expect([...(await other.read(tensor([1]).add(1)))]).toEqual([2])
    await other.close()
  }, 60_000)

  it('measures what it reaches at best', async () => {
    const { device } = await openAdapter({ software: true })
    const { flopsPerSecond, bytesPerSecond } = await measureGpu(device, true)
    expect(flopsPerSecond).toBeGreaterThan(1e6)
    expect(flopsPerSecond).toBeLessThan(1e13)
    expect(bytesPerSecond).toBeGreaterThan(1e6)
    expect(bytesPerSecond).toBeLessThan(1e13)
    device.destroy()
  }, 60_000)
})
