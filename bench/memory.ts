/**
 * `npm run bench:memory`: when does a network know its pictures by heart? The same network is trained on n of them for several n, until more than
 * enough of what it draws are copies. Bonnaire et al. 2025 (arXiv 2505.17638) find that the time until then grows in proportion to n.
 *
 *     npm run bench:memory -- --counts 32,64,128,256 --json memory.json --chart memory.svg
 */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { copyOf, openImageFolder, pictureIndex, seas, type ImageSet } from '../src/data/index.ts'
import { batchAt, type TrainingData } from '../src/data/batches.ts'
import { key, openDevice, type Device } from '../src/index.ts'
import { E, type TE } from '../src/prelude/fp.ts'
import { range } from '../src/prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../src/prelude/threefry.ts'
import { initialState, memoryStore, presets, recipeOf, stepperOn, type DiffusionRun } from '../src/train/index.ts'
import { chosenAverage } from '../src/train/chosenAverage.ts'
import { keepBest } from '../src/train/sinks/best.ts'
import { drawerOn } from '../src/train/tasks/diffusion/draw.ts'
import { heldOutOn } from '../src/train/tasks/diffusion/heldOut.ts'
import { table } from './report.ts'
import { memoryChart } from './memory/memoryChart.ts'
import { crossing, slopeOf, type Course, type Moment } from './memory/course.ts'

flags.set()

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    size: { type: 'string', default: '16' },
    counts: { type: 'string', default: '32,64,128,256' },
    width: { type: 'string', default: '24' },
    rate: { type: 'string', default: '0.002' },
    batch: { type: 'string', default: '16' },
    drawn: { type: 'string', default: '128' },
    steps: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '0' },
    json: { type: 'string' },
    chart: { type: 'string' },
  },
})
const [size, width, drawn, most, seed] = [values.size, values.width, values.drawn, values.steps, values.seed].map(
  Number,
) as [number, number, number, number, number]
const counts = values.counts.split(',').map(Number)

/** Pictures that no run is trained on, and those that runs are. */
const heldOut = 64

/** Copies among what is drawn: the share that is looked for, and that at which a run has shown enough. */
const [sought, enough] = [0.1, 0.2] as const

/** Measurements of the loss on held-out pictures, and looks at what is drawn: each so much later than the one before. */
const [measureEvery, growth]: readonly [number, number] = [100, 1.1]

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const shape = { height: size, width: size, channels: 3 } as const

const opened = async (): Promise<ImageSet> => {
  if (values.folder === undefined) return { name: 'seas', ...shape, count: 4096, pixels: seas({ seed, size }).image }
  const set = await openImageFolder(values.folder, shape)()
  if (E.isLeft(set)) throw new Error(set.left.message)
  return set.right
}

/** `count` of a set to train on, and the same held out whatever the count. */
const dataOf = (set: ImageSet, count: number): TrainingData => {
  const order = hostKey(seed)
  const place = (i: number): number => hostPermutationIndex(order, set.count, i)
  const inEpoch = (i: number): number => hostPermutationIndex(hostFold(order, Math.floor(i / count)), count, i % count)
  return {
    name: set.name,
    ...shape,
    count,
    picture: (i) => set.pixels(place(heldOut + inEpoch(i))),
    heldOutCount: heldOut,
    heldOut: (i) => set.pixels(place(i)),
  }
}

/** Nothing but the loss: no flips, no dropout, a constant rate. */
const configOf = (count: number): DiffusionRun => ({
  ...presets.tiny,
  folder: null,
  out: `memory of ${count}`,
  preset: 'tiny',
  device: 'wasm',
  seed,
  height: size,
  width: size,
  model: { width, multipliers: size > 16 ? [1, 2, 2] : [1, 2], heads: 2, headWidth: 12 },
  batch: Number(values.batch),
  steps: most,
  learningRate: Number(values.rate),
  rate: 'constant',
  ema: 0.995,
  flip: false,
})

