/** Runs that keep several averages of the weights, and draw from the one that is better on held-out examples. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { emaSchedule, powerEmaDecay } from '../../src/optim/emaDecay.ts'
import { recordsOf } from '../../src/io/params.ts'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { range } from '../../src/prelude/array.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { E, pipe, TE } from '../../src/prelude/fp.ts'
import { key } from '../../src/tensor/random.ts'
import { decaysOf, decodeAveraging, lucidrainsAverage, type Averaging } from '../../src/train/averages.ts'
import { chosenAverage } from '../../src/train/chosenAverage.ts'
import {
  beginRun,
  finishRun,
  initialState,
  load,
  memoryStore,
  prepareRun,
  restore,
  rewindMetrics,
  stepperOn,
  train,
  trainingOf,
  type DiffusionRun,
  type MemoryStore,
  type Source,
  type TrainEvent,
} from '../../src/train/index.ts'
import { cpuDevice } from '../support/device.ts'
import { linePoints, lineTask, type Line, type Points } from './lineTask.ts'
import { tinyAutoencoder } from './tasks/autoencoder/tinyAutoencoder.ts'
import { directories, done, leftMessage, right, tinyConfig } from './tinyRun.ts'

const device = cpuDevice()
const directory = directories()
const widths = [0.05, 0.2] as const

const configured = (changes: Partial<DiffusionRun> = {}): DiffusionRun =>
  tinyConfig('memory', {
    ema: { widths },
    batch: 5,
    steps: 8,
    learningRate: 0.1,
    rate: 'constant',
    saveEvery: 3,
    heldOutEvery: 2,
    sampleEvery: 4,
    ...changes,
  })

/** The slopes and heights of a tree of lines. */
const numbersOf = async (lines: readonly Line[]): Promise<readonly number[]> =>
  (await Promise.all(lines.flatMap(({ slope, height }) => [device.item(slope), device.item(height)]))).map(Number)

describe('averages of the weights', () => {
  it('are one with a largest decay, some by their widths, or one as lucidrains’ trainer keeps it', () => {
    const given: readonly Averaging[] = [0.995, { widths: [0.05, 0.1] }, lucidrainsAverage]
    for (const averaging of given) expect(decodeAveraging(averaging)).toEqual(E.right(averaging))
    expect(given.map((averaging) => decaysOf(averaging).length)).toEqual([1, 2, 1])
    expect(decaysOf({ widths: [0.05, 0.1] })[1]?.(77)).toBe(powerEmaDecay({ width: 0.1 })(77))
  })

  it.each([1, -0.1, '0.995', null, {}, { widths: [] }, { widths: [0.1, 0.1] }, { widths: [0.3] }, { widths: [0] }])(
    'are refused where they cannot be meant: %j',
    (x) => {
      expect(E.isLeft(decodeAveraging(x))).toBe(true)
    },
  )

  it('as lucidrains’ trainer keeps it, is copied after the first step and every tenth from there on, and averaged from step 111 on', () => {
    const [decay] = decaysOf(lucidrainsAverage)
    expect([1, 2, 10, 11, 12, 101].map(decay)).toEqual([0, 1, 1, 0, 1, 0])
    expect([110, 111, 112].map(decay)).toEqual([1, emaSchedule({ beta: 0.995 })(110), 1])
  })

  it.each<Partial<DiffusionRun>>([{}, { accumulate: 2 }, { precision: 'mixed' }])(
    'are two averages, each with the bits that it has alone (%j)',
    async (changes) => {
      const run = async (ema: Averaging): Promise<readonly Line[]> => {
        const recipe = { ...trainingOf(configured({ ...changes, ema })), task: lineTask }
        const stepper = stepperOn(device, recipe)
        let state = await device.realize(initialState<Line>(recipe, key(0)))
        for (const n of range(5))
          [state] = await stepper.run(state, (first, count) => linePoints.examples(10 * n + first, count), n + 1)
        return state.averages
      }
      const both = await numbersOf(await run({ widths }))
      const alone = await Promise.all(widths.map((width) => run({ widths: [width] })))
      expect(both).toEqual(await numbersOf(alone.flat()))
      expect(both.slice(0, 2)).not.toEqual(both.slice(2))
    },
  )

  it('are as many as the recipe has decays, or a step says so', async () => {
    const recipe = { ...trainingOf(configured()), task: lineTask }
    const one = initialState<Line>({ ...recipe, decays: [() => 0] }, key(0))
    expect(() => stepperOn(device, recipe).plan(one)).toThrow('the state has 1 averages and the recipe 2')
  })
})

