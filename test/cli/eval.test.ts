/** `fathom eval`: a report of a run, and what is said where there can be none. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runEval } from '../../src/cli/eval.ts'
import type { FlagValue } from '../../src/cli/parse.ts'
import { train } from '../../src/train/index.ts'
import { directories, done, tinyConfig } from '../train/tinyRun.ts'

const directory = directories()
const few: readonly (readonly [string, FlagValue])[] = [
  ['count', 16],
  ['steps', 2],
  ['features', 'random'],
]

describe('fathom eval', () => {
  const run = directory()
  beforeAll(() => done(train(tinyConfig(run, { device: 'wasm', steps: 2 }))))

  it('writes a page and a record of a run, into the run', async () => {
    expect(await runEval(run, new Map(few))).toEqual({ code: 0 })
    const { judgement, lossByLevel, step } = JSON.parse(readFileSync(join(run, 'eval', 'report.json'), 'utf8')) as {
      readonly step: number
      readonly judgement: { readonly count: number; readonly spaces: readonly { readonly name: string }[] }
      readonly lossByLevel: readonly unknown[]
    }
    expect({ step, count: judgement.count, spaces: judgement.spaces.map(({ name }) => name) }).toEqual({
      step: 2,
      count: 16,
      spaces: ['random'],
    })
    expect(lossByLevel).toHaveLength(8)
    expect(readFileSync(join(run, 'eval', 'report.html'), 'utf8')).toContain(
      'Each picture beside the nearest of training',
    )
  })

  it('takes another place for the report', async () => {
    const out = `${run}-report`
    expect(await runEval(run, new Map([...few, ['out', out]]))).toEqual({ code: 0 })
    expect(existsSync(join(out, 'report.html'))).toBe(true)
  })

  it('says which feature spaces there are', async () => {
    expect(await runEval(run, new Map([['features', 'trained,inception']]))).toEqual({
      code: 2,
      message: "--features must be some of trained, random, parted by commas, got 'inception'",
    })
  })

  it('asks for more pictures than a few, before it draws any', async () => {
    expect(await runEval(run, new Map([['count', 5]]))).toMatchObject({
      code: 1,
      message: expect.stringContaining('5 drawn are too few to judge by: it takes 48 and 16 at least (--count)'),
    })
  })

  it('says that a directory holds no run', async () => {
    expect(await runEval(directory(), new Map())).toMatchObject({ code: 1 })
  })
})
