/** DDPM on points of the plane: learns a wave, draws it. `node scripts/node24.mjs examples/ddpm-points.ts points.svg` */
import { writeFileSync } from 'node:fs'
import { concatenate, foldIn, key, normal, openDevice, randint, split, uniform, valueAndGrad } from 'fathom'
import type { Key, Tensor } from 'fathom'
import { cosineSchedule, ddim, diffusionLoss, sample } from 'fathom/diffusion'
import { mlp } from 'fathom/models'
import { sinusoidalTimeEmbedding } from 'fathom/nn'
import { adam, applyUpdates, ema } from 'fathom/optim'

/** n points of a noisy sine wave, [n, 2], within about [−1, 1]. */
const wave = (k: Key, n: number): Tensor => {
  const x = uniform(foldIn(k, 'x'), [n, 1], { low: -0.9, high: 0.9 })
  const [y, noise] = [x.mul(1.5 * Math.PI).sin(), normal(foldIn(k, 'noise'), [n, 2])]
  return concatenate([x, y.mul(0.6)], 1).add(noise.mul(0.03))
}

/** The mean distance of points to the nearest of others. */
const distance = (from: Tensor, to: Tensor): Tensor =>
  from.expandDims(1).sub(to).square().sum(2).neg().max(1).neg().sqrt().mean()

/** Trains, draws 512 points in 50 steps, and says how far they, other data and plain noise are from the data. */
export const ddpmPoints = async ({ steps = 1500 } = {}) => {
  const device = await openDevice()
  const [schedule, prediction] = [cosineSchedule(200), 'v' as const]
  const [loss, optimizer] = [diffusionLoss({ schedule, prediction }), adam({ learningRate: 2e-3 })]
  const [net, embed] = [mlp([96, 128, 128, 2]), sinusoidalTimeEmbedding(32)]
  const denoise = (params: ReturnType<typeof net.init>, x: Tensor, t: Tensor): Tensor =>
    net.apply(params, concatenate([embed.apply({}, x.mul(25)).reshape([-1, 64]), embed.apply({}, t)], 1))
  const initial = (k: Key) => ({ params: net.init(k), average: net.init(k), optimizer: optimizer.init(net.init(k)) })
  const train = (state: ReturnType<typeof initial>, k: Key) => {
    const [forData, forTime, forNoise] = split(k, 3)
    const [x0, epsilon] = [wave(forData, 256), normal(forNoise, [256, 2])]
    const t = randint(forTime, [256], 0, schedule.steps)
    const lossOf = (params: typeof state.params): Tensor => loss((x, at) => denoise(params, x, at), x0, t, epsilon)
    const [value, gradients] = valueAndGrad(lossOf)(state.params)
    const [updates, next] = optimizer.update(gradients, state.optimizer, state.params)
    const params = applyUpdates(state.params, updates)
    return { state: { params, average: ema(0.99, state.average, params), optimizer: next }, value }
  }
  const [step, read] = [device.compile(train, { donate: [0] }), async (x: Tensor) => Array.from(await device.read(x))]
  const losses: number[] = []
  let state = initial(key(0))
  for (let i = 0; i < steps; i++) {
    const next = await step(state, foldIn(key(1), i))
    state = next.state
    losses.push(...(await read(next.value)))
  }
  const walk = { sampler: ddim(schedule, { steps: 50 }), shape: [512, 2], params: state.average, key: key(2) }
  const { x } = await sample({ device, denoise, prediction, ...walk })
  const reference = wave(key(3), 1024)
  const far = async (points: Tensor): Promise<number> => (await read(distance(points, reference)))[0] ?? NaN
  const [samples, data, noise] = [await far(x), await far(wave(key(4), 512)), await far(normal(key(5), [512, 2]))]
  return { losses, samples, data, noise, points: await read(x) }
}

if (import.meta.main) {
  const { losses, samples, data, noise, points } = await ddpmPoints()
  console.log(`loss ${losses[0]?.toFixed(2)} → ${(losses.slice(-100).reduce((a, b) => a + b) / 100).toFixed(3)}`)
  console.log(`distance to the data: samples ${samples.toFixed(3)}, data ${data.toFixed(3)}, noise ${noise.toFixed(3)}`)
  const dots = points.map((x, i) => (i % 2 ? '' : `<circle cx="${x}" cy="${-(points[i + 1] ?? 0)}" r=".012"/>`))
  const head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1.3 -.9 2.6 1.8" width="520">'
  writeFileSync(process.argv[2] ?? 'ddpm-points.svg', `${head}${dots.join('')}</svg>`)
}
