import { createHash } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFolderReader } from '../../../src/data/folder/folderReader.node.ts'
import type { FolderImageSet, FolderOptions } from '../../../src/data/folder/openImageFolder.node.ts'
import { openImageFolder } from '../../../src/data/folder/openImageFolder.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { encoded, ftyp, plain } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()

const size = { height: 8, width: 8, channels: 3 } as const
const opened = async (
  folder: string,
  options: Partial<FolderOptions> & { readonly cacheDirectory: string },
): Promise<FolderImageSet> => {
  const result = await openImageFolder(folder, { ...size, ...options })()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}
const colour = (r: number): Promise<Uint8Array> => plain(r, 0, 0).png().toBuffer()
const reds = (set: FolderImageSet): readonly (number | undefined)[] => set.names.map((_, i) => set.pixels(i)[0])

/** A PNG whose header is fine and whose pixels are not: found only by decoding. */
const rotten = async (): Promise<Uint8Array> => {
  const bytes = Buffer.from(await encoded('png'))
  bytes.writeUInt8(bytes.readUInt8(3000) ^ 0xff, 3000)
  return bytes
}

describe('openImageFolder: the set', () => {
  it('holds every usable picture at its size, by index in the order of the names', async () => {
    const folder = folderWith({
      'b.png': await colour(2),
      'a.png': await colour(1),
      'c/d.png': await colour(3),
      'x.txt': 'text',
    })
    const set = await opened(folder, { cacheDirectory: folderWith() })
    expect(set).toMatchObject({
      kind: 'folder',
      name: folder,
      height: 8,
      width: 8,
      channels: 3,
      count: 3,
      names: ['a.png', 'b.png', 'c/d.png'],
    })
    expect(reds(set)).toEqual([1, 2, 3])
    expect(set.pixels(2)).toHaveLength(192)
    expect(set.report.skipped.map((f) => f.reason)).toEqual(['text'])
    for (const index of [-1, 3, 0.5, NaN]) expect(() => set.pixels(index)).toThrow(RangeError)
  })

  it('skips and reports what only decoding finds, and warns above 20 % of bad files', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await rotten(), 'c.png': await colour(3) })
    const set = await opened(folder, { cacheDirectory: folderWith() })
    expect(reds(set)).toEqual([1, 3])
    expect(set.report.usable.map((f) => f.path)).toEqual(set.names)
    expect(set.report.skipped).toMatchObject([{ path: 'b.png', reason: 'corrupt' }])
    expect(set.report.warnings.join()).toContain('33 % of the files')
  })

  it('skips pictures that would be enlarged more than twice, and says how many are enlarged less', async () => {
    const folder = folderWith({
      'a.png': await encoded('png', 64, 64),
      'b.png': await encoded('png', 40, 40),
      'c.png': await encoded('png', 31, 64),
    })
    const set = await opened(folder, { cacheDirectory: folderWith(), height: 64, width: 64 })
    expect(set.names).toEqual(['a.png', 'b.png'])
    expect(set.report.countsByReason).toEqual({ 'too-small': 1 })
    expect(set.report.warnings.join()).toContain('1 pictures are smaller than 64×64')
  })

  it('reports a file that changes between the scan and the decoding, and reads it the next time', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await colour(2) })
    const cacheDirectory = folderWith()
    let opens = 0
    const fileSystem: typeof nodeFolderReader = {
      ...nodeFolderReader,
      withFile: (path, use) => {
        if (path.endsWith('b.png') && ++opens === 2) appendFileSync(path, 'more')
        return nodeFolderReader.withFile(path, use)
      },
    }
    const set = await opened(folder, { cacheDirectory, fileSystem })
    expect(set.report.skipped).toMatchObject([{ path: 'b.png', reason: 'changed' }])
    expect((await opened(folder, { cacheDirectory })).count).toBe(2)
  })

  it('has a fingerprint of its pixels: other pictures of equal names, sizes and times have another', async () => {
    const cacheDirectory = folderWith()
    const [one, two] = [await colour(1), await colour(2)]
    expect(one.length).toBe(two.length)
    const folder = folderWith({ 'a.png': one, 'b.png': two })
    const replace = (name: string, bytes: Uint8Array): void => {
      writeFileSync(join(folder, name), bytes)
      utimesSync(join(folder, name), 1e9, 1e9)
    }
    replace('a.png', one)
    const { fingerprint, pixels } = await opened(folder, { cacheDirectory })
    expect(fingerprint).toBe(createHash('sha256').update(pixels(0)).update(pixels(1)).digest('hex'))
    const elsewhere = folderWith({ '1/x.png': one, 'y.png': two })
    expect((await opened(elsewhere, { cacheDirectory })).fingerprint).toBe(fingerprint)
    replace('a.png', two)
    const other = await opened(folder, { cacheDirectory })
    expect(reds(other)).toEqual([2, 2])
    expect(other.fingerprint).not.toBe(fingerprint)
    replace('a.png', one)
    expect((await opened(folder, { cacheDirectory })).fingerprint).toBe(fingerprint)
  })

  it('tells progress of both phases', async () => {
    const seen: string[] = []
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await colour(2) })
    await opened(folder, {
      cacheDirectory: folderWith(),
      onProgress: (p) => seen.push(`${p.phase} ${p.done}/${p.total}`),
    })
    expect(seen).toEqual(['scan 1/2', 'scan 2/2', 'decode 1/2', 'decode 2/2'])
  })
})

