import { beforeAll, describe, expect, it } from 'vitest'
import { buildCommand, run } from './command.ts'

/** The command is built, and the machine measured, for some seconds. */
const timeout = 60_000

let main = ''

beforeAll(() => {
  main = buildCommand('bench')
}, timeout)

const small = ['--size', '8', '--batch', '1', '--steps', '1', '--device', 'cpu']

describe('fathom bench', () => {
  it(
    'prints what a step takes beside what the machine could, and with --profile the kernels that take longest',
    async () => {
      const { code, stdout, stderr } = await run(main, ['bench', ...small, '--profile', '--rows', '3'])
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/device +cpu[^]*machine[^]*GFLOP\/s[^]*step +tiny at 8×8, batch 1[^]*ms a step[^]*memory/)
      expect(stdout).toMatch(/share[^]*of roof[^]*(?:.*\d+× .*\n){3}.*other rows.*\n.*ms in kernels/)
    },
    timeout,
  )

  it(
    'prints the same as JSON',
    async () => {
      const { stdout } = await run(main, ['bench', ...small, '--profile', '--json'])
      const report = JSON.parse(stdout) as { flops: number; median: number; profile: { rows: { share: number }[] } }
      expect(report.flops).toBeGreaterThan(0)
      expect(report.median).toBeGreaterThan(0)
      const shares = report.profile.rows.reduce((sum, { share }) => sum + share, 0)
      expect(shares).toBeGreaterThan(0)
      expect(shares).toBeLessThanOrEqual(1)
    },
    timeout,
  )

  it('names the presets when there is no such one, with exit code 2', async () => {
    const { code, stderr } = await run(main, ['bench', '--preset', 'huge'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('one of tiny, small, base')])
  })
})
