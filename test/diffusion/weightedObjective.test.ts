/** Networks that predict noise and image both, and weigh them. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { cosineSchedule, noiseLevel, qSample, weightedEstimate, weightedObjective } from '../../src/diffusion/index.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { full, ones, scalar, tensor, zeros, zerosLike } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const schedule = cosineSchedule(100)
const t = tensor(Int32Array.of(10, 60))
const [x0, epsilon] = [normal(key(1), [2, 2, 3]).mul(0.4), normal(key(2), [2, 2, 3])]
const xt = qSample(schedule, x0, t, epsilon)
const level = noiseLevel(schedule, t, xt)
const weights = (first: number): Tensor => concatenate([full([2, 2, 1], first), zeros([2, 2, 1])], -1)
const says = (e: Tensor, x: Tensor, first = 0): Tensor => concatenate([e, x, weights(first)], -1)

const close = async (a: Tensor, b: Tensor, digits = 4): Promise<void> => {
  const expected = await values(b, device)
  ;(await values(a, device)).forEach((v, i) => {
    expect(v).toBeCloseTo(expected[i] ?? NaN, digits)
  })
}

describe('weightedEstimate', () => {
  it('is the image that the noise means, the image that is said, or what lies between by the softmax of the weights', async () => {
    const other = x0.add(0.5)
    await close(weightedEstimate(level, xt, says(epsilon, other, 50)).weighted, x0)
    await close(weightedEstimate(level, xt, says(epsilon, other, -50)).weighted, other)
    await close(weightedEstimate(level, xt, says(epsilon, other, Math.log(3))).weighted, x0.add(0.125))
  })

  it('keeps the image that the noise means in [−2, 2]', async () => {
    const far = weightedEstimate(level, xt, says(epsilon.add(100), x0, 50)).weighted
    await close(far, full([2, 2, 3], -2))
  })

  it('refuses other channels', () => {
    expect(() => weightedEstimate(level, xt, xt)).toThrow('with both predictions and two weights it must be [2,2,8]')
  })
})

describe('weightedObjective', () => {
  const { losses, predictsImage } = weightedObjective({ schedule })

  it('is the error of the weighted image, and a tenth of each prediction’s own', async () => {
    const said = says(epsilon.add(0.3), x0.sub(0.2), -50)
    await close(losses(() => said, x0, t, epsilon), full([2], 0.04 + 0.1 * 0.09 + 0.1 * 0.04), 4) // prettier-ignore
    const alone = weightedObjective({ schedule, noiseWeight: 0, imageWeight: 0 })
    await close(
      alone.losses(() => said, x0, t, epsilon),
      full([2], 0.04),
      4,
    )
  })

  it('shows the network x_t, and is 0 where it is right', async () => {
    await close(
      losses((x) => says(x.sub(x0.mul(level.signal)).div(level.noise), x0), x0, t, epsilon),
      zeros([2]),
    )
  })

  it('moves the weights towards the prediction that is right', async () => {
    const ofTrust = (trust: Tensor): Tensor => {
      const own = concatenate(
        [epsilon, x0.add(1), trust.broadcastTo([2, 2, 1]), zerosLike(weights(0)).slice([], [], [0, 1])],
        -1,
      )
      return losses(() => own, x0, t, epsilon).mean()
    }
    expect(await device.item(grad(ofTrust)(scalar(0)))).toBeLessThan(0)
  })

  it('is sampled from as a prediction of the image', async () => {
    await close(predictsImage(() => says(epsilon, x0.add(1), 50))(xt, t), x0)
  })

  it('refuses noise that is not like the images', () => {
    const { losses } = weightedObjective({ schedule: cosineSchedule(10) })
    const [x0, t] = [ones([2, 3]), tensor(Int32Array.of(0, 1))]
    expect(() => losses(() => zeros([2, 8]), x0, t, ones([1, 3]))).toThrow('they must be of one shape')
  })

  it('refuses weights below 0', () => {
    expect(() => weightedObjective({ schedule, noiseWeight: -1 })).toThrow('noiseWeight is -1')
  })
})
