import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cosineSchedule,
  linearSchedule,
  scheduleFromBetas,
  sigmoidSchedule,
  type Schedule,
} from '../../src/diffusion/index.ts'

const relative = (value: number | undefined, expected: number): number =>
  Math.abs((value ?? NaN) - expected) / Math.abs(expected)

/** lucidrains' tables at T = 1000, computed with the reference: ᾱ at these times, then β at 0 and 999. */
const times = [0, 249, 499, 749, 998, 999]
const reference: readonly (readonly [string, Schedule, readonly number[], readonly [number, number]])[] = [
  [
    'linear',
    linearSchedule(1000),
    [0.9999, 0.52408537, 0.078587243, 0.0033505504, 4.1181936e-5, 4.0358298e-5],
    [1e-4, 0.02],
  ],
  [
    'cosine',
    cosineSchedule(1000),
    [0.99995872, 0.84701216, 0.49384359, 0.1442721, 2.4287669e-6, 2.4287669e-9],
    [4.1284225e-5, 0.999],
  ],
  [
    'sigmoid',
    sigmoidSchedule(1000),
    [0.99969972, 0.85085355, 0.5, 0.14914645, 3.002792e-4, 3.002792e-7],
    [3.002792e-4, 0.999],
  ],
]

describe('schedules', () => {
  it.each(reference)(
    '%s: ᾱ and β at T = 1000 are those of the reference to 1e-6',
    (_, schedule, alphaBar, [first, last]) => {
      alphaBar.forEach((expected, i) =>
        expect(relative(schedule.alphaBar[times[i] ?? -1], expected)).toBeLessThan(1e-6),
      )
      expect(relative(schedule.betas[0], first)).toBeLessThan(1e-6)
      expect(relative(schedule.betas[999], last)).toBeLessThan(1e-6)
    },
  )

  it('ᾱ falls, stays in (0, 1) and the tables obey their definitions, for any length and family', () => {
    const families = [linearSchedule, cosineSchedule, sigmoidSchedule]
    fc.assert(
      fc.property(fc.constantFrom(...families), fc.integer({ min: 25, max: 400 }), (make, steps) => {
        const s = make(steps)
        for (let t = 0; t < steps; t++) {
          const [a, before, beta] = [s.alphaBar[t] ?? NaN, s.alphaBarPrevious[t] ?? NaN, s.betas[t] ?? NaN]
          expect(a).toBeGreaterThan(0)
          expect(a).toBeLessThan(before)
          expect(a).toBeCloseTo(before * (1 - beta), 14)
          expect((s.signal[t] ?? NaN) ** 2 + (s.noise[t] ?? NaN) ** 2).toBeCloseTo(1, 14)
          expect(relative(s.snr[t], a / (1 - a))).toBeLessThan(1e-12)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('the posterior has the mean and variance of its definition (Ho 2020, eq. 7), at any time and for any β', () => {
    const betas = fc.array(fc.integer({ min: 1, max: 999 }), { minLength: 2, maxLength: 30 })
    fc.assert(
      fc.property(betas, (thousandths) => {
        const s = scheduleFromBetas(Float64Array.from(thousandths, (n) => n / 1000))
        for (let t = 1; t < s.steps; t++) {
          const [a, before, beta] = [s.alphaBar[t] ?? NaN, s.alphaBar[t - 1] ?? NaN, s.betas[t] ?? NaN]
          // x_t | x_{t−1} and x_{t−1} | x₀ are normal: precisions add up, and so do precision-weighted means.
          const precision = (1 - beta) / beta + 1 / (1 - before)
          expect(relative(s.posteriorVariance[t], 1 / precision)).toBeLessThan(1e-9)
          expect(relative(s.posteriorX0[t], Math.sqrt(before) / (1 - before) / precision)).toBeLessThan(1e-9)
          expect(relative(s.posteriorXt[t], Math.sqrt(1 - beta) / beta / precision)).toBeLessThan(1e-9)
          expect(1 - a).toBeCloseTo(beta + (1 - beta) * (1 - before), 12)
        }
      }),
      { seed: 71, numRuns: 50 },
    )
  })

  it('linear: both ends are scaled by 1000 / T', () => {
    for (const steps of [50, 250, 4000]) {
      const { betas } = linearSchedule(steps)
      expect(relative(betas[0], (1e-4 * 1000) / steps)).toBeLessThan(1e-12)
      expect(relative(betas[steps - 1], (0.02 * 1000) / steps)).toBeLessThan(1e-12)
    }
  })

  it('sigmoid: ᾱ falls along the sigmoid between any ends, at any temperature', () => {
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
    for (const [start, end, tau] of [
      [-3, 3, 1],
      [-3, 3, 0.5],
      [0, 3, 0.7],
      [-2, 4, 1.3],
    ] as const) {
      const s = sigmoidSchedule(40, { start, end, tau })
      const curve = (t: number): number => sigmoid(end / tau) - sigmoid((start + ((end - start) * t) / 40) / tau)
      for (let t = 0; t < 39; t++) expect(relative(s.alphaBar[t], curve(t + 1) / curve(0))).toBeLessThan(1e-9)
    }
  })

  it('curves end with a β of 0.999, and no larger one (Nichol & Dhariwal 2021, section 3.2)', () => {
    for (const make of [cosineSchedule, sigmoidSchedule])
      for (const steps of [30, 100, 1000]) expect(Math.max(...make(steps).betas)).toBe(0.999)
  })

  it('the posterior at t = 0 is the image itself, without variance', () => {
    const s = cosineSchedule(100)
    expect(s.posteriorVariance[0]).toBe(0)
    expect(s.posteriorLogVariance[0]).toBeCloseTo(Math.log(1e-20), 10)
    expect(s.posteriorX0[0]).toBeCloseTo(1, 12)
    expect(s.posteriorXt[0]).toBe(0)
  })

  it('a β outside (0, 1) is refused with its time, so is a length that is no whole number', () => {
    expect(() => linearSchedule(10)).toThrow(/β at t = .* outside \(0, 1\): take more steps/)
    expect(() => scheduleFromBetas(Float64Array.of(0.1, 0))).toThrow('β at t = 1 is 0')
    expect(() => cosineSchedule(2.5)).toThrow('cosineSchedule: 2.5 steps')
  })
})
