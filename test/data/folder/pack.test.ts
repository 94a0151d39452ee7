/** The pack of a folder: which picture is at which place, and in which order its files reach the disk. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { openImageFolder, type FolderImageSet } from '../../../src/data/folder/openImageFolder.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { calls, callsAbout } from '../../support/fileCalls.ts'
import { plain } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

vi.mock('node:fs/promises', async (original) => {
  const { watchedFs } = await import('../../support/fileCalls.ts')
  return watchedFs(await original())
})

/** The bytes of a picture in a pack, and how many of them make a block where it is not a gigabyte. */
const each = 4 * 6 * 3
const blocks = vi.hoisted((): { perBlock: number | undefined } => ({ perBlock: undefined }))

vi.mock('../../../src/data/folder/packedCache.node.ts', async (original) => {
  const actual = await original<typeof import('../../../src/data/folder/packedCache.node.ts')>()
  const openPack: typeof actual.openPack = (cache, key, shape) =>
    actual.openPack(cache, key, shape, ...(blocks.perBlock === undefined ? [] : [blocks.perBlock * each]))
  return { ...actual, openPack }
})

const folderWith = temporaryFolders()
beforeEach(() => {
  blocks.perBlock = undefined
  calls.length = 0
})

const opened = async (folder: string, cacheDirectory: string): Promise<FolderImageSet> => {
  const result = await openImageFolder(folder, { height: 4, width: 6, channels: 3, cacheDirectory })()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** Seven pictures, each of one colour that its name says; the third is a text and the fifth is broken inside. */
const pictures = async (): Promise<string> => {
  const files: Record<string, Uint8Array> = {}
  for (const i of [0, 1, 2, 3, 4, 5, 6])
    files[`${i}.png`] = await plain(10 * i, 100 + i, 200 - i)
      .png()
      .toBuffer()
  files['2a.txt'] = new TextEncoder().encode('text')
  const broken = Buffer.from(files['4.png'] ?? [])
  broken.writeUInt8(broken.readUInt8(broken.length - 20) ^ 0xff, broken.length - 20)
  return folderWith({ ...files, '4.png': broken })
}

describe('the pictures of a pack', () => {
  it.each([undefined, 1, 2, 4])('are at the places of their names, in blocks of %s', async (perBlock) => {
    blocks.perBlock = perBlock
    const set = await opened(await pictures(), folderWith())
    expect(set.names).toEqual(['0.png', '1.png', '2.png', '3.png', '5.png', '6.png'])
    for (const [place, i] of [0, 1, 2, 3, 5, 6].entries()) {
      const pixels = set.pixels(place)
      expect(pixels).toHaveLength(each)
      expect([...pixels]).toEqual(Array.from({ length: 24 }, () => [10 * i, 100 + i, 200 - i]).flat())
    }
  })
})

describe('the files of a pack', () => {
  const order = (cache: string): readonly string[] =>
    callsAbout(cache, cache)
      .map((call) => call.replaceAll(cache, '.').replaceAll(/[0-9a-f]{32}/g, 'KEY'))
      .map((call) => call.replaceAll(/\.tmp-[^/ ]+/g, '.tmp'))

  it('are synced before the pack has its name, and the name before it is used', async () => {
    const cache = folderWith()
    await opened(await pictures(), cache)
    const found = order(cache)
    const at = (call: string): number => {
      expect(
        found.filter((c) => c === call),
        call,
      ).toHaveLength(1)
      return found.indexOf(call)
    }
    const sequence = [
      'open wx KEY.tmp/pixels.u8',
      'sync KEY.tmp/pixels.u8',
      'write KEY.tmp/manifest.json',
      'sync KEY.tmp/manifest.json',
      'sync KEY.tmp',
      'rename KEY.tmp → KEY',
      'sync .',
    ].map(at)
    expect(sequence).toEqual(sequence.toSorted((a, b) => a - b))
  })

  it('that were damaged stay until the new ones are whole', async () => {
    const [folder, cache] = [await pictures(), folderWith()]
    const { path } = (await opened(folder, cache)).report.cache
    rmSync(join(path, 'pixels.u8'))
    writeFileSync(join(path, 'pixels.u8'), 'damaged')
    calls.length = 0
    expect((await opened(folder, cache)).report.cache.state).toBe('rebuilt')
    const found = order(cache)
    expect(found.indexOf('remove KEY')).toBeGreaterThan(found.indexOf('sync KEY.tmp'))
    expect(found.indexOf('remove KEY')).toBeLessThan(found.indexOf('rename KEY.tmp → KEY'))
  })
})
