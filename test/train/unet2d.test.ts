/** The U-Net of diffusers through the trainer: trained with conditions and dropout, resumed, drawn from, and given the weights of diffusers. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { saveParams } from '../../src/io/index.ts'
import { unet2dNames } from '../../src/models/index.ts'
import { modelOf } from '../../src/models/registry.ts'
import { key } from '../../src/tensor/random.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { configOf, load, loadWeights, resume, sample, train, type TrainHooks } from '../../src/train/index.ts'
import { cpuDevice, values } from '../support/device.ts'
import { directories, done, leftMessage, right, tinySettings } from './tinyRun.ts'

const directory = directories()

const model = { kind: 'unet2d', widths: [8, 8], layers: 1, groups: 4, headWidth: 4, dropout: 0.1 } as const

const settings = (out: string, changes: object = {}) => ({ ...tinySettings, device: 'cpu', model, out, ...changes })

describe('a run of the U-Net of diffusers', () => {
  it('is trained, with the changes of its pictures as conditions, resumed and drawn from', async () => {
    const config = right(configOf(settings(directory(), { augment: 0.5 })))
    expect(config.model).toMatchObject({ kind: 'unet2d', conditions: expect.toSatisfy((n: number) => n > 0) })
    const controller = new AbortController()
    const models: string[] = []
    const hooks: TrainHooks = {
      signal: controller.signal,
      onEvent: (event) => {
        if (event._tag === 'Started') models.push(event.facts.words.model)
        if (event._tag === 'Stepped' && event.step === 2) controller.abort()
      },
    }
    expect(await done(train(config, hooks))).toMatchObject({ step: 2, interrupted: true })
    expect(models).toEqual(['U-Net 2D 8×8'])
    expect(await done(resume(config.out))).toMatchObject({ step: 6, measured: { heldOut: expect.any(Number) } })
    const run = await done(load(config.out))
    expect(Object.keys(run.params).toSorted()).toEqual(['down', 'head', 'middle', 'norm', 'stem', 'time', 'up'])
    expect((await done(sample(run, { count: 2, steps: 2, seed: 0 }))).pictures).toHaveLength(2)
  })

  it('learns', async () => {
    const losses: number[] = []
    const config = right(
      configOf(settings(directory(), { steps: 60, batch: 8, learningRate: 3e-3, saveEvery: 1000, heldOutEvery: 1000 })),
    )
    await done(train(config, { onEvent: (e) => (e._tag === 'Stepped' ? void losses.push(e.loss) : undefined) }))
    const mean = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0) / xs.length
    expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 5)))
  })

  it('takes the weights of diffusers, by the names of today and of before 2023', async () => {
    const config = right(configOf(settings('run')))
    const network = modelOf(config.model, 3)
    const params = network.init(key(1))
    const names = unet2dNames(params)
    const device = cpuDevice()
    const folder = directory()
    mkdirSync(folder)
    const older = [
      ...names.rename,
      ...[
        ['to_q', 'query'],
        ['to_k', 'key'],
        ['to_v', 'value'],
        ['to_out.0', 'proj_attn'],
      ].map(([now = '', then = '']) => ({
        pattern: new RegExp(`\\.${now}\\.`),
        to: `.${then}.`,
      })),
    ]
    for (const [name, rename] of Object.entries({ today: names.rename, older })) {
      const path = join(folder, `${name}.safetensors`)
      await done(saveParams(device, path, params, { ...names, rename }))
      const { average } = await done(loadWeights(path, config, { names: 'diffusers' }))
      const theirs = new Map(leavesWithPaths(average))
      for (const [path, x] of leavesWithPaths(params))
        expect(await values(theirs.get(path) ?? x.mul(NaN)), path).toEqual(await values(x))
    }
  })

  it('refuses more times than its network has vectors for, and times that are deviations', () => {
    const wrong = (changes: object) => leftMessage(configOf(settings('run', { model: { ...model, ...changes } })))
    expect(wrong({ time: 'learned', times: 19 })).toMatch(
      /timesteps must be at most 19, the times of the model, got 20/,
    )
    expect(configOf(settings('run', { model: { ...model, time: 'learned', times: 20 } }))).toMatchObject({
      _tag: 'Right',
    })
    expect(wrong({ time: 'fourier' })).toMatch(/model.time must be positional or learned/)
    expect(wrong({ widths: [8, 8, 8, 8, 8] })).toMatch(/image size 8 is not divisible by 16/)
    expect(wrong({ groups: 3 })).toMatch(
      /model.groups must be a number that divides the channels of every norm: 3 groups do not divide 8/,
    )
  })
})
