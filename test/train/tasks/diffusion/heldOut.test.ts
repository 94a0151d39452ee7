/** Which pictures, times and noise the held-out loss is made of, draw by draw. */
import { describe, expect, it } from 'vitest'
import { dataOfSet, type ImageSet } from '../../../../src/data/index.ts'
import { diffusionLosses, noiseLevel } from '../../../../src/diffusion/index.ts'
import { at, range } from '../../../../src/prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../../../src/prelude/threefry.ts'
import { scalar, tensor } from '../../../../src/tensor/create.ts'
import { foldIn, key, normal } from '../../../../src/tensor/random.ts'
import { heldOutOn, type DiffusionRun } from '../../../../src/train/index.ts'
import { chunksOf } from '../../../../src/train/tasks/diffusion/heldOut.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { paramsOf, recipeWith, type Answer } from '../../plainNetwork.ts'

const device = cpuDevice()
const size = 8
const each = size * size * 3

/** 43 pictures of one grey each, 5 · index: four of them are held out. */
const greys: ImageSet = {
  name: 'greys',
  height: size,
  width: size,
  channels: 3,
  count: 43,
  pixels: (i) => new Uint8Array(each).fill(5 * i),
}
const data = dataOfSet(greys, 3)
const heldOut = range(4).map((i) => data.heldOut(i)[0] ?? NaN)

/** Batches of five, which do not divide the 128 draws: the last chunk has two draws too many. */
const recipeFor = (answer: Answer, changes: Partial<DiffusionRun> = {}) =>
  recipeWith(answer, { batch: 5, seed: 9, objective: 'x0', minSnr: null, timesteps: 50, ...changes }).task

const zero = recipeFor((_, x) => x.mul(0))

/** The time of each draw: all draws spread evenly over the times, in the order of a permutation. */
const timeOf = (draw: number): number =>
  Math.floor(((hostPermutationIndex(hostFold(hostKey(9), 0), 128, draw) + 0.5) / 128) * 50)

describe('the draws of the held-out loss', () => {
  it('show each held-out picture equally often, in turn, and none that training sees', async () => {
    const seen: number[] = []
    for (const { images, count } of chunksOf(zero, data)) {
      const bytes = await values(images, device)
      for (const i of range(count)) {
        const picture = bytes.slice(i * each, (i + 1) * each)
        expect(new Set(picture).size).toBe(1)
        seen.push(picture[0] ?? NaN)
      }
    }
    expect(seen).toEqual(range(128).map((i) => heldOut[i % 4]))
    const trained = range(data.count).map((i) => data.picture(i)[0])
    expect(seen.filter((grey) => trained.includes(grey))).toEqual([])
  })

  it('spread over all times evenly, for each picture too', async () => {
    const times: number[] = []
    for (const { t, count } of chunksOf(zero, data)) times.push(...(await values(t, device)).slice(0, count))
    expect(times).toEqual(range(128).map(timeOf))
    for (const i of range(4)) {
      const own = times.filter((_, draw) => draw % 4 === i).toSorted((a, b) => a - b)
      expect(new Set(own).size).toBeGreaterThan(20)
      expect(own.reduce((a, b) => a + b) / 32).toBeCloseTo(24.5, -1)
    }
  })
})

/** The loss written out: the mean over 128 draws of a picture at its time with its noise. */
const expectedLoss = async (answer: Answer, changes: Partial<DiffusionRun>): Promise<number> => {
  const { lossOptions } = recipeFor(answer, changes)
  const draws: number[] = []
  for (const chunk of range(26)) {
    const indices = range(5).map((i) => 5 * chunk + i)
    const x0 = tensor(
      Float32Array.from(indices.flatMap((i) => range(each).map(() => at(heldOut, i % 4) / 127.5 - 1))),
      {
        shape: [5, size, size, 3],
      },
    )
    const noise = normal(foldIn(foldIn(key(9), 'held out'), scalar(chunk, 'u32')), [5, size, size, 3])
    const t = tensor(Int32Array.from(indices, (i) => timeOf(i % 128)))
    const losses = diffusionLosses(lossOptions)((x, time) => answer(scalar(0), x, time), x0, t, noise)
    draws.push(...(await values(losses, device)))
  }
  return draws.slice(0, 128).reduce((a, b) => a + b) / 128
}

describe('the held-out loss', () => {
  it.each(['x0', 'epsilon', 'v'] as const)(
    'of a network that predicts %s is the mean over these draws',
    async (objective) => {
      const answer: Answer = (_, x) => x.mul(0.5)
      const recipe = recipeFor(answer, { objective })
      const measure = await heldOutOn(device, recipe, data)
      const { loss } = await measure(paramsOf(scalar(0)))
      expect(loss / (await expectedLoss(answer, { objective }))).toBeCloseTo(1, 5)
    },
  )

  it('is 1 relative to the predictor that knows the mean of what training sees, and nothing else', async () => {
    const mean = range(data.count).reduce((sum, i) => sum + (data.picture(i)[0] ?? NaN), 0) / data.count / 127.5 - 1
    const answer: Answer = (_, x) => x.mul(0).add(mean)
    const { relative } = await (await heldOutOn(device, recipeFor(answer), data))(paramsOf(scalar(0)))
    expect(relative).toBeCloseTo(1, 5)
    const velocity: Answer = (_, x, t) =>
      noiseLevel(recipeFor(answer).schedule, t, x).noise.mul(-mean).broadcastTo(x.shape)
    const recipe = recipeFor(velocity, { objective: 'v' })
    expect((await (await heldOutOn(device, recipe, data))(paramsOf(scalar(0)))).relative).toBeCloseTo(1, 5)
  })

  it('is of the parameters that it is given', async () => {
    const measure = await heldOutOn(
      device,
      recipeFor((parameter, x) => parameter.broadcastTo(x.shape)),
      data,
    )
    const [near, far] = [await measure(paramsOf(scalar(0))), await measure(paramsOf(scalar(3)))]
    expect(far.loss).toBeGreaterThan(2 * near.loss)
    expect(await measure(paramsOf(scalar(0)))).toEqual(near)
  })
})
