/** Variances that a network learns: the bound they are learned by, and the steps that are drawn by them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import {
  boundTerms,
  cosineSchedule,
  ddpm,
  ddpmBetween,
  diffusionLosses,
  learnedLogVariance,
  learnedVarianceLosses,
  levelLogLikelihood,
  linearSchedule,
  noiseLevel,
  normalDivergence,
  parameterizations,
  priorBits,
  qPosterior,
  qSample,
  sample,
  scheduleFromBetas,
  scheduleLevels,
  splitVariance,
  flowSchedule,
} from '../../src/diffusion/index.ts'
import { range } from '../../src/prelude/array.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { constant, full, scalar, tensor, zeros, zerosLike } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const f64 = (x: readonly number[]): Tensor => tensor([...x], { dtype: 'f64' })
const finite = fc.double({ min: -4, max: 4, noNaN: true })

describe('normalDivergence', () => {
  it('of a distribution from itself is 0, and else is the integral of p·log(p/q)', async () => {
    await fc.assert(
      fc.asyncProperty(finite, finite, finite, finite, async (m, a, n, b) => {
        const [p, q] = [
          { mean: f64([m]), logVariance: f64([a / 2]) },
          { mean: f64([n]), logVariance: f64([b / 2]) },
        ]
        expect(await values(normalDivergence(p, p), device)).toEqual([0])
        const log = (x: number, mean: number, variance: number): number =>
          -0.5 * ((x - mean) ** 2 / variance + Math.log(2 * Math.PI * variance))
        const [v, w] = [Math.exp(a / 2), Math.exp(b / 2)]
        const width = 12 * Math.sqrt(v)
        const integral = range(4001).reduce((sum, i) => {
          const x = m - width + (2 * width * i) / 4000
          return sum + Math.exp(log(x, m, v)) * (log(x, m, v) - log(x, n, w)) * ((2 * width) / 4000)
        }, 0)
        expect((await values(normalDivergence(p, q), device))[0]).toBeCloseTo(integral, 6)
      }),
      { numRuns: 30 },
    )
  })
})

describe('levelLogLikelihood', () => {
  const levels = range(256).map((byte) => (2 * byte) / 255 - 1)

  it('is of probabilities that sum to 1 over 256 levels', async () => {
    for (const [mean, logVariance] of [
      [0, -2],
      [-1.3, 0.5],
      [0.9, -4],
      [0.3, 3],
    ] as const) {
      const p = { mean: full([256], mean, 'f64'), logVariance: full([256], logVariance, 'f64') }
      const logs = await values(levelLogLikelihood(f64(levels), p), device)
      expect(logs.reduce((sum, l) => sum + Math.exp(l), 0)).toBeCloseTo(1, 9)
    }
  })

  it('of a level far from the mean is bounded', async () => {
    const p = { mean: f64([-1]), logVariance: f64([-12]) }
    expect((await values(levelLogLikelihood(f64([0.5]), p), device))[0]).toBeCloseTo(Math.log(1e-12), 9)
  })
})

describe('learnedLogVariance', () => {
  it('goes from β̃ to β in the logarithm, and β̃₀ counts as β̃₁', async () => {
    const schedule = linearSchedule(50)
    const t = tensor(Int32Array.of(0, 1, 30))
    const of = async (f: number): Promise<readonly number[]> =>
      values(learnedLogVariance(schedule, full([3, 1], f, 'f64'), t), device)
    const least = [1, 1, 30].map((i) => Math.log(schedule.posteriorVariance[i] ?? NaN))
    const most = [0, 1, 30].map((i) => Math.log(schedule.betas[i] ?? NaN))
    const close = (a: readonly number[], b: readonly number[]): void => {
      a.forEach((v, i) => {
        expect(v).toBeCloseTo(b[i] ?? NaN, 12)
      })
    }
    close(await of(0), least)
    close(await of(1), most)
    close(await of(0.25), range(3).map((i) => 0.75 * (least[i] ?? NaN) + 0.25 * (most[i] ?? NaN))) // prettier-ignore
  })

  it('refuses a schedule of one time', () => {
    const one = scheduleFromBetas(Float64Array.of(0.5))
    expect(() => learnedLogVariance(one, zeros([1, 1]), tensor(Int32Array.of(0)))).toThrow('the schedule has one time')
  })
})

describe('the halves of an output', () => {
  it('are the prediction and (v + 1)/2, of images too', async () => {
    const x = zeros([2, 3, 3, 2])
    const { prediction, fraction } = splitVariance(concatenate([x.add(5), x.sub(1)], -1), x)
    expect([prediction.shape, fraction.shape]).toEqual([x.shape, x.shape])
    expect([...new Set(await values(prediction, device))]).toEqual([5])
    expect([...new Set(await values(fraction, device))]).toEqual([0])
  })

  it('are refused of other channels', () => {
    expect(() => splitVariance(zeros([1, 3]), zeros([1, 2]))).toThrow('with variances it must be [1,4]')
  })
})

describe('the bound', () => {
  const schedule = cosineSchedule(40)
  const x0 = tensor(range(12).map((i) => (2 * ((i * 37) % 256)) / 255 - 1), { shape: [4, 3] }) // prettier-ignore
  const t = tensor(Int32Array.of(0, 1, 20, 38))
  const epsilon = normal(key(3), [4, 3])
  /** Says this of image and variance. */
  const saying = (image: Tensor, v: Tensor) => (): Tensor => concatenate([image, v], -1)

  it('at each time is the divergence of the posterior from the step back, and at 0 the likelihood of the levels, in bits', async () => {
    const [image, v] = [normal(key(4), [4, 3]).mul(0.5), normal(key(5), [4, 3])]
    const found = await values(boundTerms({ schedule, prediction: 'x0' })(saying(image, v), x0, t, epsilon), device)
    const xt = qSample(schedule, x0, t, epsilon)
    const logVariance = learnedLogVariance(schedule, v.add(1).div(2), t)
    const p = { mean: qPosterior(schedule, image, xt, t).mean, logVariance }
    const q = qPosterior(schedule, x0, xt, t)
    const divergence = await values(normalDivergence(q, p).mean(1).div(Math.LN2), device)
    const likelihood = await values(levelLogLikelihood(x0, p).neg().mean(1).div(Math.LN2), device)
    const expected = [likelihood[0], ...divergence.slice(1)]
    found.forEach((bits, i) => {
      expect(bits / (expected[i] ?? NaN)).toBeCloseTo(1, 4)
    })
  })

  it('is the same whatever is predicted', async () => {
    const [image, v] = [normal(key(4), [4, 3]).mul(0.5), normal(key(5), [4, 3])]
    const level = noiseLevel(schedule, t, x0)
    const xt = qSample(schedule, x0, t, epsilon)
    const noise = xt.sub(image.mul(level.signal)).div(level.noise)
    const of = async (prediction: 'epsilon' | 'v' | 'x0'): Promise<readonly number[]> => {
      const said = parameterizations[prediction].target(level, image, noise)
      return values(boundTerms({ schedule, prediction })(saying(said, v), x0, t, epsilon), device)
    }
    const [a, b, c] = [await of('x0'), await of('v'), await of('epsilon')]
    a.forEach((bits, i) => {
      expect((b[i] ?? NaN) / bits).toBeCloseTo(1, 3)
      expect((c[i] ?? NaN) / bits).toBeCloseTo(1, 2)
    })
  })

  it('in the loss moves the variance alone', async () => {
    const part = (boundWeight: number, which: 0 | 1) =>
      grad((scale: Tensor) => {
        const scales = which === 0 ? [scale, scalar(1)] : [scalar(1), scale]
        const [a = scale, b = scale] = scales
        const said = saying(x0.mul(0.7).mul(a), zerosLike(x0).add(0.2).mul(b))
        return learnedVarianceLosses({ schedule, prediction: 'x0', boundWeight })(said, x0, t, epsilon).mean()
      })(scalar(1))
    const item = async (x: Tensor): Promise<number> => device.item(x)
    expect(await item(part(5, 0))).toBe(await item(part(0, 0)))
    expect(await item(part(0, 1))).toBe(0)
    expect(Math.abs(await item(part(5, 1)))).toBeGreaterThan(1e-3)
  })

  it('is added to the loss of the prediction by its weight', async () => {
    const said = saying(x0.mul(0.7), x0)
    const whole = await values(learnedVarianceLosses({ schedule, prediction: 'x0' })(said, x0, t, epsilon), device)
    const simple = await values(
      diffusionLosses({ schedule, prediction: 'x0' })(() => x0.mul(0.7), x0, t, epsilon),
      device,
    )
    const bound = await values(boundTerms({ schedule, prediction: 'x0' })(said, x0, t, epsilon), device)
    whole.forEach((loss, i) => {
      expect(loss).toBeCloseTo((simple[i] ?? NaN) + 0.001 * schedule.steps * (bound[i] ?? NaN), 3)
    })
  })

  it('of what is left in noise is that of N(√ᾱ·x₀, 1 − ᾱ) from N(0, 1)', async () => {
    const short = linearSchedule(22)
    const a = short.alphaBar.at(-1) ?? NaN
    const expected = (0.5 * (1 - a + a * 0.25 - 1 - Math.log(1 - a))) / Math.LN2
    expect((await values(priorBits(short, full([1, 2], 0.5, 'f64')), device))[0]).toBeCloseTo(expected, 9)
  })

  it('refuses a weight below 0 and a flow', () => {
    expect(() => learnedVarianceLosses({ schedule, prediction: 'x0', boundWeight: -1 })).toThrow('boundWeight is -1')
    const flow: object = flowSchedule(10)
    expect(() => Reflect.apply(boundTerms, undefined, [{ schedule: flow, prediction: 'x0' }])).toThrow(
      'is no chain of steps',
    )
  })
})

