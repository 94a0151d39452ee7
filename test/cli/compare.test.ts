/** `fathom compare`: which of two runs is nearer to real pictures, and what is said where they cannot be compared. */
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { runCompare } from '../../src/cli/compare.ts'
import type { FlagValue } from '../../src/cli/parse.ts'
import * as terminal from '../../src/cli/terminal.ts'
import { train } from '../../src/train/index.ts'
import { directories, done, tinyConfig } from '../train/tinyRun.ts'

const directory = directories()
const few: readonly (readonly [string, FlagValue])[] = [
  ['count', 16],
  ['steps', 2],
  ['features', 'random'],
]

describe('fathom compare', () => {
  const [one, other] = [directory(), directory()]
  beforeAll(async () => {
    await done(train(tinyConfig(one, { device: 'wasm', steps: 2 })))
    await done(train(tinyConfig(other, { device: 'wasm', steps: 2, height: 16, width: 16 })))
  })

  it('of a run with itself finds no difference, and says so in a table and as JSON', async () => {
    const say = vi.spyOn(terminal, 'say').mockImplementation(() => undefined)
    try {
      expect(await runCompare(one, new Map([...few, ['with', one]]))).toEqual({ code: 0 })
      expect(say.mock.lastCall?.[0]).toMatch(/kernel distance .* 1\.000\n.*\n\n {2}Neither is surely nearer/u)
      expect(await runCompare(one, new Map<string, FlagValue>([...few, ['with', one], ['json', true]]))).toEqual({
        code: 0,
      })
      expect(JSON.parse(say.mock.lastCall?.[0] ?? '')).toMatchObject({
        count: 16,
        spaces: { random: { kernel: { p: 1 } } },
      })
    } finally {
      say.mockRestore()
    }
  })

  it('needs another run, which draws pictures of the same size', async () => {
    expect(await runCompare(one, new Map())).toMatchObject({
      code: 2,
      message: expect.stringContaining('needs another run'),
    })
    expect(await runCompare(one, new Map([...few, ['with', other]]))).toMatchObject({
      code: 1,
      message: expect.stringMatching(/only pictures of one size compare/u),
    })
    expect(await runCompare(one, new Map([...few, ['with', `${one}-gone`]]))).toMatchObject({
      code: 1,
      message: expect.stringMatching(/holds no run/u),
    })
  })
})
