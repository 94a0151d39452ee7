import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import {
  classifierGuided,
  cosineSchedule,
  flowSchedule,
  noiseLevel,
  parameterizations,
  type NoiseSchedule,
  type Prediction,
} from '../../src/diffusion/index.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()

/** Images of one number, N(μ, τ²), of which the classifier knows y = x₀ + noise of deviation r. */
const [mu, tau, r, y] = [0.3, 0.8, 0.5, 1.1]

/** Mean and variance of x₀ when x_t is known, [N, 1]. */
const known = (schedule: NoiseSchedule, xt: Tensor, t: Tensor) => {
  const { signal, noise } = noiseLevel(schedule, t, xt)
  const precision = signal
    .square()
    .div(noise.square())
    .add(1 / tau ** 2)
  const mean = xt
    .mul(signal)
    .div(noise.square())
    .add(mu / tau ** 2)
    .div(precision)
  return { mean, variance: precision.pow(-1) }
}

/** The best network for all images, and for those of which y is known. */
const networks = (schedule: NoiseSchedule, prediction: Prediction) => {
  const saying = (x0: Tensor, xt: Tensor, t: Tensor): Tensor => {
    const level = noiseLevel(schedule, t, xt)
    return parameterizations[prediction].target(level, x0, xt.sub(x0.mul(level.signal)).div(level.noise))
  }
  return {
    all: (_: object, xt: Tensor, t: Tensor): Tensor => saying(known(schedule, xt, t).mean, xt, t),
    told: (xt: Tensor, t: Tensor): Tensor => {
      const { mean, variance } = known(schedule, xt, t)
      const precision = variance.pow(-1).add(1 / r ** 2)
      return saying(
        mean
          .div(variance)
          .add(y / r ** 2)
          .div(precision),
        xt,
        t,
      )
    },
  }
}

const logProbability =
  (schedule: NoiseSchedule) =>
  (_: object, xt: Tensor, t: Tensor): Tensor => {
    const { mean, variance } = known(schedule, xt, t)
    const spread = variance.add(r * r)
    return mean.sub(y).square().div(spread).add(spread.log()).mul(-0.5).reshape([xt.size])
  }

describe('guidance by a classifier', () => {
  const paths: readonly (readonly [string, NoiseSchedule])[] = [
    ['a chain', cosineSchedule(40)],
    ['a flow', flowSchedule(40)],
  ]
  for (const [name, schedule] of paths)
    it.each(['x0', 'v', 'flow', 'epsilon'] as const)(
      `with the weight 1 is Bayes’ rule, on ${name}: the best network for what is asked for, in terms of %s`,
      async (prediction) => {
        const t = tensor(Int32Array.of(0, 5, 20, 38))
        const xt = normal(key(3), [4, 1], 'f64')
        const { all, told } = networks(schedule, prediction)
        const options = { differentiate: grad, schedule, prediction, weight: 1 } as const
        const guided = classifierGuided(all, { ...options, logProbability: logProbability(schedule) })
        const found = await values(guided({ params: {}, classifier: {} }, xt, t), device)
        const expected = await values(told(xt, t), device)
        found.forEach((value, i) => expect(value / (expected[i] ?? NaN)).toBeCloseTo(1, 6))
      },
    )

  const network = (_: object, xt: Tensor): Tensor => xt.mul(0.25)
  const steep = (_: object, xt: Tensor): Tensor => xt.square().sum(1)
  const options = { differentiate: grad, logProbability: steep, prediction: 'v', weight: 3 } as const

  it('with the weight 0 has the bits of the network, and does not ask the classifier', async () => {
    const never = (): Tensor => {
      throw new Error('it was asked')
    }
    const denoise = classifierGuided(network, {
      ...options,
      logProbability: never,
      schedule: cosineSchedule(9),
      weight: 0,
    })
    const xt = normal(key(1), [2, 3])
    const found = denoise({ params: {}, classifier: {} }, xt, tensor(Int32Array.of(1, 8)))
    expect(await values(found, device)).toEqual(await values(network({}, xt), device))
  })

  it('where nothing of the image is left is the network’s own word', async () => {
    const denoise = classifierGuided(network, { ...options, schedule: flowSchedule(9) })
    const xt = normal(key(1), [2, 3])
    const found = await values(denoise({ params: {}, classifier: {} }, xt, tensor(Int32Array.of(3, 8))), device)
    const own = await values(network({}, xt), device)
    expect(found.slice(3)).toEqual(own.slice(3))
    expect(found.slice(0, 3)).not.toEqual(own.slice(0, 3))
  })

  it('refuses a weight that is no number, and a classifier that does not judge each image', () => {
    const schedule = cosineSchedule(9)
    expect(() => classifierGuided(network, { ...options, schedule, weight: NaN })).toThrow('the weight is NaN')
    const denoise = classifierGuided(network, { ...options, schedule, logProbability: (_: object, xt) => xt })
    expect(() => denoise({ params: {}, classifier: {} }, zeros([2, 3]), tensor(Int32Array.of(1, 1)))).toThrow(
      'one number for each, [2]',
    )
  })
})
