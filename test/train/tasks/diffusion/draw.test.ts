/** Which pictures are drawn: each from noise of its own, that the seed and its place name, and in the order of their places. */
import { describe, expect, it } from 'vitest'
import { range } from '../../../../src/prelude/array.ts'
import { scalar } from '../../../../src/tensor/create.ts'
import { foldIn, key, normal } from '../../../../src/tensor/random.ts'
import { drawerOn } from '../../../../src/train/tasks/diffusion/draw.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { paramsOf, recipeWith } from '../../plainNetwork.ts'
import { done } from '../../tinyRun.ts'

const device = cpuDevice()
const [height, width] = [8, 12]
const each = height * width * 3

/** Takes what it sees for the image: in one step the noise itself is drawn, cut to [−1, 1]; and `parameter` is added. */
const recipe = recipeWith((parameter, x) => x.add(parameter), {
  objective: 'x0',
  height,
  width,
  batch: 2,
  seed: 5,
}).task

/** The noise that batch b of a sheet starts from, as bytes. */
const noiseOf = async (seed: number, b: number, size: number): Promise<readonly (readonly number[])[]> => {
  const start = foldIn(foldIn(foldIn(key(seed), 'sample'), scalar(b, 'u32')), 'start')
  const noise = await values(normal(start, [size, height, width, 3]), device)
  const bytes = noise.map((z) => Math.round((Math.min(1, Math.max(-1, z)) + 1) * 127.5))
  return range(size).map((i) => bytes.slice(i * each, (i + 1) * each))
}

describe('the pictures that are drawn', () => {
  it('come from noise of the seed, batch after batch, and what the last batch has too many is left out', async () => {
    const draw = drawerOn(device, recipe, { count: 5, steps: 1, seed: 7 })
    const drawn = await done(draw(paramsOf(scalar(0))))
    const expected = [...(await noiseOf(7, 0, 2)), ...(await noiseOf(7, 1, 2)), ...(await noiseOf(7, 2, 2))]
    expect(drawn.map((picture) => [...picture])).toEqual(expected.slice(0, 5))
    expect(new Set(drawn.map(String)).size).toBe(5)
  })

  it('are those of the parameters', async () => {
    const draw = drawerOn(device, recipe, { count: 1, steps: 1, seed: 7 })
    expect(new Set((await done(draw(paramsOf(scalar(10)))))[0])).toEqual(new Set([255]))
    expect(new Set((await done(draw(paramsOf(scalar(-10)))))[0])).toEqual(new Set([0]))
  })

  it('tell how far they are: each step of each batch, of all steps of all batches', async () => {
    const told: string[] = []
    const draw = drawerOn(device, recipe, { count: 5, steps: 2, seed: 7 })
    await done(draw(paramsOf(scalar(0)), (n, total) => told.push(`${n}/${total}`)))
    expect(told).toEqual(['1/6', '2/6', '3/6', '4/6', '5/6', '6/6'])
  })
})
