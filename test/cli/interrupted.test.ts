import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkpoints } from '../train/runFiles.ts'
import { directories, tinySettings } from '../train/tinyRun.ts'
import { buildCommand, run, start } from './command.ts'

const directory = directories()
let main = ''
const config = `${directory()}.json`

beforeAll(() => {
  main = buildCommand('interrupted')
  writeFileSync(config, JSON.stringify({ ...tinySettings, device: 'cpu', steps: 400, saveEvery: 1000 }))
})

describe('a run that is told to stop', () => {
  it('before its first step ends at once, and nothing blocks another beginning', async () => {
    const out = directory()
    const { child, printed, ended } = start(main, ['train', '--config', config, '--out', out])
    await printed(/run +\S/)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: null, signal: 'SIGINT' })
    const again = await run(main, ['train', '--config', config, '--steps', '1', '--out', out])
    expect([again.code, again.stderr]).toEqual([0, ''])
    expect(checkpoints(out)).toEqual(['step-000000', 'step-000001'])
  })

  it('by the end of its terminal finishes the step and saves', async () => {
    const out = directory()
    const { child, printed, ended } = start(main, ['train', '--config', config, '--out', out])
    await printed(/step +\d+\/400/)
    child.kill('SIGHUP')
    const { code, stdout } = await ended
    expect(code).toBe(130)
    const stopped = Number(/stopped after step (\d+) of 400, and saved/.exec(stdout)?.[1])
    expect(checkpoints(out)).toEqual(['step-000000', `step-${String(stopped).padStart(6, '0')}`])
    const shorter = await run(main, ['resume', out, '--steps', '1'])
    expect([shorter.code, shorter.stderr]).toEqual([
      2,
      `fathom: --steps must be more than the ${stopped} that are done, got 1\n`,
    ])
    const longer = await run(main, ['resume', out, '--steps', String(stopped + 1)])
    expect(longer.code).toBe(0)
    expect(longer.stdout).toMatch(/note +the run was planned for 400 steps and is now for \d+/)
    expect(checkpoints(out).at(-1)).toBe(`step-${String(stopped + 1).padStart(6, '0')}`)
  })
})

describe('what the command prints', () => {
  it('holds nothing of a foreign run that a terminal would obey', async () => {
    const evil = directory()
    mkdirSync(join(evil, 'checkpoints', 'step-000001'), { recursive: true })
    const escapes = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e'
    writeFileSync(join(evil, 'config.json'), JSON.stringify({ [escapes]: 1 }))
    const resumed = await run(main, ['resume', evil])
    expect(resumed.code).toBe(1)
    expect(resumed.stderr).toMatch(/\\u\{1b\}\]0;owned\\u\{7\}/)
    const named = await run(main, ['train', '--config', config, '--dry-run', `nowhere${escapes}`])
    for (const { stdout, stderr } of [resumed, named]) expect(`${stdout}${stderr}`).not.toMatch(/[^\n\P{Cc}]|\u202e/u)
  })

  it.runIf(existsSync('/dev/full'))('changes no exit code where nobody can read it', () => {
    const codeOf = (args: string): number | null =>
      spawnSync('sh', ['-c', `"${process.execPath}" "${main}" ${args} >/dev/full 2>/dev/full`]).status
    expect([codeOf('trian'), codeOf('resume nowhere'), codeOf('--help')]).toEqual([2, 1, 0])
  })
})
