/** Which of two sets of pictures is nearer to real ones. */
import { afterAll, describe, expect, it } from 'vitest'
import { seas } from '../../src/data/index.ts'
import { blurredPictures, compareSets, type Pictures } from '../../src/evaluation/index.ts'
import { openDevice } from '../../src/index.ts'
import { range } from '../../src/prelude/array.ts'

const device = await openDevice('wasm')
afterAll(() => device.close())

const data = seas({ seed: 3, size: 16 })
const of = (first: number, count: number, size = 16): Pictures => {
  const { image } = size === 16 ? data : seas({ seed: 3, size })
  return { height: size, width: size, channels: 3, pictures: range(count).map((i) => image(first + i)) }
}
const training = of(0, 144)
const options = { training, permutations: 99 }

describe('two sets of pictures', () => {
  it('of which one is blurred: the other is nearer in both spaces, whichever comes first', async () => {
    const [sharp, blurred] = [of(500, 48), blurredPictures(of(600, 48), 3)]
    const one = await compareSets(device, { ...options, first: sharp, second: blurred })
    expect(one.count).toBe(48)
    expect(Object.keys(one.spaces)).toEqual(['trained', 'random'])
    expect(one.nearer).toBe('first')
    expect((await compareSets(device, { ...options, first: blurred, second: sharp })).nearer).toBe('second')
  })

  it('both real: none is called nearer, and the same seed says the same', async () => {
    const sets = { first: of(500, 48), second: of(600, 48) }
    const one = await compareSets(device, { ...options, ...sets })
    expect('nearer' in one).toBe(false)
    expect(await compareSets(device, { ...options, ...sets })).toEqual(one)
    expect((await compareSets(device, { ...options, ...sets, seed: 1 })).spaces).not.toEqual(one.spaces)
  })

  it('of different numbers are compared by as many of each; of too few, or of other sizes, not at all', async () => {
    expect((await compareSets(device, { ...options, first: of(500, 30), second: of(600, 20) })).count).toBe(20)
    await expect(compareSets(device, { ...options, first: of(500, 15), second: of(600, 20) })).rejects.toThrow(
      'first has 15 pictures, and at least 16 are needed',
    )
    await expect(compareSets(device, { first: of(500, 16), second: of(600, 16), training: of(0, 47) })).rejects.toThrow(
      'training has 47 pictures, and at least 48 are needed',
    )
    await expect(compareSets(device, { ...options, first: of(500, 16), second: of(600, 16, 8) })).rejects.toThrow(
      'the pictures of second are 8×8 and those of training 16×16: compare pictures of one size',
    )
  })

  it('are not compared by fewer assignments than could tell anything', async () => {
    for (const permutations of [NaN, 0, -5, 18, 20.5])
      await expect(
        compareSets(device, { training, first: of(500, 16), second: of(600, 16), permutations }),
      ).rejects.toThrow(`compareSets: permutations is ${permutations}; it must be a whole number ≥ 19`)
    expect(() => blurredPictures(of(500, 1), NaN)).toThrow('blurredPictures: sigma is NaN')
  })
})
