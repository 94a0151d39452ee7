/**
 * What a run reports and leaves, against the same loop written out here: which weights are measured, drawn and kept, from which
 * pictures, and at which steps.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openWasm } from '../../src/backends/wasm/whole.ts'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { encodePng, imageGrid, lineChart } from '../../src/io/index.ts'
import { range } from '../../src/prelude/array.ts'
import { E, pipe } from '../../src/prelude/fp.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { drawerOn } from '../../src/train/tasks/diffusion/draw.ts'
import {
  heldOutOn,
  initialState,
  load,
  recipeOf,
  sample,
  stepperOn,
  train,
  type HeldOut,
  type TrainEvent,
  type TrainSummary,
} from '../../src/train/index.ts'
import { stateFromFiles } from '../../src/train/stateFiles.ts'
import { callsAbout } from '../support/fileCalls.ts'
import { directories, done, right, tinyConfig } from './tinyRun.ts'

vi.mock('node:fs/promises', async (original) => {
  const { watchedFs } = await import('../support/fileCalls.ts')
  return watchedFs(await original())
})

const directory = directories()
const threads = 1
const device = deviceOn(await openWasm({ threads }))
afterAll(() => device.close())

/** Pictures that are wider than high, a seed that is not 0, and reports at steps 2 and 3. */
const config = tinyConfig(directory(), {
  height: 8,
  width: 12,
  seed: 5,
  steps: 3,
  batch: 3,
  saveEvery: 2,
  sampleEvery: 2,
  heldOutEvery: 2,
  sampleCount: 2,
  sampleSteps: 3,
  device: 'wasm',
})
const recipe = recipeOf(config)
const data = dataOfSeas({ seed: 5, height: 8, width: 12 })

type Values = ReadonlyMap<string, Float32Array>

const valuesOf = async (tree: unknown): Promise<Values> =>
  new Map(
    await Promise.all(
      leavesWithPaths(tree).map(async ([path, x]) => [path, Float32Array.from(await device.read(x))] as const),
    ),
  )

/** What a step leaves behind, by the loop of this test. */
interface Expected {
  readonly state: { readonly [P in 'params' | 'opt' | 'average']: Values }
  readonly loss: number
  /** Of the steps that report. */
  readonly heldOut?: HeldOut
  readonly heldOutAverage?: HeldOut
  readonly sheet?: readonly Uint8Array[]
}

const writtenOut = async (): Promise<readonly Expected[]> => {
  const stepper = stepperOn(device, recipe)
  const measure = await heldOutOn(device, recipe.task, data)
  const draw = drawerOn(device, recipe.task, { count: config.sampleCount, steps: config.sampleSteps, seed: 0 })
  let state = await device.compile((k: ReturnType<typeof key>) => initialState(recipe, k))(key(5))
  let loss = NaN
  const after = async (reports: boolean): Promise<Expected> => ({
    state: {
      params: await valuesOf(state.params),
      opt: await valuesOf(state.opt),
      average: await valuesOf(state.averages[0]),
    },
    loss,
    ...(reports && {
      heldOut: await measure(state.params),
      heldOutAverage: await measure(state.averages[0]),
      sheet: await done(draw(state.averages[0])),
    }),
  })
  const steps = [await after(false)]
  for (const n of [1, 2, 3]) {
    const [next, measured] = await stepper.run(state, recipe.task.examples(batchAt(data, 3 * (n - 1), 3)), n)
    ;[loss = NaN] = await device.read(measured.loss)
    state = next
    steps.push(await after(n > 1))
  }
  return steps
}

