/** Records: what may be read from a parsed value, and the keys of a table. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRecord, keysOf } from '../../src/prelude/record.ts'

describe('isRecord', () => {
  it('accepts objects, and neither arrays, null nor plain values', () => {
    expect([{}, { a: 1 }, Object.create(null)].map(isRecord)).toEqual([true, true, true])
    expect([null, undefined, [], [1], 'a', 1, true].some(isRecord)).toBe(false)
  })

  it('accepts of all JSON values exactly those whose text starts with a brace', () => {
    fc.assert(fc.property(fc.json(), (text) => isRecord(JSON.parse(text)) === text.startsWith('{')))
  })
})

describe('keysOf', () => {
  it('gives the own keys in their order', () => {
    expect(keysOf({ port: 1, starboard: 2, safeWater: undefined })).toEqual(['port', 'starboard', 'safeWater'])
    expect(keysOf(Object.create({ inherited: 1 }))).toEqual([])
  })
})
