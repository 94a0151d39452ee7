/** Free parts of an address space. */
import { describe, expect, it } from 'vitest'
import { freeRanges } from '../../src/backends/freeRanges.ts'

describe('free ranges', () => {
  it('of the same size are taken whole, and nothing is there before something is free', () => {
    const free = freeRanges()
    expect(free.take(256)).toBeUndefined()
    free.give(1024, 256)
    free.give(4096, 512)
    expect(free.take(256)).toBe(1024)
    expect(free.take(256)).toBe(4096)
    expect(free.take(256)).toBe(4352)
    expect(free.take(256)).toBeUndefined()
  })

  it('are cut out of the smallest that has room', () => {
    const free = freeRanges()
    free.give(0, 4096)
    free.give(8192, 1024)
    expect(free.take(512)).toBe(8192)
    expect(free.take(4096)).toBe(0)
    expect(free.take(512)).toBe(8704)
  })

  it('that touch become one when no single one has room', () => {
    const free = freeRanges()
    free.give(512, 256)
    free.give(256, 256)
    free.give(1024, 256)
    expect(free.take(512)).toBe(256)
    expect(free.take(512)).toBeUndefined()
    expect(free.take(256)).toBe(1024)
  })
})
