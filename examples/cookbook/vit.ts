/**
 * A vision transformer (Dosovitskiy et al. 2021): a picture is a sequence of 49 patches, and a token before them that becomes the answer.
 * `npm run play examples/cookbook/vit.ts`
 */
import { argmax, concatenate, key, openDevice, type Tensor } from 'fathom'
import { compose, conv2d, crossEntropy, layerNorm, linear, parameter, transformerBlock, type ParamsOf } from 'fathom/nn'
import { normal, zeros } from 'fathom/nn/init'
import { adamW, chain, clipByGlobalNorm, cosineDecay } from 'fathom/optim'
import { trainStep } from 'fathom/train'
import { heldOut, learned, minibatch, type Digits } from './digits.ts'

/** Pictures in [−1, 1], [N, 28, 28, 1], to logits [N, 10]. */
export const vitOf = ({ width = 64, heads = 4, layers = 2 } = {}) =>
  compose(
    {
      patches: conv2d(1, width, 4, { stride: 4 }),
      answer: parameter(zeros([1, 1, width])),
      places: parameter(normal([1 + 7 * 7, width], 0.02)),
      blocks: Array.from({ length: layers }, () => transformerBlock(width, { heads })),
      norm: layerNorm(width),
      head: linear(width, 10),
    },
    ({ patches, answer, places, blocks, norm, head }, images: Tensor) => {
      const n = images.shape[0] ?? 0
      const tokens = concatenate([answer().broadcastTo([n, 1, width]), patches(images).reshape([n, -1, width])], 1)
      const seen = blocks.reduce((y, block) => block(y), tokens.add(places()))
      return head(norm(seen.slice([], [0, 1]).reshape([n, width])))
    },
  )

const model = vitOf()
type Params = ParamsOf<typeof model>

const logits = (params: Params, images: Tensor): Tensor => model.apply(params, images.cast('f32').div(127.5).sub(1))

/** Trains; returns the share of held-out digits that is right. */
export const vit = async ({ steps = 800, batch = 32 } = {}) => {
  const device = await openDevice()
  const training = trainStep({
    loss: (params: Params, data: Digits, { key }) => {
      const { images, labels } = minibatch(data, key, batch)
      return crossEntropy(logits(params, images), labels)
    },
    optimizer: chain(clipByGlobalNorm(1), adamW({ weightDecay: 0.05, decays: (_, p) => p.rank === 2 })),
    rate: cosineDecay({ learningRate: 3e-3, warmupSteps: Math.min(40, Math.floor(steps / 4)), steps }),
  })
  const [data, test] = await device.realize([learned(8000), heldOut(1000)] as const)
  const step = training.on(device)
  let state = training.init(model.init(key(0)))
  for (let i = 0; i < steps; i++) [state] = await step(state, data)
  const accuracy = await device.item(argmax(logits(state.params, test.images)).equal(test.labels).cast('f32').mean())
  await device.close()
  return { accuracy }
}

if (import.meta.main) {
  const { accuracy } = await vit()
  console.log(`${(100 * accuracy).toFixed(1)} % of held-out digits`)
}
