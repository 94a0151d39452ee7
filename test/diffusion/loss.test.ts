import { describe, expect, it } from 'vitest'
import { qSample } from '../../src/diffusion/forward.ts'
import { diffusionLoss, diffusionLosses, lossWeights, weightings, type Weighting } from '../../src/diffusion/loss.ts'
import { noiseLevel, parameterizations, type Prediction } from '../../src/diffusion/prediction.ts'
import {
  cosineSchedule,
  flowSchedule,
  linearSchedule,
  shiftedSchedule,
  zeroTerminalSnr,
} from '../../src/diffusion/index.ts'
import { tensor, zerosLike } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const schedule = cosineSchedule(50)
const predictions: readonly Prediction[] = ['epsilon', 'x0', 'v', 'flow']
const at = (table: Float64Array, t: number): number => table[t] ?? NaN

describe('lossWeights', () => {
  it('without γ they are 1 for ε, the signal-to-noise ratio for x₀ and ᾱ for v', () => {
    const [epsilon, x0, v] = predictions.map((prediction) => lossWeights({ schedule, prediction }))
    for (let t = 0; t < schedule.steps; t++) {
      expect(epsilon?.[t]).toBe(1)
      expect(x0?.[t]).toBe(schedule.snr[t])
      expect(v?.[t]).toBeCloseTo(at(schedule.alphaBar, t), 12)
    }
  })

  it('with snr + 1 noisy times count as well: v’s plain error, below the bound', () => {
    const options = { schedule, weighting: 'snr+1' } as const
    const [epsilon, x0, v] = predictions.map((prediction) => lossWeights({ ...options, prediction }))
    const bounded = lossWeights({ ...options, prediction: 'v', minSnrGamma: 5 })
    schedule.snr.forEach((snr, t) => {
      expect(epsilon?.[t]).toBeCloseTo((snr + 1) / snr, 12)
      expect(x0?.[t]).toBe(snr + 1)
      expect(v?.[t]).toBe(1)
      expect(bounded[t]).toBeCloseTo(snr < 4 ? 1 : 5 / (snr + 1), 12)
    })
  })

  it('min-SNR bounds the weight of the image’s error at γ and leaves noisier times alone', () => {
    const x0 = lossWeights({ schedule, prediction: 'x0', minSnrGamma: 5 })
    const epsilon = lossWeights({ schedule, prediction: 'epsilon', minSnrGamma: 5 })
    const v = lossWeights({ schedule, prediction: 'v', minSnrGamma: 5 })
    schedule.snr.forEach((snr, t) => {
      expect(x0[t]).toBe(Math.min(snr, 5))
      expect(epsilon[t]).toBeCloseTo(Math.min(1, 5 / snr), 12)
      expect(v[t]).toBeCloseTo(Math.min(snr, 5) / (snr + 1), 12)
    })
    expect(() => lossWeights({ schedule, prediction: 'v', minSnrGamma: 0 })).toThrow('minSnrGamma is 0')
  })
})

