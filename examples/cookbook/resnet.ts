/**
 * A residual network with batch normalisation (He et al. 2016; Ioffe & Szegedy 2015): its running statistics are a tree beside the parameters, which
 * goes through the step with them and which no optimizer sees. `npm run play examples/cookbook/resnet.ts`
 */
import { argmax, foldIn, key, openDevice, relu, type Tensor } from 'fathom'
import { applyWithState, batchNorm, compose, conv2d, crossEntropy, linear, stateOf, type ModelState, type ParamsOf } from 'fathom/nn' // prettier-ignore
import { addDecayedWeights, chain, cosineDecay, sgd } from 'fathom/optim'
import { trainStep } from 'fathom/train'
import { heldOut, learned, minibatch, type Digits } from './digits.ts'

const block = (inputs: number, outputs: number, stride: number) =>
  compose(
    {
      first: conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false }),
      firstNorm: batchNorm(outputs),
      second: conv2d(outputs, outputs, 3, { padding: 1, bias: false }),
      secondNorm: batchNorm(outputs),
      shortcut: stride === 1 ? undefined : conv2d(inputs, outputs, 1, { stride }),
    },
    ({ first, firstNorm, second, secondNorm, shortcut }, x: Tensor) =>
      relu(secondNorm(second(relu(firstNorm(first(x))))).add(shortcut === undefined ? x : shortcut(x))),
  )

/** Pictures in [−1, 1], [N, H, W, 1], to logits [N, 10]. */
export const resnetOf = (width = 16) =>
  compose(
    {
      stem: conv2d(1, width, 3, { padding: 1, bias: false }),
      norm: batchNorm(width),
      blocks: [block(width, width, 1), block(width, 2 * width, 2), block(2 * width, 4 * width, 2)],
      head: linear(4 * width, 10),
    },
    ({ stem, norm, blocks, head }, x: Tensor) =>
      head(blocks.reduce((y, each) => each(y), relu(norm(stem(x)))).mean([1, 2])),
  )

const model = resnetOf()
type Params = ParamsOf<typeof model>

const toSigned = (images: Tensor): Tensor => images.cast('f32').div(127.5).sub(1)

/** Trains; returns the share of held-out digits that is right, by the running statistics. */
export const resnet = async ({ steps = 150, batch = 64, examples = 4000 } = {}) => {
  const device = await openDevice()
  const training = trainStep({
    loss: (params: Params, data: Digits, { key, modelState }) => {
      const { images, labels } = minibatch(data, foldIn(key, 'batch'), batch)
      const mode = { train: true, key } as const
      const [logits, next] = applyWithState(model, params, modelState, toSigned(images), mode)
      return [crossEntropy(logits, labels), { modelState: next }]
    },
    optimizer: chain(
      addDecayedWeights(5e-4, (_, p) => p.rank > 1),
      sgd({ momentum: 0.9, nesterov: true }),
    ),
    rate: cosineDecay({ learningRate: 0.1, warmupSteps: Math.min(10, steps), steps }),
  })
  const [data, test] = await device.realize([learned(examples), heldOut(1000)] as const)
  const step = training.on(device)
  let state = training.init(model.init(key(0)), stateOf(model))
  for (let i = 0; i < steps; i++) [state] = await step(state, data)
  const rightOf = device.compile((params: Params, statistics: ModelState, { images, labels }: Digits) => {
    const [logits] = applyWithState(model, params, statistics, toSigned(images))
    return argmax(logits).equal(labels).cast('f32').mean()
  })
  const accuracy = await device.item(await rightOf(state.params, state.modelState, test))
  await device.close()
  return { accuracy }
}

if (import.meta.main) {
  const { accuracy } = await resnet()
  console.log(`${(100 * accuracy).toFixed(1)} % of held-out digits`)
}
