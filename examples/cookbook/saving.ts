/**
 * Save and load: parameters and the optimizer's state go to a file in the middle of a run, and a run that begins with that file ends with the same
 * bits. Then the same weights under PyTorch's names and layouts. `npm run play examples/cookbook/saving.ts`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countElements, foldIn, key, openDevice, scalar, valueAndGrad, type Key, type Tensor } from 'fathom'
import { loadParams, loadTensors, saveParams, torchLayouts, type NameMap } from 'fathom/io'
import { compose, conv2d, crossEntropy, linear, relu, type ParamsOf } from 'fathom/nn'
import { adam, applyUpdates } from 'fathom/optim'
import { learned, minibatch, type Digits } from './digits.ts'

/** Files are read and written by tasks that end in a Left or a Right; a program that cannot go on throws. */
const orThrow = async <A>(
  task: () => Promise<
    | { readonly _tag: 'Left'; readonly left: { readonly message: string } }
    | { readonly _tag: 'Right'; readonly right: A }
  >,
): Promise<A> => {
  const result = await task()
  if (result._tag === 'Left') throw new Error(result.left.message)
  return result.right
}

const network = compose({ conv: conv2d(1, 16, 5, { stride: 2 }), head: linear(16, 10) }, ({ conv, head }, x: Tensor) =>
  head(relu(conv(x)).mean([1, 2])),
)
type Params = ParamsOf<typeof network>

const loss = (params: Params, { images, labels }: Digits): Tensor =>
  crossEntropy(network.apply(params, images.cast('f32').div(255)), labels)

const optimizer = adam({ learningRate: 3e-3 })

/** All that a run needs to go on: how many steps were made is a tensor too, so that it goes with the file. */
const begin = (k: Key) => {
  const params = network.init(k)
  return { params, optimizer: optimizer.init(params), steps: scalar(0, 'i32') }
}
type State = ReturnType<typeof begin>

const update = (state: State, data: Digits): State => {
  const gradients = valueAndGrad(loss)(state.params, minibatch(data, foldIn(key(1), state.steps), 32))[1]
  const [updates, next] = optimizer.update(gradients, state.optimizer, state.params)
  return { params: applyUpdates(state.params, updates), optimizer: next, steps: state.steps.add(1) }
}

/** Our paths to PyTorch's names: what stands in a compose is its module, and here the head is called fc. */
const torchNames: NameMap = { rename: [{ prefix: 'head.', to: 'fc.' }], layout: torchLayouts }

/** Trains twice as many steps in one go, and in two with a file between; says by how much the weights differ. */
export const saving = async ({ steps = 100 } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-saving-'))
  const file = join(folder, 'run.safetensors')
  const device = await openDevice()
  const data = await device.realize(learned(1000))
  const step = device.compile(update, { donate: [0] })

  let state = begin(key(0))
  for (let i = 0; i < 2 * steps; i++) {
    if (i === steps) await orThrow(saveParams(device, file, state))
    state = await step(state, data)
  }

  let resumed = await orThrow(loadParams(file, begin(key(7)))) // a template: its shapes and dtypes count, its values do not
  while ((await device.item(resumed.steps)) < 2 * steps) resumed = await step(resumed, data)
  const apart = await device.item(state.params.head.weight.sub(resumed.params.head.weight).abs().max())

  const theirs = join(folder, 'torch.safetensors')
  await orThrow(saveParams(device, theirs, state.params, { ...torchNames, metadata: { format: 'pt' } }))
  const shapes = Object.fromEntries([...(await orThrow(loadTensors(theirs)))].map(([name, { shape }]) => [name, shape]))
  const back = await orThrow(loadParams(theirs, network.init(key(7)), torchNames))
  const same = await device.item(back.conv.weight.equal(state.params.conv.weight).cast('f32').mean())

  await device.close()
  rmSync(folder, { recursive: true })
  return { apart, shapes, same, numbers: countElements(back) }
}

if (import.meta.main) {
  const { apart, shapes, numbers } = await saving()
  console.log(`with a file between the weights differ by ${apart}; ${numbers} numbers for PyTorch:`, shapes)
}