describe('weightings on any path', () => {
  const paths = [
    cosineSchedule(40),
    zeroTerminalSnr(linearSchedule(40)),
    flowSchedule(40),
    shiftedSchedule(flowSchedule(40), 3),
  ]
  const able = predictions.filter((prediction) => prediction !== 'epsilon')

  it.each(weightings.filter((weighting) => weighting !== 'plain'))(
    '%s: a wrong image costs the same, whatever the network says it by',
    async (weighting) => {
      const device = cpuDevice()
      for (const path of paths) {
        const t = tensor(Int32Array.from({ length: path.steps }, (_, i) => i))
        const [x0, epsilon, wrong] = [1, 2, 3].map((seed) => normal(key(seed), [path.steps, 6], 'f64'))
        if (x0 === undefined || epsilon === undefined || wrong === undefined) throw new Error('three were drawn')
        const level = noiseLevel(path, t, x0)
        const xt = qSample(path, x0, t, epsilon)
        // The noise that goes with the wrong image in x_t: by both each prediction says the same.
        const implied = xt.sub(wrong.mul(level.signal)).div(level.noise)
        const losses = await Promise.all(
          able.map(async (prediction) => {
            const said = parameterizations[prediction].target(level, wrong, implied)
            return values(
              diffusionLosses({ schedule: path, prediction, weighting })(() => said, x0, t, epsilon),
              device,
            )
          }),
        )
        const [first = []] = losses
        for (const other of losses)
          other.forEach((loss, i) => {
            const expected = first[i] ?? NaN
            expect(Math.abs(loss - expected), `t = ${i}`).toBeLessThanOrEqual(1e-5 * expected)
          })
      }
    },
  )

  it('have the weights of their papers for the image’s error', () => {
    const of = (weighting: Weighting) => lossWeights({ schedule, prediction: 'x0', weighting })
    schedule.snr.forEach((snr, t) => {
      expect(at(of('truncated-snr'), t)).toBe(Math.max(snr, 1))
      expect(at(of('soft-min-snr'), t)).toBeCloseTo(1 / (1 / snr + 1 / 4), 9)
      expect(at(of('p2'), t)).toBeCloseTo(at(schedule.alphaBar, t), 12)
    })
    for (const prediction of predictions)
      expect(new Set(lossWeights({ schedule, prediction, weighting: 'plain' }))).toEqual(new Set([1]))
  })

  it('refuse a bound with plain, a weighting that is none, and ε where nothing of the image is left', () => {
    expect(() => lossWeights({ schedule, prediction: 'v', weighting: 'plain', minSnrGamma: 5 })).toThrow('no bound')
    // @ts-expect-error: there is none of this name
    expect(() => lossWeights({ schedule, prediction: 'v', weighting: 'p3' })).toThrow(
      'it must be snr, snr+1, truncated-snr',
    )
    for (const path of [flowSchedule(8), zeroTerminalSnr(cosineSchedule(8))])
      expect(() => lossWeights({ schedule: path, prediction: 'epsilon' })).toThrow('predict v, x0 or flow')
  })
})

describe('diffusionLoss', () => {
  const x0 = normal(key(1), [3, 2, 2, 1])
  const epsilon = normal(key(2), [3, 2, 2, 1])
  const t = tensor(Int32Array.of(3, 25, 49))

  it.each(predictions)(
    '%s: a network that predicts the target has no loss, and is shown x_t at t',
    async (prediction) => {
      const device = cpuDevice()
      const seen: unknown[] = []
      const loss = diffusionLoss({ schedule, prediction })(
        (xt, time) => {
          seen.push(time, xt.shape)
          return parameterizations[prediction].target(noiseLevel(schedule, time, x0), x0, epsilon)
        },
        x0,
        t,
        epsilon,
      )
      expect(loss.shape).toEqual([])
      expect(seen).toEqual([t, x0.shape])
      expect(await values(loss, device)).toEqual([0])
    },
  )

  it.each(predictions)(
    '%s: each sample’s loss is its weight times its mean squared error, and the loss is their mean',
    async (prediction) => {
      const device = cpuDevice()
      const options = { schedule, prediction, minSnrGamma: 5 }
      const each = await values(diffusionLosses(options)(zerosLike, x0, t, epsilon), device)
      const target = await values(
        parameterizations[prediction].target(noiseLevel(schedule, t, x0), x0, epsilon),
        device,
      )
      const weights = lossWeights(options)
      const expected = [3, 25, 49].map(
        (time, n) => (at(weights, time) * target.slice(4 * n, 4 * n + 4).reduce((s, x) => s + x * x, 0)) / 4,
      )
      each.forEach((value, n) => expect(value / (expected[n] ?? NaN)).toBeCloseTo(1, 5))
      const [loss] = await values(diffusionLoss(options)(zerosLike, x0, t, epsilon), device)
      expect((loss ?? NaN) / (expected.reduce((a, b) => a + b, 0) / 3)).toBeCloseTo(1, 5)
    },
  )

  it('the network sees the noised image', async () => {
    const device = cpuDevice()
    const shown = diffusionLosses({ schedule, prediction: 'epsilon' })(
      (xt) => xt.sub(qSample(schedule, x0, t, epsilon)).add(epsilon),
      x0,
      t,
      epsilon,
    )
    for (const value of await values(shown, device)) expect(value).toBeLessThan(1e-12)
  })
})
