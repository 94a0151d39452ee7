/**
 * An optimizer of one's own is a pair of functions, init and update, whose state is a tree of tensors. Here signs of momentum (Lion, Chen et al. 2023)
 * in ten lines, a rate of one's own by step, and Adam beside them on the same classifier. `npm run play examples/cookbook/own-optimizer.ts`
 */
import { argmax, foldIn, key, mapTree, openDevice, scalar, valueAndGrad, zerosLike, zipTrees, type Device, type Key, type Tensor } from 'fathom' // prettier-ignore
import { mlp, type MlpParams } from 'fathom/models'
import { crossEntropy } from 'fathom/nn'
import { adamW, addDecayedWeights, applyUpdates, chain, descent, type RateSchedule, type Transform } from 'fathom/optim' // prettier-ignore
import { heldOut, learned, minibatch, side } from './digits.ts'

/** What a step leaves to the next: the average of gradients. */
interface SignState {
  readonly momentum: unknown // a tree like the parameters, whichever they are
}

/** u = sign(β₁·m + (1 − β₁)·g), and then m = β₂·m + (1 − β₂)·g. */
const signOfMomentum = (beta1 = 0.9, beta2 = 0.99): Transform<SignState> => {
  const mix = (beta: number) => (g: Tensor, m: Tensor) => m.mul(beta).add(g.mul(1 - beta))
  const sign = (x: Tensor): Tensor => x.greater(0).cast('f32').sub(x.less(0).cast('f32'))
  return {
    init: (params) => ({ momentum: mapTree(params, zerosLike) }),
    update: (gradients, { momentum }) => [
      zipTrees<typeof gradients, unknown>(gradients, momentum, (g, m) => sign(mix(beta1)(g, m))),
      { momentum: zipTrees<typeof gradients, unknown>(gradients, momentum, mix(beta2)) },
    ],
  }
}

/** Up within ten steps, level, and down to nothing over the last third. */
const warmupStableDecay =
  (peak: number, steps: number): RateSchedule =>
  (step) =>
    peak * Math.min(1, (step + 1) / 10, (3 * (steps - step)) / steps)

const network = mlp([side * side, 64, 10])

const logits = (params: MlpParams, images: Tensor): Tensor =>
  network.apply(
    params,
    images
      .reshape([-1, side * side])
      .cast('f32')
      .div(127.5)
      .sub(1),
  )

/** Trains with an optimizer, whichever; returns the share of held-out digits that is right. */
const accuracyWith = async <S>(device: Device, optimizer: Transform<S>, rate: RateSchedule, steps: number) => {
  const begin = (k: Key) => ({ params: network.init(k), optimizer: optimizer.init(network.init(k)) })
  const step = device.compile(
    (state: ReturnType<typeof begin>, data: ReturnType<typeof learned>, k: Key, learningRate: Tensor) => {
      const { images, labels } = minibatch(data, k, 64)
      const loss = (params: MlpParams): Tensor => crossEntropy(logits(params, images), labels)
      const [value, gradients] = valueAndGrad(loss)(state.params)
      const [updates, next] = optimizer.update(gradients, state.optimizer, state.params, { learningRate })
      return { state: { params: applyUpdates(state.params, updates), optimizer: next }, value }
    },
    { donate: [0] },
  )
  const [data, test] = [await device.realize(learned(4000)), await device.realize(heldOut(1000))]
  let state = begin(key(0))
  for (let i = 0; i < steps; i++) state = (await step(state, data, foldIn(key(1), i), scalar(rate(i)))).state
  return device.item(argmax(logits(state.params, test.images)).equal(test.labels).cast('f32').mean())
}

/** The accuracy that each of the two reaches. */
export const ownOptimizer = async ({ steps = 600 } = {}) => {
  const device = await openDevice()
  const mine = chain(signOfMomentum(), addDecayedWeights(0.1), descent())
  const lion = await accuracyWith(device, mine, warmupStableDecay(1e-3, steps), steps)
  const adam = await accuracyWith(device, adamW(), warmupStableDecay(3e-3, steps), steps)
  await device.close()
  return { lion, adam }
}

if (import.meta.main) {
  const { lion, adam } = await ownOptimizer()
  console.log(
    `right: ${(100 * lion).toFixed(1)} % with the optimizer of one's own, ${(100 * adam).toFixed(1)} % with AdamW`,
  )
}
