import { describe, expect, it } from 'vitest'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { key } from '../../src/tensor/random.ts'
import { countElements, leavesWithPaths } from '../../src/tensor/tree.ts'
import {
  diffusionTask,
  heldOutOn,
  initialState,
  recipeOf,
  stepperOn,
  trainingOf,
  type DiffusionRun,
  type TrainState,
} from '../../src/train/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { recipeStep } from '../../src/train/step.ts'
import { givenAt } from '../../src/train/stepInputs.ts'
import type { Diffusion, Params } from '../../src/train/tasks/diffusion/diffusion.ts'
import { normalise } from '../../src/train/pictures/pixels.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { memoryOf } from '../../src/compiler/cost.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import type { Backend } from '../../src/backends/backend.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import type { CompileOptions } from '../../src/tensor/compiled.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { cpuDevice } from '../support/device.ts'
import type { DiffusionRecipe } from './plainNetwork.ts'
import { tinyConfig } from './tinyRun.ts'

const data = dataOfSeas({ seed: 0, width: 8, height: 8 })

const stepped = async (changes: Partial<DiffusionRun>, steps = 1) => {
  const device = cpuDevice()
  const recipe = recipeOf(tinyConfig('unused', changes))
  const { batch, accumulate } = recipe
  const stepper = stepperOn(device, recipe)
  let state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
  let loss = NaN
  for (let step = 1; step <= steps; step++) {
    const [next, measured] = await stepper.run(
      state,
      recipe.task.examples(batchAt(data, (step - 1) * batch * accumulate, batch * accumulate)),
      step,
    )
    state = next
    ;[loss = NaN] = await device.read(measured.loss)
  }
  return { device, recipe, state, loss }
}

const valuesOf = async (
  { device, state }: { readonly device: ReturnType<typeof cpuDevice>; readonly state: TrainState<Params> },
  part: keyof TrainState<Params>,
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

  it('asks for the pictures of a micro-batch when it comes to it, and draws the noise of these alone', async () => {
    const [device, recipe] = [cpuDevice(), recipeOf(tinyConfig('unused', { batch: 2, accumulate: 3 }))]
    const state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
    const asked: (readonly number[])[] = []
    const pictures = (first: number, count: number): Uint8Array => {
      asked.push([first, count])
      return batchAt(data, first, count)
    }
    const [, { loss }] = await stepperOn(device, recipe).run(state, recipe.task.examples(pictures), 1)
    expect(asked).toEqual([
      [0, 2],
      [2, 2],
      [4, 2],
    ])
    expect(await device.read(loss)).toEqual(Float32Array.of((await stepped({ batch: 2, accumulate: 3 })).loss))
  })

  it('takes as many bytes for a million micro-batches as for two, and counts all of the state', () => {
    const device = deviceOn(wasmBackend())
    const bytes = (
      accumulate: number,
    ): { readonly bytes: number; readonly plan: number; readonly beside: number; readonly state: number } => {
      const recipe = recipeOf(tinyConfig('unused', { batch: 2, accumulate }))
      const state = initialState(recipe, key(0))
      const stepper = stepperOn(device, recipe)
      return {
        bytes: stepper.bytes(state),
        plan: memoryOf(stepper.plan(state)),
        beside: stepper.bytes(state) - device.bytesNeeded(stepper.plan(state)),
        state: 4 * countElements([state.opt, state.averages]),
      }
    }
    expect(bytes(1_000_000)).toEqual(bytes(2))
    const [one, two] = [bytes(1), bytes(2)]
    expect(one.bytes).toBeGreaterThan(one.plan)
    expect([one.beside, two.beside]).toEqual([0, two.state]) // moments and average, which its largest part does not touch
  })

  it('runs twice with the same bits', async () => {
    const [a, b] = [await stepped({}, 3), await stepped({}, 3)]
    expect(await valuesOf(a, 'averages')).toEqual(await valuesOf(b, 'averages'))
  })

  it('draws other noise for another seed', async () => {
    expect((await stepped({ seed: 1 })).loss).not.toBe((await stepped({ seed: 2 })).loss)
  })

  it('learns: the loss on held-out seas falls', async () => {
    const { device, recipe, state } = await stepped({ steps: 30, learningRate: 1e-2, batch: 8 }, 30)
    const measure = await heldOutOn(device, recipe.task, data)
    const untrained = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
    expect((await measure(state.params)).loss).toBeLessThan(0.8 * (await measure(untrained.params)).loss)
  })
})

/** A recipe whose network answers with its one parameter, a picture. */
const answering = (changes: Partial<DiffusionRun>): DiffusionRecipe => {
  const config = tinyConfig('unused', { batch: 1, objective: 'x0', ...changes })
  const model = {
    init: () => ({}),
    apply: (params: Params): Tensor => (params as unknown as { answer: Tensor }).answer,
  }
  return { ...trainingOf(config), task: diffusionTask(config, { model: model as unknown as Diffusion['model'] }) }
}

