/** Fourier features of the time: their values, and that frequencies which are not learned stay. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { fourierTimeEmbedding } from '../../src/nn/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const params = { frequencies: tensor([0.5, -1.25]) }

describe('fourierTimeEmbedding', () => {
  it('is the time, and sines and cosines of 2π·t·w', async () => {
    const times = [0, 0.3, -1.7]
    const found = await values(fourierTimeEmbedding(4).apply(params, tensor(times)), device)
    const angles = (t: number): readonly number[] => [0.5, -1.25].map((w) => 2 * Math.PI * t * w)
    const expected = times.flatMap((t) => [t, ...angles(t).map(Math.sin), ...angles(t).map(Math.cos)])
    found.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i] ?? NaN, 5)
    })
  })

  it('begins with normal frequencies', async () => {
    const drawn = await values(fourierTimeEmbedding(4000).init(key(1)).frequencies, device)
    const mean = drawn.reduce((sum, w) => sum + w, 0) / 2000
    const square = drawn.reduce((sum, w) => sum + w * w, 0) / 2000
    expect([Math.abs(mean) < 0.1, Math.abs(square - 1) < 0.15]).toEqual([true, true])
  })

  it.each([
    [true, 1],
    [false, 0],
  ])('learned: %s has a gradient, or none', async (learned, share) => {
    const embed = fourierTimeEmbedding(4, learned)
    const gradient = grad((p: typeof params) => embed.apply(p, tensor([0.3])).sum())(params)
    const found = await values(gradient.frequencies, device)
    const expected = [0.5, -1.25].map((w) => {
      const [turn, angle] = [2 * Math.PI * 0.3, 2 * Math.PI * 0.3 * w]
      return share * turn * (Math.cos(angle) - Math.sin(angle))
    })
    found.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i] ?? NaN, 5)
    })
  })

  it('keeps f64, and takes integers', () => {
    expect(fourierTimeEmbedding(2).apply(params, tensor([1], { dtype: 'f64' })).dtype).toBe('f64')
    expect(fourierTimeEmbedding(4).apply(params, tensor(Int32Array.of(1))).dtype).toBe('f32')
  })

  it.each([0, 3, -2, 2.5])('refuses the width %s', (width) => {
    expect(() => fourierTimeEmbedding(width)).toThrow('must be even and at least 2')
  })
})
