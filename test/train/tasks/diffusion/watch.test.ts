/** A run watches what it draws: copies are counted, told, and warned of once; and nothing that is trained changes. */
import { chosenAverage } from '../../../../src/train/chosenAverage.ts'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { dataOfSeas, dataOfSet, seas } from '../../../../src/data/index.ts'
import { encodePng } from '../../../../src/io/index.ts'
import { at, range } from '../../../../src/prelude/array.ts'
import { memoryStore, presets, resume, train, type DiffusionRun, type TrainEvent } from '../../../../src/train/index.ts'
import { oncePerStep, sheetsSink } from '../../../../src/train/sinks/sheets.ts'
import type { SheetWatch } from '../../../../src/train/task.ts'
import { watchedCount, watchOf } from '../../../../src/train/tasks/diffusion/watch.ts'
import { TE } from '../../../../src/prelude/fp.ts'
import { cpuDevice } from '../../../support/device.ts'
import { directories, done, right, tinyConfig } from '../../tinyRun.ts'
import { withCacheHome } from '../../../support/cacheHome.ts'

const directory = directories()

withCacheHome(directory)

const size = 8
const sea = seas({ seed: 5, size })

const photographs = (count: number): string => {
  const folder = directory()
  mkdirSync(folder)
  for (const i of range(count))
    writeFileSync(join(folder, `${i}.png`), encodePng({ width: size, height: size, channels: 3, pixels: sea.image(i) }))
  return folder
}

const watched = (out: string, changes: Partial<DiffusionRun> = {}): DiffusionRun =>
  tinyConfig(out, { watch: 'on', sampleEvery: 2, steps: 4, batch: 4, sampleCount: 3, ...changes })

/** The metrics of a run, a record for each step. */
const metricsOf = (out: string): readonly Readonly<Record<string, number>>[] =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { imagesPerSecond: _, ...record } = JSON.parse(line) as Readonly<Record<string, number>>
      return record
    })

/** What a run has learned, and its sheets. */
const resultsOf = (out: string): readonly string[] =>
  ['checkpoints', 'samples'].flatMap((name) =>
    readdirSync(join(out, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?:safetensors|png)$/u.test(entry.name))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'base64')),
  )

describe('how many pictures are watched', () => {
  const count = (changes: Partial<DiffusionRun>) => watchedCount({ ...presets.small, ...changes })

  it('is at least sixteen, and sixty-four where those cost less than 3 % of the time between sheets', () => {
    expect(count({ sampleCount: 4, sampleEvery: 1 })).toBe(16)
    expect(count({ sampleEvery: 1 })).toBe(16)
    expect(count({ sampleEvery: 10_000 })).toBe(64)
    // 3 % of 800 steps of 16 pictures, forwards and backwards, are 23 pictures of 50 steps: one batch more.
    expect(count({ sampleEvery: 800, batch: 16, sampleSteps: 50 })).toBe(32)
  })

  it('is that of the sheet where it is larger', () => {
    expect(count({ sampleCount: 100 })).toBe(100)
  })
})

describe('a watch', () => {
  const images = range(60).map((i) => sea.image(i))
  const set = { name: 'seas', height: size, width: size, channels: 3, count: 60, pixels: (i: number) => at(images, i) }
  const config = watched('run')

  it('counts copies of photographs of training, and measures how far what is drawn is from them', async () => {
    const data = dataOfSet(set, 0)
    const look = await watchOf(config, data)?.on(cpuDevice())
    if (look === undefined) throw new Error('no watch is kept')
    const copied = await look(range(16).map((i) => data.picture(i)))
    expect(copied.measured).toMatchObject({ drawn: 16, copies: 16 })
    expect(copied.copies.p).toBeLessThan(1e-6)
    const own = await look(range(16).map((i) => sea.image(1000 + i)))
    expect(own.measured).toMatchObject({ drawn: 16, copies: 0 })
    expect(own.copies).toMatchObject({ usual: { all: 54 + 6 }, p: 1 })
    const grey = await look(range(16).map((i) => new Uint8Array(size * size * 3).fill(8 * i)))
    expect(grey.measured['mmd']).toBeGreaterThan(own.measured['mmd'] ?? NaN)
    expect(grey.measured['mmdReal']).toBe(own.measured['mmdReal'])
  })

  it('is kept over photographs of two groups at least, where it is wanted, and not over procedural seas', () => {
    expect(watchOf(config, dataOfSet(set, 0))?.count).toBe(16)
    expect(watchOf({ ...config, watch: 'off' }, dataOfSet(set, 0))).toBeUndefined()
    expect(watchOf(config, dataOfSet(set, 0, { groups: range(60).map(() => 0) }))).toBeUndefined()
    expect(watchOf(config, dataOfSeas({ seed: 0, size }))).toBeUndefined()
  })
})

