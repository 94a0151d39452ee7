import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FolderReader } from '../../../src/data/folder/folderReader.node.ts'
import { nodeFolderReader } from '../../../src/data/folder/folderReader.node.ts'
import type { ScanOptions } from '../../../src/data/folder/scanFolder.node.ts'
import { scanFolder } from '../../../src/data/folder/scanFolder.node.ts'
import type { ScanReport } from '../../../src/data/folder/scanReport.ts'
import { formatScan, scanToJson } from '../../../src/data/folder/scanReport.ts'
import { E } from '../../../src/prelude/fp.ts'
import { bomb, encoded, formats, ftyp, picture, plain } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()

const scan = async (folder: string, options?: ScanOptions): Promise<ScanReport> => {
  const result = await scanFolder(folder, options)()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const reasons = (report: ScanReport): Record<string, string> =>
  Object.fromEntries(report.skipped.map((f) => [f.path, f.reason]))
const paths = (report: ScanReport): readonly string[] => report.usable.map((f) => f.path)

const failing = (path: RegExp, code: string): FolderReader => {
  const fail = (): never => {
    throw Object.assign(new Error(code), { code })
  }
  return {
    ...nodeFolderReader,
    list: async (folder) => (path.test(folder) ? fail() : nodeFolderReader.list(folder)),
    withFile: async (file, use) => (path.test(file) ? fail() : nodeFolderReader.withFile(file, use)),
  }
}

/**
 * As root every mode is readable, so the scan runs as "nobody" there; tests of vitest run in processes of their own.
 */
const asOrdinaryUser = async <A>(f: () => Promise<A>): Promise<A> => {
  if (process.getuid?.() !== 0) return f()
  process.seteuid?.(65534)
  try {
    return await f()
  } finally {
    process.seteuid?.(0)
  }
}

describe('scanFolder: what is usable', () => {
  it('finds every format, at any depth, whatever the names say, in the order of the paths as UTF-8 bytes', async () => {
    const files = Object.fromEntries(
      await Promise.all(formats.map(async (f) => [`deep/er/${f}.dat`, await encoded(f)] as const)),
    )
    const jpeg = await encoded('jpeg')
    const report = await scan(
      folderWith({ ...files, '\u{1f30a}.jpg': jpeg, '｡.jpg': jpeg, 'B.png': jpeg, 'a.PNG': jpeg }),
    )
    expect(paths(report)).toEqual([
      'B.png',
      'a.PNG',
      ...formats.toSorted().map((f) => `deep/er/${f}.dat`),
      '｡.jpg',
      '\u{1f30a}.jpg',
    ])
    expect(report.countsByFormat).toEqual({ png: 1, jpeg: 5, webp: 1, tiff: 1, avif: 1, gif: 1 })
    for (const file of report.usable) expect([file.width, file.height]).toEqual([96, 64])
  })

  it('gives width and height as a person sees the picture, and counts transparency', async () => {
    const report = await scan(
      folderWith({
        'turned.jpg': await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
        'clear.png': await plain(1, 2, 3, 0.5).png().toBuffer(),
      }),
    )
    expect(report.usable.find((f) => f.path === 'turned.jpg')).toMatchObject({ width: 64, height: 96 })
    expect(report.withAlpha).toBe(1)
  })

  it('reads headers that lie beyond the first 64 KiB', async () => {
    const exif = await picture()
      .withXmp(`<x>${'sea '.repeat(15000)}</x>`)
      .jpeg()
      .toBuffer()
    expect(paths(await scan(folderWith({ 'a.jpg': Buffer.concat([exif]) })))).toEqual(['a.jpg'])
  })
})

describe('scanFolder: what is skipped, each with a reason and advice', () => {
  it('tells empty, text, web page, HEIC, video and unknown files apart', async () => {
    const report = await scan(
      folderWith({
        'empty.png': '',
        'text.jpg': 'not a picture',
        'page.jpg': '<html>404</html>',
        'phone.jpg': ftyp('heic', 'mif1'),
        'clip.jpg': ftyp('qt  '),
        'noise.jpg': Uint8Array.of(0, 1, 2),
      }),
      { heic: false },
    )
    expect(reasons(report)).toEqual({
      'empty.png': 'empty',
      'text.jpg': 'text',
      'page.jpg': 'web-page',
      'phone.jpg': 'heic',
      'clip.jpg': 'video',
      'noise.jpg': 'not-an-image',
    })
    expect(report.skipped.find((f) => f.reason === 'heic')?.advice).toContain('sips -s format jpeg')
    for (const file of report.skipped) expect([file.advice, file.detail].every((text) => text.endsWith('.'))).toBe(true)
  })

  it('finds files that were cut at any eighth without decoding them', async () => {
    const files: Record<string, Uint8Array> = {}
    for (const format of formats) {
      const bytes = await encoded(format)
      for (let i = 1; i < 8; i++) files[`${format}-${i}`] = bytes.subarray(0, Math.floor((bytes.length * i) / 8))
    }
    const report = await scan(folderWith(files))
    expect(report.usable).toEqual([])
    expect(new Set(Object.values(reasons(report)))).toEqual(new Set(['truncated']))
  })

  it('refuses a file of few bytes that claims 30,000×30,000 pixels, and says what it claims', async () => {
    const report = await scan(folderWith({ 'bomb.png': bomb() }))
    expect(report.skipped[0]).toMatchObject({ reason: 'too-many-pixels', kind: 'PNG' })
    expect(report.skipped[0]?.detail).toContain('30,000×30,000')
    expect(paths(await scan(folderWith({ 'bomb.png': bomb() }), { maxPixels: 1e9 }))).toEqual(['bomb.png'])
  })

  it('refuses files above the limit of bytes without reading them', async () => {
    const folder = folderWith({ 'big.png': await encoded('png') })
    truncateSync(join(folder, 'big.png'), 2 ** 31)
    expect(reasons(await scan(folder))).toEqual({ 'big.png': 'too-many-bytes' })
  })

  it('never opens a pipe', async () => {
    const folder = folderWith()
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')])
    expect(reasons(await scan(folder))).toEqual({ 'pipe.jpg': 'special-file' })
  })

  it('leaves out ._*, .DS_Store and dot-folders, and counts them', async () => {
    const png = await encoded('png')
    const report = await scan(folderWith({ '._a.png': png, '.DS_Store': 'x', '.git/a.png': png, 'a.png': png }))
    expect(paths(report)).toEqual(['a.png'])
    expect([report.skipped, report.ignored]).toEqual([[], 3])
  })
})

describe('scanFolder: odd names', () => {
  it('reads names with newlines, dashes, quotes, emoji, brackets and 255 bytes, each printed on one line', async () => {
    const png = await encoded('png')
    const names = ['a\nb.png', '-rf', '$(touch x).png', 'p[page=1].png', '🌊.png', `${'x'.repeat(251)}.png`, 'q\'".png']
    const report = await scan(folderWith(Object.fromEntries(names.map((name) => [name, png]))))
    expect(new Set(paths(report))).toEqual(new Set(names))
    const bad = await scan(folderWith({ 'a\nb\x1b[2J.png': 'text' }))
    expect(formatScan(bad)).toContain('"a\\nb\\u{1b}[2J.png"')
    expect(formatScan(bad)).not.toContain('\x1b')
  })

  it('reports a name that is not UTF-8, which could not be opened again by a string', async () => {
    const folder = folderWith()
    writeFileSync(
      Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.of(0xe9), Buffer.from('.png')]),
      await encoded('png'),
    )
    expect(reasons(await scan(folder))).toEqual({ 'café.png': 'name-not-utf8' })
  })
})