const stateOf = ({ optimizer }: DiffusionRecipe, answer: Tensor): TrainState<Params> => {
  const params = { answer } as unknown as Params
  return { params, opt: optimizer.init(params), averages: [params] }
}

const answerOf = (params: Params): Tensor => (params as unknown as { answer: Tensor }).answer

describe('a step, part by part', () => {
  const device = cpuDevice()
  const bytes = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 89) % 256)
  const picture = tensor(bytes, { shape: [1, 8, 8, 3] })

  it('sees bytes 0 … 255 as numbers in [−1, 1]', async () => {
    const seen = await device.read(normalise(tensor(Uint8Array.of(0, 51, 255))))
    ;[-1, -0.6, 1].forEach((x, i) => expect(seen[i]).toBeCloseTo(x, 6))
  })

  it('sees each picture as it is or mirrored left to right, by a coin that is tossed anew at each step', async () => {
    const recipe = answering({ flip: true })
    const step = device.compile(recipeStep(recipe))
    const lossOf = async (answer: Tensor, n: number): Promise<number> => {
      const [, { loss }] = await step(stateOf(recipe, answer), picture, givenAt(recipe, n))
      return (await device.read(loss))[0] ?? NaN
    }
    const seen = new Set<string>()
    for (let n = 1; n <= 12; n++) {
      const [plain, mirrored] = [await lossOf(normalise(picture), n), await lossOf(normalise(picture).reverse([2]), n)]
      expect([plain, mirrored].filter((loss) => loss === 0).length, `step ${n}`).toBe(1)
      seen.add(plain === 0 ? 'plain' : 'mirrored')
    }
    expect(seen.size).toBe(2)
  })

  it('draws other noise and times at every step, from the same state and pictures', async () => {
    const recipe = recipeOf(tinyConfig('unused', { flip: false }))
    const state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(0))
    const step = device.compile(recipeStep(recipe))
    const images = tensor(batchAt(data, 0, 2), { shape: [2, 8, 8, 3] })
    const losses = await Promise.all(
      [1, 2, 3, 4, 1].map(async (n) => (await device.read((await step(state, images, givenAt(recipe, n)))[1].loss))[0]),
    )
    expect(new Set(losses).size).toBe(4)
    expect(losses[4]).toBe(losses[0])
  })

  it('moves the average towards the parameters after the step: d·average + (1 − d)·params', async () => {
    const recipe = answering({ flip: false })
    const before = stateOf(recipe, tensor(new Float32Array(bytes.length).fill(0.5), { shape: [1, 8, 8, 3] }))
    const given = { ...givenAt(recipe, 1), learningRate: scalar(0.25), decays: [scalar(0.75)] as const }
    const [after] = await device.compile(recipeStep(recipe))(before, picture, given)
    const [params, average] = [
      await device.read(answerOf(after.params)),
      await device.read(answerOf(after.averages[0])),
    ]
    expect(params.every((p) => Math.abs(p - 0.5) > 0.2)).toBe(true)
    average.forEach((a, i) => expect(a).toBeCloseTo(0.75 * 0.5 + 0.25 * (params[i] ?? NaN), 6))
  })
})

describe('the loss on held-out pictures', () => {
  it('is the same at every measurement, and relative to noise of variance 1 when noise is predicted', async () => {
    const { device, recipe, state } = await stepped({ objective: 'epsilon', minSnr: null })
    const measure = await heldOutOn(device, recipe.task, data)
    const [once, again] = [await measure(state.params), await measure(state.params)]
    expect(again).toEqual(once)
    expect(once.loss / once.relative).toBeGreaterThan(0.98)
    expect(once.loss / once.relative).toBeLessThan(1.02)
  })

  it.each([
    ['as one plan', {}, 1],
    ['in micro-batches', { accumulate: 2 }, 3],
  ] as const)(
    'is traced, compiled and prepared once, %s, though its plan and memory are asked for before it runs',
    async (_, changes, functions) => {
      const backend = cpuBackend(true)
      const prepared: Plan[] = []
      const counting: Backend = {
        ...backend,
        prepare: (plan: Plan) => {
          prepared.push(plan)
          return backend.prepare(plan)
        },
      }
      const device = deviceOn(counting)
      let traced = 0
      const compile: Device['compile'] = <A extends readonly unknown[], R>(
        fn: (...args: A) => R,
        options?: CompileOptions,
      ) =>
        device.compile((...args: A) => {
          traced++
          return fn(...args)
        }, options)
      const recipe = recipeOf(tinyConfig('unused', changes))
      const { batch, accumulate } = recipe
      let state = await device.realize(initialState(recipe, key(0)))
      const before = prepared.length
      const stepper = stepperOn({ ...device, compile }, recipe)
      const plan = stepper.plan(state)
      expect(stepper.bytes(state)).toBeGreaterThan(0)
      for (let step = 1; step <= 2; step++)
        [state] = await stepper.run(state, recipe.task.examples(batchAt(data, 0, batch * accumulate)), step)
      expect(stepper.plan(state)).toBe(plan)
      expect([traced, prepared.length - before]).toEqual([functions, functions])
      expect(prepared).toContain(plan)
    },
  )
})
