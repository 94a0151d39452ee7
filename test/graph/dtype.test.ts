/** Halves: encoding against a search through all of them, decoding against the definition of the format. */
import { describe, expect, it } from 'vitest'
import { decodeHalf, encodeHalf } from '../../src/graph/half.ts'
import { roundTo } from '../../src/graph/dtype.ts'
import { nearestHalf } from '../../proof/array.ts'

describe('f16', () => {
  it('every bit pattern but a NaN is encoded as itself after decoding', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const x = decodeHalf(bits)
      if (Number.isNaN(x)) expect((bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0).toBe(true)
      else if (encodeHalf(x) !== bits) expect(encodeHalf(x)).toBe(bits)
    }
  })

  it('rounds to the nearest half, ties to even, at and beside every midpoint', () => {
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      const middle = (decodeHalf(bits) + decodeHalf(bits + 1)) / 2
      for (const x of [middle, middle * (1 + 2 ** -40), middle * (1 - 2 ** -40), -middle])
        if (roundTo.f16(x) !== nearestHalf(x)) expect(roundTo.f16(x)).toBe(nearestHalf(x))
    }
    expect([65519, 65520, -65520, 2 ** -25, 2 ** -25 * 1.01, -0].map(roundTo.f16)).toEqual([
      65504,
      Infinity,
      -Infinity,
      0,
      2 ** -24,
      -0,
    ])
  })
})