describe('openImageFolder: the cache', () => {
  it('is created, then reused with equal pixels, and nothing is written into the folder', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await rotten() })
    const cacheDirectory = join(folderWith(), 'not', 'yet')
    const one = await opened(folder, { cacheDirectory })
    const two = await opened(folder, { cacheDirectory })
    expect([one.report.cache.state, two.report.cache.state]).toEqual(['created', 'reused'])
    expect(two.pixels(0)).toEqual(one.pixels(0))
    expect({ ...two.report, cache: 0 }).toEqual({ ...one.report, cache: 0 })
    expect(readdirSync(folder).toSorted()).toEqual(['a.png', 'b.png'])
    expect(readdirSync(cacheDirectory)).toHaveLength(1)
  })

  it('is made anew when a file, the size, the channels or the matte change', async () => {
    const folder = folderWith({ 'a.png': await colour(1) })
    const cacheDirectory = folderWith()
    const states: string[] = []
    const note = async (options: Partial<FolderOptions>): Promise<void> => {
      states.push((await opened(folder, { cacheDirectory, ...options })).report.cache.state)
    }
    await note({})
    await note({ height: 9 })
    await note({ channels: 1 })
    await note({ matte: 0 })
    utimesSync(join(folder, 'a.png'), 1e9, 1e9)
    await note({})
    writeFileSync(join(folder, 'b.png'), await colour(2))
    await note({})
    expect(new Set(states)).toEqual(new Set(['created']))
  })

  it('is rebuilt, and says why, when any byte of it is wrong, missing or too many', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await colour(2) })
    const cacheDirectory = folderWith()
    const { path } = (await opened(folder, { cacheDirectory })).report.cache
    const pixels = join(path, 'pixels.u8')
    const manifest = join(path, 'manifest.json')
    const flip = (file: string, at: number): void => {
      const bytes = readFileSync(file)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      writeFileSync(file, bytes)
    }
    const damages = [
      () => flip(pixels, 100),
      () => flip(manifest, 20),
      () => flip(manifest, 120),
      () => writeFileSync(pixels, readFileSync(pixels).subarray(1)),
      () => appendFileSync(pixels, 'x'),
      () => appendFileSync(manifest, 'x'),
      () => rmSync(pixels),
      () => rmSync(manifest),
      () => writeFileSync(manifest, ''),
    ]
    for (const damage of damages) {
      damage()
      const set = await opened(folder, { cacheDirectory })
      expect(set.report.cache.state).toBe('rebuilt')
      expect(set.report.warnings.join()).toContain('All pictures were decoded again')
      expect(reds(set)).toEqual([1, 2])
    }
    expect((await opened(folder, { cacheDirectory })).report.cache.state).toBe('reused')
    expect(readdirSync(cacheDirectory)).toHaveLength(1)
  })

  it('is rebuilt when its manifest matches its hash and does not say what a manifest says', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.txt': 'text' })
    const cacheDirectory = folderWith()
    const { path } = (await opened(folder, { cacheDirectory })).report.cache
    const file = join(path, 'manifest.json')
    const good = JSON.parse(readFileSync(file, 'utf8')).manifest
    const wrong = [
      [],
      { ...good, height: '8' },
      { ...good, channels: 2 },
      { ...good, names: [1] },
      { ...good, skipped: [{ path: 'b.txt', reason: 'no such reason', kind: '', detail: '', advice: '' }] },
      { ...good, sha256: undefined },
    ]
    for (const manifest of wrong) {
      const body = JSON.stringify(manifest)
      const sha256 = createHash('sha256').update(body).digest('hex')
      writeFileSync(file, `{"sha256":"${sha256}","manifest":${body}}\n`)
      const { cache } = (await opened(folder, { cacheDirectory })).report
      expect(cache).toMatchObject({ state: 'rebuilt', why: expect.stringContaining('what a manifest says') })
    }
  })

  it('is completed when files could not be read the last time', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await colour(2) })
    const cacheDirectory = folderWith()
    let opens = 0
    const fileSystem: typeof nodeFolderReader = {
      ...nodeFolderReader,
      withFile: async (path, use) => {
        if (path.endsWith('b.png') && ++opens > 1) throw Object.assign(new Error('disk'), { code: 'EIO' })
        return nodeFolderReader.withFile(path, use)
      },
    }
    expect((await opened(folder, { cacheDirectory, fileSystem })).count).toBe(1)
    const again = await opened(folder, { cacheDirectory })
    expect([again.count, again.report.cache.state]).toEqual([2, 'completed'])
  })

  it('two processes that build the same pack at once both get it, and one remains', async () => {
    const folder = folderWith({ 'a.png': await colour(1), 'b.png': await colour(2) })
    const cacheDirectory = folderWith()
    const sets = await Promise.all([1, 2, 3].map(() => opened(folder, { cacheDirectory })))
    for (const set of sets) expect(reds(set)).toEqual([1, 2])
    expect(readdirSync(cacheDirectory)).toHaveLength(1)
  })

  it('is refused inside the picture folder, also through a link, and where the disk refuses to write it', async () => {
    const folder = folderWith({ 'a.png': await colour(1), file: 'x' })
    const link = join(folderWith(), 'link')
    mkdirSync(join(folder, 'sub'))
    symlinkSync(join(folder, 'sub'), link)
    for (const cacheDirectory of [folder, join(folder, 'cache'), join(link, 'cache')])
      expect(await openImageFolder(folder, { ...size, cacheDirectory })()).toMatchObject({
        left: { code: 'DATA-CACHE', message: expect.stringContaining('inside the picture folder') },
      })
    const cacheDirectory = join(folderWith({ file: 'x' }), 'file', 'cache')
    expect(await openImageFolder(folder, { ...size, cacheDirectory })()).toMatchObject({
      left: { code: 'DATA-CACHE', message: expect.stringContaining('ENOTDIR') },
    })
  })
})

