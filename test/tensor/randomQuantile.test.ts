/** Quantiles in integer arithmetic: their error, their symmetry, and that the tables are the same in every engine. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { at } from '../../src/prelude/array.ts'
import { hostKey, threefry2x32 } from '../../src/prelude/threefry.ts'
import { bits, gumbel, key, normal, normalFromBits, randint, uniform, type Key } from '../../src/tensor/random.ts'
import { normalQuantile } from '../../src/tensor/random/as241.ts'
import { gumbelFromBits } from '../../src/tensor/random/categorical.ts'
import { tabulate } from '../../src/tensor/random/quantile.ts'
import { fnv1a } from '../../src/tensor/random/key.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms, values } from '../support/device.ts'

const word = fc.nat({ max: 0xffffffff })

/** Words at all magnitudes from both ends of [0, 2³²). */
const stratified = Array.from({ length: 60000 }, (_, i) => {
  const [a, b] = threefry2x32([1, 2], [0, i])
  const q = Math.floor(2 ** (31 * (a / 2 ** 32))) + (b % 128)
  return i % 2 === 0 ? q : 0xffffffff - q
})

/** The lower tail Φ(−x), x > 0: the series of Marsaglia 2004 or, from 2 on, Laplace's continued fraction. */
const lowerTail = (x: number): number => {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  if (x < 2) {
    const terms = Array.from({ length: 60 }).reduce<readonly [number, number]>(
      ([sum, term], _, i) => [sum + term, (term * x * x) / (2 * i + 3)],
      [0, x],
    )
    return 0.5 - density * terms[0]
  }
  return density / Array.from({ length: 400 }, (_, i) => 400 - i).reduce((f, k) => x + k / f, x)
}

describe('normalQuantile', () => {
  it.each([
    [0.5, 0],
    [0.25, -0.674489750196081743],
    [0.975, 1.95996398454005424],
    [0.001, -3.09023230616781355],
    [1e-20, -9.26234008979840617],
  ])('of %d is %d', (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 14)
  })

  it('inverts the distribution function to 13 digits for all p from 2^-32 to one half', () => {
    for (let e = 1; e <= 32; e += 1 / 64)
      expect(Math.abs(lowerTail(-normalQuantile(2 ** -e)) / 2 ** -e - 1)).toBeLessThan(1e-13)
  })
})

describe('normalFromBits', () => {
  it('is Φ⁻¹ of (word + ½) / 2³² to within 2^-18.5 everywhere, tails included', () => {
    for (const w of stratified)
      expect(Math.abs(normalFromBits(w) - normalQuantile(((w | 1) >>> 0) / 2 ** 32))).toBeLessThan(2 ** -18.5)
  })

  it('is odd about the middle: the complement of a word gives the negative number', () => {
    fc.assert(fc.property(word, (w) => normalFromBits(~w >>> 0) === 0 - normalFromBits(w)))
  })

  it('never falls when the word rises', () => {
    fc.assert(
      fc.property(
        word,
        fc.nat({ max: 1 << 20 }),
        (w, step) => normalFromBits(w) <= normalFromBits(Math.min(0xffffffff, w + step)),
      ),
    )
    const rising = stratified.toSorted((a, b) => a - b).map(normalFromBits)
    expect(rising.every((z, i) => i === 0 || z >= at(rising, i - 1))).toBe(true)
  })

  it('reaches 6.23 at both ends, and every number is a multiple of 2^-21 below 8, exact in f32', () => {
    expect([normalFromBits(0), normalFromBits(0xffffffff)]).toEqual([-13065803 / 2 ** 21, 13065803 / 2 ** 21])
    for (const w of stratified) expect(Math.fround(normalFromBits(w))).toBe(normalFromBits(w))
  })

  it('has a table whose knots no engine rounds otherwise: an error of 10^-13 in Math.log changes none', () => {
    const table = tabulate(normalQuantile, 2 ** 21)
    for (const error of [1 + 1e-13, 1 - 1e-13])
      expect(tabulate((p) => normalQuantile(p) * error, 2 ** 21)).toEqual(table)
    expect(fnv1a(table.join())).toBe(3942479157)
  })
})

describe('gumbelFromBits', () => {
  it('is −ln(−ln u) to within 2^-17 everywhere', () => {
    for (const w of stratified) {
      const u = ((w | 1) >>> 0) / 2 ** 32
      const exact = -Math.log(u < 0.5 ? -Math.log(u) : -Math.log1p(u - 1))
      expect(Math.abs(gumbelFromBits(w) - exact)).toBeLessThan(2 ** -17)
    }
  })

  it('has a table whose knots no engine rounds otherwise', () => {
    const upper = (p: number): number => -Math.log(-Math.log1p(-p))
    const lower = (p: number): number => -Math.log(-Math.log(p))
    for (const side of [lower, upper])
      for (const error of [1 + 1e-13, 1 - 1e-13])
        expect(tabulate((p) => side(p) * error, 2 ** 19)).toEqual(tabulate(side, 2 ** 19))
  })
})

describe.each(cpuForms)('on cpu, %s', (_, open) => {
  const words = Array.from(
    { length: 5001 },
    (_, i) => threefry2x32(hostKey(2 ** 40 + 77), [0, i >> 1])[(i % 2) as 0 | 1],
  )

  it('normal equals normalFromBits of the words bit for bit', async () => {
    expect(await values(normal(key(2 ** 40 + 77), [5001]), open())).toEqual(words.map((w) => normalFromBits(w) + 0))
  })

  it('gumbel equals gumbelFromBits of the words bit for bit', async () => {
    expect(await values(gumbel(key(2 ** 40 + 77), [5001]), open())).toEqual(words.map(gumbelFromBits))
  })

  it('normal in f64 holds the same numbers, and in f16 their nearest', async () => {
    const d = open()
    const single = await values(normal(key(1), [300]), d)
    expect(await values(normal(key(1), [300], 'f64'), d)).toEqual(single)
    const halves = await values(normal(key(1), [300], 'f16'), d)
    expect(halves.every((h, i) => Math.abs(h - at(single, i)) <= 2 ** -11 * Math.abs(at(single, i)) + 2 ** -25)).toBe(
      true,
    )
  })
})

describe('the plan of a draw', () => {
  it('makes bits, uniform and randint in one kernel, and normal in three: place and row together, table, value', () => {
    const kernelsOf = (draw: (k: Key) => Tensor): number => cpuDevice().compile(draw).plan(key(1)).kernels.length
    expect(kernelsOf((k) => bits(k, [72]))).toBe(1)
    expect(kernelsOf((k) => uniform(k, [8, 9]))).toBe(1)
    expect(kernelsOf((k) => randint(k, [8, 9], 0, 1000))).toBe(1)
    expect(kernelsOf((k) => normal(k, [8, 9]))).toBe(3)
  })
})
