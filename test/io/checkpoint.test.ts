import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { saveCheckpoint, type CheckpointOptions, type LoadedCheckpoint } from '../../src/io/checkpoint.node.ts'
import type { FileSystem } from '../../src/io/fileSystem.ts'
import {
  completeSave,
  holdsCheckpoint,
  newestCheckpoint,
  type ReadOptions,
} from '../../src/io/newestCheckpoint.node.ts'
import type { Processes } from '../../src/io/processes.node.ts'
import { E } from '../../src/prelude/fp.ts'
import { CrashFileSystem, crashStates } from './crashFileSystem.ts'
import { temporaryFolders } from '../support/temporaryFolder.ts'

const folder = temporaryFolders()

const root = '/run/checkpoints'
const processes = (pid: number): Processes => ({
  pid,
  isAlive: (p) => p === pid,
  startTime: async () => undefined,
  place: async () => undefined,
})

/** Two files that differ with the step and the version. */
const contents = (step: number, version = 1): ReadonlyMap<string, Uint8Array> =>
  new Map([
    ['model.safetensors', Uint8Array.from({ length: 40 }, (_, i) => (step * 31 + version * 7 + i) % 256)],
    ['state.json', new TextEncoder().encode(JSON.stringify({ step, version }))],
  ])

const version = (loaded: LoadedCheckpoint): number => {
  const found = [1, 2].find((v) =>
    [...contents(loaded.step, v)].every(([name, bytes]) =>
      Buffer.from(bytes).equals(loaded.files.get(name) ?? new Uint8Array(0)),
    ),
  )
  if (found === undefined) throw new Error(`step ${loaded.step} was read with contents that nobody saved`)
  return found
}

const machine = async (): Promise<CrashFileSystem> => {
  const fs = new CrashFileSystem()
  await fs.makeDirectory('/run')()
  await fs.syncDirectory('/')()
  return fs
}

const save = async (options: CheckpointOptions, step: number, v = 1): Promise<string> => {
  const saved = await saveCheckpoint(root, step, contents(step, v), options)()
  if (E.isLeft(saved)) throw new Error(saved.left.message)
  return saved.right
}

const newest = async (options: ReadOptions): Promise<LoadedCheckpoint> => {
  const found = await newestCheckpoint(root, options)()
  if (E.isLeft(found)) throw new Error(found.left.message)
  return found.right
}

