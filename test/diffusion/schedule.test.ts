import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cosineSchedule,
  linearSchedule,
  scheduleFromBetas,
  sigmoidSchedule,
  type Schedule,
} from '../../src/diffusion/schedule.ts'

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
          expect((s.sqrtAlphaBar[t] ?? NaN) ** 2 + (s.sqrtOneMinusAlphaBar[t] ?? NaN) ** 2).toBeCloseTo(1, 14)
          expect(relative(s.snr[t], a / (1 - a))).toBeLessThan(1e-12)
        }
      }),
      { numRuns: 20 },
    )
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
