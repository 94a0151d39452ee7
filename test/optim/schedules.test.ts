import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  diffusersEmaDecay,
  emaDecay,
  emaSchedule,
  powerEmaDecay,
  powerOfWidth,
  widthOfPower,
} from '../../src/optim/emaDecay.ts'
import {
  constantRate,
  constantWithWarmup,
  cosineDecay,
  cosineWithRestarts,
  linearDecay,
  piecewiseConstant,
  polynomialDecay,
  type RateSchedule,
} from '../../src/optim/schedules.ts'

const options = { learningRate: 2, warmupSteps: 10, steps: 110 }

/** Rates at chosen steps, from the formulas of diffusers (its multiples times 2). */
const table: readonly (readonly [string, RateSchedule, Readonly<Record<number, number>>])[] = [
  ['constant', constantRate(2), { 0: 2, 500: 2 }],
  [
    'constant with warm-up',
    constantWithWarmup({ learningRate: 2, warmupSteps: 10 }),
    { 0: 0, 5: 1, 9: 1.8, 10: 2, 1000: 2 },
  ],
  ['linear', linearDecay(options), { 0: 0, 5: 1, 10: 2, 60: 1, 110: 0, 200: 0 }],
  ['cosine', cosineDecay(options), { 5: 1, 10: 2, 35: 1 + Math.SQRT1_2, 60: 1, 110: 0 }],
  ['cosine with one whole cycle', cosineDecay({ ...options, cycles: 1 }), { 10: 2, 35: 1, 60: 0, 110: 2 }],
  [
    'cosine with restarts',
    cosineWithRestarts({ ...options, cycles: 2 }),
    { 5: 1, 10: 2, 35: 1, 60: 2, 85: 1, 110: 0, 150: 0 },
  ],
  ['polynomial', polynomialDecay({ ...options, end: 0.5, power: 2 }), { 5: 1, 10: 2, 60: 0.875, 110: 0.5, 300: 0.5 }],
  [
    'piecewise constant',
    piecewiseConstant(
      2,
      [
        { until: 20, factor: 0.1 },
        { until: 10, factor: 1 },
      ],
      0.005,
    ),
    { 0: 2, 9: 2, 10: 0.2, 19: 0.2, 20: 0.01 },
  ],
]

describe('learning-rate schedules', () => {
  it.each(table)('%s follows the formula of diffusers', (_, schedule, expected) => {
    for (const [step, rate] of Object.entries(expected)) expect(schedule(Number(step))).toBeCloseTo(rate, 12)
  })

  it('without warm-up the first step has the full rate', () => {
    expect(linearDecay({ learningRate: 3, steps: 10 })(0)).toBe(3)
    expect(cosineDecay({ learningRate: 3, steps: 10 })(0)).toBe(3)
  })

  it('a polynomial that rises is refused', () => {
    expect(() => polynomialDecay({ learningRate: 1e-8, steps: 10 })).toThrow('must be below the rate at the start')
  })
})

describe('decay of the moving average', () => {
  it('emaDecay has the values of ema_pytorch with beta 0.995', () => {
    const decay = emaDecay({ beta: 0.995 })
    const expected: Readonly<Record<number, number>> = {
      1: 0,
      101: 0,
      102: 0.370039,
      110: 0.784557,
      200: 0.953584,
      1000: 0.989272,
      3000: 0.995,
    }
    for (const [k, d] of Object.entries(expected)) expect(decay(Number(k))).toBeCloseTo(d, 6)
  })

  it('emaSchedule copies up to step 100, then averages every tenth step and keeps the average between', () => {
    const schedule = emaSchedule({ beta: 0.995 })
    expect([0, 10, 100].map(schedule)).toEqual([0, 0, 0])
    expect([1, 9, 101, 109, 111].map(schedule)).toEqual([1, 1, 1, 1, 1])
    expect(schedule(110)).toBe(emaDecay({ beta: 0.995 })(111))
    expect(() => emaSchedule({ updateEvery: 0 })).toThrow('updateEvery is 0')
  })

  it('diffusersEmaDecay rises as (1 + s) / (10 + s), or by the power law with warm-up, up to its bound', () => {
    const decay = diffusersEmaDecay()
    expect([0, 1].map(decay)).toEqual([0, 0])
    expect(decay(2)).toBeCloseTo(2 / 11, 12)
    expect(decay(1001)).toBeCloseTo(1001 / 1010, 12)
    expect(decay(10 ** 6)).toBe(0.9999)
    const warm = diffusersEmaDecay({ useEmaWarmup: true, power: 0.75, updateAfterStep: 5, minDecay: 0.1 })
    expect(warm(6)).toBe(0)
    expect(warm(7)).toBeCloseTo(1 - 2 ** -0.75, 12)
  })
})

/** What step 1, 2, … count in the average after so many steps, by these decays. */
const weightsOf = (decay: (t: number) => number, steps: number): readonly number[] => {
  const weights: number[] = []
  let after = 1 // ∏ of the decays of the steps that follow
  for (let t = steps; t >= 1; t--) {
    weights.unshift((1 - decay(t)) * after)
    after *= decay(t)
  }
  return weights
}

describe('the average by a power of the step', () => {
  it('has the powers of Karras et al. 2024: 16.97 for the width 0.05, and 6.94 for 0.1', () => {
    expect(powerOfWidth(0.05)).toBeCloseTo(16.97, 2)
    expect(powerOfWidth(0.1)).toBeCloseTo(6.94, 2)
    expect(powerOfWidth(1 / Math.sqrt(12))).toBe(0) // the mean of all weights
  })

  it('finds the power of every width, and the width of every power', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 0.2886, noNaN: true }), (width) => {
        expect(Math.abs(widthOfPower(powerOfWidth(width)) / width - 1)).toBeLessThan(1e-12)
      }),
    )
  })

  it('is as wide as it says after any number of steps, and a step counts the more the later it is', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.04, max: 0.28, noNaN: true }),
        fc.integer({ min: 2000, max: 8000 }),
        (width, steps) => {
          const weights = weightsOf(powerEmaDecay({ width }), steps)
          const mean = weights.reduce((sum, w, i) => sum + w * (i + 1), 0)
          const variance = weights.reduce((sum, w, i) => sum + w * (i + 1 - mean) ** 2, 0)
          expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
          expect(Math.abs(Math.sqrt(variance) / steps / width - 1)).toBeLessThan(0.01)
          expect(weights.every((w, i) => i === 0 || w >= (weights[i - 1] ?? 0) * (1 - 1e-12))).toBe(true)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('is what diffusers’ decay makes until it reaches its largest: of the power 8, hence of the width 0.09', () => {
    const weights = weightsOf(diffusersEmaDecay({ decay: 0.999999 }), 4000)
    const mean = weights.reduce((sum, w, i) => sum + w * (i + 1), 0)
    const variance = weights.reduce((sum, w, i) => sum + w * (i + 1 - mean) ** 2, 0)
    expect(Math.sqrt(variance) / 4000).toBeCloseTo(widthOfPower(8), 3)
    expect(widthOfPower(8)).toBeCloseTo(0.09, 3)
  })

  it('copies the parameters at the first update, and with the greatest width is the mean of all', () => {
    expect(powerEmaDecay({ width: 0.1 })(1)).toBe(0)
    for (const w of weightsOf(powerEmaDecay({ width: 1 / Math.sqrt(12) }), 10)) expect(w).toBeCloseTo(0.1, 12)
  })
})
