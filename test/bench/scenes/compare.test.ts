import { describe, expect, it } from 'vitest'
import { compare, drawHalves } from '../../../bench/scenes/compare.ts'
import { quantile } from '../../../src/evaluation/statistics.ts'
import { range } from '../../../src/prelude/array.ts'
import { hostFold, hostKey, hostUniform } from '../../../src/prelude/threefry.ts'

const uniforms = (seed: number, n: number): readonly number[] => range(n).map((i) => hostUniform(hostKey(seed), i))

describe('drawHalves', () => {
  it('draws two halves that share no member, other ones for each pair', () => {
    const pairs = drawHalves(hostKey(3), 50, 20, 10)
    for (const [one, other] of pairs) expect(new Set([...one, ...other]).size).toBe(40)
    expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBe(10)
  })

  it('draws the same halves for the same key, and members from the whole pool', () => {
    expect(drawHalves(hostKey(3), 50, 20, 4)).toEqual(drawHalves(hostKey(3), 50, 20, 4))
    expect(new Set(drawHalves(hostKey(3), 50, 20, 20).flat(2)).size).toBe(50)
  })

  it('refuses a pool that does not hold two halves', () => {
    expect(() => drawHalves(hostKey(3), 39, 20, 1)).toThrow(/a pool of 39 does not hold two halves of 20/)
  })
})

describe('compare', () => {
  const pairs = drawHalves(hostKey(1), 256, 64, 60)
  const pool = uniforms(2, 256)

  it('finds most samples of the same distribution within the noise', () => {
    const trials = range(60).map((t) => compare(uniforms(1000 + t, 64), pool, pairs))
    expect(trials.filter(({ within }) => within).length).toBeGreaterThanOrEqual(54)
    const ratios = trials.map(({ ratio }) => ratio)
    expect(quantile(ratios, 0.5)).toBeGreaterThan(0.7)
    expect(quantile(ratios, 0.5)).toBeLessThan(1.4)
  })

  it('finds a shift by a deviation, and a distribution half as wide', () => {
    const sample = uniforms(7, 64)
    expect(
      compare(
        sample.map((x) => x + 0.29),
        pool,
        pairs,
      ),
    ).toMatchObject({ within: false })
    expect(
      compare(
        sample.map((x) => 0.5 + (x - 0.5) / 2),
        pool,
        pairs,
      ),
    ).toMatchObject({ within: false })
    expect(
      compare(
        sample.map((x) => x + 10),
        pool,
        pairs,
      ).distance,
    ).toBeCloseTo(10, 0)
  })

  it('measures the same noise whatever the generated sample is, and keeps its 95 % above its middle', () => {
    const { noise } = compare(uniforms(7, 64), pool, pairs)
    expect(compare([5], pool, pairs).noise).toEqual(noise)
    expect(noise.most).toBeGreaterThan(noise.median)
  })

  it('has a noise that halves when samples are four times as large', () => {
    const large = uniforms(hostFold(hostKey(2), 1)[0], 2048)
    const noiseOf = (size: number): number => compare([0], large, drawHalves(hostKey(4), 2048, size, 60)).noise.median
    expect(noiseOf(400) / noiseOf(100)).toBeGreaterThan(0.38)
    expect(noiseOf(400) / noiseOf(100)).toBeLessThan(0.65)
  })
})
