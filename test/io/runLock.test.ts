import { spawn } from 'node:child_process'
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { nodeProcesses, type Processes } from '../../src/io/processes.node.ts'
import { acquireRunLock, type RunLock } from '../../src/io/runLock.node.ts'
import { nodeSignsOfLife, type SignsOfLife } from '../../src/io/signsOfLife.node.ts'
import { E, TE } from '../../src/prelude/fp.ts'
import { temporaryFolders } from '../support/temporaryFolder.ts'
import { CrashFileSystem } from './crashFileSystem.ts'

const directory = temporaryFolders()

/** A machine on which the listed processes live, each with its start time. */
const machine = (pid: number, alive: Readonly<Record<number, string>>, place = 'ship boot pid:[1]'): Processes => ({
  pid,
  isAlive: (p) => alive[p] !== undefined,
  startTime: async (p) => alive[p],
  place: async () => (place === '' ? undefined : place),
})

/** Holders of whom nothing was heard for so many seconds. */
const silent = (seconds: number): SignsOfLife => ({ give: () => () => undefined, silence: () => TE.right(seconds) })

const signs = silent(0)

const taken = async (lock: TE.TaskEither<{ readonly message: string }, RunLock>): Promise<RunLock> => {
  const result = await lock()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const holderIn = async (run: string): Promise<unknown> => JSON.parse(await readFile(join(run, 'lock'), 'utf8'))

describe('acquireRunLock', () => {
  it('holds the run until it is released, and then lets another process have it', async () => {
    const run = directory()
    const alive = { 1: 'a', 2: 'b' }
    const first = await taken(acquireRunLock(run, { signs, processes: machine(1, alive) }))
    expect(await holderIn(run)).toEqual({
      pid: 1,
      startTime: 'a',
      place: 'ship boot pid:[1]',
      token: expect.stringMatching(/^[\w-]{36}$/),
    })
    expect(await acquireRunLock(run, { signs, processes: machine(2, alive) })()).toMatchObject({
      left: { code: 'RUN-LOCK', pid: 1, message: expect.stringContaining('process 1, which is alive') },
    })
    expect(await acquireRunLock(run, { signs, processes: machine(1, alive) })()).toMatchObject({
      left: { code: 'RUN-LOCK', pid: 1 },
    })
    expect(E.isRight(await first.check())).toBe(true)
    expect(E.isRight(await first.release())).toBe(true)
    expect(await readdir(run)).toEqual([])
    expect(E.isRight(await acquireRunLock(run, { signs, processes: machine(2, alive) })())).toBe(true)
  })

  it('takes over at once the lock of a dead process of its own place, and of one whose number was used again', async () => {
    const run = directory()
    await acquireRunLock(run, { signs, processes: machine(1, { 1: 'a' }) })()
    expect(E.isRight(await acquireRunLock(run, { signs, processes: machine(2, { 2: 'b' }) })())).toBe(true)
    expect(E.isRight(await acquireRunLock(run, { signs, processes: machine(3, { 2: 'later', 3: 'c' }) })())).toBe(true)
    expect(await readdir(run)).toEqual(['lock'])
  })

  it.each([
    ['another container', 'ship boot pid:[2]'],
    ['another machine', 'boat other pid:[1]'],
    ['a system that does not tell places', ''],
  ])('asks for signs of life, not for a process number, when the holder is in %s', async (_, place) => {
    const run = directory()
    await acquireRunLock(run, { signs, processes: machine(1, { 1: 'a' }, place) })()
    const other = machine(2, { 1: 'another', 2: 'b' }, place === '' ? '' : 'ship boot pid:[1]')
    expect(await acquireRunLock(run, { signs: silent(59), processes: other })()).toMatchObject({
      left: {
        code: 'RUN-LOCK',
        message: expect.stringMatching(
          /process 1, in another container or on another machine .* 59 seconds ago .*if it was killed, wait 60 seconds/,
        ),
      },
    })
    expect(E.isRight(await acquireRunLock(run, { signs: silent(60), processes: other })())).toBe(true)
  })

  it('never takes the lock of a living process of its own place, however long it was silent', async () => {
    const run = directory()
    const alive = { 1: 'a', 2: 'b' }
    await acquireRunLock(run, { signs, processes: machine(1, alive) })()
    expect(await acquireRunLock(run, { signs: silent(1e6), processes: machine(2, alive) })()).toMatchObject({
      left: { pid: 1, message: expect.stringContaining('which is alive') },
    })
  })

  it('tells a holder that was taken for dead, and does not release the lock of its successor', async () => {
    const run = directory()
    const first = await taken(acquireRunLock(run, { signs, processes: machine(1, { 1: 'a' }) }))
    await taken(acquireRunLock(run, { signs, processes: machine(2, { 2: 'b' }) }))
    expect(await first.check()).toMatchObject({
      left: { code: 'RUN-LOCK', message: expect.stringContaining('no longer holds the run') },
    })
    await first.release()
    expect(await holderIn(run)).toMatchObject({ pid: 2 })
  })

  it('makes a lock that was deleted by hand again, unless another process was faster', async () => {
    const run = directory()
    const first = await taken(acquireRunLock(run, { signs, processes: machine(1, { 1: 'a' }) }))
    await rm(join(run, 'lock'))
    expect(E.isRight(await first.check())).toBe(true)
    expect(await holderIn(run)).toMatchObject({ pid: 1 })
    await rm(join(run, 'lock'))
    await taken(acquireRunLock(run, { signs, processes: machine(2, { 2: 'b' }) }))
    expect(await first.check()).toMatchObject({ left: { code: 'RUN-LOCK' } })
  })

  it('gives a stale lock to exactly one of several that reach for it at once', async () => {
    for (let round = 0; round < 20; round++) {
      const run = directory()
      await acquireRunLock(run, { signs, processes: machine(1, { 1: 'a' }) })()
      const alive = { 2: 'b', 3: 'c', 4: 'd', 5: 'e' }
      const results = await Promise.all(
        [2, 3, 4, 5].map((pid) => acquireRunLock(run, { signs, processes: machine(pid, alive) })()),
      )
      expect(results.filter(E.isRight)).toHaveLength(1)
      expect(await readdir(run)).toEqual(['lock'])
    }
  })

  it.each(['', '{"pid":1,"startTi', 'null', '{"pid":1,"startTime":"a"}'])(
    'waits with a lock that names no holder (%j), and then takes it',
    async (text) => {
      const run = directory()
      await writeFile(join(run, 'lock'), text)
      const processes = machine(2, { 2: 'b' })
      expect(await acquireRunLock(run, { signs: silent(3), processes })()).toMatchObject({
        left: { code: 'RUN-LOCK', message: expect.stringContaining('try again in 60 seconds') },
      })
      expect(E.isRight(await acquireRunLock(run, { signs: silent(61), processes })())).toBe(true)
      expect(await holderIn(run)).toMatchObject({ pid: 2 })
    },
  )

  it('is LOCK-IO where the directory does not exist', async () => {
    expect(await acquireRunLock('/nonexistent/run', { signs })()).toMatchObject({ left: { code: 'LOCK-IO' } })
  })
})

describe('a lock and a kill', () => {
  const options = (fileSystem: CrashFileSystem, pid: number, alive: Readonly<Record<number, string>>) => ({
    fileSystem,
    signs: silent(61),
    processes: machine(pid, alive),
  })

  it('at any operation of a takeover leaves a lock that is taken by exactly one of the next', async () => {
    const dead = async (): Promise<CrashFileSystem> => {
      const fs = new CrashFileSystem()
      await fs.makeDirectory('/run')()
      await taken(acquireRunLock('/run', options(fs, 1, { 1: 'a' })))
      return fs
    }
    const clean = await dead()
    const before = clean.log.length
    await taken(acquireRunLock('/run', options(clean, 2, { 2: 'b' })))
    expect(clean.log.length).toBeGreaterThan(before + 2)
    for (let at = before; at < clean.log.length; at++) {
      const fs = await dead()
      fs.fault = { at, code: 'EIO', forever: true } // from here on the process does nothing any more
      await acquireRunLock('/run', options(fs, 2, { 2: 'b' }))()
      fs.fault = undefined
      const alive = { 3: 'c', 4: 'd' }
      const results = await Promise.all([3, 4].map((pid) => acquireRunLock('/run', options(fs, pid, alive))()))
      expect(results.filter(E.isRight)).toHaveLength(1)
    }
  })
})

describe('the processes of this machine', () => {
  it('know this one: alive, with a start time and a place that stay', async () => {
    expect(nodeProcesses.isAlive(process.pid)).toBe(true)
    expect(await nodeProcesses.startTime(process.pid)).toBe(await nodeProcesses.startTime(process.pid))
    expect(await nodeProcesses.place()).toBe(await nodeProcesses.place())
    if (process.platform === 'linux') expect(await nodeProcesses.place()).toMatch(/ [\da-f-]{36} pid:\[\d+\]$/)
  })

  it.runIf(process.platform === 'linux')('count a zombie, whose parent does not reap it, as dead', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const pid = await new Promise<number>((resolve) => {
        parent.stdout.once('data', (text: Buffer) => {
          resolve(Number(text.toString()))
        })
      })
      const state = async (): Promise<string> => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1] ?? ''
      while (!(await state()).startsWith('Z')) await setTimeout(20)
      expect(nodeProcesses.isAlive(pid)).toBe(false)
    } finally {
      parent.kill('SIGKILL')
    }
  })
})

