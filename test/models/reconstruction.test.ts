/** Losses of reconstructed pictures. Constants are PyTorch 1.13's in f64, unless a line says otherwise. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/grad.ts'
import { equivarianceLoss, pyramidLoss } from '../../src/models/index.ts'
import { charbonnier, featureLoss, l1 } from '../../src/nn/index.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { iota, tensor, zeros } from '../../src/tensor/create.ts'
import { averagePool } from '../../src/tensor/pooling.ts'
import { key, randint } from '../../src/tensor/random.ts'
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

/** Right angles, at random. */
const turnsOf = (count: number, seed = 0): Tensor => randint(key(seed), [count], 0, 4)

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
      (f) => equivarianceLoss(decode, f(latents), f(square), turnsOf(2)),
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
      expect(await device.item(equivarianceLoss(decode, latents, pictures, turnsOf(4, seed)))).toBeCloseTo(0, 12)
    const fixed = (z: Tensor): Tensor => decode(z.add(wave([1, z.shape[1] ?? 0, 1, 1], 0.5, 0))) // knows up from down
    expect(await device.item(equivarianceLoss(fixed, latents, pictures, turnsOf(4)))).toBeGreaterThan(0.1)
  })

  it('turns each picture by its own right angles, counterclockwise, and its latents with it', async () => {
    const one = tensor([1, 2, 3, 4], { dtype: 'f64' }).reshape([1, 2, 2, 1])
    const four = one.broadcastTo([4, 2, 2, 1])
    const given: Tensor[] = []
    const note = (z: Tensor): Tensor => {
      given.push(z)
      return z
    }
    const turns = tensor(Int32Array.of(0, 1, 2, 3))
    expect(await device.item(equivarianceLoss(note, four, four, turns, { shrink: [1] }))).toBe(0)
    const turned = await values(given[0] ?? one, device)
    expect([0, 4, 8, 12].map((i) => turned.slice(i, i + 4).join(' '))).toEqual([
      '1 2 3 4',
      '2 4 1 3',
      '4 3 2 1',
      '3 1 4 2',
    ])
  })

  it('pictures that are no squares turn upside down or not at all', async () => {
    const pictures = upsampleNearest(wave([2, 1, 2, 3], 0.4, 0.7), 8)
    for (const seed of [0, 1, 2])
      expect(
        await device.item(equivarianceLoss(decode, averagePool(pictures), pictures, turnsOf(2, seed))),
      ).toBeCloseTo(0, 12)
  })

  it('is the mean over the pictures, also where they do not fall into equal parts, and of one picture', async () => {
    const pictures = zeros([3, 8, 8, 1], 'f64')
    const latents = zeros([3, 8, 8, 1], 'f64')
    const wrong = (z: Tensor): Tensor => z.add(z.shape[1] === 4 ? 3 : 30) // two pictures are halved, one is quartered
    expect(await device.item(equivarianceLoss(wrong, latents, pictures, turnsOf(3)))).toBeCloseTo(12, 12)
    expect(await device.item(equivarianceLoss(wrong, latents.slice([0, 1]), pictures.slice([0, 1]), turnsOf(1)))).toBe(
      3,
    )
  })

  it('teaches the decoder, and the encoder through the latents', async () => {
    const [latents, pictures] = [wave([2, 4, 4, 1], 0.4, 0.7), wave([2, 8, 8, 1], 0.21, 0.3)]
    const [ofGain, ofLatents] = grad((given: readonly [Tensor, Tensor]) =>
      equivarianceLoss((z) => decode(z).mul(given[0]), given[1], pictures, turnsOf(2)),
    )([tensor(1, { dtype: 'f64' }), latents])
    expect(await device.item(ofGain.abs())).toBeGreaterThan(0.01)
    expect((await values(ofLatents, device)).every((g) => g !== 0)).toBe(true)
  })

  it('compiles once for all turns', async () => {
    const [latents, pictures] = [wave([2, 4, 4, 1], 0.4, 0.7).cast('f32'), wave([2, 8, 8, 1], 0.21, 0.3).cast('f32')]
    const wrong = (z: Tensor): Tensor => decode(z.mul(iota(z.shape, 1).cast('f32'))) // knows up from down
    const loss = device.compile((z: Tensor, x: Tensor, turns: Tensor) => equivarianceLoss(wrong, z, x, turns))
    const found = new Set<number>()
    for (const seed of [0, 1, 2, 3, 4, 5]) found.add(await device.item(await loss(latents, pictures, turnsOf(2, seed))))
    expect(found.size).toBeGreaterThan(2)
  })
})
