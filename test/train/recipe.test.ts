/** What a configuration comes to: the rate and the decay of each step, and which settings make another run. */
import { describe, expect, it } from 'vitest'
import { cosineSchedule, linearSchedule, sigmoidSchedule } from '../../src/diffusion/index.ts'
import { applyUpdates } from '../../src/optim/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { recipeOf, type Params, type DiffusionRun } from '../../src/train/index.ts'
import { configHash } from '../../src/train/configHash.node.ts'
import { cpuDevice, values } from '../support/device.ts'
import { parameterOf, paramsOf } from './plainNetwork.ts'
import { tinyConfig, unetOf } from './tinyRun.ts'

const recipe = (changes: Partial<DiffusionRun>) => recipeOf(tinyConfig('unused', { learningRate: 0.5, ...changes }))

describe('the rate of a step', () => {
  const steps = 400 // four of warm-up

  it('rises to the highest in a hundredth of the steps', () => {
    const { rateAt } = recipe({ steps, rate: 'cosine' })
    expect([1, 2, 3, 4].map(rateAt)).toEqual([0.125, 0.25, 0.375, 0.5])
  })

  it.each([5, 100, 202, 399, 400])('falls by half a cosine, which ends behind the last step: step %i', (n) => {
    const { rateAt } = recipe({ steps, rate: 'cosine' })
    expect(rateAt(n)).toBeCloseTo(0.25 * (1 + Math.cos((Math.PI * (n - 4)) / (steps + 1 - 4))), 12)
  })

  it('is above 0 at the last step, and 0 at the next', () => {
    const { rateAt } = recipe({ steps, rate: 'cosine' })
    expect(rateAt(steps)).toBeGreaterThan(0)
    expect(rateAt(steps + 1)).toBeCloseTo(0, 15)
  })

  it('stays the highest where it is constant, and is reached within 100 steps', () => {
    const { rateAt } = recipe({ steps: 1_000_000, rate: 'constant' })
    expect([50, 100, 101, 1_000_000].map(rateAt)).toEqual([0.25, 0.5, 0.5, 0.5])
  })
})

describe('the decay of the average', () => {
  it('is 0 at the first step, then (1 + s) / (10 + s) of the steps before, up to that of the configuration', () => {
    const [decayAt] = recipe({ ema: 0.9 }).decays
    expect([1, 2, 3, 11].map(decayAt)).toEqual([0, 2 / 11, 3 / 12, 11 / 20])
    expect(decayAt(1000)).toBe(0.9)
  })
})

describe('the optimizer', () => {
  it('clips to the norm 1, then is Adam with the decays 0.9 and 0.99', async () => {
    const { optimizer } = recipe({})
    const device = cpuDevice()
    const gradients = [
      [0.3, -0.4], // of norm 0.5, as it is
      [6, 8], // of norm 10, a tenth of it
      [-0.1, 0.2],
    ] as const
    let params: Params = paramsOf(tensor([0, 0]))
    let state = optimizer.init(params)
    const [m, v, p] = [
      [0, 0],
      [0, 0],
      [0, 0],
    ]
    for (const [n, given] of gradients.entries()) {
      const [updates, next] = optimizer.update(paramsOf(tensor([...given])), state, params, {
        learningRate: scalar(0.25),
      })
      params = applyUpdates(params, updates)
      state = next
      const factor = Math.min(1, 1 / Math.hypot(...given))
      given.forEach((g, i) => {
        m[i] = 0.9 * (m[i] ?? NaN) + 0.1 * g * factor
        v[i] = 0.99 * (v[i] ?? NaN) + 0.01 * (g * factor) ** 2
        const direction = m[i] / (1 - 0.9 ** (n + 1)) / Math.sqrt(v[i] / (1 - 0.99 ** (n + 1)))
        p[i] = (p[i] ?? NaN) - 0.25 * direction
      })
    }
    const found = await values(parameterOf(params), device)
    found.forEach((x, i) => expect(x).toBeCloseTo(p[i] ?? NaN, 5))
  })
})

describe('the objective', () => {
  it.each([
    ['linear', linearSchedule],
    ['cosine', cosineSchedule],
    ['sigmoid', sigmoidSchedule],
  ] as const)('has the schedule %s where it is named', (schedule, make) => {
    const { schedule: found, lossOptions } = recipe({ schedule, timesteps: 100 }).task
    expect(found).toEqual(make(100))
    expect(lossOptions.schedule).toBe(found)
  })

  it('has the target, the weighting and the bound of the configuration', () => {
    expect(recipe({ objective: 'epsilon', weighting: 'snr+1', minSnr: 3 }).task.lossOptions).toMatchObject({
      prediction: 'epsilon',
      weighting: 'snr+1',
      minSnrGamma: 3,
    })
    expect(recipe({ minSnr: null }).task.lossOptions).not.toHaveProperty('minSnrGamma')
  })
})

describe('the hash of a configuration', () => {
  const config = tinyConfig('run', { folder: 'pictures' })

  it.each<Partial<DiffusionRun>>([
    { height: 16 },
    { width: 16 },
    { model: { ...unetOf(config.model), width: 8 } },
    { model: { ...unetOf(config.model), multipliers: [2] } },
    { model: { ...unetOf(config.model), heads: 2 } },
    { model: { ...unetOf(config.model), headWidth: 8 } },
    { batch: 3 },
    { accumulate: 2 },
    { learningRate: 0.001 },
    { rate: 'constant' },
    { ema: 0.9 },
    { objective: 'x0' },
    { schedule: 'linear' },
    { minSnr: null },
    { weighting: 'snr+1' },
    { timesteps: 21 },
    { flip: false },
    { seed: 1 },
    { folder: null },
  ])('is another with %j, which changes what is learned', (changes) => {
    expect(configHash({ ...config, ...changes })).not.toBe(configHash(config))
  })

  it.each<Partial<DiffusionRun>>([
    { out: 'elsewhere' },
    { folder: 'moved' },
    { saveEvery: 7 },
    { sampleEvery: 7 },
    { heldOutEvery: 7 },
    { sampleCount: 7 },
    { sampleSteps: 7 },
  ])('is the same with %j, which changes only what is reported', (changes) => {
    expect(configHash({ ...config, ...changes })).toBe(configHash(config))
  })
})