describe('signs of life', () => {
  it('are as old as the file, by the clock of the disk', async () => {
    const path = join(directory(), 'lock')
    await writeFile(path, 'text')
    expect(await nodeSignsOfLife.silence(path)()).toMatchObject({ right: expect.closeTo(0, 0) })
    const then = new Date(Date.now() - 100_000)
    await utimes(path, then, then)
    expect(await nodeSignsOfLife.silence(path)()).toMatchObject({ right: expect.closeTo(100, -1) })
    expect(await readdir(join(path, '..'))).toEqual(['lock'])
  })

  it('go on while the main thread computes, as long as the file is its own, and change no byte', async () => {
    const [own, other] = [join(directory(), 'lock'), join(directory(), 'lock')]
    const long = new Date(Date.now() - 100_000)
    for (const [path, text] of [
      [own, 'mine'],
      [other, 'another’s'],
    ] as const) {
      await writeFile(path, text)
      await utimes(path, long, long)
    }
    const ends = [own, other].map((path) => nodeSignsOfLife.give(path, 'mine', 50))
    await setTimeout(500) // threads start
    await utimes(own, long, long)
    for (const end = performance.now() + 1500; performance.now() < end;);
    expect(await nodeSignsOfLife.silence(own)()).toMatchObject({ right: expect.closeTo(0, -1) })
    expect(await nodeSignsOfLife.silence(other)()).toMatchObject({ right: expect.closeTo(100, -1) })
    expect(await readFile(own, 'utf8')).toBe('mine')
    for (const end of ends) end()
  })
})
