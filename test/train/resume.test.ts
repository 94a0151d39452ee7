import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { range } from '../../src/prelude/array.ts'
import { load, resume, sample, train, type DiffusionRun, type TrainEvent } from '../../src/train/index.ts'
import { checkpoints, fingerprints, metricSteps } from './runFiles.ts'
import { directories, done, leftMessage, tinyConfig } from './tinyRun.ts'

const directory = directories()

/** Trains until a step is done, as Ctrl-C would stop it. */
const trainUntil = async (config: DiffusionRun, step: number): Promise<void> => {
  const controller = new AbortController()
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step === step) controller.abort()
  }
  expect(await done(train(config, { onEvent, signal: controller.signal }))).toMatchObject({ interrupted: true, step })
}

describe('a run that stops and resumes', () => {
  const whole = directory()
  beforeAll(async () => {
    await done(train(tinyConfig(whole)))
  })

  it('writes its configuration, metrics, curve, samples, first batch and checkpoints', () => {
    for (const name of [
      'config.json',
      'metrics.jsonl',
      'loss.svg',
      'first-batch.png',
      'samples/step-000006.png',
      'checkpoints/latest',
    ])
      expect(existsSync(join(whole, name)), name).toBe(true)
    expect(checkpoints(whole)).toEqual(['step-000002', 'step-000004', 'step-000006'])
    expect(existsSync(join(whole, 'lock'))).toBe(false)
  })

  it.each([1, 2, 3, 5])(
    'ends with the same bits as one that never stopped, when stopped after step %i',
    async (step) => {
      const run = directory()
      await trainUntil(tinyConfig(run), step)
      expect(await done(resume(run))).toMatchObject({ step: 6, interrupted: false })
      expect(fingerprints(run, 'step-000006')).toEqual(fingerprints(whole, 'step-000006'))
      expect(metricSteps(run)).toEqual([1, 2, 3, 4, 5, 6])
      expect(readFileSync(join(run, 'samples/step-000006.png'))).toEqual(
        readFileSync(join(whole, 'samples/step-000006.png')),
      )
    },
  )

  it('ends with the same bits when it had stopped twice, and accumulates gradients', async () => {
    const changes = { accumulate: 2, steps: 5 }
    const [once, twice] = [directory(), directory()]
    await done(train(tinyConfig(once, changes)))
    await trainUntil(tinyConfig(twice, changes), 1)
    const controller = new AbortController()
    await done(
      resume(twice, {
        signal: controller.signal,
        onEvent: (event) => event._tag === 'Stepped' && event.step === 3 && controller.abort(),
      }),
    )
    await done(resume(twice))
    expect(fingerprints(twice, 'step-000005')).toEqual(fingerprints(once, 'step-000005'))
  })

  it('falls back to the checkpoint before a damaged one, says so, and writes each step of the metrics once', async () => {
    const run = directory()
    await trainUntil(tinyConfig(run), 5)
    const damaged = join(run, 'checkpoints', 'step-000005', 'params.safetensors')
    writeFileSync(damaged, readFileSync(damaged).fill(1, 100, 101))
    appendFileSync(join(run, 'metrics.jsonl'), '{"step":6,"lo')
    const warnings: string[] = []
    await done(resume(run, { onEvent: (event) => event._tag === 'Warning' && warnings.push(event.message) }))
    expect(warnings).toEqual([expect.stringMatching(/step-000005 is damaged .*using step-000004/)])
    expect(fingerprints(run, 'step-000006')).toEqual(fingerprints(whole, 'step-000006'))
    expect(metricSteps(run)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('has nothing to do when it is complete', async () => {
    expect(await done(resume(whole))).toMatchObject({
      step: 6,
      interrupted: false,
      measured: { heldOut: expect.any(Number), heldOutRelative: expect.any(Number) },
    })
  })

  it('refuses to begin anew where a run is', async () => {
    expect(leftMessage(await train(tinyConfig(whole))())).toMatch(
      /holds a run already: continue it with `fathom resume .*` or choose another directory with --out|fathom resume/,
    )
  })

  it('refuses to resume without a valid checkpoint, and starts nothing', async () => {
    const run = directory()
    await trainUntil(tinyConfig(run), 1)
    rmSync(join(run, 'checkpoints'), { recursive: true })
    expect(leftMessage(await resume(run)())).toMatch(/no valid checkpoint/)
    expect(existsSync(join(run, 'checkpoints'))).toBe(false)
  })

  it('refuses to resume with a configuration that was changed', async () => {
    const run = directory()
    await trainUntil(tinyConfig(run), 1)
    const path = join(run, 'config.json')
    const written = readFileSync(path, 'utf8')
    writeFileSync(path, written.replace('"learningRate": 0.004', '"learningRate": 0.003'))
    expect(leftMessage(await resume(run)())).toMatch(/was changed since checkpoint step-000001/)
    writeFileSync(path, written.replace('"heads": 1', '"heads": 2'))
    expect(leftMessage(await resume(run)())).toMatch(/does not fit its configuration/)
    writeFileSync(path, written.replace('"heads"', '"haeds"'))
    expect(leftMessage(await resume(run)())).toMatch(/model.haeds is not a setting; did you mean heads\?/)
  })

  it('says that there is no run where there is none', async () => {
    expect(leftMessage(await resume(directory())())).toMatch(/holds no run/)
  })

  it('is left alone while another process works on it', async () => {
    const run = directory()
    await trainUntil(tinyConfig(run), 1)
    const lock = { pid: process.ppid, place: 'elsewhere', token: 'another' }
    writeFileSync(join(run, 'lock'), `${JSON.stringify(lock)}\n`)
    expect(leftMessage(await resume(run)())).toMatch(/in use by process/)
  })
})

describe('samples of a run', () => {
  it('are the same for the same seed, others for another, and as many as asked for', async () => {
    const run = directory()
    await trainUntil(tinyConfig(run), 1)
    const loaded = await done(load(run))
    const [a, b, c] = [
      await done(sample(loaded, { count: 3, steps: 2, seed: 1 })),
      await done(sample(loaded, { count: 3, steps: 2, seed: 1 })),
      await done(sample(loaded, { count: 3, steps: 2, seed: 2 })),
    ]
    expect(a.pictures.map((p) => p.length)).toEqual(range(3).map(() => 8 * 8 * 3))
    expect(b.pictures).toEqual(a.pictures)
    expect(c.pictures).not.toEqual(a.pictures)
    expect(leftMessage(await sample(loaded, { count: 1, steps: 21, seed: 0 })())).toBe(
      'steps must be a whole number from 1 to 20, got 21',
    )
  })
})

describe('a run that diverges', () => {
  it('stops with the step, keeps its checkpoints, and says what to do', async () => {
    const run = directory()
    const message = leftMessage(await train(tinyConfig(run, { learningRate: 1e30, steps: 30 }))())
    expect(message).toMatch(/the loss is (NaN|Infinity) at step \d+ .* start another with a lower --lr/)
    expect(checkpoints(run).length).toBeGreaterThan(0)
  })
})
