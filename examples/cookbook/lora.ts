/**
 * Fine-tuning by few numbers: the weights of a classifier of digits stay as they are, and to each is added a product of two thin matrices, which
 * alone is learned (LoRA, Hu et al. 2021). It learns to read negatives, dark strokes on white. `npm run play examples/cookbook/lora.ts`
 */
import { argmax, countElements, foldIn, key, mapTree, normal, openDevice, zeros, type Device, type Key, type Tensor } from 'fathom' // prettier-ignore
import { mlp, type MlpParams } from 'fathom/models'
import { crossEntropy } from 'fathom/nn'
import { adam } from 'fathom/optim'
import { trainStep } from 'fathom/train'
import { heldOut, learned, minibatch, side, type Digits } from './digits.ts'

const network = mlp([side * side, 128, 128, 10])

const logits = (params: MlpParams, images: Tensor): Tensor =>
  network.apply(
    params,
    images
      .reshape([-1, side * side])
      .cast('f32')
      .div(127.5)
      .sub(1),
  )

/** What is learned of each weight [in, out]: down [in, rank] and up [rank, out]. */
type Adapters = readonly { readonly down: Tensor; readonly up: Tensor }[]

/** down ~ N(0, 1/in) and up = 0, so that nothing is changed to begin with. */
const adapters = (base: MlpParams, rank: number, k: Key): Adapters =>
  base.layers.map(({ weight }, i) => {
    const [inputs = 0, outputs = 0] = weight.shape
    return { down: normal(foldIn(k, i), [inputs, rank]).div(Math.sqrt(inputs)), up: zeros([rank, outputs]) }
  })

/** The parameters with W + down·up in place of each W. */
const adapted = (base: MlpParams, learned: Adapters): MlpParams => ({
  layers: base.layers.map((layer, i) => {
    const own = learned[i]
    return own === undefined ? layer : { ...layer, weight: layer.weight.add(own.down.matmul(own.up)) }
  }),
})

/** Trains any tree by Adam, for parameters that are made of it. What stays as it is comes with the batch: only the first tree is differentiated. */
const fit = async <P, F>(
  device: Device,
  given: {
    readonly params: P
    readonly frozen: F
    readonly data: Digits
    readonly steps: number
    readonly rate: number
  },
  model: (params: P, frozen: F) => MlpParams,
): Promise<P> => {
  const training = trainStep({
    loss: (params: P, { data, frozen }: { readonly data: Digits; readonly frozen: F }, { key }) => {
      const { images, labels } = minibatch(data, key, 64)
      return crossEntropy(logits(model(params, frozen), images), labels)
    },
    optimizer: adam(),
    rate: given.rate,
  })
  const { params, data, frozen, steps } = given
  const step = training.on(device)
  let state = training.init(params)
  for (let i = 0; i < steps; i++) [state] = await step(state, { data, frozen })
  return state.params
}

const negative = (d: Digits): Digits => mapTree(d, (x) => (x.rank === 4 ? x.cast('f32').neg().add(255).cast('u8') : x))

/** The shares of held-out negatives that the classifier has right before and after, and how many numbers were learned of how many. */
export const lora = async ({ steps = 800, rank = 8 } = {}) => {
  const device = await openDevice()
  const [data, test] = await device.realize([learned(4000), negative(heldOut(1000))] as const)
  const accuracy = (params: MlpParams): Promise<number> =>
    device.item(argmax(logits(params, test.images)).equal(test.labels).cast('f32').mean())

  const start = { params: network.init(key(0)), frozen: {}, data, steps, rate: 2e-3 }
  const base = await fit(device, start, (params) => params)
  const before = await accuracy(base)

  const few = {
    params: adapters(base, rank, key(2)),
    frozen: base,
    data: await device.realize(negative(data)),
    steps,
    rate: 5e-3,
  }
  const learnedFew = await fit(device, few, (own, frozen) => adapted(frozen, own))
  const after = await accuracy(adapted(base, learnedFew)) // a plain model again: nothing is slower by it
  const [numbers, of] = [countElements(learnedFew), countElements(base)]
  await device.close()
  return { before, after, numbers, of }
}

if (import.meta.main) {
  const { before, after, numbers, of } = await lora()
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
  console.log(`negatives: ${percent(before)} right, and ${percent(after)} with ${numbers} numbers learned beside ${of}`)
}
