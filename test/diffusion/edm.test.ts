import { describe, expect, it } from 'vitest'
import { edmFactors, edmPreconditioned, parameterizations } from '../../src/diffusion/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const sigmas = [0.002, 0.1, 0.5, 3, 80]

describe('the preconditioning of EDM', () => {
  it('has the factors of the paper at every σ (Karras et al. 2022, table 1)', async () => {
    for (const d of [0.5, 1]) {
      const factors = edmFactors(tensor(Float64Array.from(sigmas)), d)
      const [skip, out, into, noise] = await Promise.all(
        [factors.skip, factors.out, factors.in, factors.noise].map((x) => values(x, device)),
      )
      sigmas.forEach((s, i) => {
        expect(skip?.[i]).toBeCloseTo((d * d) / (s * s + d * d), 12)
        expect(out?.[i]).toBeCloseTo((s * d) / Math.hypot(s, d), 12)
        expect(into?.[i]).toBeCloseTo(1 / Math.hypot(s, d), 12)
        expect(noise?.[i]).toBeCloseTo(Math.log(s) / 4, 12)
      })
    }
  })

  it('shows the network images of deviation 1 at every σ, and asks it for targets of deviation 1', async () => {
    const [n, d] = [40_000, 0.5]
    for (const s of sigmas) {
      const x0 = normal(key(1), [n], 'f64').mul(d)
      const x = x0.add(normal(key(2), [n], 'f64').mul(s))
      const factors = edmFactors(tensor(Float64Array.of(s)), d)
      const target = x0.sub(x.mul(factors.skip)).div(factors.out)
      for (const seen of [x.mul(factors.in), target]) {
        const v = await values(seen, device)
        expect(Math.abs(v.reduce((sum, y) => sum + y * y, 0) / n - 1)).toBeLessThan(0.03)
      }
    }
  })

  it('puts the network between its factors: F(y) = y gives c_skip·x + c_out·c_in·x', async () => {
    const x = normal(key(7), [sigmas.length, 4], 'f64')
    const sigma = tensor(Float64Array.from(sigmas))
    const found = await values(edmPreconditioned((_: object, y) => y)({}, x, sigma), device)
    const given = await values(x, device)
    found.forEach((value, i) => {
      const s = sigmas[Math.floor(i / 4)] ?? NaN
      const factor = 0.25 / (s * s + 0.25) + (0.5 * s) / (s * s + 0.25)
      expect(value).toBeCloseTo(factor * (given[i] ?? NaN), 12)
    })
  })

  it('with σ_d = 1 is v at the variance-preserving level of the same ratio', async () => {
    const sigma = tensor(Float64Array.from(sigmas))
    const x = normal(key(3), [sigmas.length, 4], 'f64')
    const said = normal(key(4), [sigmas.length, 4], 'f64')
    const denoise = edmPreconditioned((_: object, y) => y.mul(0).add(said), { sigmaData: 1 })
    const a = sigma.square().add(1).pow(-0.5).reshape([sigmas.length, 1])
    const level = { signal: a, noise: a.mul(sigma.reshape([sigmas.length, 1])) }
    const { x0 } = parameterizations.v.estimate(level, x.mul(a), said.neg())
    const [own, other] = await Promise.all([denoise({}, x, sigma), x0].map((y) => values(y, device)))
    own?.forEach((value, i) => expect(value).toBeCloseTo(other?.[i] ?? NaN, 10))
  })

  it('tells the network ¼ ln σ of each image, and refuses a deviation that is none', async () => {
    const told: unknown[] = []
    const denoise = edmPreconditioned((_: object, y, noise) => {
      told.push(noise.shape)
      return y
    })
    await values(denoise({}, normal(key(5), [2, 3, 3, 1]), tensor([1, 2])), device)
    expect(told).toEqual([[2]])
    expect(() => edmFactors(tensor([1]), 0)).toThrow('sigmaData')
  })
})
