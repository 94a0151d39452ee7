/** CFG++: its ends, its step, and what it is beside usual guidance. */
import { describe, expect, it } from 'vitest'
import { cfgPlusPlus } from '../../src/diffusion/cfgPlusPlus.ts'
import { autoguidance, guided } from '../../src/diffusion/guidance.ts'
import { sampling } from '../../src/diffusion/sample.ts'
import { ddimBetween } from '../../src/diffusion/samplers/posterior.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { linearSchedule } from '../../src/diffusion/schedules/betaSchedules.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { SamplingOptions } from '../../src/diffusion/sample.ts'
import { cpuDevice, values } from '../support/device.ts'

const levels = scheduleLevels(linearSchedule(100), 6)
const network = (scale: Tensor, x: Tensor): Tensor => x.mul(scale)
const pair = autoguidance(network, network)
const params = { params: tensor(0.8), guide: tensor(0.3) }
const shape = [2, 5]

const drawn = async <P>(
  denoise: SamplingOptions<P, Tensor>['denoise'],
  of: P,
  { clip = false, eta = 0 }: { readonly clip?: boolean; readonly eta?: number } = {},
): Promise<readonly number[]> => {
  const device = cpuDevice()
  const sampler = ddimBetween(levels, { eta })
  const draw = sampling({ device, denoise, prediction: 'epsilon', sampler, shape, clip })
  return values((await draw(of, key(3))).x, device)
}

describe('cfgPlusPlus', () => {
  it.each([{ clip: false }, { clip: true }, { eta: 1 }])(
    'with weight 0 draws what the guide draws, to the bit: %j',
    async (how) => {
      expect(await drawn(cfgPlusPlus(pair, { weight: 0 }), params, how)).toEqual(
        await drawn(network, params.guide, how),
      )
    },
  )

  it('with weight 1 sees the network’s image and the guide’s noise', async () => {
    const x = normal(key(1), shape)
    const { image, noise } = cfgPlusPlus(pair, { weight: 1 })(params, x, tensor([0, 0]))
    expect(await values(image)).toEqual(await values(network(params.params, x)))
    expect(await values(noise)).toEqual(await values(network(params.guide, x)))
  })

  it('by the network itself draws what that draws', async () => {
    const same = { params: params.params, guide: params.params }
    expect(await drawn(cfgPlusPlus(pair, { weight: 0.4 }), same)).toEqual(await drawn(network, params.params))
  })

  it('is guidance of DDIM whose weight is λ/(1 − σ′/σ) at each step, where nothing is bounded', async () => {
    const device = cpuDevice()
    const lambda = 0.6
    const sigma = Array.from(levels.signal, (a, i) => (levels.noise[i] ?? NaN) / a)
    const weights = sigma.slice(1).map((next, i) => lambda / (1 - next / (sigma[i] ?? NaN)))
    const at = async (x: Tensor, i: number): Promise<Tensor> => {
      const one = {
        signal: levels.signal.slice(i, i + 2),
        noise: levels.noise.slice(i, i + 2),
        time: levels.time.slice(i, i + 2),
      }
      const denoise = guided(pair, { weight: weights[i] ?? NaN })
      const draw = sampling({ device, denoise, prediction: 'epsilon', sampler: ddimBetween(one), shape, clip: false })
      return (await draw(params, key(0), { from: { state: x, step: 0 } })).x
    }
    let x = normal(key(8), shape)
    for (const i of weights.keys()) x = await at(x, i)
    const draw = sampling({
      device,
      denoise: cfgPlusPlus(pair, { weight: lambda }),
      prediction: 'epsilon',
      sampler: ddimBetween(levels),
      shape,
      clip: false,
    })
    const found = await values(
      (await draw(params, key(0), { from: { state: normal(key(8), shape), step: 0 } })).x,
      device,
    )
    const wanted = await values(x, device)
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 3))
  })

  it('bounds the image that is guided and the one of the noise, each on its own', async () => {
    const [bounded, free] = [
      await drawn(cfgPlusPlus(pair, { weight: 0.5 }), params, { clip: true }),
      await drawn(cfgPlusPlus(pair, { weight: 0.5 }), params),
    ]
    expect(bounded.every((value) => Math.abs(value) <= 1)).toBe(true)
    expect(free.some((value) => Math.abs(value) > 1)).toBe(true)
  })

  it('refuses a weight that is no share', () => {
    expect(() => cfgPlusPlus(pair, { weight: 1.5 })).toThrow('weight')
  })
})

describe('guidance without what is parallel to the prediction', () => {
  const [own, guide] = [
    [3, 0, 4],
    [1, 2, 0],
  ]
  const moved = (parallel: number): Promise<readonly number[]> =>
    values(
      guided(
        autoguidance(
          (p: Tensor) => p,
          (p: Tensor) => p,
        ),
        { weight: 3, parallel },
      )({ params: tensor([own]), guide: tensor([guide]) }, tensor([[0, 0, 0]]), tensor([0])),
    )

  it('moves at a right angle to it', async () => {
    const found = await moved(0)
    const difference = found.map((value, i) => value - (own[i] ?? NaN))
    expect(difference.reduce((sum, value, i) => sum + value * (own[i] ?? NaN), 0)).toBeCloseTo(0, 4)
    expect(Math.hypot(...difference)).toBeGreaterThan(1)
  })

  it('is usual guidance where all of it is kept, and half way between with half', async () => {
    const [none, half, all] = [await moved(0), await moved(0.5), await moved(1)]
    expect(all).toEqual([7, -4, 12])
    half.forEach((value, i) => expect(value).toBeCloseTo(((none[i] ?? NaN) + (all[i] ?? NaN)) / 2, 5))
  })

  it('leaves a prediction of zeros no direction', async () => {
    const denoise = guided(
      autoguidance(
        (p: Tensor) => p,
        (p: Tensor) => p,
      ),
      { weight: 2, parallel: 0 },
    )
    expect(
      await values(denoise({ params: tensor([[0, 0]]), guide: tensor([[1, 2]]) }, tensor([[0, 0]]), tensor([0]))),
    ).toEqual([-1, -2])
  })
})
