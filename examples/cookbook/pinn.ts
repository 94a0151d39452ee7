/**
 * A network that solves a differential equation: u″ = −π² sin πx with u(±1) = 0, of which the solution is sin πx (Raissi et al. 2019). The loss has
 * second derivatives by x in it, and is differentiated by the parameters. `npm run play examples/cookbook/pinn.ts`
 */
import { grad, key, linspace, openDevice, tensor, uniform, type Tensor } from 'fathom'
import { compose, linear, type ParamsOf } from 'fathom/nn'
import { adam, cosineDecay } from 'fathom/optim'
import { trainStep } from 'fathom/train'

/** x [N, 1] to u(x) [N, 1]. */
const network = compose(
  { first: linear(1, 32), second: linear(32, 32), out: linear(32, 1) },
  ({ first, second, out }, x: Tensor) => out(second(first(x).tanh()).tanh()),
)
type Params = ParamsOf<typeof network>

/** The derivative of a function that treats each row by itself: the gradient of the sum. */
const derivative = (f: (x: Tensor) => Tensor): ((x: Tensor) => Tensor) => grad((x: Tensor) => f(x).sum())

/** mean (u″ + π² sin πx)² + 100 · mean u(±1)². */
const residualLoss = (params: Params, x: Tensor): Tensor => {
  const u = (x: Tensor): Tensor => network.apply(params, x)
  const wave = x.mul(Math.PI).sin()
  const residual = derivative(derivative(u))(x).add(wave.mul(Math.PI ** 2))
  const ends = u(tensor([[-1], [1]]))
  return residual.square().mean().add(ends.square().mean().mul(100))
}

/** Trains on points drawn anew at each step; returns the largest error of the solution on [−1, 1]. */
export const pinn = async ({ steps = 2000, points = 64 } = {}) => {
  const device = await openDevice()
  const training = trainStep({
    loss: (params: Params, _: unknown, { key }) =>
      residualLoss(params, uniform(key, [points, 1], { low: -1, high: 1 })),
    optimizer: adam(),
    rate: cosineDecay({ learningRate: 1e-2, steps }),
  })
  const step = training.on(device)
  let state = training.init(network.init(key(0)))
  for (let i = 0; i < steps; i++) [state] = await step(state, {})
  const x = linspace(-1, 1, 201).expandDims(1)
  const error = await device.item(network.apply(state.params, x).sub(x.mul(Math.PI).sin()).abs().max())
  await device.close()
  return { error }
}

if (import.meta.main) {
  const { error } = await pinn()
  console.log(`largest error ${error.toExponential(1)} of a solution between −1 and 1`)
}
