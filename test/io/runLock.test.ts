import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeProcesses, type Processes } from '../../src/io/processes.node.ts'
import { acquireRunLock } from '../../src/io/runLock.node.ts'
import { E } from '../../src/prelude/fp.ts'

const directory = (): Promise<string> => mkdtemp(join(tmpdir(), 'fathom-'))

/** A machine on which the listed processes live, each with its start time. */
const machine = (pid: number, alive: Readonly<Record<number, string>>): Processes => ({
  pid,
  isAlive: (p) => alive[p] !== undefined,
  startTime: async (p) => alive[p],
})

describe('acquireRunLock', () => {
  it('holds the run until it is released, and then lets another process have it', async () => {
    const run = await directory()
    const alive = { 1: 'a', 2: 'b' }
    const first = await acquireRunLock(run, { processes: machine(1, alive) })()
    if (E.isLeft(first)) throw new Error(first.left.message)
    expect(JSON.parse(await readFile(join(run, 'lock'), 'utf8'))).toEqual({ pid: 1, startTime: 'a' })
    expect(await acquireRunLock(run, { processes: machine(2, alive) })()).toMatchObject({
      left: { code: 'RUN-LOCK', pid: 1, message: expect.stringContaining('process 1, which is alive') },
    })
    expect(await acquireRunLock(run, { processes: machine(1, alive) })()).toMatchObject({
      left: { code: 'RUN-LOCK', pid: 1 },
    })
    expect(E.isRight(await first.right.release())).toBe(true)
    expect(await readdir(run)).toEqual([])
    expect(E.isRight(await acquireRunLock(run, { processes: machine(2, alive) })())).toBe(true)
  })

  it('takes over the lock of a dead process, and of one whose number was used again', async () => {
    const run = await directory()
    await acquireRunLock(run, { processes: machine(1, { 1: 'a' }) })()
    expect(E.isRight(await acquireRunLock(run, { processes: machine(2, { 2: 'b' }) })())).toBe(true)
    expect(E.isRight(await acquireRunLock(run, { processes: machine(3, { 2: 'later', 3: 'c' }) })())).toBe(true)
    expect(await readdir(run)).toEqual(['lock'])
  })

  it('does not release a lock that was taken over', async () => {
    const run = await directory()
    const first = await acquireRunLock(run, { processes: machine(1, { 1: 'a' }) })()
    await acquireRunLock(run, { processes: machine(2, { 2: 'b' }) })()
    if (E.isRight(first)) await first.right.release()
    expect(JSON.parse(await readFile(join(run, 'lock'), 'utf8'))).toEqual({ pid: 2, startTime: 'b' })
  })

  it('gives a stale lock to exactly one of several that reach for it at once', async () => {
    const run = await directory()
    await acquireRunLock(run, { processes: machine(1, { 1: 'a' }) })()
    const alive = { 2: 'b', 3: 'c', 4: 'd', 5: 'e' }
    const results = await Promise.all(
      [2, 3, 4, 5].map((pid) => acquireRunLock(run, { processes: machine(pid, alive) })()),
    )
    expect(results.filter(E.isRight)).toHaveLength(1)
  })

  it('refuses an unreadable lock and one that is being taken over, and says which file to delete', async () => {
    const run = await directory()
    await writeFile(join(run, 'lock'), '')
    expect(await acquireRunLock(run)()).toMatchObject({
      left: { code: 'RUN-LOCK', message: expect.stringContaining('delete it when') },
    })
    await writeFile(join(run, 'lock'), '{"pid":1,"startTime":"a"}')
    await writeFile(join(run, 'lock.takeover'), '')
    expect(await acquireRunLock(run, { processes: machine(2, { 2: 'b' }) })()).toMatchObject({
      left: { code: 'RUN-LOCK', message: expect.stringContaining('lock.takeover') },
    })
  })

  it('is LOCK-IO where the directory does not exist', async () => {
    expect(await acquireRunLock('/nonexistent/run')()).toMatchObject({ left: { code: 'LOCK-IO' } })
  })

  it('knows this process: alive, with a start time that stays', async () => {
    expect(nodeProcesses.isAlive(process.pid)).toBe(true)
    expect(await nodeProcesses.startTime(process.pid)).toBe(await nodeProcesses.startTime(process.pid))
  })
})
