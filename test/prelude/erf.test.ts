/** The error function of cpu against digits printed by mpmath, on each of its intervals. */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { erf } from '../../src/prelude/erf.ts'

describe('erf', () => {
  it.each([
    [1e-10, 1.128379167095512615e-10],
    [0.5, 0.52049987781304653768],
    [0.84375, 0.76722566123234163346],
    [1, 0.84270079294971486934],
    [1.25, 0.92290012825645823014],
    [2, 0.99532226501895273416],
    [2.875, 0.99995214516025622659],
    [4, 0.99999998458274209972],
    [5.5, 0.99999999999999264215],
  ])('of %d is %d, to one unit in the last place', (x, y) => {
    expect(Math.abs(erf(x) / y - 1)).toBeLessThanOrEqual(2 ** -52)
  })

  it('is odd, with −0 at −0', () => {
    expect(erf(-0)).toBe(-0)
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (x) => {
        expect(erf(-x)).toBe(-erf(x))
      }),
    )
  })

  it('does not fall where it changes its formula', () => {
    for (const x of [2 ** -28, 0.84375, 1.25, 1 / 0.35, 6])
      expect(erf(x * (1 - 2 ** -53)), `before ${x}`).toBeLessThanOrEqual(erf(x))
  })

  it('is ±1 at ±∞ and NaN at NaN', () => {
    expect([erf(Infinity), erf(-Infinity), erf(NaN)]).toEqual([1, -1, NaN])
  })
})
