import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ignoredKind } from '../../../src/data/folder/ignoredNames.ts'
import { openImageFolder } from '../../../src/data/folder/openImageFolder.node.ts'
import { scanFolder } from '../../../src/data/folder/scanFolder.node.ts'
import { formatScan, scanToJson, type ScanReport } from '../../../src/data/folder/scanReport.ts'
import { E } from '../../../src/prelude/fp.ts'
import { encoded, picture, plain } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()
const scan = async (folder: string): Promise<ScanReport> => {
  const result = await scanFolder(folder)()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}
const paths = (report: ScanReport): readonly string[] => report.usable.map((file) => file.path)
const red = (r: number): Promise<Uint8Array> => plain(r, 0, 0).png().toBuffer()

/** What a run of fathom writes first. */
const configuration = JSON.stringify({ batch: 16, steps: 100, saveEvery: 50, sampleEvery: 50, height: 8, width: 8 })

describe('names that are left out without a word', () => {
  it('are those of systems, thumbnails, trash and unfinished files, in any case of letters', async () => {
    const png = await encoded('png')
    const names = [
      'desktop.ini',
      'Thumbs.db',
      '.DS_Store',
      '._1.png',
      '.trashed-1700000000-IMG_1.png',
      '.pending-17-IMG_2.png',
    ]
    const folders = [
      '@eaDir',
      '__MACOSX',
      '.thumbnails',
      '$RECYCLE.BIN',
      '#recycle',
      '.Trash-1000',
      'lost+found',
      '.git',
    ]
    const files = [
      ...names,
      ...folders.map((folder) => `${folder}/1.png`),
      'IMG_3.png',
      'trashed.png',
      'desktop.ini.png',
    ]
    const report = await scan(folderWith(Object.fromEntries(files.map((name) => [name, png]))))
    expect(paths(report)).toEqual(['IMG_3.png', 'desktop.ini.png', 'trashed.png'])
    expect([report.skipped, report.ignored]).toEqual([[], names.length + folders.length])
    expect(report.ignoredByKind).toEqual({
      'system files': 4,
      thumbnails: 3,
      deleted: 5,
      'not yet written': 1,
      'hidden folders': 1,
    })
    expect(formatScan(report)).toContain('ignored  14  (5 deleted, 4 system files, 3 thumbnails')
    expect(ignoredKind('THUMBS.DB', 'file')).toBe('thumbnails')
    expect(ignoredKind('@eaDir', 'file')).toBe(undefined)
    expect(ignoredKind('.hidden.png', 'file')).toBe(undefined)
  })
})

describe('a run of fathom inside the picture folder', () => {
  it('is not searched and is named, in the report, the table and the warnings', async () => {
    const png = await encoded('png')
    const folder = folderWith({
      'sea.png': png,
      'runs/one/config.json': configuration,
      'runs/one/samples/step-000100.png': png,
      'runs/one/first-batch.png': png,
      'runs/two/config.json': configuration,
      'runs/two/lock': '{}',
      'runs/two/checkpoints/step-000000/x.png': png,
    })
    const report = await scan(folder)
    expect(paths(report)).toEqual(['sea.png'])
    expect(report.runs).toEqual(['runs/one', 'runs/two'])
    expect(formatScan(report)).toContain('run      runs/one holds a run of fathom and was not searched')
    const set = await openImageFolder(folder, { height: 8, width: 8, channels: 3, cacheDirectory: folderWith() })()
    expect(set).toMatchObject({ right: { names: ['sea.png'] } })
    expect(JSON.stringify(set)).toContain('runs/two inside the picture folder is a run of fathom')
  })

  it('is known by its configuration, not by names that people use too', async () => {
    const png = await encoded('png')
    const folder = folderWith({
      'a/config.json': '{"theme":"dark"}',
      'a/samples/1.png': png,
      'b/config.json': configuration,
      'b/2.png': png,
      'c/config.json': 'no JSON',
      'c/checkpoints/3.png': png,
    })
    const report = await scan(folder)
    expect(paths(report)).toEqual(['a/samples/1.png', 'b/2.png', 'c/checkpoints/3.png'])
    expect(report.runs).toEqual([])
  })

  it('is searched when it is the folder that was asked for; beside runs alone, the error says so', async () => {
    const folder = folderWith({ 'run/config.json': configuration, 'run/samples/1.png': await encoded('png') })
    expect(paths(await scan(join(folder, 'run')))).toEqual(['samples/1.png'])
    const opened = await openImageFolder(folder, { height: 8, width: 8, channels: 3, cacheDirectory: folderWith() })()
    expect(opened).toMatchObject({
      left: { code: 'DATA-NONE', message: expect.stringContaining('no files beside a run of fathom') },
    })
  })
})

describe('pictures that are there more than once', () => {
  it('are named by the scan when their bytes are equal, and only then', async () => {
    const [one, two] = [await red(1), await red(2)]
    expect(one.length).toBe(two.length)
    const late = Buffer.alloc(300_000, 7) // equal but for a byte in the middle, far from both ends
    const other = Buffer.from(late)
    other.writeUInt8(8, 150_000)
    const png = await encoded('png')
    const long = (tail: Uint8Array): Uint8Array => Buffer.concat([png, tail])
    const folder = folderWith({
      'a.png': one,
      'copy of a.png': one,
      'sub/a (1).png': one,
      'b.png': two,
      'x.png': long(late),
      'y.png': long(other),
      'z.png': long(late),
    })
    const report = await scan(folder)
    expect(report.duplicates).toEqual([
      ['a.png', 'copy of a.png', 'sub/a (1).png'],
      ['x.png', 'z.png'],
    ])
    expect(report.usable).toHaveLength(7)
    expect(formatScan(report)).toContain(
      'double   3 pictures are copies of others: a.png = copy of a.png = sub/a (1).png; x.png = z.png',
    )
  })

  it('are named in the warnings also when only their pixels are equal; a warning, not an error', async () => {
    const source = picture(16, 16)
    const folder = folderWith({
      'a.png': await source.clone().png({ compressionLevel: 1 }).toBuffer(),
      'a.tif': await source.clone().tiff({ compression: 'lzw' }).toBuffer(),
      'b.png': await red(9),
    })
    const set = await openImageFolder(folder, { height: 8, width: 8, channels: 3, cacheDirectory: folderWith() })()
    if (E.isLeft(set)) throw new Error(set.left.message)
    expect([set.right.count, set.right.report.duplicates]).toEqual([3, [['a.png', 'a.tif']]])
    expect(set.right.report.warnings).toEqual([
      expect.stringMatching(/^1 picture is a copy of another: a.png = a.tif\./),
    ])
  })
})

describe('scanToJson', () => {
  it('prints no character that a terminal obeys, and parses to the report', async () => {
    const folder = folderWith()
    const names = [
      'a\u009b31m.txt',
      'b\u007f.txt',
      'c\u202egnp.txt',
      'd\u200b.txt',
      'e\u{e0001}.txt',
      'f\x1b[2J.txt',
      'g\u2028.txt',
    ]
    for (const name of names) writeFileSync(join(folder, name), 'text')
    const report = await scan(folder)
    const json = scanToJson(report)
    expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(JSON.parse(json)).toEqual(report)
    expect(report.skipped).toHaveLength(names.length)
  })
})