const png = (pictures: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(encodePng(imageGrid(pictures, { height: 8, width: 12, channels: 3 })))

const fileOf = (...path: readonly string[]): Uint8Array => new Uint8Array(readFileSync(join(config.out, ...path)))

describe('a run of three steps', () => {
  const events: TrainEvent[] = []
  let expected: readonly Expected[] = []
  let summary: TrainSummary | undefined
  beforeAll(async () => {
    expected = await writtenOut()
    summary = await done(
      train(config, { onEvent: (event) => events.push(event), deviceOptions: { wasm: { threads } } }),
    )
  })

  const at = (step: number): Expected => {
    const found = expected[step]
    if (found === undefined) throw new Error(`no step ${step}`)
    return found
  }

  /** What is measured after a step, by its names in the metrics. */
  const valuesAt = (step: number) => {
    const { heldOut, heldOutAverage } = at(step)
    return { heldOut: heldOut?.loss, heldOutRelative: heldOut?.relative, heldOutAverage: heldOutAverage?.loss }
  }

  it.each([0, 2, 3])('keeps parameters, average and moments as they are after step %i', async (step) => {
    const folder = ['checkpoints', `step-00000${step}`]
    const names = readdirSync(join(config.out, ...folder)).filter((name) => name !== 'MANIFEST.json')
    const files = new Map(names.map((name) => [name, fileOf(...folder, name)]))
    const { state, progress } = right(
      pipe(
        stateFromFiles(initialState(recipe, key(0)), files),
        E.mapLeft((message) => ({ message })),
      ),
    )
    expect(progress).toMatchObject({ step, seed: 5 })
    const { params, opt, averages } = state
    for (const [part, tree] of Object.entries({ params, opt, average: averages[0] } as const))
      expect(await valuesOf(tree), part).toEqual(at(step).state[part as 'params'])
  })

  it('begins with weights that the seed names, and ends with an average that is not the weights', async () => {
    const other = await valuesOf(initialState(recipe, key(0)).params)
    expect(at(0).state.params).not.toEqual(other)
    expect(at(3).state.average).not.toEqual(at(3).state.params)
  })

  it('shows the first batch as it is drawn, before any mirroring', () => {
    expect(fileOf('first-batch.png')).toEqual(png(range(3).map((i) => data.picture(i))))
  })

  it('draws the sheets of steps 2 and 3 from the averages of those steps and from one noise', () => {
    expect(readdirSync(join(config.out, 'samples'))).toEqual(['step-000002.png', 'step-000003.png'])
    for (const step of [2, 3]) expect(fileOf('samples', `step-00000${step}.png`)).toEqual(png(at(step).sheet ?? []))
  })

  it('measures the weights themselves and their averages on held-out pictures, at steps 2 and 3', () => {
    const measured = events.flatMap((event) => (event._tag === 'Measured' ? [event] : []))
    expect(measured.map(({ step, values }) => [step, values])).toEqual([2, 3].map((step) => [step, valuesAt(step)]))
    const [{ heldOut = NaN, heldOutRelative = NaN } = {}] = measured.map(({ values }) => values)
    const short = `held-out ${heldOut.toFixed(4)}`
    expect(measured[0]?.words).toEqual([
      short,
      `${short} (${heldOutRelative.toFixed(2)} of guessing)`,
      `${short}, which is ${heldOutRelative.toFixed(3)} of the best constant guess`,
    ])
  })

  it('writes into the metrics what it says: the loss of each step, the held-out loss and its ratio', () => {
    const lines = readFileSync(join(config.out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
    const metrics = lines.map((line) => JSON.parse(line) as Readonly<Record<string, number>>)
    expect(metrics).toMatchObject([
      { step: 1, loss: at(1).loss },
      { step: 2, loss: at(2).loss, ...valuesAt(2) },
      { step: 3, loss: at(3).loss, ...valuesAt(3) },
    ])
    expect(metrics[0]).not.toHaveProperty('heldOut')
  })

  it('draws the losses of all steps, and the held-out losses where they were measured, as one curve each', () => {
    const training = [1, 2, 3].map((step) => [step, at(step).loss] as const)
    const measured = [2, 3].map((step) => [step, at(step).heldOut?.loss ?? NaN] as const)
    const averaged = [2, 3].map((step) => [step, at(step).heldOutAverage?.loss ?? NaN] as const)
    const series = [
      { name: 'training', points: training },
      { name: 'held out', points: measured },
      { name: 'held out, averaged', points: averaged },
    ]
    const curve = lineChart({ title: 'Loss', xLabel: 'step', yLabel: 'loss', series, logY: true })
    expect(new TextDecoder().decode(fileOf('loss.svg'))).toBe(curve)
  })

  it('sums up with the last step', () => {
    expect(summary).toMatchObject({ step: 3, loss: at(3).loss, measured: valuesAt(3) })
    expect(summary?.words).toMatch(/^held-out .*, which is .* of the best constant guess$/)
  })

  it('has its metrics on the disk before each checkpoint that counts on them', () => {
    const order = callsAbout(config.out)
    for (const step of [2, 3]) {
      const named = order.findIndex((call) => call.endsWith(`→ checkpoints/step-00000${step}`))
      expect(named).toBeGreaterThan(0)
      const before = order.slice(0, named)
      const written = before.lastIndexOf('appendFile metrics.jsonl')
      expect(written).toBeGreaterThanOrEqual(0)
      expect(before.lastIndexOf('sync metrics.jsonl')).toBeGreaterThan(written)
    }
  })

  it('is loaded with its average, from which samples are drawn by the seed that is asked for', async () => {
    const run = await done(load(config.out))
    expect(await valuesOf(run.average)).toEqual(at(3).state.average)
    expect(await valuesOf(run.params)).toEqual(at(3).state.params)
    const { pictures } = await done(sample(run, { count: 3, steps: 2, seed: 8, deviceOptions: { wasm: { threads } } }))
    const draw = drawerOn(device, recipe.task, { count: 3, steps: 2, seed: 8, batch: 3 })
    expect(pictures).toEqual(await done(draw(await device.realize(run.average))))
  })
})
