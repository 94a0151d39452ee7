import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { seas } from '../../src/data/index.ts'
import { acquireRunLock, encodePng } from '../../src/io/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { resume, train, type ResumeChanges, type DiffusionRun, type TrainEvent } from '../../src/train/index.ts'
import { checkpoints, fingerprints, metricSteps } from './runFiles.ts'
import { directories, done, leftMessage, tinyConfig } from './tinyRun.ts'
import { withCacheHome } from '../support/cacheHome.ts'

const directory = directories()
withCacheHome(directory)
const onCpu = { device: 'cpu', saveEvery: 1, heldOutEvery: 100 } as const

/** Trains until a step is done, as Ctrl-C would stop it. */
const trainUntil = async (config: DiffusionRun, step: number): Promise<void> => {
  const controller = new AbortController()
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step === step) controller.abort()
  }
  await done(train(config, { onEvent, signal: controller.signal }))
}

/** Goes on to the end. @returns the warnings */
const goOn = async (run: string, changes: ResumeChanges = {}): Promise<readonly string[]> => {
  const warnings: string[] = []
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Warning') warnings.push(event.message)
  }
  await done(resume(run, { onEvent }, changes))
  return warnings
}

const copyOf = (run: string): string => {
  const copy = directory()
  cpSync(run, copy, { recursive: true })
  return copy
}

const configIn = (run: string): unknown => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'))

describe('the pictures of a run that goes on', () => {
  const folder = directory()
  const stopped = directory()
  const whole = directory()

  /** Twelve pictures; the seed decides of what. */
  const fill = (path: string, seed: number): void => {
    mkdirSync(path, { recursive: true })
    const sea = seas({ seed, size: 16 })
    for (let i = 0; i < 12; i++) {
      const picture = encodePng({ width: 16, height: 16, channels: 3, pixels: sea.image(i) })
      writeFileSync(join(path, `p${i + 10}.png`), picture)
    }
  }

  const config = (out: string): DiffusionRun => tinyConfig(out, { ...onCpu, folder, steps: 3 })

  beforeAll(async () => {
    fill(folder, 1)
    await done(train(config(whole)))
    await trainUntil(config(stopped), 1)
  })

  it('are found again where they were moved to, and give the same bits, which it says', async () => {
    const run = copyOf(stopped)
    const moved = directory()
    renameSync(folder, moved)
    expect(leftMessage(await resume(run)())).toMatch(
      /is not there; if it has moved, name it: fathom resume .* --data FOLDER/,
    )
    expect(await goOn(run, { folder: moved })).toContainEqual(
      `the pictures in ${moved} are those of the run, by their contents: it goes on with the same bits`,
    )
    expect(fingerprints(run, 'step-000003')).toEqual(fingerprints(whole, 'step-000003'))
    expect(configIn(run)).toMatchObject({ folder: moved })
    renameSync(moved, folder)
  })

  it('are told from others under the same names, in their folder or another', async () => {
    const other = directory()
    fill(other, 77)
    const changed =
      /the pictures in .* have changed \(12 pictures, contents [\da-f]{16} then, 12 pictures, contents [\da-f]{16} now\): the run goes on .* not as it would have/
    expect(await goOn(copyOf(stopped), { folder: other })).toContainEqual(expect.stringMatching(changed))
    const edited = copyOf(stopped)
    writeFileSync(join(edited, 'config.json'), readFileSync(join(edited, 'config.json'), 'utf8').replace(folder, other))
    expect(await goOn(edited)).toContainEqual(expect.stringMatching(changed))
    expect(await goOn(copyOf(stopped))).not.toContainEqual(expect.stringMatching(/changed|same bits/))
  })
})

