/** A run whose network learns variances: its loss, what is measured of it, and how it draws. */
import { describe, expect, it } from 'vitest'
import { learnedVarianceLosses, predictionIn, diffusionLosses } from '../../../../src/diffusion/index.ts'
import { learnsVariance, withoutDefaults } from '../../../../src/models/registry.ts'
import { constant, tensor } from '../../../../src/tensor/create.ts'
import { mapTree } from '../../../../src/tensor/tree.ts'
import { key } from '../../../../src/tensor/random.ts'
import { isChain } from '../../../../src/diffusion/index.ts'
import {
  configOf,
  diffusionTask,
  initialState,
  load,
  recipeOf,
  sample,
  train,
  type DiffusionRun,
  type LoadedWeights,
} from '../../../../src/train/index.ts'
import { predictionOf } from '../../../../src/train/tasks/diffusion/denoise.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { directories, done, leftMessage, right, tinyConfig, tinySettings } from '../../tinyRun.ts'

const device = cpuDevice()
const fresh = directories()
const model = { ...tinySettings.model, learnedVariance: true } as const

const weightsOf = (changes: Partial<DiffusionRun> = {}, seed = 1): LoadedWeights => {
  const config = right(configOf({ ...tinySettings, device: 'cpu', out: 'run', model, ...changes }))
  const { task, ...recipe } = recipeOf(config)
  return {
    config,
    model: task.model,
    schedule: task.schedule,
    average: initialState({ ...recipe, task }, key(seed)).params,
  }
}

describe('a run with learnedVariance', () => {
  const config = tinyConfig('unused', { model, minSnr: null, flip: false })
  const task = diffusionTask(config)
  const params = task.init(key(0))
  const pictures = tensor(Uint8Array.from({ length: 384 }, (_, i) => (97 * i) % 256), { shape: [2, 8, 8, 3], dtype: 'u8' }) // prettier-ignore

  it('has the loss of the prediction and a thousandth of the bound', async () => {
    const { t, epsilon, mirrored } = task.draws(key(4), 2)
    const { schedule } = task
    if (!isChain(schedule)) throw new Error('the schedule of the run is a chain')
    const options = { schedule, prediction: config.objective, weighting: config.weighting }
    const denoise = (x: typeof epsilon, time: typeof t) => task.model.apply(params, { x, t: time })
    const x0 = task.space.x0(pictures)
    const expected = await device.item(learnedVarianceLosses(options)(denoise, x0, t, epsilon).mean())
    expect(await device.item(task.loss(params, pictures, { t, epsilon, mirrored }))).toBeCloseTo(expected, 5)
    const simple = diffusionLosses(options)(predictionOf(task, params, {}), x0, t, epsilon)
    expect((await values(simple, device)).length).toBe(2)
  })

  it('is a setting whose absence says false, and refused where there is nothing to learn', () => {
    expect(withoutDefaults({ ...tinySettings.model, learnedVariance: false })).toEqual(tinySettings.model)
    expect([learnsVariance(model), learnsVariance(tinySettings.model)]).toEqual([true, false])
    const flow = { schedule: 'flow', objective: 'flow', minSnr: null, weighting: 'plain' } as const
    expect(leftMessage(configOf({ ...tinySettings, out: 'run', model, ...flow }))).toBe(
      'model.learnedVariance must be false on a flow, which is no chain of steps whose variance there is to learn, got true',
    )
  })

  it('draws by its variances with ddpm, in fewer steps too and with guides, and by its predictions alone with others', async () => {
    const weights = weightsOf()
    const { init, apply } = weights.model
    const mute: LoadedWeights = {
      ...weights,
      config: { ...weights.config, model: tinySettings.model },
      model: { init, apply: (own, input) => predictionIn(apply(own, input), input.x) },
    }
    const drawn = async (given: LoadedWeights, options = {}): Promise<readonly string[]> =>
      (await done(sample(given, { count: 1, steps: 4, seed: 0, ...options }))).pictures.map((p) =>
        Buffer.from(p).toString('hex'),
      )
    expect(await drawn(weights)).toEqual(await drawn(mute))
    const ancestral = { sampler: 'ddpm', steps: 20 } as const
    expect(await drawn(weights, ancestral)).not.toEqual(await drawn(mute, ancestral))
    const fewer = { sampler: 'ddpm-respaced', steps: 5 } as const
    expect(await drawn(weights, fewer)).not.toEqual(await drawn(mute, fewer))
    const from = (given: LoadedWeights) => ({ ...fewer, guide: given, guidance: 2 })
    // A guide that says the same of the picture moves nothing, whatever it says of the variance.
    const surer = mapTree(weights.average, (x, path) =>
      path === 'head.bias' ? x.sub(constant([0, 0, 0, 9, 9, 9])) : x,
    )
    expect(await drawn({ ...weights, average: surer }, fewer)).not.toEqual(await drawn(weights, fewer))
    expect(await drawn(weights, from({ ...weights, average: surer }))).toEqual(await drawn(weights, fewer))
    const worse = weightsOf({}, 7)
    expect(await drawn(weights, from(worse))).not.toEqual(await drawn(weights, fewer))
  })

  it('trains with self-conditioning and Fourier features, is measured, and draws', async () => {
    const all = tinyConfig(fresh(), {
      model: { ...model, selfCondition: true, time: 'learned' },
      device: 'cpu',
      steps: 2,
      watch: 'off',
    })
    await done(train(all))
    const run = await done(load(all.out))
    expect((await done(sample(run, { count: 1, steps: 20, seed: 0, sampler: 'ddpm' }))).pictures).toHaveLength(1)
  })
})
