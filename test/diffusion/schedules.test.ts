import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cosineSchedule,
  exponentialSchedule,
  flowLevels,
  flowSchedule,
  isChain,
  karrasLevels,
  laplaceSchedule,
  linearSchedule,
  noiseLevel,
  qPosterior,
  scaledLinearSchedule,
  scheduleLevels,
  shiftedSchedule,
  sigmoidBetaSchedule,
  sigmoidSchedule,
  zeroTerminalSnr,
  type NoiseSchedule,
} from '../../src/diffusion/index.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { cpuDevice, values } from '../support/device.ts'

const relative = (value: number | undefined, expected: number): number =>
  Math.abs((value ?? NaN) - expected) / Math.abs(expected)

const at = (table: Float64Array, t: number): number => table[t] ?? NaN

/** diffusers 0.27.2: ᾱ at these times, in f32. */
const times = [0, 1, 10, 249, 499, 749, 900, 998, 999]
const reference = {
  linear: [
    0.9998999834060669, 0.9997800588607788, 0.9978064894676208, 0.5240854024887085, 0.07858724147081375,
    0.0033505510073155165, 0.00027024451992474496, 4.118194556212984e-5, 4.0358307160204276e-5,
  ],
  scaledLinear: [
    0.9991499781608582, 0.9982960224151611, 0.9904313087463379, 0.6754320859909058, 0.2776694595813751,
    0.05662345513701439, 0.0141511345282197, 0.0047166962176561356, 0.0046600960195064545,
  ],
  sigmoidBeta: [
    0.9998508095741272, 0.9997010231018066, 0.998326301574707, 0.9037447571754456, 0.3019309937953949,
    0.0057322001084685326, 0.00029046900453977287, 4.048962364322506e-5, 3.9681821363046765e-5,
  ],
}

describe('the schedules of diffusers', () => {
  it.each([
    ['linear', linearSchedule(1000), reference.linear],
    ['scaled linear', scaledLinearSchedule(1000), reference.scaledLinear],
    ['sigmoid, of β', sigmoidBetaSchedule(1000), reference.sigmoidBeta],
  ] as const)('%s: ᾱ is that of the reference to 1e-5', (_, { alphaBar }, expected) => {
    times.forEach((t, i) => expect(relative(alphaBar[t], expected[i] ?? NaN), `t = ${t}`).toBeLessThan(1e-5))
  })

  it('exponential: each step takes the same share, and e^−12 is left of the picture', () => {
    const { betas, alphaBar } = exponentialSchedule(500)
    for (const beta of betas) expect(beta).toBeCloseTo(1 - Math.exp(-12 / 500), 12)
    expect(relative(alphaBar[499], Math.exp(-12))).toBeLessThan(1e-9)
  })

  it('Laplace: ᾱ is the root of the share of the signal whose log-ratio has the quantiles of Laplace’s distribution', () => {
    const { alphaBar } = laplaceSchedule(1000)
    const first = Math.sqrt(1 / (1 + Math.exp(0.5 * Math.log(1e-6)))) // ᾱ(0), by which ᾱ is divided
    for (const t of [0, 99, 499, 799, 990]) {
      const u = (t + 1) / 1000
      const logSnr = u < 0.5 ? -0.5 * Math.log(2 * u) : 0.5 * Math.log(2 - 2 * u)
      expect(relative(alphaBar[t], Math.sqrt(1 / (1 + Math.exp(-logSnr))) / first), `t = ${t}`).toBeLessThan(2e-4)
    }
  })
})

describe('a flow as a schedule', () => {
  it('is the straight path, and has the levels of flowLevels where all of it is walked', () => {
    const schedule = flowSchedule(8)
    const [own, continuous] = [scheduleLevels(schedule, 8), flowLevels(8)]
    expect(own.signal).toEqual(continuous.signal)
    expect(own.noise).toEqual(continuous.noise)
    expect([...own.time]).toEqual([7, 6, 5, 4, 3, 2, 1, 0, -1])
  })

  it('is no chain: what goes back by β says so', () => {
    expect(isChain(flowSchedule(4))).toBe(false)
    // @ts-expect-error: it lacks the tables of a chain
    expect(() => qPosterior(flowSchedule(4), zeros([1]), zeros([1]), scalar(0, 'i32'))).toThrow('no chain of steps')
  })

  it('has a power at each time, by which v is divided, and a chain has none', async () => {
    const batch = zeros([2, 3])
    const t = tensor(Int32Array.of(0, 3))
    const { power } = noiseLevel(flowSchedule(4), t, batch)
    expect(power === undefined ? [] : await values(power, cpuDevice())).toEqual([0.625, 1])
    expect(noiseLevel(cosineSchedule(4), t, batch).power).toBeUndefined()
  })
})

