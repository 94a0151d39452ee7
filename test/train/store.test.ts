/** What every store of a run does: that of a directory, and the one in memory that the tests train in. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { acquireRunLock } from '../../src/io/index.ts'
import { E } from '../../src/prelude/fp.ts'
import type { Store } from '../../src/train/index.ts'
import { storeIn } from '../../src/train/store.node.ts'
import { memoryStore } from '../../src/train/memoryStore.ts'
import { directories, done, leftMessage } from './tinyRun.ts'

const directory = directories()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const made = (): string => {
  const run = directory()
  mkdirSync(run)
  return run
}
const locked = async (): Promise<Store> => {
  const run = made()
  return storeIn(run, await done(acquireRunLock(run)))
}

describe.each([
  ['of a directory', locked],
  ['in memory', async () => memoryStore()],
] as const)('a store %s', (_, open) => {
  const text = async (store: Store, name: string) => {
    const read = await done(store.read(name))
    return read === undefined ? undefined : new TextDecoder().decode(read)
  }

  it('has nothing at first, and then what was put there last', async () => {
    const store = await open()
    expect(await text(store, 'samples/a.txt')).toBeUndefined()
    await done(store.replace('samples/a.txt', bytes('first')))
    await done(store.replace('samples/a.txt', bytes('2nd')))
    expect(await text(store, 'samples/a.txt')).toBe('2nd')
    expect(store.pathOf('samples/a.txt')).toContain('samples')
  })

  it('appends lines', async () => {
    const store = await open()
    await done(store.append('metrics.jsonl', 'one\n'))
    await done(store.append('metrics.jsonl', 'two\n'))
    await done(store.sync('metrics.jsonl'))
    expect(await text(store, 'metrics.jsonl')).toBe('one\ntwo\n')
  })

  it('has the newest checkpoint that the judge does not pass over, and not one that was withdrawn', async () => {
    const store = await open()
    const { save, newest, withdraw } = store.checkpoints
    const any = () => E.right(undefined)
    expect(E.isLeft(await newest(any)())).toBe(true)
    for (const step of [9, 10, 11]) await done(save(step, new Map([['a', Uint8Array.of(step)]])))
    const found = await done(newest(({ step }) => (step === 11 ? E.left('too new') : E.right(undefined))))
    expect(found).toMatchObject({ step: 10, skipped: [{ reason: 'too new' }] })
    expect([...(found.files.get('a') ?? [])]).toEqual([10])
    await done(withdraw(11))
    expect(await done(newest(any))).toMatchObject({ step: 10, skipped: [] })
  })
})

describe('the store of a directory', () => {
  it('takes away what a kill has left of a line before it appends another', async () => {
    const store = await locked()
    await done(store.append('metrics.jsonl', 'one\n'))
    appendFileSync(store.pathOf('metrics.jsonl'), 'tw')
    await done(store.append('metrics.jsonl', 'three\n'))
    expect(readFileSync(store.pathOf('metrics.jsonl'), 'utf8')).toBe('one\nthree\n')
  })

  it('is only read from where no lock is given, and by who has lost it', async () => {
    const run = made()
    const lock = await done(acquireRunLock(run))
    const reader = storeIn(run)
    for (const write of [
      reader.replace('a', bytes('a')),
      reader.append('a', 'a\n'),
      reader.sync('a'),
      reader.checkpoints.save(1, new Map()),
      reader.checkpoints.withdraw(1),
    ])
      expect(leftMessage(await write())).toMatch(/is open to be read/)
    writeFileSync(
      join(run, 'lock'),
      readFileSync(join(run, 'lock'), 'utf8').replace(/"token":"[^"]*"/, '"token":"other"'),
    )
    expect(leftMessage(await storeIn(run, lock).replace('a', bytes('a'))())).toMatch(/in use|no longer/)
    expect(existsSync(join(run, 'a'))).toBe(false)
  })
})