describe('a run that goes on for more steps', () => {
  const complete = directory()
  beforeAll(async () => {
    await done(train(tinyConfig(complete, { ...onCpu, steps: 2 })))
  })

  it('trains longer, says by which rates, and knows it from then on', async () => {
    const run = copyOf(complete)
    const planned =
      /the run was planned for 2 steps and is now for 4: from step 3 on its learning rate is that of step 3 of 4/
    expect(await goOn(run, { steps: 4 })).toContainEqual(expect.stringMatching(planned))
    expect(metricSteps(run)).toEqual([1, 2, 3, 4])
    expect(configIn(run)).toMatchObject({ steps: 4 })
    expect(await done(resume(run))).toMatchObject({ step: 4, steps: 4, seconds: 0 })
  })

  it('that stops on its way ends with the bits of one that did not', async () => {
    const [once, twice] = [copyOf(complete), copyOf(complete)]
    await goOn(once, { steps: 4 })
    const controller = new AbortController()
    const onEvent = ({ _tag }: TrainEvent): void => {
      if (_tag === 'Stepped') controller.abort()
    }
    expect(await done(resume(twice, { onEvent, signal: controller.signal }, { steps: 4 }))).toMatchObject({ step: 3 })
    expect(await goOn(twice)).toEqual([])
    expect(fingerprints(twice, 'step-000004')).toEqual(fingerprints(once, 'step-000004'))
  })

  it('is refused for fewer than are done, and for pictures of a run on seas; nothing is changed', async () => {
    const before = configIn(complete)
    expect(leftMessage(await resume(complete, {}, { steps: 1 })())).toBe(
      'steps must be more than the 2 that are done, got 1',
    )
    expect(leftMessage(await resume(complete, {}, { steps: 3.5 })())).toMatch(/^steps must be a whole number/)
    expect(leftMessage(await resume(complete, {}, { folder: 'x' })())).toMatch(/trains on procedural seas/)
    expect(configIn(complete)).toEqual(before)
  })
})

describe('what a kill, a full disk or a hand has done to a run', () => {
  const stopped = directory()
  beforeAll(async () => {
    await trainUntil(tinyConfig(stopped, { ...onCpu, steps: 3, sampleEvery: 3 }), 2)
  })

  it('is put right: leftovers, samples that were removed, latest, and lines that cannot be read', async () => {
    const run = copyOf(stopped)
    for (const name of [
      '.tmp-loss.svg-1',
      'checkpoints/.tmp-000009-1',
      'samples/.tmp-step-000003.png-1a-1',
      'lock.after-x',
    ])
      writeFileSync(join(run, name), '')
    rmSync(join(run, 'samples'), { recursive: true })
    writeFileSync(join(run, 'checkpoints', 'latest'), 'step-000001\n')
    const metrics = join(run, 'metrics.jsonl')
    writeFileSync(metrics, readFileSync(metrics, 'utf8').replace(/^.*\n/, '\n'))
    appendFileSync(metrics, '\0\0\0\n')
    expect(await goOn(run)).toEqual([
      expect.stringMatching(/metrics\.jsonl had 2 lines that cannot be read, which are removed/),
      expect.stringMatching(/metrics\.jsonl lacks 1 of the 2 steps that are done, and so does the loss curve/),
    ])
    expect(metricSteps(run)).toEqual([2, 3])
    expect(readdirSync(run).filter((name) => /tmp|lock/.test(name))).toEqual([])
    expect(readdirSync(join(run, 'checkpoints'))).toEqual(['latest', 'step-000001', 'step-000002', 'step-000003'])
    expect(readdirSync(join(run, 'samples'))).toEqual(['step-000003.png'])
  })

  it('is put right in a complete run too: latest names the newest, and what is too old is gone', async () => {
    const run = copyOf(stopped)
    await goOn(run)
    writeFileSync(join(run, 'checkpoints', 'latest'), 'step-000002\n')
    cpSync(join(stopped, 'checkpoints', 'step-000000'), join(run, 'checkpoints', 'step-000000'), { recursive: true })
    await goOn(run)
    expect(readFileSync(join(run, 'checkpoints', 'latest'), 'utf8')).toBe('step-000003\n')
    expect(checkpoints(run)).toEqual(['step-000001', 'step-000002', 'step-000003'])
  })

  it('never lets two go on: who has lost the lock writes nothing more', async () => {
    const run = copyOf(stopped)
    const lock = join(run, 'lock')
    const other = `${JSON.stringify({ pid: process.pid, place: 'elsewhere', token: 'another' })}\n`
    const onEvent = (event: TrainEvent): void => {
      if (event._tag === 'Started') writeFileSync(lock, other)
    }
    const before = checkpoints(run)
    expect(leftMessage(await resume(run, { onEvent })())).toMatch(/no longer holds the run/)
    expect(checkpoints(run)).toEqual(before)
    expect(metricSteps(run)).toEqual([1, 2])
    expect(readFileSync(lock, 'utf8')).toBe(other)
    const free = copyOf(stopped)
    const mine = await acquireRunLock(free)()
    if (E.isRight(mine)) await mine.right.release()
    expect(existsSync(join(free, 'lock'))).toBe(false)
  })
})
