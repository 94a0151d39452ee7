/**
 * `npm run bench:networks`: the families of networks beside one another. Each trains on procedural seas through the same trainer, with the same steps,
 * noise and pictures; then steps of all take turns, and the loss of each is read off where the same time has passed.
 *
 *     npm run bench:networks -- --steps 300 --out runs/networks
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { showBytes } from '../src/compiler/print.ts'
import { key, openDevice, type Device, type Key } from '../src/index.ts'
import { at } from '../src/prelude/array.ts'
import { E } from '../src/prelude/fp.ts'
import {
  configOf,
  initialState,
  recipeOf,
  stepperOn,
  train,
  type RunFacts,
  type TrainEvent,
} from '../src/train/index.ts'
import { alternate } from './timing.ts'
import { showSeconds, table } from './report.ts'

flags.set()

/** A network, and the rate at which it learns. */
interface Contender {
  readonly model: unknown
  readonly learningRate: number
}

/** Networks of a million parameters and a half, for pictures of 32×32. */
const networks: Readonly<Record<string, Contender>> = {
  lucidrains: {
    model: { kind: 'lucidrains', width: 24, multipliers: [1, 2, 4], heads: 4, headWidth: 16 },
    learningRate: 1e-3,
  },
  unet2d: {
    model: {
      kind: 'unet2d',
      widths: [24, 48, 96],
      layers: 1,
      groups: 8,
      headWidth: 16,
      down: ['plain', 'plain', 'attention'],
    },
    learningRate: 1e-3,
  },
  edm2: { model: { kind: 'edm2', width: 24, multipliers: [1, 2, 4], blocks: 1, headWidth: 16 }, learningRate: 1e-2 },
  dit: { model: { kind: 'dit', patch: 4, width: 128, depth: 5, heads: 4 }, learningRate: 1e-3 },
  uvit: { model: { kind: 'uvit', patch: 4, width: 128, depth: 7, heads: 4 }, learningRate: 1e-3 },
}

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '300' },
    out: { type: 'string', default: 'runs/networks' },
    names: { type: 'string', default: Object.keys(networks).join(',') },
    json: { type: 'boolean', default: false },
  },
})
const steps = Number(values.steps)
const names = values.names.split(',')
/** Steps from one measurement to the next. */
const every = 20

/** What is measured of a network. */
interface Measured {
  readonly name: string
  readonly parameters: number
  /** Bytes that a step takes. */
  readonly memory: number
  /** Of a step, for each picture. */
  readonly flops: number
  /** The loss on held-out seas, relative to the best constant guess, by the steps that were made. */
  readonly heldOut: ReadonlyMap<number, number>
}

const right = <A>(either: E.Either<{ readonly message: string }, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left.message)
  return either.right
}

/** The run of a network: the preset `small`, with a rate that does not fall, so that a part of a run is a shorter one. */
const configFor = (name: string) => {
  const network = networks[name]
  if (network === undefined) throw new Error(`--names must be of ${Object.keys(networks).join(', ')}, got '${name}'`)
  const course = { steps, rate: 'constant', ema: 0.98, saveEvery: steps, sampleEvery: steps, heldOutEvery: every }
  return right(configOf({ preset: 'small', out: join(values.out, name), ...network, device: 'wasm', ...course }))
}

const trained = async (name: string): Promise<Measured> => {
  const heldOut = new Map<number, number>()
  let facts: RunFacts | undefined
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Started') facts = event.facts
    if (event._tag !== 'Measured') return
    heldOut.set(event.step, event.values['heldOutRelative'] ?? NaN)
    process.stderr.write(`${name} step ${event.step}: ${event.words[0] ?? ''}\n`)
  }
  right(await train(configFor(name), { onEvent, deviceOptions: { wasm: { v8Flags: true } } })())
  if (facts === undefined) throw new Error(`${name}: the run did not begin`)
  const { parameters, memory, flops, config } = facts
  return { name, parameters, memory, flops: flops / config.batch, heldOut }
}

/** Seconds of a step of each, in turns. */
const timesOn = async (device: Device): Promise<readonly number[]> => {
  const subjects = await Promise.all(
    names.map(async (name) => {
      const config = configFor(name)
      const recipe = recipeOf(config)
      const stepper = stepperOn(device, recipe)
      let state = await device.compile((k: Key) => initialState(recipe, k))(key(0))
      let step = 0
      const run = async (): Promise<undefined> => {
        step += 1
        const [next, { loss }] = await stepper.run(state, (_, count) => recipe.task.blank(count), step)
        state = next
        await device.read(loss)
      }
      return { name, run }
    }),
  )
  const timings = await alternate(subjects, { rounds: 7, atLeast: 3, warmUp: 2, turn: 0, budget: 240 })
  return timings.map(({ median }) => median)
}

/** The loss after some steps, between those at which it was measured. */
const lossAt = ({ heldOut }: Measured, step: number): number => {
  const [below, above] = [Math.floor(step / every) * every, Math.ceil(step / every) * every]
  const [a, b] = [heldOut.get(below) ?? NaN, heldOut.get(above) ?? NaN]
  return below === above ? a : a + ((b - a) * (step - below)) / every
}

mkdirSync(values.out, { recursive: true })
const measured: Measured[] = []
for (const name of names) measured.push(await trained(name))
const device = await openDevice('wasm', { wasm: { v8Flags: true } })
const seconds = await timesOn(device)
await device.close()
/** As long as the fastest takes for all its steps. */
const budget = steps * Math.min(...seconds)
const rows = measured.map((each, i) => {
  const made = Math.floor(budget / at(seconds, i))
  return { ...each, seconds: at(seconds, i), made, equalTime: lossAt(each, made), equalSteps: lossAt(each, steps) }
})
writeFileSync(
  join(values.out, 'networks.json'),
  JSON.stringify(rows.map((row) => ({ ...row, heldOut: [...row.heldOut] }))),
)
const text = values.json
  ? JSON.stringify(rows.map((row) => ({ ...row, heldOut: [...row.heldOut] })))
  : table([
      [
        '',
        'parameters',
        'GFLOP a picture',
        'memory',
        'a step',
        `after ${steps} steps`,
        `steps in ${budget.toFixed(0)} s`,
        'and after them',
      ],
      ...rows.map((row) => [
        row.name,
        row.parameters.toLocaleString('en'),
        (row.flops / 1e9).toFixed(2),
        showBytes(row.memory),
        showSeconds(row.seconds),
        row.equalSteps.toFixed(3),
        String(row.made),
        row.equalTime.toFixed(3),
      ]),
    ])
process.stdout.write(`${text}\n`)