/** The line, whose held-out loss is what a test says of it, and whose best weights are kept. */
const task = {
  ...lineTask,
  losses: [
    { name: 'error', about: 'the error', curve: 'between' },
    { name: 'errorAverage', about: 'the error of the average', curve: 'averaged', chooses: true },
  ],
  sheets: () => (line: Line) => async () =>
    E.right({ extension: 'txt', bytes: new TextEncoder().encode(String(await device.item(line.slope))) }),
}

/** @param error of a line with this slope */
const sourceWith = (error: (slope: number) => number): Source<Line, Points> => ({
  ...linePoints,
  measure:
    async () =>
    async ({ slope }) => ({ error: error(await device.item(slope)) }),
})

const partsOf = (
  error: (slope: number) => number,
  emit: (event: TrainEvent) => void = () => undefined,
  signal?: AbortSignal,
  changes: Partial<DiffusionRun> = {},
) => ({
  config: configured(changes),
  task,
  source: sourceWith(error),
  device,
  configHash: 'hash',
  emit,
  signal,
})

type Parts = ReturnType<typeof partsOf>

const begun = (parts: Parts, store: MemoryStore) =>
  pipe(
    prepareRun(parts),
    TE.chainFirst((run) => beginRun(run, store)),
    TE.chain((run) => finishRun(run, store)),
  )

const goneOn = (parts: Parts, store: MemoryStore) =>
  pipe(
    restore(store, initialState<Line>({ ...trainingOf(parts.config), task }, key(0)), () => true),
    TE.chainFirst(({ progress }) => rewindMetrics(store, progress.step)),
    TE.chain((found) => prepareRun(parts, found)),
    TE.chain((run) => finishRun(run, store)),
  )

const textIn = (store: MemoryStore, name: string): string => new TextDecoder().decode(store.files.get(name))