describe('saveCheckpoint', () => {
  it('keeps the newest three, points latest to the last, and leaves no temporary name', async () => {
    const fileSystem = await machine()
    for (const step of [100, 200, 300, 400]) expect(await save({ fileSystem }, step)).toBe(`${root}/step-000${step}`)
    expect(await fileSystem.list(root)()).toEqual(E.right(['latest', 'step-000200', 'step-000300', 'step-000400']))
    expect(await fileSystem.readFile(`${root}/latest`)()).toEqual(E.right(new TextEncoder().encode('step-000400\n')))
  })

  it('replaces a step that exists by a second directory, then removes the first', async () => {
    const fileSystem = await machine()
    await save({ fileSystem }, 100)
    expect(await save({ fileSystem }, 100, 2)).toBe(`${root}/step-000100.2`)
    expect(await fileSystem.list(root)()).toEqual(E.right(['latest', 'step-000100.2']))
    const loaded = await newest({ fileSystem })
    expect([loaded.step, version(loaded), loaded.skipped]).toEqual([100, 2, []])
  })

  it('never removes the one just saved, though it is older than three others', async () => {
    const fileSystem = await machine()
    for (const step of [200, 300, 400, 100]) await save({ fileSystem }, step)
    expect(await fileSystem.list(root)()).toEqual(E.right(['latest', 'step-000100', 'step-000300', 'step-000400']))
  })

  it('does not count a directory without a manifest among those kept', async () => {
    const fileSystem = await machine()
    for (const step of [1, 2]) await save({ fileSystem, keep: 2 }, step)
    await fileSystem.remove(`${root}/step-000002/MANIFEST.json`)()
    await save({ fileSystem, keep: 2 }, 3)
    expect(await fileSystem.list(root)()).toEqual(E.right(['latest', 'step-000001', 'step-000002', 'step-000003']))
  })

  it('first removes temporary directories of dead processes only', async () => {
    const fileSystem = await machine()
    await save({ fileSystem, processes: processes(7) }, 1)
    for (const name of ['.tmp-000002-7', '.tmp-000002-8', '.tmp-step-000001-8', '.tmp-latest-9', '.tmp-other'])
      await fileSystem.makeDirectory(`${root}/${name}`)()
    await fileSystem.writeFile(`${root}/.tmp-000002-8/model.safetensors`, new Uint8Array(9), 'replace')()
    await save({ fileSystem, processes: processes(7) }, 3)
    expect(await fileSystem.list(root)()).toEqual(
      E.right(['.tmp-000002-7', '.tmp-other', 'latest', 'step-000001', 'step-000003']),
    )
  })

  it('saves all the same when a leftover cannot be removed', async () => {
    const fileSystem = await machine()
    await save({ fileSystem, processes: processes(7) }, 1)
    await fileSystem.makeDirectory(`${root}/.tmp-000002-8`)()
    // The first operation is the sync of the directory above, the second the removal.
    fileSystem.fault = { at: fileSystem.log.length + 1, code: 'EACCES', forever: false }
    await save({ fileSystem, processes: processes(7) }, 3)
    expect(await fileSystem.list(root)()).toEqual(E.right(['.tmp-000002-8', 'latest', 'step-000001', 'step-000003']))
  })

  it('throws for steps and names that cannot be', () => {
    expect(() => saveCheckpoint(root, -1, new Map())).toThrow(RangeError)
    expect(() => saveCheckpoint(root, 1.5, new Map())).toThrow(RangeError)
    for (const name of ['../a', 'a/b', '', '.hidden', 'MANIFEST.json', 'a\0']) {
      expect(() => saveCheckpoint(root, 1, new Map([[name, new Uint8Array(0)]]))).toThrow('not a plain file name')
    }
  })

  it('works on a real disk', async () => {
    const directory = join(folder(), 'checkpoints')
    for (const step of [1, 2, 2, 3, 4])
      expect(E.isRight(await saveCheckpoint(directory, step, contents(step))())).toBe(true)
    expect(await readdir(directory)).toEqual(['latest', 'step-000002.2', 'step-000003', 'step-000004'])
    expect(await readFile(join(directory, 'latest'), 'utf8')).toBe('step-000004\n')
    expect(await newestCheckpoint(directory)()).toMatchObject({ right: { step: 4, skipped: [] } })
  })
})

