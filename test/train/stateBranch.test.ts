/** A task whose model has a state: its statistics go from step to step, into averages and checkpoints, and no optimizer sees them. */
import { describe, expect, it } from 'vitest'
import { precisions } from '../../src/tensor/withPrecision.ts'
import { applyWithState, batchNorm, linear, mse, sequential, stateOf, type ParamsOf } from '../../src/nn/index.ts'
import {
  initialState,
  stepperOn,
  trainingOf,
  type Recipe,
  type Task,
  type Training,
  type TrainState,
  type Variables,
} from '../../src/train/index.ts'
import { overMicroBatches } from '../../src/train/reduce.ts'
import { stateFromFiles, stateToFiles } from '../../src/train/stateFiles.ts'
import { E } from '../../src/prelude/fp.ts'
import { ones, tensor, zeros } from '../../src/tensor/create.ts'
import { key, type Key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'
import { tinyConfig } from './tinyRun.ts'

const model = sequential({ norm: batchNorm(2, { momentum: 0.5 }), out: linear(2, 1) })

type Params = Variables<ParamsOf<typeof model>>

const task: Task<Params, Tensor, object> = {
  words: {
    model: 'a line',
    goal: 'through points',
    example: { one: 'a point', many: 'points', short: 'p' },
    measured: () => [],
  },
  init: (k) => ({ params: model.init(k), modelState: stateOf(model) }),
  draws: () => ({}),
  losses: [],
  blank: (count) => zeros([count, 2]),
  loss: {
    lossAndState: ({ params, modelState }, batch) => {
      const [y, next] = applyWithState(model, params, modelState, batch, { train: true, key: key(0) })
      return [mse(y, ones(y.shape)), { modelState: next }]
    },
  },
}

/** Four points with mean 0, 1, … by their place in the stream. */
const examples = (first: number, count: number): Tensor =>
  tensor(
    Float32Array.from({ length: 2 * count }, (_, i) => first + (i % 3) - 1),
    { shape: [count, 2] },
  )

const trained = async (
  steps: number,
  given: Partial<Training> = {},
  of: Partial<Pick<typeof task, 'init' | 'loss'>> = {},
) => {
  const device = cpuDevice()
  const recipe: Recipe<Params, Tensor, object> = {
    ...trainingOf({ ...tinyConfig('unused', { steps: 10, learningRate: 0.1, batch: 4 }), ema: 0.5 }),
    ...given,
    task: { ...task, ...of },
  }
  const stepper = stepperOn(device, recipe, overMicroBatches(recipe.accumulate))
  let state = await device.realize(initialState(recipe, key(0)))
  for (let step = 1; step <= steps; step++) [state] = await stepper.run(state, examples, step)
  const read = async (part: unknown): Promise<Readonly<Record<string, readonly number[]>>> =>
    Object.fromEntries(
      await Promise.all(leavesWithPaths(part).map(async ([path, x]) => [path, [...(await device.read(x))]] as const)),
    )
  return { state, read, device, recipe, stepper }
}

const paths = (tree: unknown): readonly string[] => leavesWithPaths(tree).map(([path]) => path)

describe('a task whose loss gives a state', () => {
  it('carries it from step to step', async () => {
    const { state, read } = await trained(2)
    const { 'modelState.norm.count': count, 'modelState.norm.mean': mean } = await read(state.params)
    expect(count).toEqual([2])
    const batch = [...(await cpuDevice().read(examples(0, 4).mean(0)))]
    mean?.forEach((m, c) => expect(m).toBeCloseTo((batch[c] ?? NaN) * 0.75, 6))
  })

  it('shows it to no optimizer: there are no moments of it, and the norm of gradients is without it', async () => {
    const { state } = await trained(1)
    expect(paths(state.opt).filter((path) => path.includes('modelState'))).toEqual([])
    expect(paths(state.opt).filter((path) => path.includes('params.out.weight')).length).toBe(2)
  })

  it('averages it as the parameters, and copies what is counted', async () => {
    const { state, read } = await trained(2)
    const [params, average] = [await read(state.params), await read(state.averages[0])]
    expect(average['modelState.norm.count']).toEqual([2])
    expect(average['modelState.norm.variance']).not.toEqual(params['modelState.norm.variance'])
    expect(average['modelState.norm.variance']?.every((v) => v > 0 && v < 1)).toBe(true)
  })

  it('gives the mean of the states of micro-batches, in its dtypes', async () => {
    const once = await trained(1)
    const twice = await trained(1, { accumulate: 2 })
    const [one, both] = [await once.read(once.state.params), await twice.read(twice.state.params)]
    const later = [...(await cpuDevice().read(examples(4, 4).mean(0)))]
    one['modelState.norm.mean']?.forEach((m, c) =>
      expect(both['modelState.norm.mean']?.[c]).toBeCloseTo((m + (later[c] ?? NaN) / 2) / 2, 6),
    )
    expect(both['modelState.norm.count']).toEqual([1])
    expect(leavesWithPaths(twice.state.params).map(([, x]) => x.dtype)).toEqual(
      leavesWithPaths(once.state.params).map(([, x]) => x.dtype),
    )
  })

  it('comes back from a checkpoint', async () => {
    const { state, read, device, recipe } = await trained(2)
    const progress = { step: 2, seed: 0, configHash: '', data: '', device: 'cpu' }
    const files = await stateToFiles(device, state, progress)
    const back = stateFromFiles(initialState(recipe, key(0)), files)
    if (E.isLeft(back)) throw new Error(back.left)
    const restored: TrainState<Params> = await device.realize(back.right.state)
    expect(await read(restored)).toEqual(await read(state))
  })

  it('stays in a step that is skipped, and moves with a scaled loss', async () => {
    const mixed = { precision: precisions.mixed, lossScale: {} }
    const { state, read } = await trained(1, mixed)
    expect((await read(state.params))['modelState.norm.count']).toEqual([1])
    const skipped = await trained(1, mixed, {
      loss: { lossAndState: ({ params }) => [params.out.weight.sum().div(0), { modelState: stateOf(model) }] },
    })
    expect((await skipped.read(skipped.state.params))['modelState.norm.variance']).toEqual([1, 1])
    expect((await skipped.read(skipped.state.lossScale))['skipped']).toEqual([1])
  })

  it('is planned and weighed before the first step', async () => {
    for (const accumulate of [1, 2]) {
      const { state, stepper } = await trained(0, { accumulate })
      expect(stepper.bytes(state)).toBeGreaterThan(0)
    }
  })

  it('says what is missing', async () => {
    await expect(trained(1, {}, { init: ((k: Key) => ({ params: model.init(k) })) as never })).rejects.toThrow(
      "let the task's init give { params: model.init(key), modelState: stateOf(model) }",
    )
  })
})
