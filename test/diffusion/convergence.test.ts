/**
 * Samplers of one ODE meet in one answer, each by its order: on normal data N(0.3, 0.5²), whose estimate is known, and whose way along the ODE is a closed form. The first
 * steps of a walk are short, h⁴, h³ and h², so that the steps of first and second order by which higher ones begin cost nothing.
 */
import { describe, expect, it } from 'vitest'
import { deis, lms } from '../../src/diffusion/samplers/adams.ts'
import { ddimBetween } from '../../src/diffusion/samplers/posterior.ts'
import { dpmSolverSingle } from '../../src/diffusion/samplers/dpmSingle.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { heun } from '../../src/diffusion/samplers/heun.ts'
import { pndm } from '../../src/diffusion/samplers/pndm.ts'
import { dpm2, heunSigma } from '../../src/diffusion/samplers/secondOrder.ts'
import { uniPc } from '../../src/diffusion/samplers/uniPc.ts'
import { eulerChurn } from '../../src/diffusion/samplers/churn.ts'
import type { Levels } from '../../src/diffusion/levels.ts'
import { tablesOf, type Point } from '../../src/diffusion/point.ts'
import type { AnySampler, Sampler } from '../../src/diffusion/sampler.ts'
import { at, range } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import { exactEnd, normalData } from './normalData.ts'
import { walk } from './walks.ts'

const paths: { readonly [name: string]: (t: number) => Point } = {
  preserving: (t) => ({ a: Math.cos(t * 1.4), s: Math.sin(t * 1.4) }),
  exploding: (t) => ({ a: 1, s: 4 * t ** 2 }),
  flow: (t) => ({ a: 1 - 0.95 * t, s: 0.95 * t }),
}

/** From t = 1 to 0.2, in n steps and three short ones. */
const levelsOn = (path: (t: number) => Point, n: number): Levels => {
  const h = 1 / n
  const shares = [0, h ** 4, h ** 3, h ** 2, ...range(n).map((i) => (i + 1) / n)]
  return {
    ...tablesOf(shares.map((share) => path(1 - 0.8 * share))),
    time: Float64Array.from(shares, (share) => 1 - 0.8 * share),
  }
}

const use =
  <S>(sampler: Sampler<S>): AnySampler =>
  (f) =>
    f(sampler)

const all = { lowerOrderFinal: false }
const methods: readonly (readonly [name: string, order: number, make: (levels: Levels) => AnySampler])[] = [
  ['DDIM', 1, (levels) => use(ddimBetween(levels))],
  ['Euler without churn', 1, (levels) => use(eulerChurn(levels, { churn: 0 }))],
  ['Heun, x̂₀ da + ε̂ ds', 2, (levels) => use(heun(levels))],
  ['Heun in σ', 2, (levels) => use(heunSigma(levels))],
  ['DPM-2', 2, (levels) => use(dpm2(levels))],
  ['DPM-Solver++ (2M)', 2, (levels) => use(dpmSolver(levels))],
  ['DPM-Solver++ (2M), heun', 2, (levels) => use(dpmSolver(levels, { rule: 'heun' }))],
  ['DPM-Solver++ (3M)', 3, (levels) => use(dpmSolver(levels, { order: 3 }))],
  ['DPM-Solver++ (3M) as published', 2, (levels) => use(dpmSolver(levels, { order: 3, published: true }))],
  ['DPM-Solver-2', 2, (levels) => use(dpmSolver(levels, { kind: 'noise' }))],
  ['DPM-Solver-3', 3, (levels) => use(dpmSolver(levels, { kind: 'noise', order: 3 }))],
  ['DPM-Solver++ (2S)', 2, (levels) => use(dpmSolverSingle(levels, all))],
  ['DPM-Solver++ (3S)', 3, (levels) => use(dpmSolverSingle(levels, { order: 3, ...all }))],
  ['DPM-Solver++ (3S), heun', 3, (levels) => use(dpmSolverSingle(levels, { order: 3, rule: 'heun', ...all }))],
  ['LMS 2', 2, (levels) => use(lms(levels, { order: 2 }))],
  ['LMS 3', 3, (levels) => use(lms(levels, { order: 3 }))],
  ['DEIS 2', 2, (levels) => use(deis(levels))],
  ['DEIS 3', 3, (levels) => use(deis(levels, { order: 3 }))],
  ['UniP 2', 2, (levels) => use(uniPc(levels, { corrector: false, ...all }))],
  ['UniPC 2, which corrects by one order more', 3, (levels) => use(uniPc(levels, all))],
  ['UniPC 3', 3.5, (levels) => use(uniPc(levels, { order: 3, ...all }))],
  ['UniPC 3, bh1', 3.5, (levels) => use(uniPc(levels, { order: 3, form: 'bh1', ...all }))],
  ['PNDM, whose transfer is of second order', 2, (levels) => use(pndm(levels))],
  ['PLMS', 2, (levels) => use(pndm(levels, { start: 'twice' }))],
]

/** Errors with 60, 120 and 240 steps. */
const errorsOf = async (
  make: (levels: Levels) => AnySampler,
  path: (t: number) => Point,
): Promise<readonly number[]> => {
  const errors: number[] = []
  for (const n of [60, 120, 240]) {
    const levels = levelsOn(path, n)
    const found = await make(levels)((sampler) =>
      walk(sampler, tensor([[0.9]], { dtype: 'f64' }), normalData(sampler.levels)),
    )
    errors.push(Math.abs(at(at(found, found.length - 1), 0) - exactEnd(levels, 0.9)))
  }
  return errors
}

describe.each(Object.entries(paths))('on a path that is %s', (name, path) => {
  it.each(methods)('%s converges by order %s, or by more', async (method, order, make) => {
    const [first = NaN, second = NaN, third = NaN] = await errorsOf(make, path)
    expect(third).toBeLessThan(order === 1 ? 1e-2 : 1e-4)
    // Between two numbers of steps an error may pass through 0; over both halvings the order is its own then.
    const measured = Math.max(Math.log2(second / third), Math.log2(first / third) / 2)
    const limit = order - 0.2
    // Solvers that are polynomials in ln σ are nearly exact here where the way is exploding.
    if (name === 'exploding' && method.startsWith('DPM-Solver-')) expect(third).toBeLessThan(3e-7)
    else if (measured < limit) expect(third).toBeLessThan(1e-7)
    if (method.endsWith('as published')) expect(measured).toBeLessThan(2.3)
  })
})
