/** The step that every program writes, against the lines that it stands for. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { valueAndGrad } from '../../src/autograd/index.ts'
import { batches } from '../../src/data/index.page.ts'
import { applyWithState, batchNorm, linear, mse, sequential, stateOf, type ParamsOf } from '../../src/nn/index.ts'
import { adamW, applyUpdates, cosineDecay, ema, sgd } from '../../src/optim/index.ts'
import { loadParams, saveParams } from '../../src/io/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { foldIn, key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, leavesWithPaths } from '../../src/tensor/tree.ts'
import { trainStep, type LossGiven } from '../../src/train/trainStep.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const model = linear(2, 1)
type Params = ParamsOf<typeof model>
interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}
const data: Batch = {
  x: tensor([
    [1, 2],
    [3, -1],
    [0.5, 0],
    [-2, 1],
  ]),
  y: tensor([[1], [0], [2], [-1]]),
}
const loss = (params: Params, { x, y }: Batch): Tensor => mse(model.apply(params, x), y)
const flat = async (tree: unknown) => (await Promise.all(leaves(tree).map((x) => values(x, device)))).flat()

describe('trainStep', () => {
  it('takes the steps that a loop by hand takes: rates by step, average, the norm of the gradients', async () => {
    const optimizer = adamW({ weightDecay: 0.1 })
    const rate = cosineDecay({ learningRate: 0.1, warmupSteps: 2, steps: 6 })
    const training = trainStep({ loss, optimizer, rate, average: (step) => (step === 0 ? 0 : 0.5) })
    const step = training.on(device)
    let state = training.init(model.init(key(1)))
    let params = model.init(key(1))
    let opt = optimizer.init(params)
    let average = params
    for (let i = 0; i < 6; i++) {
      const [value, gradients] = valueAndGrad(loss)(params, data)
      const [updates, next] = optimizer.update(gradients, opt, params, { learningRate: scalar(rate(i)) })
      params = await device.realize(applyUpdates(params, updates))
      opt = await device.realize(next)
      average = await device.realize(ema(i === 0 ? 0 : 0.5, average, params))
      const [after, told] = await step(state, data)
      state = after
      expect(await values(told.loss, device)).toEqual(await values(value, device))
      expect((await values(told.gradientNorm, device))[0]).toBeCloseTo(Math.hypot(...(await flat(gradients))), 5)
    }
    expect(state.step).toBe(6)
    const [found, hand] = [await flat(state.params), await flat(params)]
    found.forEach((x, i) => expect(x).toBeCloseTo(hand[i] ?? NaN, 6))
    const [averaged, byHand] = [await flat(state.average), await flat(average)]
    averaged.forEach((x, i) => expect(x).toBeCloseTo(byHand[i] ?? NaN, 6))
  })

  it('draws other numbers at each step, the same for the same seed, and goes on from a state as if it had not stopped', async () => {
    const noisy = (params: Params, batch: Batch, { key: k, step }: LossGiven) =>
      [loss(params, batch).add(normal(k, []).mul(0)), { drawn: normal(foldIn(k, 'x'), []), step }] as const
    const training = trainStep({ loss: noisy, optimizer: sgd({ learningRate: 0.01 }), seed: 3 })
    const walk = async (from: ReturnType<typeof training.init>, count: number) => {
      const step = training.on(device)
      const drawn: number[] = []
      let state = from
      for (let i = 0; i < count; i++) {
        const [next, told] = await step(state, data)
        state = next
        drawn.push(await device.item(told.aux.drawn))
        expect(await device.item(told.aux.step)).toBe(state.step - 1)
      }
      return { state, drawn }
    }
    const all = await walk(training.init(model.init(key(0))), 4)
    const first = await walk(training.init(model.init(key(0))), 2)
    const rest = await walk(first.state, 2)
    expect(new Set(all.drawn).size).toBe(4)
    expect([...first.drawn, ...rest.drawn]).toEqual(all.drawn)
    expect(await flat(rest.state.params)).toEqual(await flat(all.state.params))
  })

  it('its state is a file: a run that is loaded goes on bit for bit, by the plan of the one that did not stop', async () => {
    const options = { optimizer: adamW({ weightDecay: 0.1 }), rate: cosineDecay({ learningRate: 0.1, steps: 6 }) }
    let traces = 0
    const noisy = (params: Params, { x, y }: Batch, { key: k }: LossGiven): Tensor => {
      traces += 1
      return loss(params, { x: x.add(normal(k, x.shape)), y })
    }
    const training = trainStep({ loss: noisy, ...options, average: 0.5, seed: 3 })
    const step = training.on(device)
    const folder = await mkdtemp(join(tmpdir(), 'fathom-step-'))
    const file = join(folder, 'state.safetensors')
    let whole = training.init(model.init(key(1)))
    for (let i = 0; i < 3; i++) [whole] = await step(whole, data)
    expect(await saveParams(device, file, whole)()).toMatchObject({ _tag: 'Right' })
    for (let i = 0; i < 3; i++) [whole] = await step(whole, data)
    const loaded = await loadParams(file, training.init(model.init(key(7))))()
    if (loaded._tag === 'Left') throw new Error(loaded.left.message)
    let resumed = loaded.right
    expect(resumed.step).toBe(3)
    for (let i = 0; i < 3; i++) [resumed] = await step(resumed, data)
    expect(resumed.step).toBe(whole.step)
    expect(await flat(resumed)).toEqual(await flat(whole))
    expect(traces).toBe(1)
    await rm(folder, { recursive: true })
  })

  it('one plan serves all steps, and every batch of a shape', async () => {
    let traces = 0
    const counted = (params: Params, batch: Batch) => {
      traces += 1
      return loss(params, batch)
    }
    const rate = cosineDecay({ learningRate: 0.1, steps: 50 })
    const training = trainStep({ loss: counted, optimizer: adamW(), rate, average: 0.9 })
    const step = training.on(device)
    let state = training.init(model.init(key(0)))
    for (const batch of batches(data, { size: 2, shuffle: 1, epochs: 5 })) [state] = await step(state, batch)
    expect(state.step).toBe(10)
    expect(traces).toBe(1)
  })

  it('running statistics go on from step to step, and no optimizer sees them', async () => {
    const network = sequential({ norm: batchNorm(2), out: linear(2, 1) })
    const training = trainStep({
      loss: (params: ParamsOf<typeof network>, { x, y }: Batch, { key: k, modelState }) => {
        const [out, next] = applyWithState(network, params, modelState, x, { train: true, key: k })
        return [mse(out, y), { modelState: next }] as const
      },
      optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
    })
    const step = training.on(device)
    let state = training.init(network.init(key(0)), stateOf(network))
    for (let i = 0; i < 3; i++) [state] = await step(state, data)
    const statistics = Object.fromEntries(leavesWithPaths(state.modelState))
    expect(await device.item(statistics['norm.count'] ?? scalar(0))).toBe(3)
    const mean = await values(statistics['norm.mean'] ?? scalar(0), device)
    expect(mean[0]).toBeCloseTo(0.625 * (1 - 0.9 ** 3), 5)
    expect(leavesWithPaths(state.optimizer).some(([path]) => path.includes('count'))).toBe(false)
  })

  it('what cannot be meant is refused', async () => {
    const optimizer = sgd({ learningRate: 1 })
    expect(() => trainStep({ loss, optimizer, rate: -1 })).toThrow('trainStep: the learning rate is -1')
    expect(() => trainStep({ loss, optimizer, average: 2 })).toThrow('trainStep: the decay of the average is 2')
    expect(() => trainStep({ loss: 3 as never, optimizer })).toThrow('loss must be a function of (params, batch,')
    expect(() => trainStep({ loss, optimizer, learningRate: 1 } as never)).toThrow("there is no option 'learningRate'")
    const plain = trainStep({ loss, optimizer }).init(model.init(key(0)))
    await expect(trainStep({ loss, optimizer, average: 0.9 }).on(device)(plain, data)).rejects.toThrow(
      'trainStep: the state has no average, and one is asked for: begin with init(params)',
    )
    await expect(trainStep({ loss, optimizer, rate: () => NaN }).on(device)(plain, data)).rejects.toThrow(
      'the learning rate is NaN',
    )
  })
})
