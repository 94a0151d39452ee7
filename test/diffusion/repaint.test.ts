/** RePaint: what is known stays, what is filled in fits it, and how often the walk turns. */
import { afterAll, describe, expect, it } from 'vitest'
import { stepsOf } from '../../src/diffusion/levels.ts'
import { sample, sampling } from '../../src/diffusion/sample.ts'
import { ddpmBetween } from '../../src/diffusion/samplers/posterior.ts'
import { repaint, type JumpOptions } from '../../src/diffusion/samplers/repaint.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { cosineSchedule } from '../../src/diffusion/schedules/curveSchedules.ts'
import { linearSchedule } from '../../src/diffusion/schedules/betaSchedules.ts'
import { full, ones, tensor, zeros } from '../../src/tensor/create.ts'
import { openDevice } from '../../src/tensor/device.ts'
import { gatherTable } from '../../src/diffusion/table.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'
import { estimating, walk } from './walks.ts'

const levels = scheduleLevels(cosineSchedule(100), 20)
const network = (x: Tensor): Tensor => x.mul(0.3)
const denoise = (_: object, x: Tensor): Tensor => network(x)
const shape = [2, 3, 3, 1]

/** What is drawn from one noise, with this much filled in. */
const filled = async (fill: Tensor, jumps: JumpOptions): Promise<readonly number[]> => {
  const device = cpuDevice()
  const picture = normal(key(5), shape).mul(0.3)
  const sampler = repaint(levels, { picture, fill, ...jumps })
  const draw = sampling({ device, denoise, prediction: 'v', sampler, shape })
  const { x } = await draw({}, key(1), { from: { state: sampler.init(normal(key(2), shape)), step: 0 } })
  return values(x, device)
}

describe('how often the walk turns', () => {
  it('is the paper’s: 250 steps with jumps of 10, each stretch ten times, are 4570 steps up and down', () => {
    const of = scheduleLevels(linearSchedule(250), 250)
    const walked = repaint(of, { picture: zeros([1, 2]), fill: zeros([1, 2]) }).levels
    // 24 places, nine times up by ten: each way up is part of the step before it
    expect(stepsOf(walked)).toBe(250 + 24 * 9 * 10)
    expect(stepsOf(walked) + 24 * 9 * 10).toBe(4570)
  })

  it('goes back by the jump where it turns, and not farther than its first level', () => {
    const of = scheduleLevels(linearSchedule(100), 5)
    const turning = repaint(of, { picture: zeros([1, 2]), fill: zeros([1, 2]), jump: 2, resamples: 2 })
    expect([...turning.levels.time]).toEqual([99, 79, 99, 79, 59, 39, 59, 39, 19, -1])
  })

  it('never does so with one resample', () => {
    expect(repaint(levels, { picture: zeros([1, 2]), fill: zeros([1, 2]), resamples: 1 }).levels).toEqual(levels)
  })
})

describe('what is drawn', () => {
  it('is the picture itself where nothing is to be filled in', async () => {
    expect(await filled(zeros([1, 1, 1, 1]), { jump: 4, resamples: 3 })).toEqual(
      await values(normal(key(5), shape).mul(0.3)),
    )
  })

  it('is what ancestral sampling draws where nothing is known, and the walk does not turn', async () => {
    const device = cpuDevice()
    const sampler = ddpmBetween(levels)
    const draw = sampling({ device, denoise, prediction: 'v', sampler, shape })
    const { x } = await draw({}, key(1), { from: { state: normal(key(2), shape), step: 0 } })
    expect(await filled(full([1, 1, 1, 1], 1), { resamples: 1 })).toEqual(await values(x, device))
  })

  it('has the picture’s own values where it is known, and others where it is filled in', async () => {
    const half = tensor([1, 0, 1, 0, 0, 1, 1, 0, 0], { shape: [1, 3, 3, 1] })
    const [found, own] = [await filled(half, { jump: 4, resamples: 2 }), await values(normal(key(5), shape).mul(0.3))]
    const isFilled = [1, 0, 1, 0, 0, 1, 1, 0, 0]
    found.forEach((value, i) => {
      if (isFilled[i % 9] === 1) expect(value).not.toBeCloseTo(own[i] ?? NaN, 3)
      else expect(value).toBe(own[i])
    })
  })
})

describe('where the walk turns', () => {
  it.each([1, 4])('x is as noisy as the level that it goes up to: by %i', async (jump) => {
    const of = scheduleLevels(cosineSchedule(100), 10)
    const count = 4000
    const sampler = repaint(of, { picture: zeros([1, count]), fill: full([1, 1], 1), jump, resamples: 2 })
    const black = (x: Tensor): Tensor => x.mul(0) // all pictures are 0, so that x is noise alone at every level
    const noises = Array.from({ length: stepsOf(sampler.levels) }, (_, i) => normal(key(i), [1, count]))
    const xs = await walk(sampler, normal(key(99), [1, count]), estimating(sampler.levels, 'x0', black), { noises })
    for (const [i, x] of xs.slice(0, -1).entries()) {
      const power = x.reduce((sum, value) => sum + value * value, 0) / count
      const ratio = Math.sqrt(power) / (sampler.levels.noise[i + 1] ?? NaN)
      expect(Math.abs(ratio - 1), `step ${i}`).toBeLessThan(4 / Math.sqrt(2 * count)) // four standard deviations
    }
  })
})