describe('newestCheckpoint', () => {
  it('is CKPT-NONE, with what to do, when there is no directory or nothing in it', async () => {
    const fileSystem = await machine()
    const missing = await newestCheckpoint(root, { fileSystem })()
    expect(missing).toMatchObject({
      left: { code: 'CKPT-NONE', skipped: [], message: expect.stringContaining('start a new run with `fathom train`') },
    })
    await fileSystem.makeDirectory(root)()
    expect(await newestCheckpoint(root, { fileSystem })()).toMatchObject({ left: { code: 'CKPT-NONE' } })
  })

  it('is CKPT-NONE with every reason when all are damaged', async () => {
    const fileSystem = await machine()
    await save({ fileSystem }, 1)
    await fileSystem.remove(`${root}/step-000001/state.json`)()
    await fileSystem.makeDirectory(`${root}/step-000002`)()
    expect(await newestCheckpoint(root, { fileSystem })()).toMatchObject({
      left: {
        code: 'CKPT-NONE',
        skipped: [
          { name: 'step-000002', reason: 'MANIFEST.json is missing' },
          { name: 'step-000001', reason: 'state.json is missing' },
        ],
      },
    })
  })

  it('does not trust a directory name that differs from its manifest', async () => {
    const fileSystem = await machine()
    for (const step of [1, 2]) await save({ fileSystem }, step)
    await fileSystem.rename(`${root}/step-000001`, `${root}/step-000009`)()
    expect(await newest({ fileSystem })).toMatchObject({
      step: 2,
      skipped: [{ name: 'step-000009', reason: 'MANIFEST.json says step 1' }],
    })
  })

  it('writes nothing: to a reader elsewhere a living trainer looks dead', async () => {
    const fileSystem = await machine()
    await save({ fileSystem, processes: processes(7) }, 1)
    for (const name of ['.tmp-000002-7', '.tmp-000002-8', '.tmp-latest-9'])
      await fileSystem.makeDirectory(`${root}/${name}`)()
    const before = fileSystem.log.length
    await newest({ fileSystem, processes: processes(9) })
    expect(fileSystem.log).toHaveLength(before)
  })

  it('finds the newest while a trainer saves and removes faster than it reads', async () => {
    const fileSystem = await machine()
    await save({ fileSystem, keep: 1 }, 1)
    let step = 1
    const racing: FileSystem = {
      makeDirectory: fileSystem.makeDirectory,
      writeFile: fileSystem.writeFile,
      destination: fileSystem.destination,
      syncDirectory: fileSystem.syncDirectory,
      rename: fileSystem.rename,
      remove: fileSystem.remove,
      list: fileSystem.list,
      readFile: (path) => async () => {
        if (path.endsWith('state.json') && step < 5) await save({ fileSystem, keep: 1 }, ++step)
        return fileSystem.readFile(path)()
      },
    }
    expect(await newest({ fileSystem: racing })).toMatchObject({ step: 5, skipped: [] })
  })

  it('passes over what its judge refuses, with the reason', async () => {
    const fileSystem = await machine()
    for (const step of [1, 2, 3]) await save({ fileSystem }, step)
    const judge: ReadOptions['judge'] = ({ step }) => (step > 1 ? E.left(`step ${step} is bad`) : E.right(undefined))
    expect(await newest({ fileSystem, judge })).toMatchObject({
      step: 1,
      skipped: [
        { name: 'step-000003', reason: 'step 3 is bad' },
        { name: 'step-000002', reason: 'step 2 is bad' },
      ],
    })
  })

  it('detects one flipped bit in each of 500 random positions, and falls back to the one before', async () => {
    const fileSystem = await machine()
    for (const step of [1, 2]) await save({ fileSystem }, step)
    const names = ['model.safetensors', 'state.json', 'MANIFEST.json']
    let state = 3
    for (let i = 0; i < 500; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const path = `${root}/step-000002/${names[i % 3] ?? ''}`
      const bytes = await fileSystem.readFile(path)()
      if (E.isLeft(bytes)) throw new Error(bytes.left.message)
      const flipped = Uint8Array.from(bytes.right)
      const at = Math.floor((state / 2 ** 32) * flipped.length)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << ((state >>> 3) & 7))
      await fileSystem.writeFile(path, flipped, 'replace')()
      expect(await newest({ fileSystem })).toMatchObject({ step: 1, skipped: [{ name: 'step-000002' }] })
      await fileSystem.writeFile(path, bytes.right, 'replace')()
    }
    expect(await newest({ fileSystem })).toMatchObject({ step: 2, skipped: [] })
  })
})

describe('completeSave', () => {
  it('after a failure at any operation behind the rename sets latest right and removes what is too old', async () => {
    const prepare = async (): Promise<CrashFileSystem> => {
      const fileSystem = await machine()
      for (const step of [1, 2, 3]) await save({ fileSystem }, step)
      return fileSystem
    }
    const clean = await prepare()
    const before = clean.log.length
    await save({ fileSystem: clean }, 4)
    const renamed = clean.log.findIndex((op, i) => i >= before && op.kind === 'rename')
    for (let at = renamed + 1; at < clean.log.length; at++) {
      const fileSystem = await prepare()
      fileSystem.fault = { at, code: 'EIO', forever: true }
      await saveCheckpoint(root, 4, contents(4), { fileSystem })()
      fileSystem.fault = undefined
      const found = await newest({ fileSystem })
      expect(found.step).toBe(4)
      expect(await completeSave(root, found, { fileSystem })()).toEqual(E.right(undefined))
      expect(await fileSystem.readFile(`${root}/latest`)()).toEqual(E.right(new TextEncoder().encode('step-000004\n')))
      const names = await fileSystem.list(root)()
      expect(E.isRight(names) && names.right.filter((name) => name.startsWith('step-'))).toEqual([
        'step-000002',
        'step-000003',
        'step-000004',
      ])
    }
  })

  it('writes nothing where nothing is left to do', async () => {
    const fileSystem = await machine()
    for (const step of [1, 2]) await save({ fileSystem }, step)
    const before = fileSystem.log.length
    await completeSave(root, await newest({ fileSystem }), { fileSystem })()
    expect(fileSystem.log).toHaveLength(before)
  })
})

