import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chosenNoise, nearestNoise, offsetNoise } from '../../src/diffusion/index.ts'
import { stack } from '../../src/tensor/combine.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()

describe('offset noise', () => {
  it('moves each channel of each image by one number, and its variance is 1 + strength²', async () => {
    const [n, side, channels] = [400, 8, 3]
    const made = offsetNoise(normal(key(1), [n, side, side, channels]), normal(key(2), [n, channels]), 0.5)
    const x = await values(made, device)
    const variance = x.reduce((sum, v) => sum + v * v, 0) / x.length
    expect(Math.abs(variance - 1.25)).toBeLessThan(0.03)
    const light = await values(made.mean([1, 2]), device) // variance 0.25 + 1/64
    expect(Math.abs(light.reduce((sum, v) => sum + v * v, 0) / light.length - (0.25 + 1 / 64))).toBeLessThan(0.03)
  })

  it('is the noise and the offset of its own image and channel, element by element', async () => {
    const offsets = [10, 20, 30, 40, 50, 60]
    const made = offsetNoise(zeros([2, 2, 1, 3]), tensor([offsets.slice(0, 3), offsets.slice(3)]), 0.1)
    expect(await values(made, device)).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
  })

  it('refuses an offset that is not one number for each image and channel', () => {
    for (const shape of [[2], [2, 4], [3, 3], [2, 3, 1]])
      expect(() => offsetNoise(zeros([2, 8, 8, 3]), zeros(shape), 0.1)).toThrow(
        'give one number for each image and channel, [2, 3]',
      )
  })
})

describe('noise that is chosen', () => {
  it('is the nearest of the candidates, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(1e6),
        async (k, n, seed) => {
          const [x0, candidates] = [normal(key(seed), [n, 2, 3]), normal(key(seed + 1), [k, n, 2, 3])]
          const [x, all, found] = await Promise.all(
            [x0, candidates, nearestNoise(x0, candidates)].map((y) => values(y, device)),
          )
          if (x === undefined || all === undefined || found === undefined) throw new Error('nothing was read')
          for (let i = 0; i < n; i++) {
            const image = x.slice(6 * i, 6 * i + 6)
            const away = (noise: readonly number[]): number =>
              noise.reduce((sum, v, j) => sum + (v - (image[j] ?? NaN)) ** 2, 0)
            const own = Array.from({ length: k }, (_, c) => all.slice(6 * (c * n + i), 6 * (c * n + i) + 6))
            const best = own.reduce((a, b) => (away(b) < away(a) ? b : a))
            expect(found.slice(6 * i, 6 * i + 6)).toEqual(best)
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  it('is the only one where there is one, and the first of those that are as near', async () => {
    const one = normal(key(4), [1, 3, 2])
    expect(await values(nearestNoise(zeros([3, 2]), one), device)).toEqual(await values(one, device))
    const ties = stack([tensor([[1, 0]]), tensor([[0, 1]]), tensor([[-1, 0]])])
    expect(await values(nearestNoise(zeros([1, 2]), ties), device)).toEqual([1, 0])
  })

  it('refuses candidates and choices of other shapes', () => {
    expect(() => nearestNoise(zeros([2, 3]), zeros([2, 3]))).toThrow('give K noises like the images, [K, 2, 3]')
    expect(() => nearestNoise(zeros([2, 3]), zeros([4, 3, 3]))).toThrow('[K, 2, 3]')
    expect(() => chosenNoise(zeros([4, 2, 3]), tensor(Int32Array.of(1)))).toThrow('give one for each sample')
  })
})
