/** The examples in docstrings are executed: what they say comes out, and everything that can be called has one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { originOf } from '../../src/graph/origin.ts'
import { zeros } from '../../src/tensor/create.ts'
import { cpuDevice } from '../support/device.ts'
import { isSaid, isThrown, plain, show } from './claims.ts'
import { examplePath, examples, runnableModule, unfencedExamples, type Claim, type Example } from './examples.ts'
import { callables, entries } from './exports.ts'
import { root } from './pages.ts'

const failure = (example: Example, { kind, line, source, says }: Claim, found: string): string =>
  `${example.file}:${line}: ${source} ${found}; the example says ${kind} ${says}`

const thrownBy = async (f: () => Promise<unknown>): Promise<unknown> => {
  try {
    await f()
  } catch (error) {
    return error
  }
  return undefined
}

const device = cpuDevice()

/** What a claim has against the expression's value; undefined if it holds. */
const objection = async (example: Example, claim: Claim, f: () => Promise<unknown>): Promise<string | undefined> => {
  if (claim.kind === 'throws') {
    const error = await thrownBy(f)
    return isThrown(claim.says, error) ? undefined : failure(example, claim, `throws ${String(error)}`)
  }
  const value = await plain(await f(), device)
  return isSaid(claim.says, value) ? undefined : failure(example, claim, `is ${show(value)}`)
}

/** Whether a device that was opened with `check` is open: then all nodes note where they are made, and what comes later takes many times as long. */
const isRecording = (): boolean => originOf(zeros([1]).exp().node) !== undefined

/** Runs the example in an empty folder of its own. */
const run = async (example: Example): Promise<readonly string[]> => {
  const { code, claims } = runnableModule(example)
  const path = examplePath('examples', example)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, code)
  const objections: string[] = []
  const check = async (k: number, f: () => Promise<unknown>): Promise<void> => {
    const [claim] = claims.slice(k)
    const found = claim === undefined ? `no claim ${k}` : await objection(example, claim, f)
    if (found !== undefined) objections.push(found)
  }
  vi.stubGlobal('example', { check, device })
  const folder = mkdtempSync(join(tmpdir(), 'fathom-example-'))
  process.chdir(folder)
  try {
    await import(/* @vite-ignore */ path)
  } finally {
    process.chdir(root)
    rmSync(folder, { recursive: true, force: true })
    vi.unstubAllGlobals()
  }
  if (isRecording()) objections.push(`${example.file}:${example.line}: a device with check is left open: close it`)
  return objections
}

describe('examples in docstrings', () => {
  afterAll(async () => device.close())

  it.each(examples().map((example) => [`${example.file}:${example.line}`, example] as const))(
    '%s comes to what it says',
    { timeout: 180_000 },
    async (_, example) => expect((await run(example)).join('\n')).toBe(''),
  )

  it('stand in ```ts fences, all of them', () => expect(unfencedExamples()).toEqual([]))

  const all = callables()

  it.each(entries.map((entry) => [join('fathom', entry), entry] as const))(
    'everything that %s exports to call has one',
    (_, entry) => {
      const lacking = all.filter((c) => c.entry === entry && !c.hasExample)
      expect(
        lacking.map((c) => `${c.place}: ${c.name} has no example: add \`@example\` to its docstring (CONTRIBUTING.md)`),
      ).toEqual([])
    },
  )
})
