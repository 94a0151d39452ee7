/** GELU at the ends of the formats, where a careless order of operations overflows or cancels. */
import { describe, expect, it } from 'vitest'
import { tensor } from '../../src/tensor/create.ts'
import { gelu, geluTanh } from '../../src/tensor/activations.ts'
import { cpuDevice, values } from '../support/device.ts'

describe('gelu', () => {
  it('of the largest numbers of a format is that number, not infinity', async () => {
    for (const [dtype, x] of [
      ['f16', 65504],
      ['f32', (2 - 2 ** -23) * 2 ** 127],
      ['f64', Number.MAX_VALUE],
    ] as const)
      expect(await values(gelu(tensor([x], { dtype })), cpuDevice()), dtype).toEqual([x])
  })
})

describe('geluTanh', () => {
  it.each([
    [-3, -0.0036373920817730188],
    [-6, -8.4396467007622971e-11],
    [-9, -1.33645959473487255e-28],
  ])('of %d keeps the digits of its tail', async (x, y) => {
    const [got] = await values(geluTanh(tensor([x], { dtype: 'f64' })), cpuDevice())
    expect(Math.abs((got ?? NaN) / y - 1)).toBeLessThan(1e-13)
  })

  it('is 0 far to the left and x far to the right, in every format', async () => {
    for (const dtype of ['f16', 'f32', 'f64'] as const)
      expect(await values(geluTanh(tensor([-60000, 60000], { dtype })), cpuDevice()), dtype).toEqual([-0, 60000])
  })
})
