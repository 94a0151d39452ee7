import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  clipEstimate,
  epsilonFromV,
  epsilonFromX0,
  noiseLevel,
  parameterizations,
  vFrom,
  x0FromEpsilon,
  x0FromV,
  type NoiseLevel,
  type Prediction,
} from '../../src/diffusion/prediction.ts'
import { sigmoidSchedule } from '../../src/diffusion/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const schedule = sigmoidSchedule(100)
const device = cpuDevice()
const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 })
const inputs = fc.record({ x0: numbers, epsilon: numbers, t: fc.integer({ min: 0, max: 95 }) })

const setting = ({ x0, epsilon, t }: { x0: number[]; epsilon: number[]; t: number }) => {
  const [image, noise] = [tensor([x0], { dtype: 'f64' }), tensor([epsilon], { dtype: 'f64' })]
  const level = noiseLevel(schedule, tensor(Int32Array.of(t)), image)
  return {
    level,
    x0: image,
    epsilon: noise,
    xt: image.mul(level.signal).add(noise.mul(level.noise)),
    v: vFrom(level, image, noise),
  }
}

const near = async (x: Tensor, y: Tensor): Promise<void> => {
  const [a, b] = [await values(x, device), await values(y, device)]
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i] ?? NaN, 9))
}

describe('parameterizations', () => {
  it('ε, x₀ and v of one x_t give each other back', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        const { level, x0, epsilon, xt, v } = setting(input)
        await near(x0FromEpsilon(level, xt, epsilon), x0)
        await near(epsilonFromX0(level, xt, x0), epsilon)
        await near(x0FromV(level, xt, v), x0)
        await near(epsilonFromV(level, xt, v), epsilon)
      }),
      { numRuns: 25 },
    )
  })

  it.each<Prediction>(['epsilon', 'x0', 'v'])(
    '%s: predicting the target implies the true image and noise',
    async (prediction) => {
      const { level, x0, epsilon, xt } = setting({ x0: [1, -0.5, 0.25, 0], epsilon: [0.1, 2, -1, 0.3], t: 60 })
      const { target, estimate } = parameterizations[prediction]
      const found = estimate(level, xt, target(level, x0, epsilon))
      await near(found.x0, x0)
      await near(found.epsilon, epsilon)
    },
  )

  it('clipping keeps the image in [−1, 1] and derives the noise that still makes up x_t', async () => {
    const { level, x0, epsilon, xt } = setting({ x0: [2, -3, 0.5, 1], epsilon: [1, 0, -1, 2], t: 30 })
    const clipped = clipEstimate(level, xt, { x0, epsilon })
    expect(await values(clipped.x0, device)).toEqual([1, -1, 0.5, 1])
    await near(remade(level, clipped.x0, clipped.epsilon), xt)
  })
})

const remade = ({ signal, noise }: NoiseLevel, x0: Tensor, epsilon: Tensor): Tensor =>
  x0.mul(signal).add(epsilon.mul(noise))
