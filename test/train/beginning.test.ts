import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { acquireRunLock } from '../../src/io/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { planTraining, resume, train, type DiffusionRun, type TrainEvent } from '../../src/train/index.ts'
import { checkpoints, fingerprints } from './runFiles.ts'
import { directories, done, leftMessage, tinyConfig } from './tinyRun.ts'

const directory = directories()
const short = { device: 'cpu', steps: 2 } as const

/** What a run leaves that was killed before its first checkpoint. */
const killedAtTheBeginning = (config: DiffusionRun): string => {
  const { out, ...written } = config
  mkdirSync(join(out, 'samples'), { recursive: true })
  mkdirSync(join(out, 'checkpoints', '.tmp-000000-4711'), { recursive: true })
  writeFileSync(join(out, 'config.json'), JSON.stringify(written))
  for (const name of [
    '.tmp-loss.svg-4711',
    '.tmp-config.json-1a2b-4711',
    'lock.after-1a2b',
    'first-batch.png',
    'metrics.jsonl',
  ])
    writeFileSync(join(out, name), '')
  return out
}

describe('a run that ended before its first checkpoint', () => {
  const whole = directory()
  beforeAll(async () => {
    await done(train(tinyConfig(whole, short)))
  })

  it('is begun again by train, with another configuration, and nothing of it is left', async () => {
    const run = killedAtTheBeginning(tinyConfig(directory(), { ...short, batch: 7, seed: 3 }))
    expect(await done(train(tinyConfig(run, short)))).toMatchObject({ step: 2 })
    expect(fingerprints(run, 'step-000002')).toEqual(fingerprints(whole, 'step-000002'))
    expect(readdirSync(run).toSorted()).toEqual(readdirSync(whole).toSorted())
    expect(readdirSync(join(run, 'checkpoints'))).toEqual(readdirSync(join(whole, 'checkpoints')))
  })

  it('is begun by resume, with its own configuration, and says so', async () => {
    const run = killedAtTheBeginning(tinyConfig(directory(), short))
    const warnings: string[] = []
    const onEvent = (event: TrainEvent): void => {
      if (event._tag === 'Warning') warnings.push(event.message)
    }
    expect(await done(resume(run, { onEvent }))).toMatchObject({ step: 2, interrupted: false })
    expect(warnings).toEqual([expect.stringMatching(/nothing was done in .* yet: the run begins/)])
    expect(fingerprints(run, 'step-000002')).toEqual(fingerprints(whole, 'step-000002'))
  })

  it('is not begun again while another process begins it', async () => {
    const run = killedAtTheBeginning(tinyConfig(directory(), short))
    const lock = await acquireRunLock(run)()
    expect(leftMessage(await train(tinyConfig(run, short))())).toMatch(/in use by process \d+, which is alive/)
    if (E.isRight(lock)) await lock.right.release()
  })

  it('is told from one that has lost its checkpoints, which nobody begins again', async () => {
    const run = killedAtTheBeginning(tinyConfig(directory(), short))
    appendFileSync(join(run, 'metrics.jsonl'), '{"step":1,"loss":1}\n')
    expect(leftMessage(await train(tinyConfig(run, short))())).toMatch(/holds a run already/)
    expect(leftMessage(await resume(run)())).toMatch(/no valid checkpoint/)
  })
})

describe('a beginning that fails', () => {
  it('for want of memory is refused before anything is made, on paper too', async () => {
    const run = directory()
    for (const batch of [20_000_000, 10_000_000]) {
      const config = tinyConfig(run, { batch })
      for (const result of [await train(config)(), await planTraining(config)()])
        expect(leftMessage(result)).toMatch(
          /a step needs more than [\d.]+ [GT]B, and 'wasm' can use [\d.]+ GB: use a smaller/,
        )
    }
    expect(leftMessage(await train(tinyConfig(run, { batch: 100_000 }))())).toMatch(/a step needs [\d.]+ GB/)
    expect(existsSync(run)).toBe(false)
  })

  it('at its first checkpoint leaves nothing of its own', async () => {
    const run = directory()
    mkdirSync(run)
    writeFileSync(join(run, 'checkpoints'), 'a file where the folder should be: no checkpoint can be saved')
    expect(leftMessage(await train(tinyConfig(run, short))())).toMatch(/step 0 is not saved/)
    expect(readdirSync(run)).toEqual(['checkpoints'])
    rmSync(join(run, 'checkpoints'))
    await done(train(tinyConfig(run, { ...short, steps: 1 })))
    expect(checkpoints(run)).toEqual(['step-000000', 'step-000001'])
  })

  it('in the folder of its pictures is refused, with a place outside', async () => {
    const folder = directory()
    mkdirSync(folder)
    for (const out of [
      join(folder, 'runs', 'a'),
      folder,
      join(folder, '..', relative(join(folder, '..'), folder), 'a'),
    ]) {
      expect(leftMessage(await train(tinyConfig(out, { folder }))())).toMatch(
        /would lie in the folder of its pictures, .*: choose a place outside, for instance --out /,
      )
    }
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('files that no run has made', () => {
  it('stay: a configuration of another program is not written over', async () => {
    const out = directory()
    mkdirSync(out, { recursive: true })
    for (const text of ['{"name":"my app"}', 'not JSON', '[]']) {
      writeFileSync(join(out, 'config.json'), text)
      expect(leftMessage(await train(tinyConfig(out, short))())).toContain(
        'config.json is there already, and is not of a run: choose another directory with --out',
      )
      expect(readdirSync(out)).toEqual(['config.json'])
      expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe(text)
    }
  })

  it('stay where a beginning fails', async () => {
    const out = directory()
    mkdirSync(join(out, 'first-batch.png'), { recursive: true }) // where a picture is to be written
    writeFileSync(join(out, 'first-batch.md'), 'mine')
    expect(E.isLeft(await train(tinyConfig(out, short))())).toBe(true)
    expect(readdirSync(out).toSorted()).toEqual(['first-batch.md', 'first-batch.png'])
  })
})
