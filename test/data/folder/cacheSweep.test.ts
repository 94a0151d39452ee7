import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sweepCache, temporaryName } from '../../../src/data/folder/cacheSweep.node.ts'
import { nodeFolderReader, type FolderReader } from '../../../src/data/folder/folderReader.node.ts'
import { openImageFolder, type FolderOptions } from '../../../src/data/folder/openImageFolder.node.ts'
import { isGone, processPlace, unknownPlace } from '../../../src/data/folder/processPlace.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { plain } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()
const red = (r: number): Promise<Uint8Array> => plain(r, 0, 0).png().toBuffer()
const opened = async (folder: string, options: Partial<FolderOptions> & { readonly cacheDirectory: string }) => {
  const result = await openImageFolder(folder, { height: 8, width: 8, channels: 3, ...options })()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** The number of a process that has ended. */
const endedProcess = (): number => {
  const { pid } = spawnSync(process.execPath, ['-e', '0'])
  return pid
}
const key = 'a'.repeat(32)
const day = 86_400_000

describe('sweepCache', () => {
  it('removes at once what a process of this machine left that is gone, and nothing of one that lives', async () => {
    const cache = folderWith()
    const left = `${key}.tmp-${endedProcess()}-${processPlace()}-00000001`
    const alive = temporaryName(key)
    for (const name of [left, alive]) mkdirSync(join(cache, name))
    await sweepCache(cache, 'b'.repeat(32))
    expect(readdirSync(cache)).toEqual(processPlace() === unknownPlace ? [alive, left].toSorted() : [alive])
  })

  it('does not judge numbers of another machine or container: there it waits for a day of silence', async () => {
    const cache = folderWith()
    const foreign = `${key}.tmp-${endedProcess()}-12345678-00000001`
    const old = `${key}.tmp-${endedProcess()}-00000001` // as it was named before places were
    for (const name of [foreign, old]) mkdirSync(join(cache, name))
    await sweepCache(cache, 'b'.repeat(32))
    expect(readdirSync(cache)).toHaveLength(2)
    await sweepCache(cache, 'b'.repeat(32), Date.now() + day - 60_000)
    expect(readdirSync(cache)).toHaveLength(2)
    await sweepCache(cache, 'b'.repeat(32), Date.now() + day + 60_000)
    expect(readdirSync(cache)).toEqual([])
    expect(isGone(endedProcess(), '12345678')).toBe(false)
    expect(isGone(process.pid, processPlace())).toBe(false)
  })

  it('keeps packs of other folders, and whatever is not its own', async () => {
    const cache = folderWith({ 'notes.txt': 'mine' })
    const [mine, older, others] = [
      `${'1'.repeat(16)}${'2'.repeat(16)}`,
      `${'1'.repeat(16)}${'3'.repeat(16)}`,
      'c'.repeat(32),
    ]
    for (const name of [mine, older, others]) {
      mkdirSync(join(cache, name))
      writeFileSync(join(cache, name, 'pixels.u8'), 'x')
    }
    await sweepCache(cache, mine)
    expect(readdirSync(cache).toSorted()).toEqual([mine, others, 'notes.txt'].toSorted())
  })
})

describe('the cache of one folder', () => {
  it('stays one pack for each size, however often a file changes', async () => {
    const folder = folderWith({ 'a.png': await red(1), 'b.png': await red(2) })
    const cacheDirectory = folderWith()
    for (const time of [1e9, 1.1e9, 1.2e9]) {
      utimesSync(join(folder, 'a.png'), time, time)
      await opened(folder, { cacheDirectory })
      await opened(folder, { cacheDirectory, height: 9 })
    }
    expect(readdirSync(cacheDirectory)).toHaveLength(2)
    expect((await opened(folder, { cacheDirectory })).report.cache.state).toBe('reused')
  })

  it('is opened though what a killed process left lies there, which goes', async () => {
    const folder = folderWith({ 'a.png': await red(1) })
    const cacheDirectory = folderWith()
    const left = join(cacheDirectory, `${key}.tmp-${endedProcess()}-${processPlace()}-00000001`)
    mkdirSync(left)
    writeFileSync(join(left, 'pixels.u8'), 'half')
    expect((await opened(folder, { cacheDirectory })).count).toBe(1)
    expect(existsSync(left)).toBe(processPlace() === unknownPlace)
  })
})

describe('what could not be read the last time', () => {
  /** Fails to read `path` after the scan, as often as told. */
  const failing = (path: string, code: string): FolderReader => {
    let opens = 0
    return {
      ...nodeFolderReader,
      withFile: async (file, use) => {
        if (file.endsWith(path) && ++opens > 1) throw Object.assign(new Error(code), { code })
        return nodeFolderReader.withFile(file, use)
      },
    }
  }
  /** Counts how often each file is opened. */
  const counting = (): FolderReader & { readonly opens: Record<string, number> } => {
    const opens: Record<string, number> = {}
    const withFile: FolderReader['withFile'] = (path, use) => {
      const name = path.slice(-5)
      opens[name] = (opens[name] ?? 0) + 1
      return nodeFolderReader.withFile(path, use)
    }
    return { ...nodeFolderReader, withFile, opens }
  }

  it('is tried again and put in its place, and nothing else is decoded again', async () => {
    const files = { 'a.png': await red(1), 'b.png': await red(20), 'c.png': await red(200) }
    const folder = folderWith(files)
    const cacheDirectory = folderWith()
    for (const code of ['EIO', 'EMFILE']) {
      const first = await opened(folder, { cacheDirectory, fileSystem: failing('b.png', code) })
      expect([first.names, first.report.skipped.map((file) => file.reason)]).toEqual([
        ['a.png', 'c.png'],
        ['unreadable'],
      ])
    }
    const fileSystem = counting()
    const again = await opened(folder, { cacheDirectory, fileSystem })
    expect([again.names, again.report.cache.state]).toEqual([['a.png', 'b.png', 'c.png'], 'completed'])
    expect([0, 1, 2].map((i) => again.pixels(i)[0])).toEqual([1, 20, 200])
    expect((fileSystem.opens['b.png'] ?? 0) - (fileSystem.opens['a.png'] ?? 0)).toBe(1)
    expect(again.report.warnings.join()).not.toContain('decoded again')
    expect((await opened(folder, { cacheDirectory })).report.cache.state).toBe('reused')
  })

  it('leaves the cache as it is while it fails', async () => {
    const folder = folderWith({ 'a.png': await red(1), 'b.png': await red(20) })
    const cacheDirectory = folderWith()
    const states = []
    for (let i = 0; i < 3; i++) {
      const set = await opened(folder, { cacheDirectory, fileSystem: failing('b.png', 'EIO') })
      states.push([set.count, set.report.cache.state])
    }
    expect(states).toEqual([
      [1, 'created'],
      [1, 'reused'],
      [1, 'reused'],
    ])
  })
})
