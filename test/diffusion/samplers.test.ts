import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/diffusion/samplers/ddim.ts'
import { ddpm } from '../../src/diffusion/samplers/ddpm.ts'
import { stepsOf } from '../../src/diffusion/levels.ts'
import { samplingTimes } from '../../src/diffusion/spacing.ts'
import { qPosterior } from '../../src/diffusion/forward.ts'
import { noiseLevel, x0FromEpsilon } from '../../src/diffusion/prediction.ts'
import { cosineSchedule, linearSchedule } from '../../src/diffusion/index.ts'
import { ones, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const never = () => {
  throw new Error('noise was drawn')
}

describe('ddim', () => {
  it('250 of 1000 times are 999, 995, …, 3 and then the image', () => {
    const times = samplingTimes(1000, 250)
    expect(times.slice(0, 3)).toEqual([999, 995, 991])
    expect(times.slice(-3)).toEqual([7, 3, -1])
    expect(times).toHaveLength(251)
  })

  it('times that do not divide are cut towards zero, and all of them are visited when there are as many steps', () => {
    expect(samplingTimes(10, 4)).toEqual([9, 6, 4, 1, -1])
    expect(samplingTimes(5, 5)).toEqual([4, 3, 2, 1, 0, -1])
  })

  it('more steps than times, and eta outside [0, 1], are refused', () => {
    expect(() => ddim(cosineSchedule(100), { steps: 101 })).toThrow(
      'spacedTimes: 101 sampling steps of a schedule with 100; take a whole number from 1 to 100',
    )
    expect(() => ddim(cosineSchedule(100), { steps: 10, eta: 1.5 })).toThrow('eta is 1.5')
  })

  it('the last step returns the estimated image as it is, for any eta', async () => {
    const x0 = normal(key(1), [2, 3])
    const { levels, step } = ddim(cosineSchedule(20), { steps: 4, eta: 1 })
    const last = step(
      x0,
      () => ({ x0, epsilon: normal(key(2), [2, 3]) }),
      scalar(stepsOf(levels) - 1, 'u32'),
      () => normal(key(3), [2, 3]),
    )
    const device = cpuDevice()
    expect(await values(last, device)).toEqual(await values(x0, device))
  })

  it('eta = 0 draws no noise', () => {
    const x = normal(key(1), [2, 3])
    expect(() =>
      ddim(cosineSchedule(20), { steps: 4 }).step(x, () => ({ x0: x, epsilon: x }), scalar(0, 'u32'), never),
    ).not.toThrow()
    expect(() =>
      ddim(cosineSchedule(20), { steps: 4, eta: 0.1 }).step(x, () => ({ x0: x, epsilon: x }), scalar(0, 'u32'), never),
    ).toThrow('noise was drawn')
  })

  it('the noise of a step is eta · √((1 − ᾱ/ᾱ′)(1 − ᾱ′)/(1 − ᾱ)) (Song 2021, eq. 16)', async () => {
    const schedule = cosineSchedule(20)
    const zero = zeros([1, 1], 'f64')
    const device = cpuDevice()
    for (const eta of [0.25, 0.5, 1]) {
      const { levels, step } = ddim(schedule, { steps: 5, eta })
      const noise = step(
        zero,
        () => ({ x0: zero, epsilon: zero }),
        scalar(1, 'u32'),
        () => ones([1, 1], 'f64'),
      )
      const [a, next] = [schedule.alphaBar[levels.time[1] ?? -1] ?? NaN, schedule.alphaBar[levels.time[2] ?? -1] ?? NaN]
      const [sigma] = await values(noise, device)
      expect(sigma).toBeCloseTo(eta * Math.sqrt(((1 - a / next) * (1 - next)) / (1 - a)), 12)
    }
  })

  it('eta = 1 with all steps is the step of ddpm', async () => {
    const schedule = cosineSchedule(40)
    const [one, other] = [ddim(schedule, { steps: 40, eta: 1 }), ddpm(schedule)]
    expect(one.levels).toEqual(other.levels)
    const device = cpuDevice()
    const [xt, epsilon, z] = [1, 2, 3].map((seed) => normal(key(seed), [2, 4], 'f64'))
    if (xt === undefined || epsilon === undefined || z === undefined) throw new Error('three draws')
    for (const index of [0, 1, 20, 38, 39]) {
      const i = scalar(index, 'u32')
      const level = noiseLevel(schedule, tensor(one.levels.time[index] ?? 0, { dtype: 'i32' }), xt)
      const estimate = { x0: x0FromEpsilon(level, xt, epsilon), epsilon }
      const a = await values(
        one.step(
          xt,
          () => estimate,
          i,
          () => z,
        ),
        device,
      )
      const b = await values(
        other.step(
          xt,
          () => estimate,
          i,
          () => z,
        ),
        device,
      )
      a.forEach((value, n) => expect(value).toBeCloseTo(b[n] ?? NaN, 8))
    }
  })
})

describe('ddpm', () => {
  const schedule = linearSchedule(50)
  const device = cpuDevice()
  const [xt, x0, z] = [normal(key(1), [2, 3], 'f64'), normal(key(2), [2, 3], 'f64'), normal(key(3), [2, 3], 'f64')]
  const stepAt = (variance: 'small' | 'large', t: number) =>
    values(
      ddpm(schedule, { variance }).step(
        xt,
        () => ({ x0, epsilon: xt }),
        scalar(49 - t, 'u32'),
        () => z,
      ),
      device,
    )

  it.each(['small', 'large'] as const)('%s variance: the posterior mean plus σ_t z', async (variance) => {
    for (const t of [1, 20, 49]) {
      const mean = await values(qPosterior(schedule, x0, xt, tensor(t, { dtype: 'i32' })).mean, device)
      const sigma = Math.sqrt((variance === 'small' ? schedule.posteriorVariance : schedule.betas)[t] ?? NaN)
      const noise = await values(z, device)
      const next = await stepAt(variance, t)
      next.forEach((value, i) => expect(value).toBeCloseTo((mean[i] ?? NaN) + sigma * (noise[i] ?? NaN), 12))
    }
  })

  it.each(['small', 'large'] as const)(
    '%s variance: the step at t = 0 returns the image, without noise',
    async (variance) => {
      const image = await values(x0, device)
      const next = await stepAt(variance, 0)
      next.forEach((value, i) => expect(value).toBeCloseTo(image[i] ?? NaN, 12))
    },
  )
})
