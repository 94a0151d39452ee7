import { describe, expect, it } from 'vitest'
import { makeDurableDirectory } from '../../src/io/durableDirectory.node.ts'
import { E } from '../../src/prelude/fp.ts'
import { CrashFileSystem, crashStates } from './crashFileSystem.ts'

describe('makeDurableDirectory', () => {
  it('makes every directory so that it outlives any power failure after', async () => {
    const fs = new CrashFileSystem()
    expect(await makeDurableDirectory('/runs/sea/samples', fs)()).toEqual(E.right(undefined))
    for (const disk of crashStates(fs.log, fs.log.length))
      expect(await disk.list('/runs/sea/samples')()).toEqual(E.right([]))
  })

  it('writes nothing when it is there', async () => {
    const fs = new CrashFileSystem()
    await makeDurableDirectory('/runs/sea', fs)()
    const before = fs.log.length
    await makeDurableDirectory('/runs/sea', fs)()
    expect(fs.log).toHaveLength(before)
  })

  it('makes what is missing below a directory that is there', async () => {
    const fs = new CrashFileSystem()
    await makeDurableDirectory('/runs', fs)()
    await makeDurableDirectory('/runs/sea', fs)()
    for (const disk of crashStates(fs.log, fs.log.length)) expect(await disk.list('/runs')()).toEqual(E.right(['sea']))
  })
})
