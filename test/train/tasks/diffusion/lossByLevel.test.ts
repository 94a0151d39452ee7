/** The loss by level of noise: which times, which pictures, and that what is known by heart shows. */
import { describe, expect, it } from 'vitest'
import { dataOfSet, type ImageSet } from '../../../../src/data/index.ts'
import { lossByLevelOn, type DiffusionRun } from '../../../../src/train/index.ts'
import { scalar } from '../../../../src/tensor/create.ts'
import { cpuDevice } from '../../../support/device.ts'
import { paramsOf, recipeWith, type Answer } from '../../plainNetwork.ts'

const device = cpuDevice()

/** Forty greys; those of training are dark and those held out light, or the other way round, as the split has it. */
const set: ImageSet = {
  name: 'greys',
  height: 8,
  width: 8,
  channels: 3,
  count: 40,
  pixels: (i) => new Uint8Array(192).fill(6 * i),
}
const data = dataOfSet(set, 3)

const recipeFor = (answer: Answer, changes: Partial<DiffusionRun> = {}) =>
  recipeWith(answer, { batch: 3, seed: 9, objective: 'x0', minSnr: null, timesteps: 50, ...changes }).task

const square = (byte: number): number => (byte / 127.5 - 1) ** 2
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

describe('the loss by level', () => {
  it('of a network that answers 0 for v is that of its targets: of the noise at the picture, of the picture in noise', async () => {
    const measure = lossByLevelOn(
      device,
      recipeFor((_, x) => x.mul(0), { objective: 'v', weighting: 'snr+1' }),
      data,
      { levels: 50, pictures: 4 },
    )
    const levels = await measure(paramsOf(scalar(0)))
    const of = (picture: (i: number) => Uint8Array): number =>
      meanOf([0, 1, 2, 3].map((i) => square(picture(i)[0] ?? NaN)))
    expect(levels).toHaveLength(50)
    expect(levels[0]?.noise).toBe(0.01)
    expect(levels[0]?.heldOut).toBeCloseTo(1, 0)
    expect(Math.abs((levels[49]?.heldOut ?? NaN) - of(data.heldOut))).toBeLessThan(0.02)
    expect(Math.abs((levels[49]?.training ?? NaN) - of(data.picture))).toBeLessThan(0.02)
    expect(Math.abs(of(data.picture) - of(data.heldOut))).toBeGreaterThan(0.05)
  })

  it('of one that answers its input for x₀ grows with the noise, before weights', async () => {
    const measure = lossByLevelOn(
      device,
      recipeFor((_, x) => x, { minSnr: 1e-9, weighting: 'snr' }),
      data,
      { levels: 4 },
    )
    const losses = (await measure(paramsOf(scalar(0)))).map(({ heldOut }) => heldOut)
    expect(losses).toEqual(losses.toSorted((a, b) => a - b))
  })

  it('is the same at every measurement', async () => {
    const measure = lossByLevelOn(
      device,
      recipeFor((_, x) => x),
      data,
      { levels: 2 },
    )
    expect(await measure(paramsOf(scalar(0)))).toEqual(await measure(paramsOf(scalar(0))))
  })

  it('of no levels is an error', () => {
    expect(() =>
      lossByLevelOn(
        device,
        recipeFor((_, x) => x),
        data,
        { levels: 0 },
      ),
    ).toThrow('lossByLevelOn: levels is 0: give a whole number ≥ 1')
  })
})
