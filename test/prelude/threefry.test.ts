/** Threefry on the host: published vectors, and the laws of streams and permutations. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostFold, hostKey, hostPermutationIndex, hostUniform, threefry2x32 } from '../../src/prelude/threefry.ts'

const seeds = fc.nat({ max: Number.MAX_SAFE_INTEGER })

describe('threefry2x32', () => {
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)('gives the published answer for key %j and counter %j', (key, counter, answer) => {
    expect(threefry2x32(key, counter)).toEqual(answer)
  })

  it('is injective in the counter', () => {
    const seen = new Set(Array.from({ length: 4096 }, (_, i) => threefry2x32([1, 2], [0, i]).join()))
    expect(seen.size).toBe(4096)
  })
})

describe('hostKey', () => {
  it('gives different seeds different keys, also above 2^32', () => {
    fc.assert(fc.property(seeds, seeds, (a, b) => (a === b) === (hostKey(a).join() === hostKey(b).join())))
    expect(hostKey(2 ** 32 + 5)).toEqual([1, 5])
  })

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses the seed %d and says what to pass', (seed) => {
    expect(() => hostKey(seed)).toThrow(/hostKey: seed .* pass a non-negative safe integer/)
  })
})

describe('hostFold', () => {
  it('gives children that differ from each other, from the parent and from the stream', () => {
    const key = hostKey(7)
    const children = Array.from({ length: 1000 }, (_, n) => hostFold(key, n).join())
    const stream = Array.from({ length: 1000 }, (_, i) => threefry2x32(key, [0, i]).join())
    expect(new Set([key.join(), ...children, ...stream]).size).toBe(2001)
  })

  it('depends on the order of folding', () => {
    expect(hostFold(hostFold(hostKey(1), 2), 3)).not.toEqual(hostFold(hostFold(hostKey(1), 3), 2))
  })
})

describe('hostUniform', () => {
  it('is a function of key and index, in [0, 1)', () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, i) => {
        const u = hostUniform(hostKey(seed), i)
        return u >= 0 && u < 1 && u === hostUniform(hostKey(seed), i)
      }),
    )
  })

  it('is uniform: χ² over 64 cells of 64,000 numbers stays below its 99.99 % point', () => {
    const counts = new Float64Array(64)
    for (let i = 0; i < 64000; i++) {
      const cell = Math.floor(hostUniform(hostKey(3), i) * 64)
      counts[cell] = (counts[cell] as number) + 1
    }
    const chi2 = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(chi2).toBeLessThan(113.2)
  })
})

describe('hostPermutationIndex', () => {
  it('is a bijection of 0 … n−1 for every key and n', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 600 }), (seed, n) => {
        const image = Array.from({ length: n }, (_, i) => hostPermutationIndex(hostKey(seed), n, i))
        expect(image.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
      }),
    )
  })

  it('stays in range and is injective at sizes too large to enumerate', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2 ** 20, max: 2 ** 32 }), fc.nat(), fc.nat(), (seed, n, p, q) => {
        const [i, j] = [p % n, q % n]
        const [a, b] = [hostPermutationIndex(hostKey(seed), n, i), hostPermutationIndex(hostKey(seed), n, j)]
        return a >= 0 && a < n && (i === j) === (a === b)
      }),
    )
  })

  it('sends place 0 of 10 elements to each of them about equally often', () => {
    const counts = new Float64Array(10)
    for (let seed = 0; seed < 10000; seed++) {
      const x = hostPermutationIndex(hostFold(hostKey(11), seed), 10, 0)
      counts[x] = (counts[x] as number) + 1
    }
    const chi2 = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(chi2).toBeLessThan(33.7)
  })

  it('refuses n of 0, more than 2^32, and places outside', () => {
    expect(() => hostPermutationIndex(hostKey(0), 0, 0)).toThrow(RangeError)
    expect(() => hostPermutationIndex(hostKey(0), 2 ** 32 + 1, 0)).toThrow(RangeError)
    expect(() => hostPermutationIndex(hostKey(0), 5, 5)).toThrow(/i 5 is outside \[0, 5\)/)
  })
})
