import { describe, expect, it } from 'vitest'
import {
  cosineSchedule,
  flowSchedule,
  timeDensities,
  trainingTimes,
  type TimeDensity,
} from '../../src/diffusion/index.ts'
import { erf } from '../../src/prelude/erf.ts'
import { scalar } from '../../src/tensor/create.ts'
import { key, randint } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const flow = flowSchedule(1000)
const count = 20_000

const drawn = async (density: TimeDensity, schedule = flow): Promise<readonly number[]> =>
  values(trainingTimes(schedule, density)(key(3), count), device)

const normalBelow = (x: number): number => 0.5 * (1 + erf(x / Math.SQRT2))

/** The greatest distance of what was drawn from a distribution, over all times (Kolmogorov–Smirnov). */
const distance = (times: readonly number[], below: (t: number) => number): number => {
  const counts = new Float64Array(1000)
  for (const t of times) counts[t] = (counts[t] ?? NaN) + 1 / times.length
  let [sum, most] = [0, 0]
  counts.forEach((share, t) => {
    sum += share
    most = Math.max(most, Math.abs(sum - below(t)))
  })
  return most
}

/** That is passed by chance once in a thousand. */
const critical = 1.95 / Math.sqrt(count)

const logit = (x: number): number => Math.log(x / (1 - x))

describe('the times of training', () => {
  it.each<readonly [TimeDensity, (share: number) => number]>([
    [{ density: 'uniform' }, (share) => share],
    [{ density: 'logit-normal' }, (share) => normalBelow(logit(share))],
    [{ density: 'logit-normal', mean: 0.5, deviation: 0.6 }, (share) => normalBelow((logit(share) - 0.5) / 0.6)],
    // P(t < x) of t = 1 − 1/(tan(πu/2) + 1)
    [{ density: 'cosmap' }, (share) => (2 / Math.PI) * Math.atan(1 / (1 - share) - 1)],
    [{ density: 'mode', scale: 0 }, (share) => share],
  ])('of %j have its distribution', async (density, below) => {
    expect(distance(await drawn(density), (t) => below((t + 1) / 1000))).toBeLessThan(critical)
  })

  it('of a mode are many in the middle with a scale above 0, and few with one below', async () => {
    const middle = (times: readonly number[]): number => times.filter((t) => t >= 400 && t < 600).length / count
    const [many, even, few] = await Promise.all(
      [1.29, 0, -0.8].map(async (scale) => middle(await drawn({ density: 'mode', scale }))),
    )
    expect(many).toBeGreaterThan(0.35)
    expect(even).toBeCloseTo(0.2, 1)
    expect(few).toBeLessThan(0.15)
  })

  it('of a log-normal density have noises for their signals of its mean and deviation, on any schedule', async () => {
    const schedule = cosineSchedule(1000)
    for (const [mean, deviation] of [
      [-1.2, 1.2],
      [0.3, 0.5],
    ] as const) {
      const logs = (await drawn({ density: 'log-normal', mean, deviation }, schedule)).map(
        (t) => -0.5 * Math.log(schedule.snr[t] ?? NaN),
      )
      const found = logs.reduce((a, b) => a + b) / count
      expect(found).toBeCloseTo(mean, 1)
      expect(Math.sqrt(logs.reduce((a, b) => a + (b - found) ** 2, 0) / count)).toBeCloseTo(deviation, 1)
    }
  })

  it('are whole times of the schedule, and of part of a step those of the whole step', async () => {
    for (const density of timeDensities) {
      const draw = trainingTimes(flowSchedule(7), { density })
      const all = await values(draw(key(1), 200), device)
      expect(
        all.every((t) => Number.isInteger(t) && t >= 0 && t < 7),
        density,
      ).toBe(true)
      expect(await values(draw(key(1), 50, scalar(100, 'u32')), device)).toEqual(all.slice(100, 150))
    }
  })

  it('without a density are those of randint, to the bit', async () => {
    const own = await values(trainingTimes(flow)(key(9), 64), device)
    expect(own).toEqual(await values(randint(key(9), [64], 0, 1000), device))
  })

  it('refuse a density that is none, and numbers that it does not take', () => {
    const refused = (density: unknown) => () =>
      // @ts-expect-error: given from JavaScript
      trainingTimes(flow, density)
    expect(refused({ density: 'normal' })).toThrow("the density is 'normal'; it must be uniform, logit-normal")
    expect(refused({ density: 'uniform', mean: 1 })).toThrow('mean')
    expect(refused({ density: 'mode', scale: 2 })).toThrow('the scale is 2; it must be from −1 to 1.75')
    expect(refused({ density: 'logit-normal', deviation: 0 })).toThrow('deviation')
    expect(refused({ density: 'log-normal', mean: NaN })).toThrow('the mean is NaN')
    // @ts-expect-error: no schedule
    expect(() => trainingTimes({ steps: 10 })).toThrow('where a noise schedule is expected')
  })
})
