/** Losses of reconstructed pictures. Constants are PyTorch 1.13's in f64, unless a line says otherwise. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/grad.ts'
import { equivarianceLoss, pyramidLoss } from '../../src/models/index.ts'
import { charbonnier, featureLoss, l1 } from '../../src/nn/index.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { iota, tensor, zeros } from '../../src/tensor/create.ts'
import { averagePool } from '../../src/tensor/pooling.ts'
import { key } from '../../src/tensor/random.ts'
import { upsampleNearest } from '../../src/tensor/resampling.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()

/** sin(a·i + b) for element i, in row-major order. */
const wave = (shape: readonly number[], a: number, b: number): Tensor => {
  const size = shape.reduce((m, n) => m * n, 1)
  return tensor(
    Float64Array.from({ length: size }, (_, i) => Math.sin(a * i + b)),
    { shape },
  )
}

const picture = wave([2, 8, 16, 3], 0.31, 0.1)
const other = wave([2, 8, 16, 3], 0.27, 0.9)

describe('losses of pictures', () => {
  it('are those of PyTorch: Charbonnier, the pyramid of a batch, features of four channels', async () => {
    const [a, b] = [wave([2, 3, 3, 4], 0.51, 0.3), wave([2, 3, 3, 4], 0.44, 1)]
    expect(await device.item(charbonnier(a, b))).toBeCloseTo(0.8136770064462604, 12)
    expect(await device.item(pyramidLoss(picture, other))).toBeCloseTo(0.26554521103306167, 12)
    expect(await device.item(featureLoss((x) => [x], a, b))).toBeCloseTo(2.0918104421016976, 12)
  })

  it('are means: a picture of twice the size changes none of them, nor their balance, by more than 1 %', async () => {
    const doubled = (x: Tensor): Tensor => {
      const wide = concatenate([x, x], 2)
      return concatenate([wide, wide], 1)
    }
    const decode = (z: Tensor): Tensor => upsampleNearest(z.square(), 2)
    const [latents, square] = [wave([2, 8, 8, 3], 0.4, 0.7), wave([2, 16, 16, 3], 0.21, 0.3)]
    const losses: readonly ((f: (x: Tensor) => Tensor) => Tensor)[] = [
      (f) => l1(f(picture), f(other)),
      (f) => charbonnier(f(picture), f(other)),
      (f) => pyramidLoss(f(picture), f(other)),
      (f) => featureLoss((x) => [x, averagePool(x)], f(picture), f(other)),
      (f) => equivarianceLoss(decode, f(latents), f(square), key(0)),
    ]
    for (const loss of losses) {
      const once = await device.item(loss((x) => x))
      expect(once).toBeGreaterThan(0.1)
      expect((await device.item(loss(doubled))) / once).toBeCloseTo(1, 10)
    }
  })
})

describe('pyramidLoss', () => {
  it('sees a blur that moves no pixel far, and no change of the light', async () => {
    const checks = tensor(
      Float64Array.from({ length: 64 }, (_, i) => ((i + Math.floor(i / 8)) % 2 === 0 ? 0.1 : -0.1)),
      { shape: [1, 8, 8, 1] },
    )
    const blurred = zeros([1, 8, 8, 1], 'f64')
    expect(await device.item(pyramidLoss(checks, blurred, { levels: 1 }))).toBeCloseTo(0.1 / 3, 12)
    expect(await device.item(pyramidLoss(checks.add(0.5), checks))).toBeCloseTo(0, 12)
  })

  it('coarse details count as much as fine ones: each level is a mean of its own', async () => {
    const stripes = tensor([1, -1, 1, -1], { dtype: 'f64' }).reshape([1, 2, 2, 1])
    const nothing = zeros([1, 8, 8, 1], 'f64')
    const fine = stripes.reshape([1, 1, 2, 1, 2, 1]).broadcastTo([1, 4, 2, 4, 2, 1]).reshape([1, 8, 8, 1])
    for (const x of [fine, upsampleNearest(stripes, 4)])
      expect(await device.item(pyramidLoss(x, nothing))).toBeCloseTo(1 / 9, 12) // one of three details, at one of three levels
  })
})