describe('scanFolder: links', () => {
  it('ends at loops, and reports links that are broken, leave the folder or repeat a file', async () => {
    const png = await encoded('png')
    const outside = folderWith({ 'secret.png': png })
    const folder = folderWith({ 'a.png': png, 'sub/b.png': png })
    symlinkSync('..', join(folder, 'sub', 'up'))
    symlinkSync('self', join(folder, 'self'))
    symlinkSync('nowhere', join(folder, 'broken'))
    symlinkSync(outside, join(folder, 'out'))
    symlinkSync(join(outside, 'secret.png'), join(folder, 'out.png'))
    symlinkSync('a.png', join(folder, 'again.png'))
    symlinkSync('sub', join(folder, 'sub2'))
    const report = await scan(folder)
    expect(paths(report)).toEqual(['a.png', 'sub/b.png'])
    expect(reasons(report)).toEqual({
      'sub/up': 'link-loop',
      self: 'link-loop',
      broken: 'link-broken',
      out: 'link-outside',
      'out.png': 'link-outside',
      'again.png': 'link-duplicate',
      sub2: 'link-duplicate',
    })
    expect(paths(await scan(folder, { followLinks: true }))).toEqual(['a.png', 'out/secret.png', 'sub/b.png'])
  })

  it('accepts a folder that is itself a link, and ends at two outer folders that point at each other', async () => {
    const one = folderWith({ 'a.png': await encoded('png') })
    const two = folderWith({ 'b.png': await encoded('png') })
    symlinkSync(two, join(one, 'two'))
    symlinkSync(one, join(two, 'one'))
    const start = join(folderWith(), 'link')
    symlinkSync(one, start)
    expect(paths(await scan(start, { followLinks: true }))).toEqual(['a.png', 'two/b.png'])
  })
})

