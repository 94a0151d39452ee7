/** Classifiers and text models as runs in directories: what they leave, and that they go on with the same bits. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  decodeConfig,
  load,
  planTraining,
  resume,
  train,
  type TrainConfig,
  type TrainEvent,
} from '../../../src/train/index.ts'
import { checkpoints, fingerprints, metricSteps } from '../runFiles.ts'
import { directories, done, leftMessage, right } from '../tinyRun.ts'
import { classFolder, classifierOf, rhyme, textOf } from './ownKinds.ts'

process.env['XDG_CACHE_HOME'] = `${directories()()}-cache`
const directory = directories()
const [pictures, text] = [directory(), directory()]
beforeAll(() => {
  classFolder(pictures)
  mkdirSync(text)
  writeFileSync(join(text, 'sea.txt'), rhyme)
})

const kinds: readonly (readonly [string, (out: string, more?: object) => TrainConfig])[] = [
  ['a classifier', (out, more) => classifierOf(pictures, out, more)],
  ['a text model', (out, more) => textOf(join(text, 'sea.txt'), out, more)],
]

/** Trains until a step is done, as Ctrl-C would stop it. */
const trainUntil = async (config: TrainConfig, step: number): Promise<void> => {
  const controller = new AbortController()
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step === step) controller.abort()
  }
  expect(await done(train(config, { onEvent, signal: controller.signal }))).toMatchObject({ interrupted: true, step })
}

describe.each(kinds)('%s in a directory', (_, configOf) => {
  const whole = directory()
  beforeAll(async () => {
    await done(train(configOf(whole)))
  })

  it('leaves its configuration, which decodes to itself, its metrics, sheets of text, and its best and newest weights', () => {
    const written = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8')) as object
    expect(right(decodeConfig({ ...written, out: whole }))).toEqual(JSON.parse(JSON.stringify(configOf(whole))))
    expect(checkpoints(whole)).toEqual(['step-000002', 'step-000004', 'step-000006'])
    for (const name of ['best.safetensors', 'early.safetensors', 'loss.svg', 'samples/step-000006.txt'])
      expect(existsSync(join(whole, name)), name).toBe(true)
    const last = JSON.parse(
      readFileSync(join(whole, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').at(-1) ?? '',
    ) as object
    expect(last).toMatchObject({ step: 6, heldOut: expect.any(Number) })
  })

  it.each([1, 4])('ends with the same bits as one that never stopped, when stopped after step %i', async (step) => {
    const run = directory()
    await trainUntil(configOf(run), step)
    expect(await done(resume(run))).toMatchObject({ step: 6, interrupted: false })
    expect(fingerprints(run, 'step-000006')).toEqual(fingerprints(whole, 'step-000006'))
    expect(metricSteps(run)).toEqual([1, 2, 3, 4, 5, 6])
    const sheet = 'samples/step-000006.txt'
    expect(readFileSync(join(run, sheet), 'utf8')).toBe(readFileSync(join(whole, sheet), 'utf8'))
    expect(readFileSync(join(run, 'best.safetensors'))).toEqual(readFileSync(join(whole, 'best.safetensors')))
  })

  it('trains for longer, and other settings are another run', async () => {
    const run = directory()
    await done(train(configOf(run, { steps: 2 })))
    expect(await done(resume(run, {}, { steps: 3 }))).toMatchObject({ step: 3, steps: 3 })
    const path = join(run, 'config.json')
    const written = JSON.parse(readFileSync(path, 'utf8')) as object
    writeFileSync(path, JSON.stringify({ ...written, learningRate: 0.5 }))
    expect(leftMessage(await resume(run, {}, { steps: 4 })())).toContain('was changed since checkpoint')
  })

  it('is planned on paper, and refused where a batch cannot fit', async () => {
    const plan = await done(planTraining(configOf(directory())))
    expect(plan.facts.parameters).toBeGreaterThan(100)
    expect(plan.flopsPerSecond).toBeGreaterThan(0)
    expect(leftMessage(await train(configOf(directory(), { batch: 1e9 }))())).toContain('a step needs more than')
  })

  it('draws no pictures', async () => {
    expect(leftMessage(await load(whole)())).toMatch(
      /is a run of a (classifier|text model), which draws no.*`fathom (classify|write) /,
    )
  })
})