describe('the sheets of a run that is watched', () => {
  const chosen = chosenAverage({ ema: 0.995 })

  const findings = (copies: readonly number[]): readonly SheetWatch[] =>
    copies.map((found) => ({
      measured: { copies: found },
      copies: { generated: { found, all: 16 }, usual: { found: 0, all: 99 }, p: found > 3 ? 0.001 : 0.2 },
    }))

  it('tell of copies, and warn once when they are more than real pictures would be called', async () => {
    const events: TrainEvent[] = []
    const looks = findings([0, 4, 5])
    const draw = oncePerStep(
      (step: number) =>
        TE.right({
          extension: 'png',
          bytes: new Uint8Array(),
          ...(looks[step] !== undefined && { watch: looks[step] }),
        }),
      chosen,
    )
    const sink = sheetsSink<number>(memoryStore(), { draw, every: 1, emit: (event) => events.push(event) })
    for (const step of range(4))
      right(await sink.take({ step, steps: 9, loss: 1, examplesPerSecond: 1, state: { averages: [step] } as never })())
    expect(events.filter(({ _tag }) => _tag === 'Copied')).toEqual([
      { _tag: 'Copied', step: 1, generated: { found: 4, all: 16 }, usual: { found: 0, all: 99 }, p: 0.001 },
    ])
    expect(events.flatMap((e) => (e._tag === 'Sampled' ? [e.copies?.found] : []))).toEqual([0, 4, 5, undefined])
  })

  it('are drawn once a step, whoever asks', async () => {
    let drawn = 0
    const draw = oncePerStep((average: number) => {
      drawn++
      return TE.right({ extension: 'png', bytes: Uint8Array.of(average) })
    }, chosen)
    const report = (step: number) => ({
      step,
      steps: 9,
      loss: 1,
      examplesPerSecond: 1,
      state: { averages: [step] } as never,
    })
    expect(right(await draw(report(1))()).bytes[0]).toBe(1)
    expect(right(await draw(report(1))()).bytes[0]).toBe(1)
    expect(drawn).toBe(1)
    expect(right(await draw(report(2))()).bytes[0]).toBe(2)
    expect(drawn).toBe(2)
  })
})

describe('a run over which a watch is kept', () => {
  it('trains the same bits and draws the same sheets, has what was found in its metrics, and is the same when it is resumed', async () => {
    const folder = photographs(60)
    const [with_, without, stopped] = [directory(), directory(), directory()]
    await done(train(watched(with_, { folder })))
    await done(train(watched(without, { folder, watch: 'off' })))
    expect(resultsOf(with_)).toEqual(resultsOf(without))
    const found = metricsOf(with_)
    expect(found.map(({ drawn }) => drawn)).toEqual([undefined, 16, undefined, 16])
    for (const record of [1, 3].map((i) => at(found, i)))
      expect(Object.keys(record)).toEqual(expect.arrayContaining(['copies', 'mmd', 'mmdReal']))
    expect(metricsOf(without).every((record) => record['drawn'] === undefined)).toBe(true)

    const stop = new AbortController()
    const onEvent = (event: TrainEvent): void => {
      if (event._tag === 'Stepped' && event.step === 3) stop.abort()
    }
    await done(train(watched(stopped, { folder }), { signal: stop.signal, onEvent }))
    await done(resume(stopped))
    expect(metricsOf(stopped)).toEqual(found)
  })
})
