/** What samplers are to one another, on any levels and for any network; and the way back from a picture to its noise. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eulerChurn } from '../../src/diffusion/samplers/churn.ts'
import { consistency } from '../../src/diffusion/samplers/consistency.ts'
import { deis, lms } from '../../src/diffusion/samplers/adams.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { dpmSolverSingle } from '../../src/diffusion/samplers/dpmSingle.ts'
import { ddimInverse } from '../../src/diffusion/samplers/inversion.ts'
import { pndm } from '../../src/diffusion/samplers/pndm.ts'
import { ddimBetween, ddpmBetween } from '../../src/diffusion/samplers/posterior.ts'
import { dpm2Ancestral, heunSigma } from '../../src/diffusion/samplers/secondOrder.ts'
import { uniPc } from '../../src/diffusion/samplers/uniPc.ts'
import { flowLevels, karrasLevels, stepsOf, type Levels } from '../../src/diffusion/levels.ts'
import { clipEstimate } from '../../src/diffusion/prediction.ts'
import type { AnySampler, Sampler } from '../../src/diffusion/sampler.ts'
import { cosineSchedule, linearSchedule } from '../../src/diffusion/index.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import type { Spacing } from '../../src/diffusion/spacing.ts'
import { at, range } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { values } from '../support/device.ts'
import { normalData } from './normalData.ts'
import { estimating, walk } from './walks.ts'

const schedule = linearSchedule(120)
/** A network that nothing is known of but that it is smooth. */
const network = (x: Tensor, t: Tensor): Tensor => x.mul(0.7).tanh().add(t.div(300)).sub(0.2)
const last = (xs: readonly (readonly number[])[]): readonly number[] => at(xs, xs.length - 1)
const close = (a: readonly number[], b: readonly number[], digits: number): void =>
  a.forEach((x, i) => expect(x).toBeCloseTo(b[i] ?? NaN, digits))
const use =
  <S>(sampler: Sampler<S>): AnySampler =>
  (f) =>
    f(sampler)

describe('DDIM and DDPM', () => {
  it('with η = 1 DDIM is DDPM, for every spacing and any clipped network', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Spacing>('even', 'leading', 'trailing', 'linspace'),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom('epsilon' as const, 'x0' as const, 'v' as const),
        async (spacing, steps, prediction) => {
          const levels = scheduleLevels(schedule, steps, { spacing })
          const noises = range(steps).map((i) => normal(key(i), [1, 4], 'f64'))
          const estimate = estimating(levels, prediction, network, clipEstimate)
          const x = normal(key(999), [1, 4], 'f64')
          const one = await walk(ddimBetween(levels, { eta: 1 }), x, estimate, { noises })
          close(last(one), last(await walk(ddpmBetween(levels), x, estimate, { noises })), 8)
        },
      ),
      { seed: 2, numRuns: 12 },
    )
  })

  it('on exploding levels DDIM is Euler’s step of dx = ε dσ', async () => {
    const levels = karrasLevels({ steps: 6 })
    const estimate = normalData(levels)
    const sigmas = Array.from(levels.noise)
    let x = 70
    for (const i of range(6)) {
      const s = at(sigmas, i)
      const x0 = 0.3 + (0.25 / (0.25 + s * s)) * (x - 0.3)
      x += (at(sigmas, i + 1) - s) * ((x - x0) / s)
    }
    close(last(await walk(ddimBetween(levels), tensor([[70]], { dtype: 'f64' }), estimate)), [x], 9)
  })

  it('refuses ends that are not one for each step, and a variance that there is not', () => {
    const ends = { signal: Float64Array.of(1), noise: Float64Array.of(0) }
    expect(() => ddimBetween(flowLevels(3), { ends })).toThrow('1 signals and 1 noises for 3 steps')
    expect(() => ddpmBetween(flowLevels(3), { variance: 'widest' as never })).toThrow('it must be small, large')
    expect(() => ddimBetween(flowLevels(3), { eta: 2 })).toThrow('eta is 2')
  })
})

describe('the way back', () => {
  it('asked often enough at each level, DDIM leads back to the picture to the last digits', async () => {
    const levels = scheduleLevels(cosineSchedule(1000), 12, { spacing: 'leading', offset: 1 })
    const picture = normal(key(5), [2, 3], 'f64').tanh()
    const up = ddimInverse(levels, { rounds: 60 })
    const noise = last(await walk(up, picture, normalData(up.levels)))
    const x = tensor([noise.slice(0, 3), noise.slice(3)], { dtype: 'f64' })
    close(last(await walk(ddimBetween(levels), x, normalData(levels))), await values(picture), 9)
  })

  it('asked once it comes the nearer the more steps there are', async () => {
    const errors: number[] = []
    for (const steps of [25, 50, 100]) {
      const levels = scheduleLevels(linearSchedule(1000), steps)
      const picture = tensor([[0.8]], { dtype: 'f64' })
      const up = ddimInverse(levels)
      const noise = last(await walk(up, picture, normalData(up.levels)))
      const x = tensor([[...noise]], { dtype: 'f64' })
      errors.push(Math.abs(at(last(await walk(ddimBetween(levels), x, normalData(levels))), 0) - 0.8))
    }
    expect(errors[1]).toBeLessThan((errors[0] ?? NaN) * 0.7)
    expect(errors[2]).toBeLessThan((errors[1] ?? NaN) * 0.7)
  })

  it('has no way to pure noise', () => {
    expect(() => ddimInverse(flowLevels(4))).toThrow('the levels begin at pure noise')
  })
})

