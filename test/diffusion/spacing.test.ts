/** Times and σ that walks visit, against diffusers' (numbers computed with it) and against their definitions. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flowLevels, stepsOf } from '../../src/diffusion/levels.ts'
import { cosineSchedule, linearSchedule } from '../../src/diffusion/index.ts'
import { pointAtTime, timeAtSigma } from '../../src/diffusion/scheduleClock.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { sigmaCurves, sigmasAlong, type SigmaCurve } from '../../src/diffusion/sigmas.ts'
import { spacedTimes, type Spacing } from '../../src/diffusion/spacing.ts'
import { timeAt } from '../../src/diffusion/levels.ts'
import { scalar, zeros } from '../../src/tensor/create.ts'

const spacings: readonly Spacing[] = ['even', 'leading', 'trailing', 'linspace']

describe('spacedTimes', () => {
  it('has diffusers’ times: with an offset, rounded half to even, and with a spare point', () => {
    expect(spacedTimes(1000, 5, { spacing: 'leading', offset: 1 })).toEqual([801, 601, 401, 201, 1])
    expect(spacedTimes(1000, 30, { spacing: 'trailing' }).slice(0, 5)).toEqual([999, 966, 932, 899, 866])
    expect(spacedTimes(1000, 20, { spacing: 'linspace', spare: true }).slice(8, 13)).toEqual([599, 549, 500, 450, 400])
    expect(spacedTimes(1000, 20, { spacing: 'linspace', spare: true }).at(-1)).toBe(50)
    expect(spacedTimes(1000, 20, { spacing: 'leading', spare: true }).slice(0, 2)).toEqual([940, 893])
    expect(spacedTimes(1000, 20, { spacing: 'linspace', whole: false })[1]).toBeCloseTo(946.4210526, 6)
    expect(spacedTimes(1000, 1, { spacing: 'linspace' })).toEqual([0])
    expect(spacedTimes(6, 3, { spacing: 'linspace' })).toEqual([5, 2, 0]) // 2.5 is as near to 3
  })

  it('falls within the schedule, step by step, whatever the spacing and the number of steps', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...spacings),
        fc.integer({ min: 1, max: 400 }),
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (spacing, total, spare, share) => {
          const steps = Math.max(1, Math.floor(share * (spare ? total - 1 : total)))
          fc.pre(steps < total || !spare)
          const times = spacedTimes(total, steps, { spacing, spare })
          expect(times).toHaveLength(steps)
          times.forEach((t, i) => expect(i === 0 || t < (times[i - 1] ?? NaN)).toBe(true))
          expect(times.every((t) => Number.isInteger(t) && t >= 0 && t < total)).toBe(true)
        },
      ),
      { seed: 4, numRuns: 300 },
    )
  })

  it('visits every time where there are as many steps', () => {
    for (const spacing of spacings) expect(spacedTimes(7, 7, { spacing })).toEqual([6, 5, 4, 3, 2, 1, 0])
  })

  it('refuses what cannot be meant', () => {
    expect(() => spacedTimes(10, 11)).toThrow('spacedTimes: 11 sampling steps of a schedule with 10')
    expect(() => spacedTimes(10, 2, { spacing: 'liner' as never })).toThrow(
      'it must be even, leading, trailing, linspace',
    )
    expect(() => spacedTimes(10, 5, { spacing: 'leading', offset: 3 })).toThrow(
      'time 11 is beyond the schedule’s last'.replace('’', "'"),
    )
    expect(() => spacedTimes(10, 2, { space: 'even' } as never)).toThrow("there is no option 'space'")
    expect(() => spacedTimes(10, 2, { offset: -1 })).toThrow('offset is -1')
  })
})

describe('sigmasAlong', () => {
  it('karras has the ten values of diffusers between 0.002 and 80', () => {
    const wanted = [80, 42.41519, 21.10868, 9.723201, 4.066124, 1.501742, 0.4699791, 0.1166386, 0.02043533, 0.002]
    sigmasAlong('karras', { steps: 10, sigmaMin: 0.002, sigmaMax: 80 }).forEach((s, i) =>
      expect(s / (wanted[i] ?? NaN)).toBeCloseTo(1, 6),
    )
  })

  it('exponential, and lu, which is its other name, are even in ln σ', () => {
    const options = { steps: 9, sigmaMin: 0.01, sigmaMax: 20 }
    const logs = sigmasAlong('exponential', options).map(Math.log)
    logs.slice(1).forEach((x, i) => expect(x - (logs[i] ?? NaN)).toBeCloseTo(Math.log(0.01 / 20) / 8, 12))
    expect(sigmasAlong('lu', options)).toEqual(sigmasAlong('exponential', options))
  })

  it('beta is the quantile of Beta(0.6, 0.6): its density integrates to the share', () => {
    // ∫₀ˣ t^−0.4 (1 − t)^−0.4 dt with t = sin²θ is 2 ∫ (sin θ cos θ)^0.2 dθ, a smooth integral but at its ends.
    const mass = (x: number): number => {
      const [end, n] = [Math.asin(Math.sqrt(x)), 200_000]
      let total = 0
      for (let i = 0; i < n; i += 1)
        total += ((Math.sin(((i + 0.5) / n) * end) * Math.cos(((i + 0.5) / n) * end)) ** 0.2 * end) / n
      return total
    }
    const whole = mass(1)
    const found = sigmasAlong('beta', { steps: 6, sigmaMin: 1, sigmaMax: 2 })
    found.forEach((s, i) => expect(mass(s - 1) / whole).toBeCloseTo(1 - i / 5, 5))
  })

  it.each(sigmaCurves)('%s falls from the largest to the least, and one step is the largest', (name) => {
    const curve = name as SigmaCurve
    const found = sigmasAlong(curve, { steps: 25, sigmaMin: 0.01, sigmaMax: 30 })
    expect(found[0]).toBeCloseTo(30, 9)
    expect(found[24]).toBeCloseTo(0.01, 9)
    found.slice(1).forEach((s, i) => expect(s).toBeLessThan(found[i] ?? NaN))
    expect(sigmasAlong(curve, { steps: 1, sigmaMin: 0.01, sigmaMax: 30 })[0]).toBeCloseTo(30, 9)
  })

  it('refuses what cannot be meant', () => {
    expect(() => sigmasAlong('kerras' as never, { steps: 2, sigmaMin: 1, sigmaMax: 2 })).toThrow(
      'karras, exponential, lu, beta',
    )
    expect(() => sigmasAlong('beta', { steps: 2, sigmaMin: 3, sigmaMax: 2 })).toThrow('sigmaMin must be below sigmaMax')
    expect(() => sigmasAlong('beta', { steps: 2, sigmaMin: 0, sigmaMax: 2 })).toThrow('sigmaMin is 0')
  })
})

describe('scheduleLevels', () => {
  const schedule = linearSchedule(1000)

  it('between whole times σ is a straight line, as in diffusers’ Euler', () => {
    const scaled = scheduleLevels(schedule, 20, { spacing: 'linspace', whole: false })
    const { a, s } = pointAtTime(schedule, 946)
    const next = pointAtTime(schedule, 947)
    const share = (scaled.time[1] ?? NaN) - 946
    expect((scaled.noise[1] ?? NaN) / (scaled.signal[1] ?? NaN)).toBeCloseTo(
      (1 - share) * (s / a) + share * (next.s / next.a),
      9,
    )
  })

  it('a curve runs between the ends of the schedule, on a² + s² = 1, and its times lie where ln σ does', () => {
    const { signal, noise, time } = scheduleLevels(schedule, 12, { sigmas: 'karras' })
    expect([time[0], time[11], time[12]]).toEqual([999, 0, -1])
    signal.forEach((a, i) => expect(a * a + (noise[i] ?? NaN) ** 2).toBeCloseTo(1, 12))
    for (const i of [3, 7]) {
      const t = time[i] ?? NaN
      const [low, high] = [Math.floor(t), Math.ceil(t)].map((whole) => pointAtTime(schedule, whole))
      if (low === undefined || high === undefined) throw new Error('two points')
      const line = (1 - (t % 1)) * Math.log(low.s / low.a) + (t % 1) * Math.log(high.s / high.a)
      expect(line).toBeCloseTo(Math.log((noise[i] ?? NaN) / (signal[i] ?? NaN)), 9)
    }
  })

  it('the network is told whole times in i32, and fractions in f32', () => {
    const of = (rounded: boolean): string =>
      timeAt(scheduleLevels(schedule, 8, { sigmas: 'beta', rounded }), scalar(1, 'u32'), zeros([1, 2])).dtype
    expect([of(true), of(false)]).toEqual(['i32', 'f32'])
  })

  it('takes times and σ of one’s own, one for each step', () => {
    expect(Array.from(scheduleLevels(schedule, 3, { times: [999, 850, 24] }).time)).toEqual([999, 850, 24, -1])
    const { noise, signal } = scheduleLevels(schedule, 2, { sigmas: [5, 0.5] })
    expect((noise[1] ?? NaN) / (signal[1] ?? NaN)).toBeCloseTo(0.5, 12)
    expect(() => scheduleLevels(schedule, 2, { times: [999] })).toThrow('there are 1 times or σ for 2 steps')
    expect(() => scheduleLevels(schedule, 2, { times: [10, 900] })).toThrow('order them from noise to image')
    expect(() => scheduleLevels(schedule, 1, { times: [1000] })).toThrow(
      'time 1000 is not among those of the schedule, 0 … 999',
    )
  })

  it('ends at the image, or at the least noise of the schedule', () => {
    const { signal, noise, time } = scheduleLevels(schedule, 4, { end: 'least' })
    expect([signal[4], noise[4], time[4]]).toEqual([schedule.signal[0], schedule.noise[0], 0])
    expect(stepsOf(scheduleLevels(schedule, 4))).toBe(4)
  })

  it('a σ beyond the ends is known at the first or the last time, and every σ of the table at its own', () => {
    const cosine = cosineSchedule(50)
    expect([timeAtSigma(cosine, 1e9), timeAtSigma(cosine, 1e-9)]).toEqual([49, 0])
    for (const t of [0, 1, 20, 49]) {
      const { a, s } = pointAtTime(cosine, t)
      expect(timeAtSigma(cosine, s / a)).toBeCloseTo(t, 9)
    }
  })
})

describe('flowLevels', () => {
  it('a shift spends more steps at noise', () => {
    const { time } = flowLevels(4, { shift: 3 })
    expect([time[0], time[4]]).toEqual([1, 0])
    expect(time[1]).toBeCloseTo((3 * 0.75) / 2.5, 12)
    expect(() => flowLevels(4, { shift: 0 })).toThrow('shift is 0')
  })
})
