/**
 * A long short-term memory (Hochreiter & Schmidhuber 1997) on the problem that it was made for: of a sequence of numbers two are marked, far from one
 * another, and their sum is asked for at the end. `npm run play examples/cookbook/lstm.ts`
 */
import { foldIn, iota, key, openDevice, randint, stack, uniform, type Key, type Tensor } from 'fathom'
import { compose, linear, lstm, mse, type ParamsOf } from 'fathom/nn'
import { adam, chain, clipByGlobalNorm, cosineDecay } from 'fathom/optim'
import { trainStep } from 'fathom/train'

/** Sequences [N, T, 2] of a number in [0, 1) and a mark, 0 or 1, and the sums of the two that are marked, [N, 1]. */
const sums = (k: Key, count: number, length: number) => {
  const half = Math.floor(length / 2)
  const numbers = uniform(foldIn(k, 'numbers'), [count, length])
  const place = iota([count, length], 1)
  const [first, second] = [
    randint(foldIn(k, 'first'), [count, 1], 0, half),
    randint(foldIn(k, 'second'), [count, 1], half, length),
  ]
  const marks = place.equal(first).or(place.equal(second)).cast('f32')
  return { x: stack([numbers, marks], 2), sum: numbers.mul(marks).sum(1, true) }
}

/** Sequences to what stands at the end, [N, 1]. The loop over time is one node of the graph, whatever the length. */
export const lstmOf = (width: number) =>
  compose({ memory: lstm(2, width), out: linear(width, 1) }, ({ memory, out }, x: Tensor) =>
    out(memory(x).slice([], [-1]).reshape([-1, width])),
  )

const model = lstmOf(64)
type Params = ParamsOf<typeof model>

/** Trains on sequences drawn anew at each step; returns the mean squared error on others. One that always says 1 has 1/6. */
export const lstmAdds = async ({ steps = 1500, batch = 32, length = 50 } = {}) => {
  const device = await openDevice()
  const training = trainStep({
    loss: (params: Params, _: unknown, { key }) => {
      const { x, sum } = sums(key, batch, length)
      return mse(model.apply(params, x), sum)
    },
    optimizer: chain(clipByGlobalNorm(1), adam()),
    rate: cosineDecay({ learningRate: 5e-3, warmupSteps: 20, steps }),
  })
  const step = training.on(device)
  let state = training.init(model.init(key(0)))
  for (let i = 0; i < steps; i++) [state] = await step(state, {})
  const { x, sum } = sums(key(2), 500, length)
  const error = await device.item(mse(model.apply(state.params, x), sum))
  await device.close()
  return { error }
}

if (import.meta.main) {
  const { error } = await lstmAdds()
  console.log(`mean squared error ${error.toFixed(4)}, where a constant has 0.1667`)
}
