/** Noise in continuous time: its functions, the levels of walks through it, and the loss. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { continuousLevels } from '../../src/diffusion/continuous/continuousLevels.ts'
import { continuousLoss } from '../../src/diffusion/continuous/continuousLoss.ts'
import { learnedLogSnr } from '../../src/diffusion/continuous/learnedLogSnr.ts'
import {
  cosineLogSnr,
  edmLogSnr,
  interpolatedLogSnr,
  linearLogSnr,
  logSnrOf,
  shiftedLogSnr,
} from '../../src/diffusion/continuous/logSnr.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { heun } from '../../src/diffusion/samplers/heun.ts'
import { linearSchedule } from '../../src/diffusion/schedules/betaSchedules.ts'
import { range } from '../../src/prelude/array.ts'
import { constant, ones, tensor } from '../../src/tensor/create.ts'
import { key, normal, uniform } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { values } from '../support/device.ts'
import { exactEnd, normalData } from './normalData.ts'
import { walk } from './walks.ts'

const cosine = cosineLogSnr()
const all = {
  linear: linearLogSnr(),
  cosine,
  shifted: shiftedLogSnr(cosine, { from: 32, to: 128 }),
  interpolated: interpolatedLogSnr(shiftedLogSnr(cosine, { from: 32, to: 256 }), cosine),
  edm: edmLogSnr(),
  list: logSnrOf([9, 4, 1, -8]),
}

describe.each(Object.entries(all))('λ of %s', (_, logSnr) => {
  it('falls from image to noise', () => {
    const found = range(101).map((i) => logSnr.at(i / 100))
    found.slice(1).forEach((value, i) => expect(value).toBeLessThan(found[i] ?? NaN))
    expect(found[0]).toBeGreaterThan(5)
    expect(found[100]).toBeLessThan(-5)
  })

  it('is the same of tensors, in f64 and in f32', async () => {
    const times = [0, 0.003, 0.25, 0.5, 0.77, 1]
    const wanted = times.map((t) => logSnr.at(t))
    const found = await values(logSnr.of(tensor(times, { dtype: 'f64' })))
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 8))
    const rough = await values(logSnr.of(tensor(times)))
    rough.forEach((value, i) => expect(Math.abs(value - (wanted[i] ?? NaN))).toBeLessThan(1e-3))
  })

  it('is walked by samplers, to where the equation leads', async () => {
    const levels = continuousLevels(logSnr, 60)
    const x = tensor([[1.2]], { dtype: 'f64' })
    const [second, multistep] = [heun(levels), dpmSolver(levels)]
    const ends = [
      await walk(second, x, normalData(second.levels)),
      await walk(multistep, x, normalData(multistep.levels)),
    ]
    for (const end of ends) expect(Math.abs((end.at(-1)?.[0] ?? NaN) - exactEnd(levels, 1.2))).toBeLessThan(0.03)
  })
})

describe('what they are', () => {
  it('the linear one is that of ddpm in many steps', () => {
    const { snr } = linearSchedule(10_000)
    for (const t of [0.1, 0.4, 0.8]) {
      const found = Math.log(snr[t * 10_000] ?? NaN)
      expect(Math.abs(found - linearLogSnr().at(t)) / Math.abs(found)).toBeLessThan(0.05)
    }
  })

  it('of EDM ln σ has the mean −1.2 and the deviation 1.2 at even times', async () => {
    const lambda = await values(edmLogSnr().of(uniform(key(0), [20_000])))
    const logs = lambda.map((value) => -value / 2)
    const mean = logs.reduce((sum, x) => sum + x, 0) / logs.length
    const deviation = Math.sqrt(logs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / logs.length)
    expect(mean).toBeCloseTo(-1.2, 1)
    expect(deviation).toBeCloseTo(1.2, 1)
  })

  it('with e^x − 1 that does not cancel, the linear one is exact at the image in f32', async () => {
    expect((await values(linearLogSnr().of(tensor([0]))))[0]).toBeCloseTo(9.21029, 4)
  })

  it.each([20, 35, 80])('the cosine is exact in f32 at ends of ±%i', async (end) => {
    const lambda = cosineLogSnr({ most: end, least: -end })
    const found = await values(lambda.of(tensor([0, 0.5, 1])))
    for (const [i, expected] of [end, 0, -end].entries()) expect(found[i]).toBeCloseTo(expected, 3)
  })

  it('shifted, pictures of four times the side have a sixteenth of the ratio', () => {
    expect(all.shifted.at(0.5)).toBeCloseTo(-Math.log(16), 10)
  })

  it('learned, it falls whatever the signs of its parameters', async () => {
    const params = { weight: tensor([-6, -9]), slope: tensor([3, 2]), place: tensor([0.3, 0.7]) }
    const found = await values(learnedLogSnr({ units: 2 }).apply(params, tensor(range(21).map((i) => i / 20))))
    found.slice(1).forEach((value, i) => expect(value).toBeLessThan(found[i] ?? NaN))
  })

  it('learned, it falls between its ends whatever its parameters, and a gradient reaches them all', async () => {
    const module = learnedLogSnr({ most: 6, least: -4, units: 5 })
    const params = module.init(key(3))
    const found = await values(module.apply(params, tensor(range(21).map((i) => i / 20))))
    expect(found[0]).toBeCloseTo(6, 5)
    expect(found[20]).toBeCloseTo(-4, 5)
    found.slice(1).forEach((value, i) => expect(value).toBeLessThan(found[i] ?? NaN))
    const slopes = grad((p: typeof params) => module.apply(p, tensor([0.2, 0.6])).sum())(params)
    for (const slope of [slopes.weight, slopes.slope, slopes.place])
      expect((await values(slope)).every((x) => Number.isFinite(x) && x !== 0)).toBe(true)
  })

  it('refuses ends and values that do not fall', () => {
    expect(() => cosineLogSnr({ most: -1, least: 1 })).toThrow('λ falls from -1 to 1')
    expect(() => learnedLogSnr({ most: 0, least: 0 })).toThrow('λ falls from 0 to 0')
    expect(() => logSnrOf([3, 3])).toThrow('value 1 is 3')
    expect(() => logSnrOf([3])).toThrow('value 0')
    expect(() => shiftedLogSnr(cosine, { from: 0, to: 64 })).toThrow('from is 0')
    expect(() => edmLogSnr({ deviation: 0 })).toThrow('deviation is 0')
    expect(() => continuousLevels(cosine, 0)).toThrow('steps is 0')
  })
})

describe('continuousLoss', () => {
  const [x0, epsilon] = [normal(key(1), [4, 6], 'f64'), normal(key(2), [4, 6], 'f64')]
  const t = tensor([0.1, 0.3, 0.6, 0.9], { dtype: 'f64' })
  const level = (of: Tensor): readonly [Tensor, Tensor] => {
    const lambda = cosine.of(of).reshape([4, 1])
    return [lambda.sigmoid().sqrt(), lambda.neg().sigmoid().sqrt()]
  }

  it.each(['epsilon', 'x0', 'v'] as const)(
    'is 0 where the network predicts %s, and the plain error elsewhere',
    async (prediction) => {
      const [a, s] = level(t)
      const target = { epsilon, x0, v: a.mul(epsilon).sub(s.mul(x0)) }[prediction]
      const loss = continuousLoss({ logSnr: cosine, prediction })
      expect((await values(loss(() => target, x0, t, epsilon)))[0]).toBeCloseTo(0, 12)
      expect((await values(loss(() => target.add(2), x0, t, epsilon)))[0]).toBeCloseTo(4, 12)
    },
  )

  it('shows the network a·x₀ + s·ε, and the times', async () => {
    const [a, s] = level(t)
    const seen: Tensor[] = []
    continuousLoss({ logSnr: cosine, prediction: 'epsilon' })(
      (x, times) => {
        seen.push(x, times)
        return x
      },
      x0,
      t,
      epsilon,
    )
    const [x = x0, times = x0] = seen
    const [found, wanted] = [await values(x), await values(x0.mul(a).add(epsilon.mul(s)))]
    found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 12))
    expect(await values(times)).toEqual([0.1, 0.3, 0.6, 0.9])
  })

  it('counts the image’s error by the ratio, and no more than γ, whatever is predicted', async () => {
    const gamma = 5
    const off = normal(key(4), [4, 6], 'f64').mul(0.1) // an error of the image
    const [a, s] = level(t)
    const wrong = x0.add(off)
    const noise = x0.mul(a).add(epsilon.mul(s)).sub(wrong.mul(a)).div(s)
    const said = { x0: wrong, epsilon: noise, v: a.mul(noise).sub(s.mul(wrong)) }
    const found = await Promise.all(
      (['x0', 'epsilon', 'v'] as const).map(
        async (prediction) =>
          (
            await values(
              continuousLoss({ logSnr: cosine, prediction, minSnrGamma: gamma })(
                () => said[prediction],
                x0,
                t,
                epsilon,
              ),
            )
          )[0] ?? NaN,
      ),
    )
    const snr = a.square().div(s.square()).minimum(gamma).reshape([4])
    const [wanted = NaN] = await values(off.square().mean(1).mul(snr).mean())
    found.forEach((value) => expect(value / wanted).toBeCloseTo(1, 10))
  })

  it.each(['epsilon', 'x0', 'v'] as const)(
    'is finite with γ where nothing is left of the image or of the noise: %s',
    async (prediction) => {
      for (const ends of [
        [90, 0],
        [0, -110],
      ] as const) {
        const loss = continuousLoss({ logSnr: logSnrOf(ends), prediction, minSnrGamma: 5 })
        const found = loss((x) => x.mul(0), ones([2, 3]), tensor([0, 1]), ones([2, 3]))
        expect((await values(found)).every(Number.isFinite)).toBe(true)
      }
    },
  )

  it('refuses times that are too few, other noise, and another output', () => {
    const loss = continuousLoss({ logSnr: cosine, prediction: 'v' })
    expect(() => loss((x) => x, x0, constant([0.5]), epsilon)).toThrow(
      'times [1]; noise must be like the images, and times [4]',
    )
    expect(() => loss((x) => x, x0, t, epsilon.slice([0, 2]))).toThrow('noise [2,6]')
    expect(() => loss((x) => x.slice([], [0, 1]), x0, t, epsilon)).toThrow("the network's output is [4,1]")
  })
})
