import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { fingerprints, metricSteps } from '../train/runFiles.ts'
import { directories, tinySettings } from '../train/tinyRun.ts'
import { range } from '../../src/prelude/array.ts'
import { hostKey, hostUniform } from '../../src/prelude/threefry.ts'
import { buildCommand, run } from './command.ts'
import { killAndResume } from './killAndResume.ts'

const directory = directories()
let main = ''
const config = `${directory()}.json`
const steps = 30

beforeAll(() => {
  main = buildCommand('kill')
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, JSON.stringify({ ...tinySettings, steps, saveEvery: 1 }))
})

describe('kill -9', () => {
  it('at any of ten moments loses nothing: the run resumes, and ends with the bits of one that was never killed', async () => {
    const [whole, out] = [directory(), directory()]
    expect(await run(main, ['train', '--config', config, '--out', whole])).toMatchObject({ code: 0 })
    const delays = range(10).map((i) => 1500 * hostUniform(hostKey(7), i))
    const { kills } = await killAndResume(main, config, out, delays)
    expect(kills).toBeGreaterThan(0)
    expect(fingerprints(out, 'step-000030')).toEqual(fingerprints(whole, 'step-000030'))
    expect(metricSteps(out)).toEqual(range(steps).map((i) => i + 1))
  })
})
