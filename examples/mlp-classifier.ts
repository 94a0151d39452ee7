/** A multi-layer perceptron that tells two interleaved half circles apart. `node scripts/node24.mjs examples/mlp-classifier.ts` */
import { argmax, bernoulli, concatenate, key, normal, openDevice, split, uniform, valueAndGrad } from 'fathom'
import type { Key, Tensor } from 'fathom'
import { mlp, type MlpParams } from 'fathom/models'
import { crossEntropy } from 'fathom/nn'
import { adam, applyUpdates } from 'fathom/optim'

type Batch = { readonly x: Tensor; readonly label: Tensor }

/** Two moons: half circles of radius 1, the second upside down and shifted by (1, ½). x [n, 2], label [n]. */
const moons = (k: Key, n: number): Batch => {
  const [forLabel, forAngle, forNoise] = split(k, 3)
  const second = bernoulli(forLabel, 0.5, [n, 1])
  const angle = uniform(forAngle, [n, 1], { low: 0, high: Math.PI })
  const [cos, sin] = [angle.cos(), angle.sin()]
  const x = concatenate([second.select(cos.neg().add(1), cos), second.select(sin.neg().add(0.5), sin)], 1)
  return { x: x.add(normal(forNoise, [n, 2]).mul(0.1)), label: second.reshape([n]).cast('i32') }
}

/** Trains on 512 points and returns the losses and the accuracy on 1,024 others. */
export const mlpClassifier = async ({ steps = 300 } = {}) => {
  const device = await openDevice()
  const model = mlp([2, 32, 32, 2])
  const optimizer = adam({ learningRate: 0.01 })
  const loss = (params: MlpParams, { x, label }: Batch): Tensor => crossEntropy(model.apply(params, x), label)
  const initial = (k: Key) => ({ params: model.init(k), optimizer: optimizer.init(model.init(k)) })
  const step = device.compile(
    (state: ReturnType<typeof initial>, batch: Batch) => {
      const [value, gradients] = valueAndGrad(loss)(state.params, batch)
      const [updates, next] = optimizer.update(gradients, state.optimizer, state.params)
      return { state: { params: applyUpdates(state.params, updates), optimizer: next }, value }
    },
    { donate: [0] },
  )
  const [forInit, forTraining, forTest] = split(key(7), 3)
  const batch = await device.realize(moons(forTraining, 512))
  let state = initial(forInit)
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const next = await step(state, batch)
    state = next.state
    losses.push(...(await device.read(next.value)))
  }
  const test = moons(forTest, 1024)
  const right = argmax(model.apply(state.params, test.x)).equal(test.label).cast('f32')
  const [accuracy = NaN] = await device.read(right.mean())
  await device.close()
  return { losses, accuracy }
}

if (import.meta.main) {
  const { losses, accuracy } = await mlpClassifier()
  console.log(
    `loss ${losses[0]?.toFixed(3)} → ${losses.at(-1)?.toFixed(4)}, accuracy on new points ${(100 * accuracy).toFixed(1)} %`,
  )
}
