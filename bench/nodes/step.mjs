/**
 * A training step of lucidrains' `Unet(dim=32, mults 1 2 4)` at 32×32, batch 16, in plain JavaScript from dist/, so that every supported
 * Node runs it: for each line one step; answers with its seconds and its loss.
 */
import process from 'node:process'
import { createInterface } from 'node:readline'

const start = performance.now()
const { foldIn, key, normal, open, valueAndGrad } = await import('fathom')
const importing = performance.now() - start
const { unet } = await import('fathom/models')
const { adam, applyUpdates, chain, clipByGlobalNorm, ema } = await import('fathom/optim')

const say = (values) => process.stdout.write(`${JSON.stringify(values)}\n`)

const opened = await open('wasm', { v8Flags: true, ...JSON.parse(process.argv[2] ?? '{}') })()
if (opened._tag === 'Left') throw new Error(opened.left.message)
const device = opened.right

const model = unet({ width: 32, multipliers: [1, 2, 4] })
const optimizer = chain(clipByGlobalNorm(1), adam({ learningRate: 1e-4, beta2: 0.99 }))
const image = [16, 32, 32, 3]

const trainStep = (state, xt, t, target) => {
  const [loss, gradients] = valueAndGrad((p) => model.apply(p, { x: xt, t }).sub(target).square().mean())(state.params)
  const [updates, opt] = optimizer.update(gradients, state.opt, state.params)
  const params = applyUpdates(state.params, updates)
  return [{ params, opt, average: ema(0.995, state.average, params) }, loss]
}

const draw = (i, shape) => normal(foldIn(key(1), i), shape)
const params = model.init(key(0))
let state = await device.realize({ params, opt: optimizer.init(params), average: params })
const [xt, t, target] = await device.realize([draw(0, image), draw(1, [16]).abs().mul(300), draw(2, image)])
const step = device.compile(trainStep, { donate: [0] })

say({ about: `Node ${process.version} · ${device.description}`, importing })
for await (const _ of createInterface({ input: process.stdin })) {
  const begin = performance.now()
  const [next, loss] = await step(state, xt, t, target)
  const [value] = await device.read(loss)
  state = next
  say({ seconds: (performance.now() - begin) / 1000, loss: value })
}
await device.close()