const everyone: readonly (readonly [name: string, make: (levels: Levels) => AnySampler])[] = [
  ['ddimBetween', (l) => use(ddimBetween(l))],
  ['ddpmBetween', (l) => use(ddpmBetween(l))],
  ['dpmSolver', (l) => use(dpmSolver(l))],
  ['dpmSolver of third order', (l) => use(dpmSolver(l, { order: 3 }))],
  ['dpmSolver of the SDE', (l) => use(dpmSolver(l, { kind: 'data-sde', rule: 'heun' }))],
  ['dpmSolverSingle', (l) => use(dpmSolverSingle(l, { order: 3 }))],
  ['uniPc', (l) => use(uniPc(l, { order: 3 }))],
  ['lms', (l) => use(lms(l))],
  ['deis', (l) => use(deis(l, { order: 3 }))],
  ['pndm', (l) => use(pndm(l))],
  ['pndm, twice', (l) => use(pndm(l, { start: 'twice' }))],
  ['heunSigma', (l) => use(heunSigma(l))],
  ['dpm2Ancestral', (l) => use(dpm2Ancestral(l))],
  ['eulerChurn', (l) => use(eulerChurn(l))],
  ['consistency', (l) => use(consistency(l))],
]
const families: readonly (readonly [string, () => Levels])[] = [
  ['a schedule', () => scheduleLevels(schedule, 9)],
  ['karras', () => karrasLevels({ steps: 9 })],
  ['a flow, from pure noise', () => flowLevels(9)],
]

describe.each(everyone)('%s', (_, make) => {
  it.each(families)('reaches data that is one point, whatever the noise, on levels of %s', async (__, levels) => {
    await make(levels())(async (sampler) => {
      const steps = stepsOf(sampler.levels)
      const estimate = estimating(sampler.levels, 'x0', (x) => x.mul(0).add(0.25))
      const noises = range(steps).map((i) => normal(key(i), [1, 3], 'f64'))
      for (const value of last(await walk(sampler, normal(key(77), [1, 3], 'f64'), estimate, { noises })))
        expect(value).toBeCloseTo(0.25, 9)
    })
  })

  it.each(families)('begins anywhere from a bare x by a step of first order, on levels of %s', async (__, levels) => {
    await make(levels())(async (sampler) => {
      const steps = stepsOf(sampler.levels)
      const estimate = estimating(sampler.levels, 'x0', (x) => x.mul(0).add(0.25))
      for (const first of [1, 2, steps - 1]) {
        const noises = range(steps - first).map((i) => normal(key(i), [1, 3], 'f64'))
        for (const value of last(await walk(sampler, normal(key(7), [1, 3], 'f64'), estimate, { noises, first })))
          expect(value).toBeCloseTo(0.25, 9)
      }
    })
  })
})

describe('stochastic samplers', () => {
  const stochastic: readonly (readonly [name: string, make: (levels: Levels) => AnySampler])[] = [
    ['DDIM with η = 0.7', (l) => use(ddimBetween(l, { eta: 0.7 }))],
    ['the SDE of DPM-Solver++', (l) => use(dpmSolver(l, { kind: 'data-sde' }))],
    ['the SDE of DPM-Solver', (l) => use(dpmSolver(l, { kind: 'noise-sde' }))],
    ['DPM-2 ancestral', (l) => use(dpm2Ancestral(l))],
    ['Euler with churn', (l) => use(eulerChurn(l, { churn: 20 }))],
  ]
  it.each(stochastic)('%s: normal data keep their mean and deviation', async (_, make) => {
    const levels = scheduleLevels(cosineSchedule(1000), 240, { sigmas: 'exponential' })
    await make(levels)(async (sampler) => {
      const n = 4000
      const noises = range(stepsOf(sampler.levels)).map((i) => normal(key(i + 1), [n, 1], 'f64'))
      const found = last(await walk(sampler, normal(key(0), [n, 1], 'f64'), normalData(sampler.levels), { noises }))
      const mean = found.reduce((a, b) => a + b) / n
      expect(mean).toBeCloseTo(0.3, 1)
      const deviation = Math.sqrt(found.reduce((a, b) => a + (b - mean) ** 2, 0) / n)
      expect(Math.abs(deviation - 0.5)).toBeLessThan(0.03)
    })
  })
})
