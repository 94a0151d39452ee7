/** `npm run bench:scenes` as a process, on a run of a few steps. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { factorNames } from '../../../src/evaluation/scenes/factors.ts'
import { train } from '../../../src/train/index.ts'
import { run } from '../../cli/command.ts'
import { directories, done, tinyConfig } from '../../train/tinyRun.ts'

const fresh = directories()
const main = fileURLToPath(new URL('../../../bench/scenes.ts', import.meta.url))
let trained = ''

beforeAll(async () => {
  trained = fresh()
  await done(train(tinyConfig(trained, { steps: 2 })))
})

describe('bench:scenes', () => {
  it('draws from a run and prints the factors as JSON and as a chart', async () => {
    const charts = fresh()
    const words = ['--count', '6', '--pairs', '5', '--steps', '3', '--json', '--charts', charts]
    const { code, stdout } = await run(main, [trained, ...words])
    expect(code).toBe(0)
    const report: unknown = JSON.parse(stdout)
    expect(report).toMatchObject({ step: 2, height: 8, width: 8, count: 6, steps: 3, pool: 48, pairs: 5, seed: 0 })
    expect(report).toMatchObject({
      factors: factorNames.map((factor) => ({ factor, noise: { median: expect.any(Number) } })),
    })
    expect(readFileSync(join(charts, 'scenes.svg'), 'utf8')).toMatch(/^<svg /)
  })

  it('takes the steps of the run where none are named, and prints a table', async () => {
    const { code, stdout } = await run(main, [trained, '--count', '3', '--pairs', '2', '--pool', '8'])
    expect(code).toBe(0)
    expect(stdout).toContain('3 pictures of 8×8 after training step 2, drawn in 2 steps; 8 real seas')
    expect(stdout).toMatch(/^horizon \(/m)
  })

  it('fails with one line for no run, for a flag without meaning, and for too small a pool', async () => {
    const ended = await Promise.all([
      run(main, [fresh()]),
      run(main, [trained, '--count', 'many']),
      run(main, [trained, '--count', '8', '--pool', '15']),
      run(main, [trained, '--steps', '99']),
      run(main, []),
    ])
    expect(ended.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1])
    const [none, many, pool, steps, empty] = ended.map(({ stderr }) => stderr)
    expect(none).toMatch(/^bench:scenes: .*holds no run/)
    expect(many).toBe("bench:scenes: --count must be a whole number ≥ 1, got 'many'\n")
    expect(pool).toBe("bench:scenes: --pool must be a whole number ≥ 16, got '15'\n")
    expect(steps).toBe('bench:scenes: steps must be a whole number from 1 to 20, got 99\n')
    expect(empty).toMatch(/^bench:scenes: which run\?/)
  })
})
