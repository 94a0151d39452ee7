/** The posterior of latents: its samples, its divergence against an integral, its density, and what it refuses. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkGrad, grad } from '../../../src/autograd/index.ts'
import {
  klDivergence,
  posteriorMode,
  posteriorNll,
  posteriorOf,
  samplePosterior,
  scaleLatents,
  summedKlDivergence,
  unscaleLatents,
} from '../../../src/models/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { constant, tensor, zeros } from '../../../src/tensor/create.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../../support/device.ts'

const device = cpuDevice()
const f64 = (xs: readonly number[]): Tensor => tensor([...xs], { dtype: 'f64' })

/** log of the normal density. */
const logDensity = (x: number, mean: number, variance: number): number =>
  -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance)

/** ∫ p·(log p − log q) by the trapezoidal rule, which is exact to rounding for normal densities. */
const divergence = (mean: number, variance: number): number => {
  const [deviation, steps] = [Math.sqrt(variance), 4000]
  const width = (24 * deviation) / steps
  return range(steps + 1).reduce((sum, i) => {
    const x = mean - 12 * deviation + i * width
    const p = Math.exp(logDensity(x, mean, variance))
    return sum + width * p * (logDensity(x, mean, variance) - logDensity(x, 0, 1))
  }, 0)
}

const means = fc.integer({ min: -300, max: 300 }).map((k) => k / 100)
const logVariances = fc.integer({ min: -400, max: 200 }).map((k) => k / 100)

describe('a posterior', () => {
  it('diverges from N(0, 1) by the integral of p·log(p / q)', async () => {
    await fc.assert(
      fc.asyncProperty(means, logVariances, async (mean, logVariance) => {
        const posterior = { mean: f64([mean]), logVariance: f64([logVariance]) }
        const [kl] = await values(klDivergence(posterior), device)
        expect(kl).toBeCloseTo(divergence(mean, Math.exp(logVariance)), 8)
      }),
      { numRuns: 40 },
    )
  })

  it('has a divergence that is a mean over elements, and one that is a sum over those of a picture', async () => {
    const [mean, logVariance] = [normal(key(1), [2, 3, 3, 4]), normal(key(2), [2, 3, 3, 4])]
    const [average] = await values(klDivergence({ mean, logVariance }), device)
    const sums = await values(summedKlDivergence({ mean, logVariance }), device)
    expect(sums).toHaveLength(2)
    expect(((sums[0] ?? NaN) + (sums[1] ?? NaN)) / 72).toBeCloseTo(average ?? NaN, 5)
  })

  it('has the density of a normal distribution at its latents', async () => {
    await fc.assert(
      fc.asyncProperty(means, logVariances, means, async (mean, logVariance, z) => {
        const posterior = { mean: f64([mean]).reshape([1, 1]), logVariance: f64([logVariance]).reshape([1, 1]) }
        const [nll] = await values(posteriorNll(posterior, f64([z]).reshape([1, 1])), device)
        expect(nll).toBeCloseTo(-logDensity(z, mean, Math.exp(logVariance)), 8)
      }),
      { numRuns: 40 },
    )
  })

  it('is sampled as μ + σ·ε, with gradients to both', async () => {
    const noise = constant([0.5, -2], { dtype: 'f64' })
    const sample = (mean: Tensor, logVariance: Tensor): Tensor => samplePosterior({ mean, logVariance }, noise)
    expect(await values(sample(f64([1, 2]), f64([Math.log(4), 0])), device)).toEqual([2, 0])
    await checkGrad(device, sample, [f64([1, 2]), f64([0.3, -0.7])])
  })

  it('without a variance is its mean, which diverges by nothing and has no density', async () => {
    const posterior = {
      mean: f64(
        [
          [1, 2],
          [3, 4],
        ].flat(),
      ).reshape([2, 2]),
    }
    expect(await values(samplePosterior(posterior, posterior.mean.mul(7)), device)).toEqual([1, 2, 3, 4])
    expect(await values(posteriorMode(posterior), device)).toEqual([1, 2, 3, 4])
    expect(await values(klDivergence(posterior), device)).toEqual([0])
    expect(await values(summedKlDivergence(posterior), device)).toEqual([0, 0])
    expect(() => posteriorNll(posterior, posterior.mean)).toThrow('is one point')
  })

  it('keeps log variances within [−30, 20], beyond which no gradient flows', async () => {
    const moments = tensor([[1, 2, 3, -31, 21, 5]])
    const { mean, logVariance } = posteriorOf(moments)
    expect(await values(mean, device)).toEqual([1, 2, 3])
    expect(await values(logVariance, device)).toEqual([-30, 20, 5])
    const slope = grad((x: Tensor) => posteriorOf(x).logVariance.sum())(moments)
    expect((await values(slope, device)).map(Math.abs)).toEqual([0, 0, 0, 0, 0, 1])
  })

  it('refuses moments that have no halves, and noise of another shape', () => {
    expect(() => posteriorOf(zeros([1, 2, 2, 7]))).toThrow('as many channels, got 7 together')
    expect(() => samplePosterior({ mean: zeros([1, 2, 2, 4]) }, zeros([1, 2, 2, 3]))).toThrow(
      'the noise is [1,2,2,3], the latents are [1,2,2,4]: draw normal(key, posterior.mean.shape)',
    )
  })
})

describe('the scale of latents', () => {
  it.each([
    ['a factor', { factor: 0.18215 }],
    ['a factor and a shift', { factor: 0.3611, shift: 0.1159 }],
    ['means and deviations', { factor: 0.5, mean: [1, -2, 0.5], deviation: [2, 3, 0.1] }],
  ])('of %s is undone before decoding', async (_, scaling) => {
    const z = normal(key(3), [2, 2, 2, 3], 'f64')
    const [back, same] = [unscaleLatents(scaling, scaleLatents(scaling, z)), z]
    const [a, b] = [await values(back, device), await values(same, device)]
    for (const [i, x] of a.entries()) expect(x).toBeCloseTo(b[i] ?? NaN, 12)
  })

  it('makes measured channels those of mean 0 and deviation 1', async () => {
    const z = tensor([
      [3, -1],
      [5, 1],
    ])
    expect(await values(scaleLatents({ factor: 1, mean: [4, 0], deviation: [1, 1] }, z), device)).toEqual([
      -1, -1, 1, 1,
    ])
  })

  it('refuses means for another number of channels', () => {
    expect(() => scaleLatents({ factor: 1, mean: [1] }, zeros([1, 2]))).toThrow('have 2 channels, and means of 1')
    expect(() => unscaleLatents({ factor: 1, deviation: [1, 1, 1] }, zeros([1, 2]))).toThrow('deviations of 3')
  })
})
