/** A compiled function that nothing refers to any more gives back what its plans keep on the device. */
import { expect, it } from 'vitest'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Backend } from '../../src/backends/backend.ts'
import { collectGarbage } from '../../src/tensor/collector.ts'
import { tensor } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

it('the plans of functions that are dropped are given back; those of a function that is kept are not', async () => {
  const backend = cpuBackend(true)
  const counts = { prepared: 0, released: 0 }
  const counting: Backend = {
    ...backend,
    prepare: (plan) => {
      const executable = backend.prepare(plan)
      counts.prepared++
      return {
        ...executable,
        release: () => {
          counts.released++
          executable.release()
        },
      }
    },
  }
  const device = deviceOn(counting)
  const kept = device.compile((x: Tensor) => x.mul(3))
  await kept(tensor([1]))
  for (let i = 0; i < 20; i++) await device.compile((x: Tensor) => x.add(i))(tensor([1, i]))
  await collectGarbage(() => counts.released >= 19)
  expect(counts.prepared).toBe(21)
  expect(counts.released).toBeGreaterThanOrEqual(15)
  expect(counts.released).toBeLessThanOrEqual(20)
  expect(await device.read(await kept(tensor([2])))).toEqual(Float32Array.of(6))
  expect(counts.prepared).toBe(21)
  await device.close()
})