const orThrow = async <A>(work: TE.TaskEither<{ readonly message: string }, A>): Promise<A> => {
  const result = await work()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** The share of copies among what parameters draw. */
const copiesOn = (device: Device, set: ImageSet, data: TrainingData, config: DiffusionRun) => {
  const { task } = recipeOf(config)
  const draw = drawerOn(device, task, { count: drawn, steps: 25, seed: 1, batch: 64 })
  const order = hostKey(seed)
  const pixels = (i: number): Uint8Array => set.pixels(hostPermutationIndex(order, set.count, heldOut + i))
  const index = pictureIndex({ ...shape, count: data.count, pixels })
  const share = (pictures: readonly Uint8Array[]): number =>
    pictures.filter((picture) => copyOf(index, picture).copy).length / pictures.length
  return {
    ofAverage: async (average: Parameters<typeof draw>[0]): Promise<number> => share(await orThrow(draw(average))),
    ofHeldOut: share(range(heldOut).map((i) => data.heldOut(i))),
  }
}

/** Trains on `count` pictures until enough of what is drawn are copies. */
const courseOf = async (device: Device, set: ImageSet, count: number): Promise<Course> => {
  const config = configOf(count)
  const recipe = recipeOf(config)
  const data = dataOf(set, count)
  const measure = await heldOutOn(device, recipe.task, data)
  const copies = copiesOn(device, set, data, config)
  let passed: number | undefined
  const about = 'the loss of the averaged weights on held-out pictures'
  const take = keepBest(memoryStore(), {
    device,
    chosen: chosenAverage(config),
    loss: { name: 'heldOutAverage', about, curve: 'held out', chooses: true },
    emit: (event) => {
      if (event._tag === 'Passed') passed ??= event.step
    },
  })
  const stepper = stepperOn(device, recipe)
  let state = await device.realize(initialState(recipe, key(seed)))
  const moments: Moment[] = []
  let [next, last] = [measureEvery, 0]
  for (let step = 1; step <= most && last < enough; step++) {
    const examples = recipe.task.examples((first, n) => batchAt(data, (step - 1) * config.batch + first, n))
    const [after, { loss }] = await stepper.run(state, examples, step)
    state = after
    if (step % measureEvery !== 0) continue
    const { loss: heldOutAverage } = await measure(state.averages[0])
    const report = { step, steps: most, state, loss: (await device.read(loss))[0] ?? NaN, examplesPerSecond: 0 }
    await orThrow(take(report, { heldOutAverage }))
    if (step < next) continue
    last = await copies.ofAverage(state.averages[0])
    moments.push({ step, copies: last, heldOut: heldOutAverage })
    const since = passed === undefined ? '' : `, past since ${passed}`
    process.stderr.write(
      `${count} pictures, step ${step}: held-out ${heldOutAverage.toFixed(4)}, ${percent(last)} copies${since}\n`,
    )
    next = Math.max(step + measureEvery, Math.round((step * growth) / measureEvery) * measureEvery)
  }
  return { count, moments, passed, falseAlarms: copies.ofHeldOut }
}

const device = await openDevice('wasm')
const set = await opened()
const courses: Course[] = []
for (const count of counts) {
  courses.push(await courseOf(device, set, count))
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(courses, null, 1))
}
const copiesAt = (moments: readonly Moment[], step: number): number =>
  moments.reduce((share, moment) => (moment.step <= step ? moment.copies : share), 0)
const slopeInWords = (): string => {
  const slope = slopeOf(courses, sought)
  return Number.isNaN(slope)
    ? 'no slope: two runs must reach the share (--steps)'
    : `slope of the logarithms: ${slope.toFixed(2)}`
}
process.stdout.write(
  `${table([
    ['pictures', 'steps to 10 % copies', 'the rule stops at', 'copies then', 'of held-out'],
    ...courses.map(({ count, moments, passed, falseAlarms }) => [
      String(count),
      crossing(moments, sought)?.toFixed(0) ?? 'not reached',
      passed === undefined ? 'never' : String(passed),
      passed === undefined ? '' : percent(copiesAt(moments, passed)),
      percent(falseAlarms),
    ]),
  ])}\n\n${slopeInWords()}\n`,
)
if (values.chart !== undefined) writeFileSync(values.chart, memoryChart(courses, sought))
await device.close()
