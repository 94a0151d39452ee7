/**
 * An optimizer of one's own is a pair of functions, init and update, whose state is a tree of tensors. Here signs of momentum (as Lion, Chen et
 * al. 2023) in ten lines, a wrapper for any optimizer, and a rate by step, on one classifier beside AdamW. `npm run play examples/cookbook/own-optimizer.ts`
 */
import { argmax, key, mapTree, openDevice, zerosLike, zipTrees, type Device, type Tensor } from 'fathom'
import { mlp, type MlpParams } from 'fathom/models'
import { crossEntropy } from 'fathom/nn'
import { adamW, addDecayedWeights, chain, descent, type RateSchedule, type Transform } from 'fathom/optim'
import { trainStep } from 'fathom/train'
import { heldOut, learned, minibatch, side, type Digits } from './digits.ts'

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

/** Any optimizer, without those of its updates that the gradient of this step speaks against (Liang et al. 2024, cautious optimizers). */
const cautious = <S>(inner: Transform<S>): Transform<S> => ({
  init: inner.init,
  update: (gradients, state, params, given) => {
    const [updates, next] = inner.update(gradients, state, params, given)
    return [zipTrees(updates, gradients, (u, g) => u.mul(g).less(0).select(u, 0)), next]
  },
})

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
  const training = trainStep({
    loss: (params: MlpParams, data: Digits, { key }) => {
      const { images, labels } = minibatch(data, key, 64)
      return crossEntropy(logits(params, images), labels)
    },
    optimizer,
    rate,
  })
  const [data, test] = await device.realize([learned(4000), heldOut(1000)] as const)
  const step = training.on(device)
  let state = training.init(network.init(key(0)))
  for (let i = 0; i < steps; i++) [state] = await step(state, data)
  return device.item(argmax(logits(state.params, test.images)).equal(test.labels).cast('f32').mean())
}

/** The accuracy that each of the three reaches. */
export const ownOptimizer = async ({ steps = 600 } = {}) => {
  const device = await openDevice()
  const signs = chain(signOfMomentum(), addDecayedWeights(0.1), descent())
  const accuracies = {
    signs: await accuracyWith(device, signs, warmupStableDecay(1e-3, steps), steps),
    adam: await accuracyWith(device, adamW(), warmupStableDecay(3e-3, steps), steps),
    cautious: await accuracyWith(device, cautious(adamW()), warmupStableDecay(3e-3, steps), steps),
  }
  await device.close()
  return accuracies
}

if (import.meta.main) {
  for (const [name, accuracy] of Object.entries(await ownOptimizer()))
    console.log(`${name}: ${(100 * accuracy).toFixed(1)} % right`)
}