describe('equivarianceLoss', () => {
  const decode = (z: Tensor): Tensor => upsampleNearest(z, 2)

  it('is 0 for latents that shrink and turn as their pictures do, and not for those that do not', async () => {
    const pictures = upsampleNearest(wave([4, 2, 2, 3], 0.4, 0.7), 8) // its squares stay squares at a quarter
    const latents = averagePool(pictures)
    for (const seed of [0, 1, 2, 3, 4])
      expect(await device.item(equivarianceLoss(decode, latents, pictures, key(seed)))).toBeCloseTo(0, 12)
    const fixed = (z: Tensor): Tensor => decode(z.add(wave([1, z.shape[1] ?? 0, 1, 1], 0.5, 0))) // knows up from down
    expect(await device.item(equivarianceLoss(fixed, latents, pictures, key(0)))).toBeGreaterThan(0.1)
  })

  it('turns by each right angle, and each part of the batch by its own: the same for latents and pictures', async () => {
    const one = tensor([1, 2, 3, 4], { dtype: 'f64' }).reshape([1, 2, 2, 1])
    const seen = async (seed: number): Promise<readonly string[]> => {
      const given: Tensor[] = []
      const note = (z: Tensor): Tensor => {
        given.push(z)
        return z
      }
      equivarianceLoss(note, concatenate([one, one], 0), concatenate([one, one], 0), key(seed), { shrink: [1, 1] })
      return Promise.all(given.map(async (z) => (await values(z, device)).join(' ')))
    }
    const pairs = await Promise.all(Array.from({ length: 24 }, async (_, seed) => seen(seed)))
    expect([...new Set(pairs.flat())].toSorted()).toEqual(['1 2 3 4', '2 4 1 3', '3 1 4 2', '4 3 2 1'])
    expect(pairs.some(([a, b]) => a !== b)).toBe(true)
  })

  it('pictures that are no squares turn upside down or not at all', async () => {
    const pictures = upsampleNearest(wave([2, 1, 2, 3], 0.4, 0.7), 8)
    for (const seed of [0, 1, 2])
      expect(await device.item(equivarianceLoss(decode, averagePool(pictures), pictures, key(seed)))).toBeCloseTo(0, 12)
  })

  it('is the mean over the pictures, also where they do not fall into equal parts, and of one picture', async () => {
    const pictures = zeros([3, 8, 8, 1], 'f64')
    const latents = zeros([3, 8, 8, 1], 'f64')
    const wrong = (z: Tensor): Tensor => z.add(z.shape[1] === 4 ? 3 : 30) // one picture is halved, two are quartered
    expect(await device.item(equivarianceLoss(wrong, latents, pictures, key(0)))).toBeCloseTo(21, 12)
    expect(await device.item(equivarianceLoss(wrong, latents.slice([0, 1]), pictures.slice([0, 1]), key(0)))).toBe(3)
  })

  it('teaches the decoder, and the encoder through the latents', async () => {
    const [latents, pictures] = [wave([2, 4, 4, 1], 0.4, 0.7), wave([2, 8, 8, 1], 0.21, 0.3)]
    const [ofGain, ofLatents] = grad((given: readonly [Tensor, Tensor]) =>
      equivarianceLoss((z) => decode(z).mul(given[0]), given[1], pictures, key(0)),
    )([tensor(1, { dtype: 'f64' }), latents])
    expect(await device.item(ofGain.abs())).toBeGreaterThan(0.01)
    expect((await values(ofLatents, device)).every((g) => g !== 0)).toBe(true)
  })

  it('compiles once for all keys', async () => {
    const [latents, pictures] = [wave([2, 4, 4, 1], 0.4, 0.7).cast('f32'), wave([2, 8, 8, 1], 0.21, 0.3).cast('f32')]
    const wrong = (z: Tensor): Tensor => decode(z.mul(iota(z.shape, 1).cast('f32'))) // knows up from down
    const loss = device.compile((z: Tensor, x: Tensor, k: ReturnType<typeof key>) => equivarianceLoss(wrong, z, x, k))
    const found = new Set<number>()
    for (const seed of [0, 1, 2, 3, 4, 5]) found.add(await device.item(await loss(latents, pictures, key(seed))))
    expect(found.size).toBeGreaterThan(2)
  })
})
