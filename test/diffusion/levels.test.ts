/** Levels: the three families, what is refused, and predictions at levels of any signal and noise. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  flowLevels,
  karrasLevels,
  levelAt,
  levelsFrom,
  startingDeviation,
  stepsOf,
  timeAt,
  type Levels,
} from '../../src/diffusion/levels.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { parameterizations, type Prediction } from '../../src/diffusion/prediction.ts'
import { cosineSchedule } from '../../src/diffusion/index.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const families: readonly (readonly [string, Levels, (a: number, s: number) => number])[] = [
  ['schedule', scheduleLevels(cosineSchedule(100), 7), (a, s) => a * a + s * s],
  ['karras', karrasLevels({ steps: 7 }), (a) => a],
  ['flow', flowLevels(7), (a, s) => a + s],
]

describe('levels', () => {
  it.each(families)('%s: seven steps from noise to the image, on a curve of its own', (_, levels, curve) => {
    expect(stepsOf(levels)).toBe(7)
    expect([levels.signal.at(-1), levels.noise.at(-1)]).toEqual([1, 0])
    levels.signal.forEach((a, i) => expect(curve(a, levels.noise[i] ?? NaN)).toBeCloseTo(1, 12))
  })

  it('karras: σ^(1/ρ) is evenly spaced from σ_max to σ_min, and one step goes from σ_max to the image', () => {
    const { noise } = karrasLevels({ steps: 5, sigmaMin: 0.01, sigmaMax: 10, rho: 3 })
    const roots = noise.slice(0, 5).map((sigma) => Math.cbrt(sigma))
    roots
      .slice(1)
      .forEach((r, i) => expect(r - (roots[i] ?? NaN)).toBeCloseTo((roots[4] ?? NaN) / 4 - (roots[0] ?? NaN) / 4, 12))
    expect([...karrasLevels({ steps: 1 }).noise]).toEqual([expect.closeTo(80, 10), 0])
  })

  it('a walk starts from noise with the deviation of its first level', () => {
    expect(families.map(([, levels]) => startingDeviation(levels))).toEqual([
      1,
      expect.closeTo(Math.hypot(1, 80), 9),
      1,
    ])
  })

  it('the network is told whole times of a schedule in i32, continuous ones in f32, or f64 with an f64 batch', () => {
    const dtypes = families.map(([, levels]) =>
      (['f32', 'f64'] as const).map((dtype) => timeAt(levels, scalar(0, 'u32'), zeros([2, 3], dtype)).dtype),
    )
    expect(dtypes).toEqual([
      ['i32', 'i32'],
      ['f32', 'f64'],
      ['f32', 'f64'],
    ])
  })

  it('what does not lead from noise to the image is refused', () => {
    const of =
      (signal: number[], noise: number[], time = signal): (() => Levels) =>
      () =>
        levelsFrom({
          signal: Float64Array.from(signal),
          noise: Float64Array.from(noise),
          time: Float64Array.from(time),
        })
    expect(of([0, 1], [1])).toThrow('there are 2 signals, 1 noises and 2 times')
    expect(of([1], [0])).toThrow('levels: there are 1; a walk needs two at least')
    expect(of([0.5, 1], [0.5, 0], [NaN, 0])).toThrow('the time of level 0 is NaN')
    expect(of([NaN, 1], [1, 0], [1, 0])).toThrow('level 0 is a = NaN, s = 1; both must be finite')
    expect(of([0.5, 1], [0, 0])).toThrow('level 0 is a = 0.5, s = 0')
    expect(of([-1, 1], [1, 0])).toThrow('a ≥ 0')
    expect(of([0.5, 0.9], [0.5, 0])).toThrow('it must be the image')
    expect(of([0.5, 0.4, 1], [0.5, 0.6, 0])).toThrow('order them from noise to image')
    expect(of([0.5, 0.5, 1], [0.5, 0.5, 0])).toThrow('each must hold more signal for its noise')
  })

  it('options without meaning are refused', () => {
    expect(() => karrasLevels({ steps: 0 })).toThrow('karrasLevels: steps is 0')
    expect(() => karrasLevels({ steps: 2.5 })).toThrow('karrasLevels: steps is 2.5')
    expect(() => karrasLevels({ steps: 4, sigmaMin: 90 })).toThrow('sigmaMin must be below sigmaMax')
    expect(() => karrasLevels({ steps: 4, rho: NaN })).toThrow('karrasLevels: rho is NaN')
    expect(() => karrasLevels({ steps: 4, sigma: 1 } as never)).toThrow("there is no option 'sigma'")
    expect(() => flowLevels(-1)).toThrow('flowLevels: steps is -1')
    expect(() => scheduleLevels(cosineSchedule(10), 11)).toThrow('11 sampling steps of a schedule with 10')
  })
})

describe('predictions at any level', () => {
  it.each<Prediction>(['epsilon', 'x0', 'v', 'flow'])(
    '%s: the target gives image and noise back, for any a and s',
    async (prediction) => {
      const positive = fc.double({ min: 0.05, max: 3, noNaN: true })
      const pixels = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(positive, positive, pixels, pixels, async (a, s, image, noises) => {
          const levels = levelsFrom({
            signal: Float64Array.of(a, 1),
            noise: Float64Array.of(s, 0),
            time: Int32Array.of(0, -1),
          })
          const [x0, epsilon] = [tensor([image], { dtype: 'f64' }), tensor([noises], { dtype: 'f64' })]
          const level = levelAt(levels, scalar(0, 'u32'), x0)
          const xt = x0.mul(level.signal).add(epsilon.mul(level.noise))
          const { target, estimate } = parameterizations[prediction]
          const found = estimate(level, xt, target(level, x0, epsilon))
          ;(await values(found.x0, device)).forEach((value, i) => expect(value).toBeCloseTo(image[i] ?? NaN, 9))
          ;(await values(found.epsilon, device)).forEach((value, i) => expect(value).toBeCloseTo(noises[i] ?? NaN, 9))
        }),
        { numRuns: 20, seed: 3 },
      )
    },
  )
})
