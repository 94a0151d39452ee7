import { describe, expect, it } from 'vitest'
import { qPosterior, qSample } from '../../src/diffusion/forward.ts'
import { cosineSchedule, linearSchedule } from '../../src/diffusion/index.ts'
import { gatherTable } from '../../src/diffusion/table.ts'
import { full, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { cpuDevice, values } from '../support/device.ts'

const schedule = cosineSchedule(100)
const at = (table: Float64Array, t: number): number => table[t] ?? NaN
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length

describe('gatherTable', () => {
  it('shapes a table for a batch: each sample its own time, or one time for all', async () => {
    const batch = zeros([3, 2, 2, 1])
    const each = gatherTable(schedule.alphaBar, tensor(Int32Array.of(0, 99, 50)), batch)
    expect(each.shape).toEqual([3, 1, 1, 1])
    const expected = [0, 99, 50].map((t) => Math.fround(at(schedule.alphaBar, t)))
    expect(await values(each)).toEqual(expected)
    expect(gatherTable(schedule.alphaBar, tensor(Int32Array.of(7)).reshape([]), batch).shape).toEqual([])
  })

  it('keeps f64 for an f64 batch', async () => {
    const one = gatherTable(schedule.alphaBar, tensor(Int32Array.of(33)), zeros([1, 2], 'f64'))
    expect(await values(one)).toEqual([at(schedule.alphaBar, 33)])
  })
})

describe('qSample', () => {
  it('the moments of x_t given x₀ are √ᾱ_t x₀ and 1 − ᾱ_t, within five standard errors', async () => {
    const [n, x0] = [20000, 0.7]
    const device = cpuDevice()
    for (const t of [0, 40, 99]) {
      const xt = await values(
        qSample(schedule, full([1, n], x0), tensor(Int32Array.of(t)), normal(key(t), [1, n])),
        device,
      )
      const variance = 1 - at(schedule.alphaBar, t)
      const m = mean(xt)
      expect(Math.abs(m - at(schedule.signal, t) * x0)).toBeLessThan(5 * Math.sqrt(variance / n) + 1e-6)
      expect(Math.abs(mean(xt.map((x) => (x - m) ** 2)) - variance)).toBeLessThan(
        5 * variance * Math.sqrt(2 / n) + 1e-6,
      )
    }
  })

  it('each sample is noised to its own time', async () => {
    const xt = await values(qSample(schedule, full([2, 2], 1), tensor(Int32Array.of(3, 80)), zeros([2, 2])))
    const expected = [3, 3, 80, 80].map((t) => Math.fround(at(schedule.signal, t)))
    expect(xt).toEqual(expected)
  })
})

/**
 * Mean and variance of q(x_{t−1} | x_t, x₀) by Bayes' rule on a grid: the density of x_t given x_{t−1}, times that of
 * x_{t−1} given x₀.
 */
const bayes = (x0: number, xt: number, beta: number, before: number): readonly [number, number] => {
  const grid = Array.from({ length: 40001 }, (_, i) => -10 + i / 2000)
  const log = (x: number): number =>
    -((xt - Math.sqrt(1 - beta) * x) ** 2) / (2 * beta) - (x - Math.sqrt(before) * x0) ** 2 / (2 * (1 - before))
  const top = grid.reduce((m, x) => Math.max(m, log(x)), -Infinity)
  const weights = grid.map((x) => Math.exp(log(x) - top))
  const total = weights.reduce((a, b) => a + b, 0)
  const m = grid.reduce((sum, x, i) => sum + x * (weights[i] ?? 0), 0) / total
  return [m, grid.reduce((sum, x, i) => sum + (x - m) ** 2 * (weights[i] ?? 0), 0) / total]
}

describe('qPosterior', () => {
  it('is what Bayes’ rule gives numerically', async () => {
    const s = linearSchedule(50)
    const device = cpuDevice()
    for (const t of [5, 25, 49]) {
      const one = (x: number) => tensor([[x]], { dtype: 'f64' })
      const q = qPosterior(s, one(0.6), one(-0.4), tensor(Int32Array.of(t)))
      const [m, v] = bayes(0.6, -0.4, at(s.betas, t), at(s.alphaBarPrevious, t))
      expect((await values(q.mean, device))[0]).toBeCloseTo(m, 8)
      expect((await values(q.variance, device))[0]).toBeCloseTo(v, 8)
      expect((await values(q.logVariance, device))[0]).toBeCloseTo(Math.log(v), 6)
    }
  })
})
