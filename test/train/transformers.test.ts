/** DiT and U-ViT through the trainer: trained with conditions and dropout, resumed, drawn from. */
import { describe, expect, it } from 'vitest'
import { configOf, load, resume, sample, train, type TrainHooks } from '../../src/train/index.ts'
import { directories, done, leftMessage, right, tinySettings } from './tinyRun.ts'

const directory = directories()

const models = {
  DiT: { kind: 'dit', patch: 2, width: 16, depth: 2, heads: 2, dropout: 0.1 },
  'U-ViT': { kind: 'uvit', patch: 2, width: 16, depth: 3, heads: 2, dropout: 0.1 },
} as const

/** U-ViT begins with smaller numbers. */
const rates = { DiT: 3e-3, 'U-ViT': 1e-2 } as const

const keys = {
  DiT: ['blocks', 'condition', 'head', 'modulation', 'patches', 'time'],
  'U-ViT': ['condition', 'conv', 'down', 'head', 'middle', 'norm', 'patches', 'positions', 'up'],
} as const

describe.each(['DiT', 'U-ViT'] as const)('a run of %s', (title) => {
  const model = models[title]
  const settings = (out: string, changes: object = {}) => ({ ...tinySettings, device: 'cpu', model, out, ...changes })

  it('is trained, with the changes of its pictures as conditions, resumed and drawn from', async () => {
    const config = right(configOf(settings(directory(), { augment: 0.5, steps: 20, saveEvery: 10 })))
    expect(config.model).toMatchObject({ kind: model.kind, conditions: expect.toSatisfy((n: number) => n > 0) })
    const controller = new AbortController()
    const words: string[] = []
    const hooks: TrainHooks = {
      signal: controller.signal,
      onEvent: (event) => {
        if (event._tag === 'Started') words.push(event.facts.words.model)
        if (event._tag === 'Stepped' && event.step === 5) controller.abort()
      },
    }
    expect(await done(train(config, hooks))).toMatchObject({ step: 5, interrupted: true })
    expect(words).toEqual([`${title} 8×8`])
    expect(await done(resume(config.out))).toMatchObject({ step: 20, measured: { heldOut: expect.any(Number) } })
    const run = await done(load(config.out))
    expect(Object.keys(run.params).toSorted()).toEqual(keys[title])
    expect((await done(sample(run, { count: 2, steps: 2, seed: 0 }))).pictures).toHaveLength(2)
  })

  it('learns', async () => {
    const losses: number[] = []
    const config = right(
      configOf(
        settings(directory(), {
          steps: 80,
          batch: 8,
          learningRate: rates[title],
          saveEvery: 1000,
          heldOutEvery: 1000,
        }),
      ),
    )
    await done(train(config, { onEvent: (e) => (e._tag === 'Stepped' ? void losses.push(e.loss) : undefined) }))
    const mean = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0) / xs.length
    expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 5)))
  })

  it('refuses settings that do not fit', () => {
    const wrong = (changes: object) => leftMessage(configOf(settings('run', { model: { ...model, ...changes } })))
    expect(wrong({ patch: 16 })).toMatch('image size 8 is not divisible by 16 (patches of 16×16): use 16')
    const latent = { factor: 4, channels: 4, autoencoder: 'somewhere' }
    expect(leftMessage(configOf(settings('run', { height: 20, width: 20, latent })))).toMatch(
      'image size 20 is not divisible by 8 (2 halvings, then patches of 2×2): use 16 or 24',
    )
    expect(wrong({ heads: 3 })).toMatch(/model.heads must be a divisor of the width: 3 cannot share 16/)
    expect(wrong({ widths: [8] })).toMatch(/widths/)
  })
})

describe('a run of U-ViT with learned positions', () => {
  const model = { ...models['U-ViT'], dropout: 0 }
  const settings = (size: unknown, changes: object = {}) =>
    configOf({ ...tinySettings, device: 'cpu', out: directory(), model: { ...model, size }, ...changes })

  it('is trained on pictures of their size, and on no others', async () => {
    const config = right(settings([8, 16], { width: 16, steps: 2 }))
    expect(await done(train(config))).toMatchObject({ step: 2 })
    const wrong = /model.size must be \[8, 16\], the size of the pictures, or absent, got \[16,8\]/
    expect(leftMessage(settings([16, 8], { width: 16 }))).toMatch(wrong)
    expect(leftMessage(settings([16, 16], { width: 16 }))).toMatch(/model.size must be \[8, 16\]/)
    expect(leftMessage(settings([8, 8], { width: 16 }))).toMatch(/model.size must be \[8, 16\]/)
  })

  it('on latents has their size', () => {
    const latent = { factor: 2, channels: 4, autoencoder: 'somewhere' }
    expect(leftMessage(settings([16, 16], { height: 16, width: 16, latent }))).toMatch(
      /model.size must be \[8, 8\], the size of the latents/,
    )
  })
})