describe('scanFolder: what the system refuses', () => {
  it('reports files and folders without permission and goes on', async () => {
    const png = await encoded('png')
    const folder = folderWith({ 'a.png': png, 'locked.png': png, 'closed/b.png': png })
    for (let parent = folder; parent.includes('fathom-folder-'); parent = join(parent, '..')) chmodSync(parent, 0o755)
    chmodSync(join(folder, 'locked.png'), 0)
    chmodSync(join(folder, 'closed'), 0)
    const report = await asOrdinaryUser(() => scan(folder))
    chmodSync(join(folder, 'closed'), 0o755)
    expect(paths(report)).toEqual(['a.png'])
    expect(reasons(report)).toEqual({ 'locked.png': 'unreadable', closed: 'unreadable' })
  })

  it('reports read errors of the disk, by an injected file system', async () => {
    const png = await encoded('png')
    const folder = folderWith({ 'a.png': png, 'rotten.png': png, 'sub/b.png': png, 'gone.png': png })
    const report = await scan(folder, { fileSystem: failing(/rotten|sub$/, 'EIO') })
    expect(reasons(report)).toEqual({ 'rotten.png': 'unreadable', sub: 'unreadable' })
    expect(report.skipped[0]?.detail).toContain('EIO')
    expect(reasons(await scan(folder, { fileSystem: failing(/gone/, 'ENOENT') }))).toEqual({ 'gone.png': 'changed' })
  })

  it('says DATA-FOLDER for a folder that is missing or a file', async () => {
    const folder = folderWith({ 'a.png': 'x' })
    expect(await scanFolder(join(folder, 'none'))()).toMatchObject({
      left: { code: 'DATA-FOLDER', message: expect.stringContaining('does not exist') },
    })
    expect(await scanFolder(join(folder, 'a.png'))()).toMatchObject({
      left: { code: 'DATA-FOLDER', message: expect.stringContaining('is a file') },
    })
  })
})

describe('formatScan and scanToJson', () => {
  it('print counts, reasons, names and advice; JSON gives the report back', async () => {
    const folder = folderWith({ 'a.png': await encoded('png'), 'b.jpg': 'text', 'c.jpg': '' })
    mkdirSync(join(folder, '.hidden'))
    const report = await scan(folder)
    const text = formatScan(report)
    expect(text).toContain('usable   1  (1 PNG; 96×64)')
    expect(text).toContain('skipped  2  (1 empty, 1 text)')
    expect(text).toContain('b.jpg')
    expect(JSON.parse(scanToJson(report))).toEqual(report)
  })

  it('names only some files of each reason and counts the rest', async () => {
    const report = await scan(folderWith(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}.jpg`, 'x']))))
    expect(formatScan(report, 2)).toContain('… and 7 more')
  })
})
