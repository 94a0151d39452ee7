/** Linear regression by gradient descent: y = x·w + b + noise, with w and b found again. `node scripts/node24.mjs examples/linear-regression.ts` */
import { foldIn, key, normal, openDevice, scalar, split, tensor, valueAndGrad, type Tensor } from 'fathom'
import { mse } from 'fathom/nn'
import { applyUpdates, sgd } from 'fathom/optim'

interface Params {
  readonly w: Tensor
  readonly b: Tensor
}

const predict = ({ w, b }: Params, x: Tensor): Tensor => x.matmul(w).add(b)

/** Draws points, fits the line, and returns what was found: about w = [3, −2], b = 0.5. */
export const linearRegression = async ({ steps = 200 } = {}) => {
  const device = await openDevice()

  const [forX, forNoise] = split(key(1))
  const x = normal(forX, [256, 2])
  const noise = normal(forNoise, [256, 1]).mul(0.1)
  const data = await device.realize({ x, y: predict({ w: tensor([[3], [-2]]), b: scalar(0.5) }, x).add(noise) })

  const optimizer = sgd({ learningRate: 0.1 })
  const loss = (params: Params, batch: typeof data): Tensor => mse(predict(params, batch.x), batch.y)
  const step = device.compile(
    (params: Params, batch: typeof data) => {
      const [value, gradients] = valueAndGrad(loss)(params, batch)
      const [updates] = optimizer.update(gradients, {}, params)
      return { params: applyUpdates(params, updates), value }
    },
    { donate: [0] },
  )

  let params: Params = { w: normal(foldIn(key(1), 'w'), [2, 1]), b: scalar(0) }
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const next = await step(params, data)
    params = next.params
    losses.push((await device.read(next.value))[0] ?? NaN)
  }
  const [w, b] = [Array.from(await device.read(params.w)), (await device.read(params.b))[0] ?? NaN]
  await device.close()
  return { losses, w, b }
}

if (import.meta.main) {
  const { losses, w, b } = await linearRegression()
  console.log(`loss ${losses[0]?.toFixed(3)} → ${losses.at(-1)?.toFixed(4)} (the noise alone: 0.01)`)
  console.log(`w = [${w.map((n) => n.toFixed(3)).join(', ')}] (true: 3, -2), b = ${b.toFixed(3)} (true: 0.5)`)
}
