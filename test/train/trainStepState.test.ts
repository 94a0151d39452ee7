/** A training step with a model's state: it goes on, and none is forgotten. */
import { describe, expect, it } from 'vitest'
import { key, tensor, type Key, type Tensor } from '../../src/index.ts'
import { applyWithState, batchNorm, mse, stateOf, type ModelState, type ParamsOf } from '../../src/nn/index.ts'
import { sgd } from '../../src/optim/index.ts'
import { trainStep } from '../../src/train/index.ts'
import { cpuDevice } from '../support/device.ts'

const model = batchNorm(2)
type Params = ParamsOf<typeof model>
const x = tensor([
  [5, 6],
  [7, 10],
])

/** What a loss tells beside its value. */
type Told = Readonly<Record<string, ModelState>>

/** The state after a step of a loss that tells so much. */
const after = async (tell: (next: ModelState) => Told): Promise<unknown> => {
  const device = cpuDevice()
  const training = trainStep({
    loss: (params: Params, batch: Tensor, given: { readonly key: Key; readonly modelState: unknown }) => {
      const [y, next] = applyWithState(model, params, stateOf(model), batch, { train: true, key: given.key })
      return [mse(y, batch), tell(next)] as const
    },
    optimizer: sgd({ learningRate: 0 }),
  })
  const [state] = await training.on(device)(training.init(model.init(key(0)), stateOf(model)), x)
  const tree: unknown = state.modelState
  return device.readTree(tree)
}

describe('a training step of a model with state', () => {
  it('keeps what the loss gives', async () => {
    expect(JSON.stringify(await after((modelState) => ({ modelState })))).toContain('0.6')
  })

  it('refuses a loss that gives none, or another', async () => {
    await expect(after(() => ({}))).rejects.toThrow(
      'trainStep: the state of the model is { count, mean, variance }, and the loss gave none for the next step: return [loss, { modelState: next }]',
    )
    await expect(after((next) => ({ modelState: { norm: next } }))).rejects.toThrow('the loss gave { norm.count,')
  })
})
