/** Rates of later papers, and a rate that follows measured values; PyTorch's where it has them (test/golden/optim/moreOptimizers.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  inverseSqrt,
  noamSchedule,
  oneCycle,
  reduceOnPlateau,
  warmupStableDecay,
  type PlateauOptions,
  type RateSchedule,
} from '../../src/optim/index.ts'
import { at, range } from '../../src/prelude/array.ts'

const golden = JSON.parse(readFileSync(new URL('../golden/optim/moreOptimizers.json', import.meta.url), 'utf8')) as {
  readonly schedules: Readonly<Record<string, readonly number[]>>
  readonly losses: readonly (number | null)[]
  readonly plateaus: Readonly<Record<string, readonly number[]>>
}

const table: readonly (readonly [string, RateSchedule, Readonly<Record<number, number>>])[] = [
  [
    'warm-up, stable, 1 − √p',
    warmupStableDecay({ learningRate: 2, warmupSteps: 10, steps: 110, decaySteps: 25, end: 0.2 }),
    { 0: 0, 5: 1, 10: 2, 85: 2, 86: 0.2 + 1.8 * 0.8, 94: 0.2 + 1.8 * 0.4, 110: 0.2, 300: 0.2 },
  ],
  [
    'warm-up, stable, linear, of a fifth',
    warmupStableDecay({ learningRate: 1, steps: 100, decay: 'linear' }),
    { 0: 1, 80: 1, 90: 0.5, 100: 0 },
  ],
  [
    'warm-up, stable, cosine',
    warmupStableDecay({ learningRate: 1, steps: 40, decaySteps: 40, decay: 'cosine' }),
    { 0: 1, 20: 0.5, 30: (1 - Math.SQRT1_2) / 2, 40: 0 },
  ],
  ['no decay at all', warmupStableDecay({ learningRate: 1, steps: 40, decaySteps: 0 }), { 0: 1, 40: 1, 50: 1 }],
  ['inverse square root', inverseSqrt({ learningRate: 3, warmupSteps: 16 }), { 0: 0, 8: 1.5, 16: 3, 64: 1.5 }],
  [
    "the transformer's",
    noamSchedule({ width: 512, warmupSteps: 4000, factor: 2 }),
    Object.fromEntries(
      [1, 10, 4000, 20_000].map((s) => [s - 1, 2 * 512 ** -0.5 * Math.min(s ** -0.5, s * 4000 ** -1.5)]),
    ),
  ],
]

describe('learning-rate schedules of later papers', () => {
  it.each(table)('%s', (_, schedule, expected) => {
    for (const [step, rate] of Object.entries(expected)) expect(schedule(Number(step))).toBeCloseTo(rate, 12)
  })

  it.each([
    ['oneCycle', oneCycle({ learningRate: 0.5, steps: 50 })],
    [
      'oneCycle-options',
      oneCycle({ learningRate: 0.5, steps: 40, pctStart: 0.45, anneal: 'linear', divFactor: 10, finalDivFactor: 100 }),
    ],
  ])("%s: every rate is PyTorch's, and the last stays", (name, schedule) => {
    const expected = golden.schedules[name] ?? []
    expect(expected.length).toBeGreaterThan(30)
    expected.forEach((rate, step) => expect(Math.abs(schedule(step) - rate)).toBeLessThan(1e-14))
    expect(schedule(1000)).toBeCloseTo(at(expected, expected.length - 1), 14)
  })

  it('what cannot be meant is refused', () => {
    expect(() => warmupStableDecay({ learningRate: 1, steps: 10, warmupSteps: 6, decaySteps: 5 })).toThrow(
      'warmupStableDecay: 6 warmupSteps and 5 decaySteps are more than all 10 steps, which include both',
    )
    expect(() => warmupStableDecay({ learningRate: 1, steps: 10, decay: 'exp' as never })).toThrow(
      "decay is 'exp'; it must be one of linear, cosine, sqrt",
    )
    expect(() => inverseSqrt({ learningRate: 1, warmupSteps: 0 })).toThrow('warmupSteps is 0')
    expect(() => noamSchedule({ width: 0, warmupSteps: 1 })).toThrow('width is 0')
    expect(() => oneCycle({ learningRate: 1, steps: 3 })).toThrow('take more steps, or another share')
    expect(() => oneCycle({ learningRate: 1, steps: 30, percentStart: 0.5 } as never)).toThrow(
      "there is no option 'percentStart'",
    )
    expect(() => oneCycle({ learningRate: 1, steps: 30 })(-1)).toThrow('the step is -1')
  })
})

describe('reduceOnPlateau', () => {
  const losses = golden.losses.map((x) => x ?? NaN)
  const cases: readonly (readonly [string, Omit<PlateauOptions, 'learningRate'>, readonly number[]])[] = [
    ['usual', { patience: 2 }, losses],
    ['options', { factor: 0.5, patience: 1, threshold: 0.01, cooldown: 2, minLearningRate: 0.2 }, losses],
    ['score', { mode: 'max', patience: 0, factor: 0.9 }, losses.map((x) => -x)],
    ['rising', { mode: 'max', patience: 1, factor: 0.1 }, [1, 2, 2, 2.0001, 3, 3, 3, 3]],
  ]

  it.each(cases)("%s: the rate after each value is PyTorch's", (name, options, seen) => {
    const plateau = reduceOnPlateau({ learningRate: 1, ...options })
    const rates = range(seen.length).map((i) => seen.slice(0, i + 1).reduce(plateau.after, plateau.initial).rate)
    const expected = golden.plateaus[name] ?? []
    expect(new Set(expected).size).toBeGreaterThan(1)
    expect(rates).toHaveLength(expected.length)
    rates.forEach((rate, i) => expect(Math.abs(rate - at(expected, i))).toBeLessThan(1e-14))
  })

  it('options that cannot be meant are refused', () => {
    expect(() => reduceOnPlateau({ learningRate: 1, factor: 1 })).toThrow('factor is 1; it must be above 0 and below 1')
    expect(() => reduceOnPlateau({ learningRate: 1, patience: 0.5 })).toThrow('patience is 0.5')
  })
})