describe('openImageFolder: errors', () => {
  const errorOf = async (folder: string, options: Partial<FolderOptions> = {}): Promise<string> => {
    const result = await openImageFolder(folder, { ...size, cacheDirectory: folderWith(), ...options })()
    return E.isLeft(result) ? `${result.left.code}: ${result.left.message}` : 'none'
  }

  it('DATA-NONE names what was seen and what to do', async () => {
    const phone = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`IMG_${i}.HEIC`, ftyp('heic')]))
    const message = await errorOf(folderWith({ ...phone, 'list.txt': 'text' }), { heic: false })
    expect(message).toContain('41 files seen: 40 HEIC, 1 text.')
    expect(message).toContain('sips -s format jpeg')
    expect(message.startsWith('DATA-NONE: No usable images in ')).toBe(true)
  })

  it('DATA-NONE for an empty folder, and where the only picture fails to decode', async () => {
    expect(await errorOf(folderWith())).toContain('it holds no files')
    expect(await errorOf(folderWith({ 'a.png': await rotten() }))).toContain('1 file seen: 1 corrupt PNG.')
  })

  it('DATA-LARGE says how much memory it would take', async () => {
    expect(await errorOf(folderWith({ 'a.png': await colour(1) }), { maxMemory: 100 })).toContain(
      'DATA-LARGE: 1 pictures of 8×8×3',
    )
  })

  it('DATA-OPTION and DATA-FOLDER come before any work', async () => {
    expect(await errorOf(folderWith(), { width: 0 })).toContain('DATA-OPTION')
    expect(await errorOf(join(folderWith(), 'none'))).toContain('DATA-FOLDER')
  })
})
