/** 520 random programs, their values and their gradients, in every configuration. */
import { describe, expect, it } from 'vitest'
import { differentiable, drawn, primitiveNames, rarities } from '../../proof/fuzz/coverage.ts'
import { fuzz, showFailure } from '../../proof/fuzz/run.ts'

describe('random programs', () => {
  it('hold every primitive, and gradients flow through all that have one', () => {
    const { values, gradients } = drawn(20, 1000)
    expect([
      ...rarities(primitiveNames, values, 10, 'the values of random programs'),
      ...rarities(differentiable, gradients, 10, 'the gradients of random programs'),
    ]).toEqual([])
  })

  it('have the values and the gradients of the specification in every configuration, and obey the laws of derivatives', async () => {
    const report = await fuzz({ seed: 20, programs: 520 })
    expect(report.failures.map(showFailure)).toEqual([])
    expect(report.laws).toEqual({
      agreement: 520,
      transparency: 520,
      duality: expect.any(Number),
      differences: expect.any(Number),
    })
    expect(report.laws.duality).toBeGreaterThan(100)
    expect(report.laws.differences).toBeGreaterThan(25)
    expect(report.nodes).toBeGreaterThan(15_000)
    expect(report.values).toBeGreaterThan(30_000)
    expect(report.gradients).toBeGreaterThan(20_000)
    // Few steps fall back to a negation, and few programs are judged by nobody.
    expect(report.steps.replaced).toBeLessThan(report.steps.taken / 100)
    expect(report.excused).toBeLessThan(40)
  }, 300_000)

  it('of whole numbers of any size have the same bits in every configuration, products, sums and convolutions among them', async () => {
    const report = await fuzz({ seed: 1000, programs: 150, modes: ['whole'] })
    expect(report.failures.map(showFailure)).toEqual([])
    expect(report.programs).toBe(150)
    for (const op of ['dotGeneral', 'conv', 'reduceSum', 'scatterAdd'] as const)
      expect(report.inValues[op]).toBeGreaterThan(10)
  }, 300_000)
})
