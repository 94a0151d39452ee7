/** Which random numbers and which pictures a step uses, picture by picture: each against draws that are made here from seed and step. */
import { describe, expect, it } from 'vitest'
import { diffusionLosses } from '../../src/diffusion/index.ts'
import { range } from '../../src/prelude/array.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { bernoulli, foldIn, key, normal, randint, split } from '../../src/tensor/random.ts'
import { givenAt, stepperOn } from '../../src/train/index.ts'
import { parameterOf, recipeWith, stateWith } from './plainNetwork.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const size = 8
const each = size * size * 3

/** Picture i: bytes that no other picture has, and that differ from their mirror image. */
const picture = (i: number): Uint8Array => Uint8Array.from({ length: each }, (_, p) => (97 * i + 31 * p + p * p) % 256)

const mirrored = (image: Uint8Array): Uint8Array =>
  Uint8Array.from(image, (_, p) => {
    const [row, x, c] = [Math.floor(p / (3 * size)), Math.floor(p / 3) % size, p % 3]
    return image[3 * (row * size + size - 1 - x) + c] ?? NaN
  })

/** Answers 0: the loss is then the mean square of the velocity, which depends on picture, time and noise. */
const recipeFor = (batch: number, accumulate: number, seed: number) =>
  recipeWith((parameter, x) => parameter.broadcastTo(x.shape), { batch, accumulate, seed, objective: 'v', flip: true })

/** The loss of each picture of a step by its own draws, times [N], noise [N, H, W, 3] and coins [N] of three keys. */
const expectedLosses = async (count: number, seed: number, step: number): Promise<readonly number[]> => {
  const { config, lossOptions } = recipeFor(count, 1, seed).task
  const [times, noise, coins] = split(foldIn(foldIn(key(seed), 'train'), scalar(step, 'u32')), 3)
  const tossed = await values(bernoulli(coins, 0.5, [count]), device)
  const pictures = range(count).map((i) => (tossed[i] === 1 ? mirrored(picture(i)) : picture(i)))
  const x0 = tensor(Float32Array.from(pictures.flatMap((p) => Array.from(p, (byte) => byte / 127.5 - 1))), {
    shape: [count, size, size, 3],
  })
  const losses = diffusionLosses(lossOptions)(
    (xt) => xt.mul(0),
    x0,
    randint(times, [count], 0, config.timesteps),
    normal(noise, [count, size, size, 3]),
  )
  return values(losses, device)
}

describe('the draws of a step', () => {
  it.each([
    [6, 1],
    [2, 3],
    [3, 2],
    [1, 6],
  ])('batches of %i, %i of them a step: every picture has its own time, noise and coin', async (batch, accumulate) => {
    const recipe = recipeFor(batch, accumulate, 11)
    const stepper = stepperOn(device, recipe)
    const pictures = recipe.task.examples(Uint8Array.from(range(6).flatMap((i) => Array.from(picture(i)))))
    for (const step of [1, 2, 3, 4, 5]) {
      const state = await device.realize(stateWith(recipe, tensor(new Float32Array(3))))
      const [, { loss }] = await stepper.run(state, pictures, step)
      const expected = await expectedLosses(6, 11, step)
      const [found = NaN] = await values(loss, device)
      expect(found, `step ${step}`).toBeCloseTo(expected.reduce((a, b) => a + b) / 6, 5)
    }
  })

  it('differ from picture to picture, in coins too, so that the test above can tell them apart', async () => {
    const coins: string[] = []
    for (const step of [1, 2, 3, 4, 5]) {
      expect(new Set(await expectedLosses(6, 11, step)).size).toBe(6)
      const [, , tossed] = split(foldIn(foldIn(key(11), 'train'), scalar(step, 'u32')), 3)
      coins.push((await values(bernoulli(tossed, 0.5, [6]), device)).join(''))
    }
    expect(coins.some((c) => c.slice(0, 2) !== c.slice(2, 4) && c.slice(0, 3) !== c.slice(3))).toBe(true)
  })
})

describe('what a step is given', () => {
  it('is the rate and the decay of this very step, and the key of the seed', async () => {
    const recipe = {
      ...recipeFor(1, 1, 11),
      rateAt: (step: number) => step / 16,
      decays: [(step: number) => step / 64] as const,
    }
    const given = givenAt(recipe, 5)
    expect(await values(given.learningRate, device)).toEqual([5 / 16])
    expect(await values(given.decays[0], device)).toEqual([5 / 64])
    expect(await values(given.step, device)).toEqual([5])
    expect(await values(given.key, device)).toEqual(await values(key(11), device))
  })

  it('moves parameters and average by them: with one micro-batch as with two', async () => {
    for (const [batch, accumulate] of [
      [2, 1],
      [1, 2],
    ] as const) {
      const recipe = {
        ...recipeFor(batch, accumulate, 11),
        rateAt: (step: number) => step / 16,
        decays: [(step: number) => step / 8] as const,
      }
      const before = await device.realize(stateWith(recipe, tensor(new Float32Array(3))))
      const pictures = recipe.task.examples(Uint8Array.from([...picture(0), ...picture(1)]))
      const [{ params, averages }] = await stepperOn(device, recipe).run(before, pictures, 2)
      const [moved, followed] = [
        await values(parameterOf(params), device),
        await values(parameterOf(averages[0]), device),
      ]
      moved.forEach((p, i) => {
        expect(Math.abs(p)).toBeCloseTo(2 / 16, 3) // Adam's first step is the rate, by the sign of the gradient
        expect(followed[i]).toBeCloseTo((1 - 2 / 8) * p, 6) // the average was 0
      })
    }
  })
})