const chains = [linearSchedule, scaledLinearSchedule, cosineSchedule, sigmoidSchedule, exponentialSchedule]

describe('zeroTerminalSnr', () => {
  it('has the ᾱ of diffusers’ rescaled linear schedule', () => {
    const { alphaBar } = zeroTerminalSnr(linearSchedule(1000))
    const expected = [0.9999, 0.52153334, 0.076028751, 0.0026895217, 4.2132625e-9]
    ;[0, 249, 499, 749, 998].forEach((t, i) =>
      expect(relative(alphaBar[t], expected[i] ?? NaN), `t = ${t}`).toBeLessThan(1e-4),
    )
  })

  it('ends in pure noise, begins as before, keeps the order of times, and has tables without NaN', () => {
    fc.assert(
      fc.property(fc.constantFrom(...chains), fc.integer({ min: 25, max: 300 }), (make, steps) => {
        const [before, after] = [make(steps), zeroTerminalSnr(make(steps))]
        expect([at(after.signal, steps - 1), at(after.noise, steps - 1), at(after.snr, steps - 1)]).toEqual([0, 1, 0])
        expect(at(after.betas, steps - 1)).toBe(1)
        expect(relative(at(after.alphaBar, 0), at(before.alphaBar, 0))).toBeLessThan(1e-9)
        for (let t = 1; t < steps; t++) expect(at(after.snr, t)).toBeLessThan(at(after.snr, t - 1))
        for (const table of Object.values(after))
          if (typeof table !== 'number') expect(table.every(Number.isFinite)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  it('refuses a schedule of one time, and what is none', () => {
    expect(() => zeroTerminalSnr(cosineSchedule(1))).toThrow('no end that is not its beginning')
    // @ts-expect-error: a flow ends in noise already
    expect(() => zeroTerminalSnr(flowSchedule(4))).toThrow('zeroTerminalSnr: this schedule is no chain')
    // @ts-expect-error: levels are no schedule
    expect(() => zeroTerminalSnr(karrasLevels({ steps: 4 }))).toThrow('got levels where a noise schedule is expected')
  })
})

describe('shiftedSchedule', () => {
  const schedules: readonly ((steps: number) => NoiseSchedule)[] = [...chains, flowSchedule]

  it('multiplies the ratio of noise to signal at every time, on the same kind of path', () => {
    const factors = fc.double({ min: 0.1, max: 10, noNaN: true })
    fc.assert(
      fc.property(fc.constantFrom(...schedules), fc.integer({ min: 25, max: 200 }), factors, (make, steps, factor) => {
        const [before, after] = [make(steps), shiftedSchedule(make(steps), factor)]
        expect(isChain(after)).toBe(isChain(before))
        const sum = (a: number, s: number): number => (isChain(before) ? a * a + s * s : a + s)
        for (let t = 0; t < steps; t++) {
          const [a, s] = [at(after.signal, t), at(after.noise, t)]
          expect(sum(a, s)).toBeCloseTo(1, 12)
          const ratio = at(before.noise, t) * factor * a
          expect(Math.abs(s * at(before.signal, t) - ratio)).toBeLessThan(1e-7 * (1e-6 + ratio) + 1e-9)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('is the shift of a flow: σ′ = mσ / (1 + (m − 1)σ)', () => {
    const { noise } = shiftedSchedule(flowSchedule(100), 3)
    for (let t = 0; t < 100; t++) expect(at(noise, t)).toBeCloseTo((3 * (t + 1)) / 100 / (1 + (2 * (t + 1)) / 100), 14)
  })

  it('gives itself back for 1, and refuses what is no factor', () => {
    const schedule = cosineSchedule(10)
    expect(shiftedSchedule(schedule, 1)).toBe(schedule)
    for (const factor of [0, -1, NaN, Infinity])
      expect(() => shiftedSchedule(schedule, factor)).toThrow('shiftedSchedule: factor')
  })
})
