/** Runs that train their autoencoder first. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  load,
  loadAutoencoder,
  planTraining,
  resume,
  sample,
  train,
  type DiffusionRun,
  type TrainEvent,
} from '../../src/train/index.ts'
import { stageOf } from '../../src/train/stages.node.ts'
import { directories, done, leftMessage, photographs, right, tinyConfig } from './tinyRun.ts'
import { withCacheHome } from '../support/cacheHome.ts'

const directory = directories()

withCacheHome(directory)

const folder = photographs(directory(), 12)

const stage = {
  preset: 'vae-64',
  autoencoder: { widths: [4, 8], groups: 2, latentChannels: 2 },
  weights: { equivariance: 0, adversary: 0.5 },
  adversary: { layers: 1, width: 4, from: 0.5 },
  crop: 16,
  batch: 2,
  steps: 4,
  saveEvery: 1,
  heldOutEvery: 2,
  sampleEvery: 100,
  sampleCount: 2,
}

const staged = (out: string, changes: Partial<DiffusionRun> = {}): DiffusionRun =>
  tinyConfig(out, {
    folder,
    height: 16,
    width: 16,
    latent: { channels: 2, factor: 2, stage },
    steps: 4,
    saveEvery: 1,
    ...changes,
  })

/** All files of a run by their path, but those that say how fast it was. */
const filesOf = (run: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(run, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'metrics.jsonl')
      .map(
        (entry) =>
          [
            join(entry.parentPath, entry.name).slice(run.length + 1),
            readFileSync(join(entry.parentPath, entry.name), 'base64'),
          ] as const,
      )
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )

/** Stops a run at its n-th step, counted over both stages. */
const stoppedAt = (n: number, events: TrainEvent[] = []) => {
  const stop = new AbortController()
  let count = 0
  return {
    signal: stop.signal,
    onEvent: (event: TrainEvent) => {
      events.push(event)
      if (event._tag === 'Stepped' && ++count === n) stop.abort()
    },
  }
}

describe('A run with two stages', () => {
  const whole = directory()
  let expected: ReturnType<typeof filesOf> = {}
  const events: TrainEvent[] = []
  beforeAll(async () => {
    const summary = await done(train(staged(whole), { onEvent: (event) => events.push(event) }))
    expect(summary).toMatchObject({ directory: whole, step: 4, interrupted: false })
    expected = filesOf(whole)
  })

  it('trains an autoencoder, encodes the pictures, and trains on their latents, and says so', () => {
    const told = events.flatMap((event): readonly string[] => {
      if (event._tag === 'Stage') return [`${event.number} of ${event.of}`]
      return event._tag === 'Prepared' && event.share === 1 ? [event.what] : []
    })
    expect(told).toEqual(['1 of 2', 'compared', '2 of 2', 'encoded'])
    expect(existsSync(join(whole, 'autoencoder', 'checkpoints', 'step-000004'))).toBe(true)
    expect(readFileSync(join(whole, 'autoencoder.safetensors'))).toEqual(
      readFileSync(join(whole, 'autoencoder', 'autoencoder.safetensors')),
    )
  })

  it('is drawn from like any other', async () => {
    const { pictures } = await done(sample(await done(load(whole)), { count: 1, steps: 2, seed: 0 }))
    expect(pictures.map((picture) => picture.length)).toEqual([16 * 16 * 3])
  })

  it.each([1, 3, 4, 5, 8])('that is stopped at its step %i of 8 goes on bit for bit', async (n) => {
    const run = directory()
    const summary = await done(train(staged(run), stoppedAt(n)))
    expect(summary).toMatchObject({ directory: run, interrupted: n !== 8, ...(n < 4 && { stage: 'the autoencoder' }) })
    await done(resume(run))
    const found = filesOf(run)
    expect(Object.keys(found)).toEqual(Object.keys(expected))
    for (const [name, bytes] of Object.entries(expected)) expect(found[name] === bytes, name).toBe(true)
  })

  it('that has only begun has no autoencoder to work with yet, and says how it goes on', async () => {
    const run = directory()
    mkdirSync(join(run, 'autoencoder'), { recursive: true })
    for (const name of ['config.json', 'autoencoder/config.json'])
      writeFileSync(join(run, name), readFileSync(join(whole, name)))
    expect(leftMessage(await loadAutoencoder(run)())).toBe(
      `${run} has not finished training its autoencoder, and has saved none yet: go on with \`fathom resume ${run}\``,
    )
  })

  it('of which there are only the configurations begins when it is resumed', async () => {
    const run = directory()
    mkdirSync(join(run, 'autoencoder'), { recursive: true })
    for (const name of ['config.json', 'autoencoder/config.json'])
      writeFileSync(join(run, name), readFileSync(join(whole, name)))
    await done(resume(run))
    expect(filesOf(run)).toEqual(expected)
  })

  it('is not begun anew in a directory where its first stage has begun', async () => {
    const run = directory()
    await done(train(staged(run), stoppedAt(1)))
    expect(leftMessage(await train(staged(run))())).toMatch(/holds a run already: continue it with `fathom resume/)
  })

  it('needs the first stage no more once it has its own copy of the autoencoder', async () => {
    const run = directory()
    await done(train(staged(run), stoppedAt(5)))
    rmSync(join(run, 'autoencoder'), { recursive: true })
    expect((await done(resume(run))).step).toBe(4)
  })

  it('is refused where the latents are not those of its autoencoder, before anything is written', async () => {
    const run = directory()
    const wrong = staged(run, { latent: { channels: 4, factor: 2, stage } })
    expect(leftMessage(await train(wrong)())).toBe(
      "latent must be of 2 channels for 2×2 pixels, as its autoencoder's, got 4 for 2×2",
    )
    expect(existsSync(run)).toBe(false)
  })

  it('is planned on paper in both stages, and nothing is written', async () => {
    const run = directory()
    const { facts, firstStage } = await done(planTraining(staged(run)))
    expect(facts.data).toMatch(/^latents 8×8×2 of 12 usable/)
    expect([firstStage?.facts.config.steps, facts.config.steps]).toEqual([4, 4])
    expect(firstStage?.facts.words.model).toMatch(/autoencoder 16×16 → 8×8×2/)
    const timed = await done(planTraining(staged(run, { time: 100 })))
    const seconds = [timed.firstStage?.seconds ?? 0, timed.seconds]
    expect(Math.abs((seconds[0] ?? 0) - 36)).toBeLessThan(4) // nine tenths of two fifths
    expect(Math.abs((seconds[1] ?? 0) - 54)).toBeLessThan(4)
    expect(existsSync(run)).toBe(false)
  })

  it('divides its time: two fifths are the autoencoder’s, and a fifth of what is more than an hour', () => {
    expect(right(stageOf(staged('r', { time: 100 })))?.time).toBe(40)
    expect(right(stageOf(staged('r', { time: 3 * 3600 })))?.time).toBe(48 * 60)
  })
})
