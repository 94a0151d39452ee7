/** Which pictures a configuration opens: those of its folder, its size and its seed. */
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { dataOfSeas } from '../../../../src/data/index.ts'
import { range } from '../../../../src/prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../../../src/prelude/threefry.ts'
import { openPictures } from '../../../../src/train/pictures/openPictures.node.ts'
import { temporaryFolders } from '../../../support/temporaryFolder.ts'
import { done, tinyConfig } from '../../tinyRun.ts'
import { withCacheHome } from '../../../support/cacheHome.ts'

const folderWith = temporaryFolders()
withCacheHome(folderWith)

const size = { height: 8, width: 12 }

/** Twelve pictures of 24 × 16 pixels, picture i of red 20 · i; the left half has no green, the right half all of it. */
const pictures = async (): Promise<string> => {
  const files = range(12).map(async (i) => {
    const pixels = Uint8Array.from({ length: 24 * 16 * 3 }, (_, p) =>
      p % 3 === 0 ? 20 * i : p % 3 === 1 && Math.floor(p / 3) % 24 >= 12 ? 255 : 0,
    )
    const png = await sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } })
      .png()
      .toBuffer()
    return [`${String.fromCharCode(97 + i)}.png`, png] as const
  })
  return folderWith(Object.fromEntries(await Promise.all(files)))
}

describe('the pictures of a configuration', () => {
  it.each([0, 7])('are those of its folder, held out and ordered by its seed: %i', async (seed) => {
    const { data } = await done(openPictures({ ...size, seed, folder: await pictures() }))
    const place = (n: number): number => hostPermutationIndex(hostFold(hostKey(seed), 0), 12, n)
    const order = (n: number): number => hostPermutationIndex(hostFold(hostFold(hostKey(seed), 1), 0), 11, n)
    expect(data.heldOut(0)[0]).toBe(20 * place(0))
    expect(range(11).map((i) => data.picture(i)[0])).toEqual(range(11).map((i) => 20 * place(1 + order(i))))
  })

  it('have its height and width, each as it is', async () => {
    const { data } = await done(openPictures(tinyConfig('unused', { ...size, folder: await pictures() })))
    expect([data.height, data.width, data.channels]).toEqual([8, 12, 3])
    const row = data.picture(0).subarray(0, 36)
    expect([row[1], row[34]]).toEqual([0, 255])
  })

  it('are seas of its seed and size where it names no folder', async () => {
    const { data } = await done(openPictures(tinyConfig('unused', { ...size, seed: 6 })))
    const seas = dataOfSeas({ ...size, seed: 6 })
    expect([data.height, data.width]).toEqual([8, 12])
    for (const i of [0, 5]) expect(data.picture(i)).toEqual(seas.picture(i))
    expect(data.heldOut(0)).toEqual(seas.heldOut(0))
  })
})
