/** EDM2's U-Net through the trainer: its weights keep their length, and a run that was interrupted is the same, bit for bit. */
import { describe, expect, it } from 'vitest'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { key } from '../../src/tensor/random.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import {
  configOf,
  initialState,
  load,
  recipeOf,
  resume,
  sample,
  stepperOn,
  train,
  type DiffusionRun,
  type TrainHooks,
} from '../../src/train/index.ts'
import { cpuDevice, values } from '../support/device.ts'
import { directories, done, leftMessage, right, tinyConfig, tinySettings } from './tinyRun.ts'

const directory = directories()

const model = { kind: 'edm2', width: 8, multipliers: [1, 1], blocks: 1, headWidth: 4, times: 20, dropout: 0.1 } as const

const settings = (out: string, changes: object = {}) => ({ ...tinySettings, device: 'cpu', model, out, ...changes })

const weightsOf = (tree: unknown) => leavesWithPaths(tree).filter(([path]) => path.endsWith('.weight'))

const meanSquare = (x: readonly number[]): number => x.reduce((sum, v) => sum + v * v, 0) / x.length

describe('a run of EDM2’s U-Net', () => {
  it('is trained, with the changes of its pictures as conditions, resumed bit for bit, and drawn from', async () => {
    const until = async (stop: number) => {
      const config = right(configOf(settings(directory(), { augment: 0.5 })))
      const controller = new AbortController()
      const models: string[] = []
      const hooks: TrainHooks = {
        signal: controller.signal,
        onEvent: (event) => {
          if (event._tag === 'Started') models.push(event.facts.words.model)
          if (event._tag === 'Stepped' && event.step === stop) controller.abort()
        },
      }
      await done(train(config, hooks))
      expect(models).toEqual(['EDM2 U-Net 8×8'])
      if (stop < 6) expect(await done(resume(config.out))).toMatchObject({ step: 6 })
      return done(load(config.out))
    }
    const [whole, parts] = [await until(6), await until(2)]
    const theirs = new Map(leavesWithPaths(parts.params))
    const device = cpuDevice()
    for (const [path, x] of leavesWithPaths(whole.params))
      expect(await device.read(theirs.get(path) ?? x.mul(NaN)), path).toEqual(await device.read(x))
    for (const [path, x] of weightsOf(whole.params)) expect(meanSquare(await values(x)), path).toBeCloseTo(1, 4)
    expect((await done(sample(parts, { count: 2, steps: 2, seed: 0 }))).pictures).toHaveLength(2)
  })

  it.each(['v', 'epsilon', 'x0'] as const)('learns to predict %s in twenty steps', async (objective) => {
    const losses: number[] = []
    const config = right(
      configOf(
        settings(directory(), {
          objective,
          steps: 20,
          batch: 8,
          learningRate: 2e-2,
          model: { ...model, dropout: 0 },
          saveEvery: 1000,
          heldOutEvery: 1000,
        }),
      ),
    )
    await done(train(config, { onEvent: (e) => (e._tag === 'Stepped' ? void losses.push(e.loss) : undefined) }))
    const mean = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0) / xs.length
    expect(losses).toHaveLength(20)
    expect(mean(losses.slice(-6))).toBeLessThan(0.85 * mean(losses.slice(0, 3)))
  })

  const steps = async (changes: Partial<DiffusionRun>) => {
    const device = cpuDevice()
    const recipe = recipeOf({ ...tinyConfig('unused'), model, ...changes })
    const { batch, accumulate } = recipe
    const stepper = stepperOn(device, recipe)
    let state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
    for (const step of [1, 2, 3]) {
      const pictures = batchAt(dataOfSeas({ seed: 0, size: 8 }), (step - 1) * batch * accumulate, batch * accumulate)
      ;[state] = await stepper.run(state, recipe.task.examples(pictures), step)
    }
    return { device, state }
  }

  it.each<readonly [string, Partial<DiffusionRun>]>([
    ['in one part', { learningRate: 0.1 }],
    ['in several parts', { learningRate: 0.1, accumulate: 2 }],
    ['in mixed precision', { learningRate: 0.1, precision: 'mixed' }],
  ])('keeps the length of its weights, and learns others, %s', async (_, changes) => {
    const { device, state } = await steps(changes)
    const first = new Map(leavesWithPaths(initialState(recipeOf({ ...tinyConfig('unused'), model }), key(0)).params))
    for (const [path, x] of weightsOf(state.params)) {
      const [now, then] = [await values(x, device), await values(first.get(path) ?? x)]
      expect(meanSquare(now), path).toBeCloseTo(1, 4)
      if (path === 'head.weight') expect(now).not.toEqual(then)
    }
  })

  it('refuses more times than its network counts', () =>
    expect(leftMessage(configOf(settings('run', { model: { ...model, times: 19 } })))).toMatch(
      /timesteps must be at most 19, the times of the model, got 20/,
    ))

  it('leaves the steps of other networks alone', () => {
    expect(Object.keys(recipeOf(tinyConfig('unused')).task)).not.toContain('project')
    expect(Object.keys(recipeOf({ ...tinyConfig('unused'), model }).task)).toContain('project')
  })
})