describe('ddpm with learned variances', () => {
  const schedule = linearSchedule(24)
  const shape = [3, 2]
  const walk = { device, prediction: 'x0', shape, params: {}, key: key(1) } as const
  const saying = (v: number) => (_: object, xt: Tensor) => concatenate([xt.mul(0.3), full(xt.shape, v)], -1)
  const plain = (_: object, xt: Tensor): Tensor => xt.mul(0.3)

  it.each([
    [-1, 'small'],
    [1, 'large'],
  ] as const)('that are all %s it is ddpm with the variance %s', async (v, variance) => {
    for (const make of [
      ddpm,
      (own: typeof schedule, options: object) => ddpmBetween(scheduleLevels(own, 5), options),
    ]) {
      const { x } = await sample({
        ...walk,
        denoise: saying(v),
        learnedVariance: true,
        sampler: make(schedule, { variance: 'learned' }),
      })
      const { x: fixed } = await sample({ ...walk, denoise: plain, sampler: make(schedule, { variance }) })
      const [a, b] = [await values(x, device), await values(fixed, device)]
      a.forEach((value, i) => {
        expect(value).toBeCloseTo(b[i] ?? NaN, 5)
      })
    }
  })

  it('between them adds noise of the variance that is said', async () => {
    const t = 7
    const { step } = ddpm(schedule, { variance: 'learned' })
    const x = zeros([1, 2])
    const estimate = { x0: x, epsilon: x, fraction: tensor([[0.25, 0.5]]) }
    const moved = await values(step(x, () => estimate, scalar(23 - t, 'i32'), () => constant([[1, 1]])), device) // prettier-ignore
    const logs = await values(learnedLogVariance(schedule, estimate.fraction, tensor(Int32Array.of(t))), device)
    moved.forEach((sigma, i) => {
      expect(sigma).toBeCloseTo(Math.exp((logs[i] ?? NaN) / 2), 5)
    })
  })

  it('needs a network that says them', async () => {
    await expect(sample({ ...walk, denoise: plain, sampler: ddpm(schedule, { variance: 'learned' }) })).rejects.toThrow(
      'the variance is learned, and the network says none: give sampling learnedVariance: true',
    )
  })
})