const recordsIn = (store: MemoryStore): readonly Record<string, number>[] =>
  textIn(store, 'metrics.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>)

/** What a file of weights says, and its slope. */
const weightsIn = (store: MemoryStore, name: string) => {
  const { metadata, tensors } = right(readSafetensors(store.files.get(name) ?? new Uint8Array()))
  const bytes = tensors.get('slope')?.bytes ?? new Uint8Array(4)
  return { metadata, slope: new Float32Array(bytes.slice().buffer)[0] }
}

/** The slopes of the averages in a checkpoint, and what it says. */
const savedAt = (store: MemoryStore, step: number) => {
  const files = store.saved.get(step) ?? new Map<string, Uint8Array>()
  const slopes = ['average', 'average-2'].map((name) => {
    const { tensors } = right(readSafetensors(files.get(`${name}.safetensors`) ?? new Uint8Array()))
    return new Float32Array((tensors.get('slope')?.bytes ?? new Uint8Array(4)).slice().buffer)[0]
  })
  return { slopes, progress: JSON.parse(new TextDecoder().decode(files.get('state.json'))) as { average?: number } }
}

describe('a run with two averages', () => {
  // The slope rises from 0 towards 3, so that the narrow average is ahead of the wide one.
  it.each([
    ['the narrow', 0, (slope: number) => 10 - slope],
    ['the wide', 1, (slope: number) => Math.abs(slope - 0.25)], // which the narrow has passed
  ] as const)('draws from, and keeps, the one that is better on held-out examples: %s', async (_, index, error) => {
    const store = memoryStore()
    const summary = await done(begun(partsOf(error), store))
    const { slopes, progress } = savedAt(store, 8)
    expect(slopes[0]).toBeGreaterThan(slopes[1] ?? NaN)
    expect(progress.average).toBe(index)
    expect(textIn(store, 'samples/step-000008.txt')).toBe(String(slopes[index]))
    const last = recordsIn(store).at(-1) ?? {}
    expect(last).toMatchObject({
      averageWidth: widths[index],
      'errorAverage0.05': error(slopes[0] ?? NaN),
      'errorAverage0.2': error(slopes[1] ?? NaN),
      errorAverage: error(slopes[index] ?? NaN),
    })
    expect(summary.measured).toMatchObject({ averageWidth: widths[index] })
    const best = weightsIn(store, 'best.safetensors')
    expect([best.metadata.get('averageWidth'), best.slope]).toEqual([String(widths[index]), slopes[index]])
  })

  it('measures its averages too where the weights of early are kept, so that the better is', async () => {
    const store = memoryStore()
    await done(
      begun(
        partsOf((slope) => 10 + slope, undefined, undefined, { steps: 40, heldOutEvery: 40 }),
        store,
      ),
    )
    const { metadata } = weightsIn(store, 'early.safetensors')
    expect([metadata.get('step'), metadata.get('averageWidth')]).toEqual(['3', '0.2'])
    expect(recordsIn(store).flatMap(({ step, averageWidth }) => (averageWidth === undefined ? [] : [step]))).toEqual([
      3, 40,
    ])
  })

  it.each([1, 2, 3, 4, 5, 7])(
    'that goes on after step %i ends with the files of one that never stopped, the choice among them',
    async (stopAt) => {
      const error = (slope: number): number => Math.abs(slope - 0.25) // first the narrow is nearer, and later the wide
      const [whole, parted] = [memoryStore(), memoryStore()]
      await done(begun(partsOf(error), whole))
      const controller = new AbortController()
      const stop = (event: TrainEvent): void => {
        if (event._tag === 'Stepped' && event.step === stopAt) controller.abort()
      }
      expect(await done(begun(partsOf(error, stop, controller.signal), parted))).toMatchObject({
        step: stopAt,
        interrupted: true,
      })
      await done(goneOn(partsOf(error), parted))
      expect(parted.saved.get(8)).toEqual(whole.saved.get(8))
      const without = (store: MemoryStore) =>
        recordsIn(store).map((record): Record<string, number> => ({ ...record, pointsPerSecond: 0 }))
      expect(without(parted)).toEqual(without(whole))
      expect(new Set(without(whole).map(({ averageWidth }) => averageWidth))).toEqual(new Set([undefined, ...widths]))
      for (const name of [
        'best.safetensors',
        'early.safetensors',
        'samples/step-000004.txt',
        'samples/step-000008.txt',
      ])
        expect(parted.files.get(name), name).toEqual(whole.files.get(name))
    },
  )

  it('that goes on draws from what was chosen when it was saved, until it measures again', () => {
    const chosen = chosenAverage({ ema: { widths } }, 1)
    expect([chosen.index(), chosen.width()]).toEqual([1, 0.2])
    chosen.choose([1, 1])
    expect(chosen.index()).toBe(0)
  })

  it('has diverged where the loss of either is no number', async () => {
    const error = (slope: number): number => (Math.abs(slope - 0.3555) < 1e-3 ? NaN : slope) // the narrow one's after 8 steps
    expect(leftMessage(await begun(partsOf(error), memoryStore())())).toContain('the error of the average is NaN')
  })

  it('is refused where its checkpoint draws from an average that it has not', async () => {
    const store = memoryStore()
    await done(
      begun(
        partsOf((slope) => slope),
        store,
      ),
    )
    const files = new Map(store.saved.get(8))
    const said = new TextDecoder().decode(files.get('state.json')).replace(/"average": \d/, '"average": 2')
    store.saved.set(8, files.set('state.json', new TextEncoder().encode(said)))
    expect(
      leftMessage(
        await goneOn(
          partsOf((slope) => slope),
          store,
        )(),
      ),
    ).toContain('it draws from average 2 of 2')
  })
})

describe('a run in a directory with two averages', () => {
  const filesAt = (out: string, step: number) => {
    const place = join(out, 'checkpoints', `step-00000${step}`)
    const names = ['average', 'average-2'].map((name) => readFileSync(join(place, `${name}.safetensors`)))
    const { average } = JSON.parse(readFileSync(join(place, 'state.json'), 'utf8')) as { average: number }
    return { chosen: new Uint8Array(names[average] ?? []), average }
  }

  it('is loaded with the one that was chosen when its checkpoint was saved', async () => {
    const out = directory()
    await done(train(tinyConfig(out, { ema: { widths }, steps: 4, heldOutEvery: 2, device: 'cpu' })))
    const { chosen } = filesAt(out, 4)
    const run = await done(load(out))
    const bytes = writeSafetensors(await recordsOf(device, run.average), new Map([['format', 'fathom']]))
    expect(bytes).toEqual(chosen)
    for (const which of ['best', 'early'])
      expect(leaves((await done(load(out, which))).average).length).toBeGreaterThan(0)
  })

  it('may train an autoencoder, whose file is then of the better, and says so at its end', async () => {
    const out = directory()
    const summary = await done(train(tinyAutoencoder(out, { ema: { widths }, heldOutEvery: 3, device: 'cpu' })))
    const { chosen, average } = filesAt(out, 6)
    const weights = (bytes: Uint8Array) => right(readSafetensors(bytes)).tensors
    const kept = weights(new Uint8Array(readFileSync(join(out, 'autoencoder.safetensors'))))
    const all = weights(chosen)
    expect([...kept.keys()].every((name) => all.has(name))).toBe(true)
    for (const [name, { bytes }] of kept) expect(bytes, name).toEqual(all.get(name)?.bytes)
    expect(summary.measured).toMatchObject({ averageWidth: widths[average] })
    expect(summary.words).toMatch(/, drawn from the average of width (5|20) %$/)
  })
})
