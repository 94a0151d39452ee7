import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { orderedMap } from '../../../src/data/folder/orderedMap.ts'

const collect = async <A>(items: AsyncIterable<A>): Promise<readonly A[]> => {
  const all: A[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('orderedMap', () => {
  it('is the map, in order, whatever order the calls end in, and never runs more than it may', async () => {
    const property = fc.asyncProperty(fc.array(fc.nat(3)), fc.integer({ min: 1, max: 5 }), async (waits, limit) => {
      let running = 0
      const results = orderedMap(waits, limit, async (wait, i) => {
        running++
        expect(running).toBeLessThanOrEqual(limit)
        for (let k = 0; k < wait; k++) await Promise.resolve()
        running--
        return i
      })
      expect(await collect(results)).toEqual(waits.map((_, i) => i))
    })
    await fc.assert(property)
  })

  it('throws the error of a call, after those that run have ended', async () => {
    let ended = 0
    const results = orderedMap([1, 2, 3, 4], 2, async (n) => {
      await Promise.resolve()
      ended++
      if (n === 1) throw new Error('one')
      return n
    })
    await expect(collect(results)).rejects.toThrow('one')
    expect(ended).toBe(2)
  })
})