describe('two pixels of N(0, 1) with the correlation 0.8, of which one is known to be 1.5', () => {
  const count = 2000
  const correlation = 0.8

  /** The best network: x̂₀ = a·Σ·(a²·Σ + s²)⁻¹·x, along the sum and the difference of the two. */
  const best = (x: Tensor, a: Tensor, s: Tensor): Tensor => {
    const along = (part: Tensor, variance: number): Tensor =>
      part.mul(a.mul(variance).div(a.square().mul(variance).add(s.square())))
    const mean = x.mean(1, true)
    return along(mean, 1 + correlation).add(along(x.sub(mean), 1 - correlation))
  }

  const device = openDevice('wasm', { threads: 1 })
  afterAll(async () => (await device).close())

  const moments = async (jumps: JumpOptions): Promise<readonly [mean: number, variance: number]> => {
    const of = cosineSchedule(100)
    const picture = tensor([1.5, 0], { shape: [1, 2] }).broadcastTo([count, 2])
    const sampler = repaint(scheduleLevels(of, 100), { picture, fill: tensor([[0, 1]]), ...jumps })
    const draw = sampling({
      device: await device,
      denoise: (_: object, x: Tensor, t: Tensor) => best(x, gatherTable(of.signal, t, x), gatherTable(of.noise, t, x)),
      prediction: 'x0',
      sampler,
      shape: [count, 2],
      clip: false,
    })
    const { x } = await draw({}, key(3), { from: { state: sampler.init(normal(key(4), [count, 2])), step: 0 } })
    const second = await values(x.slice([], [1, 2]), await device)
    const mean = second.reduce((sum, value) => sum + value, 0) / count
    return [mean, second.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count]
  }

  it('are filled in with the conditional distribution, N(0.8 · 1.5, 1 − 0.8²), the better the more often the walk turns', async () => {
    const [never] = await moments({ resamples: 1 })
    expect(never).toBeLessThan(0.9) // what is filled in was drawn before it saw the other
    const [mean, variance] = await moments({ jump: 10, resamples: 30 })
    const deviation = Math.sqrt(1 - correlation ** 2)
    expect(Math.abs(mean - correlation * 1.5)).toBeLessThan((4 * deviation) / Math.sqrt(count))
    expect(Math.abs(variance - deviation ** 2)).toBeLessThan(0.05) // the small variance of few steps is a little too small
  }, 60_000)
})

it('refuses what does not fit the picture, and jumps that cannot be meant', () => {
  const picture = zeros([2, 4, 4, 3])
  expect(() => repaint(levels, { picture, fill: zeros([4, 4]) })).toThrow('fill is [4,4] for a picture [2,4,4,3]')
  expect(() => repaint(levels, { picture, fill: zeros([1, 4, 3, 1]) })).toThrow('axes of length 1')
  expect(() => repaint(levels, { picture, fill: picture, jump: 0 })).toThrow('jump is 0')
  expect(() => repaint(levels, { picture, fill: picture, resamples: 0.5 })).toThrow('resamples is 0.5')
  const count = stepsOf(levels)
  expect(() => repaint(levels, { picture, fill: picture, jump: count })).toThrow('which never goes up then')
  expect(stepsOf(repaint(levels, { picture, fill: picture, jump: count, resamples: 1 }).levels)).toBe(count)
  expect(stepsOf(repaint(levels, { picture, fill: picture }).levels)).toBeGreaterThan(count)
  expect(() => repaint(levels, { picture, fill: picture, jump: 1, resamples: 1e9 })).toThrow('take fewer resamples')
})

it('begins by itself with noise of its key, from a picture that lies on the device', async () => {
  const device = cpuDevice()
  const picture = await device.realize(ones([2, 4]).mul(0.5))
  const fill = await device.realize(tensor([[0, 0, 1, 1]]))
  const sampler = repaint(levels, { picture, fill, jump: 2, resamples: 2 })
  const nothing = (_: object, x: Tensor): Tensor => x.mul(0)
  const { x } = await sample({
    device,
    denoise: nothing,
    prediction: 'x0',
    sampler,
    shape: [2, 4],
    params: {},
    key: key(0),
  })
  expect([...(await device.read(x))]).toEqual([0.5, 0.5, 0, 0, 0.5, 0.5, 0, 0])
})
