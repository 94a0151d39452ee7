/** Runs on a device, data and a store that are given to them: without a file, and of tasks that the trainer has never seen. */
import { describe, expect, it, vi } from 'vitest'
import { dataOfSeas } from '../../src/data/batches.ts'
import { completeLines, salvaged } from '../../src/io/metricRecord.ts'
import { E, pipe, TE } from '../../src/prelude/fp.ts'
import { key } from '../../src/tensor/random.ts'
import { configOf } from '../../src/train/config.ts'
import { initialState, trainingOf } from '../../src/train/recipe.ts'
import { restore } from '../../src/train/restore.ts'
import { beginRun, finishRun, prepareRun, type RunParts } from '../../src/train/run.ts'
import type { TrainEvent } from '../../src/train/events.ts'
import { rewindMetrics } from '../../src/train/sinks/metrics.ts'
import { diffusionTask } from '../../src/train/tasks/diffusion/diffusionTask.ts'
import { previewOf } from '../../src/train/tasks/diffusion/sheet.ts'
import { pictureSource } from '../../src/train/tasks/diffusion/source.ts'
import type { DiffusionRun } from '../../src/train/tasks/diffusion/diffusionConfig.ts'
import { cpuDevice } from '../support/device.ts'
import { linePoints, lineTask } from './lineTask.ts'
import { memoryStore, type MemoryStore } from '../../src/train/memoryStore.ts'

// Whoever touches a file here fails.
vi.mock('node:fs', () => ({}))
vi.mock('node:fs/promises', () => ({}))
vi.setConfig({ testTimeout: 60_000 })

const right = <A>(either: E.Either<{ readonly message: string }, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left.message)
  return either.right
}

const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
const size = { height: 8, width: 8 } as const
const usual = { ...size, model, batch: 2, timesteps: 20, sampleCount: 1, sampleSteps: 2 }
const often = { saveEvery: 2, sampleEvery: 3, heldOutEvery: 3 }

const configured = (changes: Readonly<Record<string, unknown>>): DiffusionRun =>
  right(configOf({ out: 'memory', device: 'cpu', ...usual, ...often, ...changes }))

const device = cpuDevice()

/** Everything but the task and its data. */
const partsOf = (config: DiffusionRun, events: TrainEvent[] = [], signal?: AbortSignal) => ({
  config,
  device,
  configHash: 'hash',
  emit: (event: TrainEvent) => void events.push(event),
  signal,
})

/** Begins a run in a store, and goes to its end. */
const whole = <P, B, D>(parts: RunParts<P, B, D>, store: MemoryStore) =>
  pipe(
    prepareRun(parts),
    TE.chainFirst((run) => beginRun(run, store)),
    TE.chain((run) => finishRun(run, store)),
  )()

/** Goes on with the run in a store. */
const goOn = <P, B, D>(parts: RunParts<P, B, D>, store: MemoryStore) =>
  pipe(
    restore(store, initialState<P>({ ...trainingOf(parts.config), task: parts.task }, key(0)), () => true),
    TE.chainFirst(({ progress }) => rewindMetrics(store, progress.step)),
    TE.chain((found) => prepareRun(parts, found)),
    TE.chain((run) => finishRun(run, store)),
  )()

const metricsIn = ({ files }: MemoryStore) =>
  salvaged(completeLines(files.get('metrics.jsonl') ?? new Uint8Array())).records

describe('a task that the trainer has never seen', () => {
  const line = (changes: Readonly<Record<string, unknown>>) => configured({ batch: 5, learningRate: 0.1, ...changes })

  it('is trained, measured, shown and kept', async () => {
    const store = memoryStore()
    const events: TrainEvent[] = []
    const parts = { ...partsOf(line({ steps: 200, saveEvery: 100 }), events), task: lineTask, source: linePoints }
    const summary = right(await whole(parts, store))
    expect(summary).toMatchObject({ step: 200, interrupted: false, words: expect.stringMatching(/^off by 0.0/) })
    expect(summary.measured?.['error']).toBeLessThan(0.01)
    const metrics = metricsIn(store)
    expect(metrics).toHaveLength(200)
    expect(metrics[2]).toMatchObject({ step: 3, error: expect.any(Number), pointsPerSecond: expect.any(Number) })
    expect(metrics[3]).not.toHaveProperty('error')
    expect([...store.saved.keys()]).toEqual([0, 100, 200])
    expect(new TextDecoder().decode(store.files.get('samples/step-000003.txt'))).toBe('height,slope')
    expect(new TextDecoder().decode(store.files.get('loss.svg'))).toContain('between')
    expect(store.files.has('first-batch.png')).toBe(false) // it has no preview
    expect(new Set(events.map(({ _tag }) => _tag))).toEqual(
      new Set(['Started', 'Saved', 'Stepped', 'Measured', 'Sampled']),
    )
  })

  it('stops where the measured loss is no number, and says which', async () => {
    const source = { ...linePoints, measure: async () => async () => ({ error: Infinity }) }
    const result = await whole({ ...partsOf(line({ steps: 4 })), task: lineTask, source }, memoryStore())
    expect(result).toMatchObject(
      E.left({
        code: 'DIVERGED',
        message: expect.stringMatching(/^the error between the points is Infinity at step 3/),
      }),
    )
  })
})

describe('a run in memory', () => {
  const seas = (config: DiffusionRun) => {
    const task = diffusionTask(config)
    const pictures = {
      data: dataOfSeas({ seed: config.seed, ...size }),
      fingerprint: 'seas',
      summary: 'seas',
      warnings: [],
    }
    return { task, source: { ...pictureSource(task, pictures), preview: previewOf(task, pictures.data) } }
  }

  it('stops when it is told to, and ends with the bits of one that never stopped', async () => {
    const config = configured({ steps: 4 })
    const [once, twice] = [memoryStore(), memoryStore()]
    await whole({ ...partsOf(config), ...seas(config) }, once)
    const controller = new AbortController()
    const stopping = {
      ...partsOf(config, [], controller.signal),
      emit: (event: TrainEvent) => (event._tag === 'Stepped' && event.step === 3 ? controller.abort() : undefined),
    }
    const stopped = right(await whole({ ...stopping, ...seas(config) }, twice))
    expect(stopped).toMatchObject({ step: 3, interrupted: true })
    expect([...twice.saved.keys()]).toEqual([0, 2, 3])
    expect(right(await goOn({ ...partsOf(config), ...seas(config) }, twice))).toMatchObject({ step: 4 })
    expect(twice.saved.get(4)).toEqual(once.saved.get(4))
    expect(metricsIn(twice).map(({ step, loss }) => [step, loss])).toEqual(
      metricsIn(once).map(({ step, loss }) => [step, loss]),
    )
    for (const name of ['first-batch.png', 'samples/step-000004.png', 'config.json'])
      expect(twice.files.get(name), name).toEqual(once.files.get(name))
  })
})