describe('holdsCheckpoint', () => {
  it('is true for anything that claims to be one, and false for leftovers', async () => {
    const fileSystem = await machine()
    expect(await holdsCheckpoint(root, { fileSystem })()).toEqual(E.right(false))
    await fileSystem.makeDirectory(root)()
    await fileSystem.makeDirectory(`${root}/.tmp-000000-3`)()
    expect(await holdsCheckpoint(root, { fileSystem })()).toEqual(E.right(false))
    await fileSystem.makeDirectory(`${root}/step-000000`)()
    expect(await holdsCheckpoint(root, { fileSystem })()).toEqual(E.right(true))
  })
})

describe('a crash', () => {
  /** Steps 1 to 4, so that retention removes one, then step 4 again; with the log's length after each. */
  const history = async (): Promise<{
    fs: CrashFileSystem
    done: readonly { step: number; version: number; length: number }[]
  }> => {
    const fs = await machine()
    const done = []
    for (const [step, v] of [
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [4, 2],
      [5, 1],
    ] as const) {
      await save({ fileSystem: fs, processes: processes(1) }, step, v)
      done.push({ step, version: v, length: fs.log.length })
    }
    return { fs, done }
  }

  it('after any operation, with unsynced effects kept, lost or torn, leaves the last save or a newer one', async () => {
    const { fs, done } = await history()
    let states = 0
    for (let length = 2; length <= fs.log.length; length++) {
      const promised = done.findLast((d) => d.length <= length)
      for (const disk of crashStates(fs.log, length)) {
        states++
        const found = await newestCheckpoint(root, { fileSystem: disk, processes: processes(2) })()
        if (E.isLeft(found)) {
          expect([promised, found.left.code]).toEqual([undefined, 'CKPT-NONE'])
          continue
        }
        const latest = await disk.readFile(`${root}/latest`)()
        if (E.isRight(latest)) {
          expect(await disk.list(root)()).toMatchObject({
            right: expect.arrayContaining([new TextDecoder().decode(latest.right).trim()]),
          })
        }
        const [step, v] = [found.right.step, version(found.right)]
        expect(step * 10 + v).toBeGreaterThanOrEqual(promised ? promised.step * 10 + promised.version : 0)
        if (states % 5 === 0) {
          await save({ fileSystem: disk, processes: processes(2) }, 9)
          expect(await newest({ fileSystem: disk, processes: processes(2) })).toMatchObject({ step: 9, skipped: [] })
        }
      }
    }
    expect(states).toBeGreaterThan(1000)
  })
})

describe('a failing disk', () => {
  const faults = ['ENOSPC', 'EIO', 'EACCES'].flatMap((code) => [true, false].map((forever) => ({ code, forever })))

  it.each(faults)(
    '$code at every operation (for ever: $forever) is reported, and costs no checkpoint',
    async ({ code, forever }) => {
      const prepare = async (): Promise<CrashFileSystem> => {
        const fileSystem = await machine()
        for (const step of [1, 2, 3]) await save({ fileSystem }, step)
        return fileSystem
      }
      const clean = await prepare()
      const before = clean.log.length
      await save({ fileSystem: clean }, 4)
      for (let at = before; at < clean.log.length; at++) {
        const fileSystem = await prepare()
        fileSystem.fault = { at, code, forever }
        const saved = await saveCheckpoint(root, 4, contents(4), { fileSystem })()
        fileSystem.fault = undefined
        expect(saved).toMatchObject({
          _tag: 'Left',
          left: { code: expect.stringMatching(/^(DISK-FULL|CKPT-IO|CKPT-RETAIN)$/) },
        })
        if (E.isLeft(saved) && saved.left.code === 'DISK-FULL') expect(code).toBe('ENOSPC')
        const loaded = await newest({ fileSystem })
        expect(loaded.step).toBeGreaterThanOrEqual(E.isLeft(saved) && saved.left.code === 'CKPT-RETAIN' ? 4 : 3)
        expect(version(loaded)).toBe(1)
        expect(loaded.skipped).toEqual([])
        await save({ fileSystem }, 5)
        expect((await newest({ fileSystem })).step).toBe(5)
      }
    },
  )
})
