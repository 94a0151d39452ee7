/** In which order files are written, synced and renamed by Node itself: what survives a power failure follows from it. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { newestCheckpoint, nodeFileSystem, replaceFile, saveCheckpoint } from '../../src/io/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { calls, callsAbout, hooks } from '../support/fileCalls.ts'

vi.mock('node:fs/promises', async (original) => {
  const { watchedFs } = await import('../support/fileCalls.ts')
  return watchedFs(await original())
})

const root = realpathSync(mkdtempSync(join(tmpdir(), 'fathom-durable-')))
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})
let next = 0
let folder = ''
beforeEach(async () => {
  folder = join(root, `f${next++}`)
  await nodeFileSystem.makeDirectory(folder)()
  hooks.before = () => undefined
  calls.length = 0
})

const bytes = Uint8Array.of(1, 2, 3)

describe('the file system of Node', () => {
  it.each([
    ['replace', 'w'],
    ['exclusive', 'wx'],
  ] as const)('syncs a file after it has written it: %s', async (mode, flags) => {
    expect(E.isRight(await nodeFileSystem.writeFile(join(folder, 'a'), bytes, mode)())).toBe(true)
    expect(callsAbout(folder)).toEqual([`open ${flags} a`, 'write a', 'sync a'])
  })

  it('syncs a directory', async () => {
    await nodeFileSystem.syncDirectory(folder)()
    expect(calls).toEqual([`sync ${folder}`])
  })

  it('lists names in order, whatever the order of the disk', async () => {
    for (const name of ['c', 'a', 'B', 'b']) writeFileSync(join(folder, name), '')
    expect(await nodeFileSystem.list(folder)()).toEqual(E.right(['B', 'a', 'b', 'c']))
  })

  it('removes a new file that it could not write, and never one that was there', async () => {
    hooks.before = (call) => {
      if (call.startsWith('sync')) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    }
    const path = join(folder, 'a')
    expect(await nodeFileSystem.writeFile(path, bytes, 'exclusive')()).toMatchObject({ left: { code: 'ENOSPC' } })
    expect(readdirSync(folder)).toEqual([])
    writeFileSync(path, 'before')
    expect(await nodeFileSystem.writeFile(path, bytes, 'replace')()).toMatchObject({ left: { code: 'ENOSPC' } })
    expect(readdirSync(folder)).toEqual(['a'])
    expect(await nodeFileSystem.writeFile(path, bytes, 'exclusive')()).toMatchObject({ left: { code: 'EEXIST' } })
    expect(readdirSync(folder)).toEqual(['a'])
  })
})

describe('replacing a file', () => {
  it('writes beside it, syncs, renames over it, and syncs the directory that holds the name', async () => {
    await replaceFile(join(folder, 'latest'), bytes)()
    const temporary = '.tmp-latest-N'
    expect(callsAbout(folder)).toEqual([
      `open w ${temporary}`,
      `write ${temporary}`,
      `sync ${temporary}`,
      `rename ${temporary} → latest`,
      `sync ${folder}`,
    ])
  })

  it('leaves the old file, and nothing beside it, when it cannot be renamed', async () => {
    const path = join(folder, 'latest')
    writeFileSync(path, 'before')
    hooks.before = (call) => {
      if (call.startsWith('rename')) throw Object.assign(new Error('read-only'), { code: 'EROFS' })
    }
    expect(await replaceFile(path, bytes)()).toMatchObject({ left: { code: 'EROFS' } })
    expect(readdirSync(folder)).toEqual(['latest'])
    expect(readFileSync(path, 'utf8')).toBe('before')
  })

  it('replaces the file at the end of a link, and leaves the link', async () => {
    const [path, link] = [join(folder, 'pictures.png'), join(folder, 'link')]
    writeFileSync(path, 'before')
    symlinkSync('pictures.png', link)
    expect(await replaceFile(link, bytes)()).toEqual(E.right(undefined))
    expect(readdirSync(folder)).toEqual(['link', 'pictures.png'])
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(Uint8Array.from(readFileSync(path))).toEqual(bytes)
  })
})

describe.runIf(process.platform !== 'win32')('what is no file and is written to', () => {
  it('is a pipe: its reader gets the bytes, and it stays a pipe', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const [read, written] = await Promise.all([readFile(path), replaceFile(path, bytes)()])
    expect(written).toEqual(E.right(undefined))
    expect(Uint8Array.from(read)).toEqual(bytes)
    expect(lstatSync(path).isFIFO()).toBe(true)
    expect(readdirSync(folder)).toEqual(['pipe'])
  })

  it('is a device: what it says is the result, nothing is put in its place, and nothing is synced', async () => {
    // Links to the devices: where this fails, a link is replaced and no device.
    for (const name of ['null', 'full']) symlinkSync(`/dev/${name}`, join(folder, name))
    expect(await replaceFile(join(folder, 'null'), bytes)()).toEqual(E.right(undefined))
    expect(callsAbout(folder)).toEqual(['open 1 null', 'write null'])
    if (existsSync('/dev/full'))
      expect(await replaceFile(join(folder, 'full'), bytes)()).toMatchObject({ left: { code: 'ENOSPC' } })
    expect(lstatSync(join(folder, 'full')).isSymbolicLink()).toBe(true)
  })

  it('is made by nobody where it is gone', async () => {
    const path = join(folder, 'gone')
    expect(await nodeFileSystem.writeFile(path, bytes, 'into')()).toMatchObject({ left: { code: 'ENOENT' } })
    expect(readdirSync(folder)).toEqual([])
  })

  it('is a directory: that is an error with its path, and leaves nothing behind', async () => {
    const path = join(folder, 'directory')
    mkdirSync(path)
    const written = await replaceFile(path, bytes)()
    expect(written).toMatchObject({ left: { code: 'EISDIR', message: expect.stringContaining(path) } })
    expect(readdirSync(folder)).toEqual(['directory'])
  })
})

describe('a checkpoint', () => {
  it('is whole on the disk before it has its name, and named on the disk before latest says so', async () => {
    const checkpoints = join(folder, 'checkpoints')
    await saveCheckpoint(checkpoints, 7, new Map([['a', bytes]]))()
    const order = callsAbout(checkpoints, 'sync', 'rename').map((call) => call.replaceAll(checkpoints, '.'))
    const [own, latest] = ['.tmp-000007-N', '.tmp-latest-N']
    expect(order).toEqual([
      `sync ${folder}`,
      `sync ${own}/a`,
      `sync ${own}/MANIFEST.json`,
      `sync ${own}`,
      `rename ${own} → step-000007`,
      'sync .',
      `sync ${latest}`,
      `rename ${latest} → latest`,
      'sync .',
    ])
  })

  it('that is too old is removed only after the new one is there and named', async () => {
    const checkpoints = join(folder, 'checkpoints')
    for (const step of [1, 2]) await saveCheckpoint(checkpoints, step, new Map([['a', bytes]]), { keep: 1 })()
    const at = (part: string): number => calls.findLastIndex((call) => call.includes(part))
    const removed = calls.findIndex((call) => call.startsWith(`rename ${join(checkpoints, 'step-000001')}`))
    expect(removed).toBeGreaterThan(at(`→ ${join(checkpoints, 'latest')}`))
    expect(at(`→ ${join(checkpoints, 'latest')}`)).toBeGreaterThan(at(`→ ${join(checkpoints, 'step-000002')}`))
    expect(readdirSync(checkpoints)).toEqual(['latest', 'step-000002'])
  })

  const save = async (checkpoints: string, step: number, content: number): Promise<void> => {
    const saved = await saveCheckpoint(checkpoints, step, new Map([['a', Uint8Array.of(content)]]))()
    if (E.isLeft(saved)) throw new Error(saved.left.message)
  }
  const newest = async (checkpoints: string): Promise<readonly [name: string, content: number | undefined]> => {
    const found = await newestCheckpoint(checkpoints)()
    if (E.isLeft(found)) throw new Error(found.left.message)
    return [found.right.name, found.right.files.get('a')?.[0]]
  }

  it('is the newest by its number, not by its name: step 1,000,000 comes after 999,999', async () => {
    const checkpoints = join(folder, 'checkpoints')
    await save(checkpoints, 1_000_000, 1)
    await save(checkpoints, 999_999, 0)
    expect(await newest(checkpoints)).toEqual(['step-1000000', 1])
  })

  it('that was saved often is read as it was saved last: the tenth time comes after the ninth', async () => {
    const [checkpoints, ninth, tenth] = ['checkpoints', 'ninth', 'tenth'].map((name) => join(folder, name))
    if (checkpoints === undefined || ninth === undefined || tenth === undefined) throw new Error('three folders')
    await save(checkpoints, 4, 4)
    await save(ninth, 5, 9)
    await save(tenth, 5, 10)
    renameSync(join(ninth, 'step-000005'), join(checkpoints, 'step-000005.9'))
    renameSync(join(tenth, 'step-000005'), join(checkpoints, 'step-000005.10'))
    expect(await newest(checkpoints)).toEqual(['step-000005.10', 10])
  })
})
