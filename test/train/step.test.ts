import { describe, expect, it } from 'vitest'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { key } from '../../src/tensor/random.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import {
  heldOutOn,
  initialState,
  recipeOf,
  stepperOn,
  type TrainConfig,
  type TrainState,
} from '../../src/train/index.ts'
import { cpuDevice } from '../support/device.ts'
import { tinyConfig } from './tinyRun.ts'

const data = dataOfSeas({ seed: 0, width: 8, height: 8 })

const stepped = async (changes: Partial<TrainConfig>, steps = 1) => {
  const device = cpuDevice()
  const recipe = recipeOf(tinyConfig('unused', changes))
  const { batch, accumulate } = recipe.config
  const stepper = stepperOn(device, recipe)
  let state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
  let loss = NaN
  for (let step = 1; step <= steps; step++) {
    const [next, measured] = await stepper.run(
      state,
      batchAt(data, (step - 1) * batch * accumulate, batch * accumulate),
      step,
    )
    state = next
    ;[loss = NaN] = await device.read(measured.loss)
  }
  return { device, recipe, state, loss }
}

const valuesOf = async (
  { device, state }: { readonly device: ReturnType<typeof cpuDevice>; readonly state: TrainState },
  part: keyof TrainState,
): Promise<ReadonlyMap<string, Float32Array>> =>
  new Map(
    await Promise.all(
      leavesWithPaths(state[part]).map(async ([path, x]) => [path, Float32Array.from(await device.read(x))] as const),
    ),
  )

describe('the step of training', () => {
  it('gives the moments and loss of a large batch when it accumulates small ones, to 1e-6 of the largest of each tensor', async () => {
    const [large, small] = [await stepped({ batch: 4 }), await stepped({ batch: 2, accumulate: 2 })]
    expect(Math.abs(small.loss - large.loss)).toBeLessThan(1e-6 * large.loss)
    const [a, b] = [await valuesOf(large, 'opt'), await valuesOf(small, 'opt')]
    for (const [path, values] of a) {
      const scale = Math.max(...values.map(Math.abs), 1e-30)
      const other = b.get(path) ?? new Float32Array()
      values.forEach((x, i) => {
        if (!(Math.abs(x - (other[i] ?? NaN)) <= 1e-6 * scale))
          throw new Error(`${path}[${i}]: ${x} and ${other[i]}, where the largest is ${scale}`)
      })
    }
  })

  it('runs twice with the same bits', async () => {
    const [a, b] = [await stepped({}, 3), await stepped({}, 3)]
    expect(await valuesOf(a, 'average')).toEqual(await valuesOf(b, 'average'))
  })

  it('draws other noise for another seed', async () => {
    expect((await stepped({ seed: 1 })).loss).not.toBe((await stepped({ seed: 2 })).loss)
  })

  it('learns: the loss on held-out seas falls', async () => {
    const { device, recipe, state } = await stepped({ steps: 60, learningRate: 1e-2, batch: 8 }, 60)
    const measure = await heldOutOn(device, recipe, data)
    const untrained = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
    expect((await measure(state.params)).loss).toBeLessThan(0.8 * (await measure(untrained.params)).loss)
  })
})

describe('the loss on held-out pictures', () => {
  it('is the same at every measurement, and relative to noise of variance 1 when noise is predicted', async () => {
    const { device, recipe, state } = await stepped({ objective: 'epsilon', minSnr: null })
    const measure = await heldOutOn(device, recipe, data)
    const [once, again] = [await measure(state.params), await measure(state.params)]
    expect(again).toEqual(once)
    expect(once.loss / once.relative).toBeGreaterThan(0.98)
    expect(once.loss / once.relative).toBeLessThan(1.02)
  })
})
