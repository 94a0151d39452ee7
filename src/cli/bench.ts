/** The command `bench`: training steps of a preset against what the machine reaches at best. */
import process from 'node:process'
import { bytesOf, flopsOf, memoryOf } from '../compiler/cost.ts'
import { showChoices } from '../compiler/choices.ts'
import type { Plan } from '../compiler/plan.ts'
import { showBytes, showFlops } from '../compiler/print.ts'
import { profileRows, type MachinePeak, type Profile, type ProfileRow } from '../compiler/profile.ts'
import { at, range } from '../prelude/array.ts'
import { pipe, TE } from '../prelude/fp.ts'
import type { Backend, MeasuredPeak } from '../backends/backend.ts'
import { loadBackend, measurePeak } from '../backends/registry.ts'
import { deviceOn } from '../tensor/device.ts'
import { key } from '../tensor/random.ts'
import { countElements } from '../tensor/tree.ts'
import { configOf, initialState, recipeOf, stepperOn, type DiffusionRun } from '../train/index.ts'
import { isSize, type FlagValue } from './parse.ts'
import { failed, type Outcome } from './outcome.ts'
import { deviceOptionsOf, withDevice } from './settings.ts'
import { say } from './terminal.ts'
import { grouped, showCount } from './show.ts'
import type { Flag } from './flag.ts'
import { commands } from './spec.ts'

type Flags = ReadonlyMap<string, FlagValue>

/** What was measured. */
interface BenchReport {
  readonly config: DiffusionRun
  readonly device: string
  readonly parameters: number
  readonly kernels: number
  readonly flops: number
  readonly planned: number
  /** Of each step, in order. */
  readonly seconds: readonly number[]
  readonly median: number
  /** The least time for each kernel's arithmetic and traffic, over the median. */
  readonly ofPeak: number
  readonly residentBytes: number
  readonly machine: MeasuredPeak
  readonly profile?: Profile
}

const settingsOf = (flags: Flags): Record<string, unknown> => {
  const settings: Record<string, unknown> = { out: 'runs/bench' }
  for (const [name, { setting }] of Object.entries<Flag>(commands.bench.flags)) {
    const value = flags.get(name)
    if (setting === undefined || value === undefined) continue
    if (isSize(value)) [settings['height'], settings['width']] = value
    else settings[setting] = value
  }
  return settings
}

const countOf = (flags: Flags, name: string, otherwise: number): number => {
  const value = flags.get(name)
  return typeof value === 'number' && value >= 1 ? Math.floor(value) : otherwise
}

const median = (values: readonly number[]): number =>
  at(
    values.toSorted((a, b) => a - b),
    values.length >> 1,
  )

/** Seconds that the machine would need at least: each kernel under its own roof. */
const leastSeconds = (plan: Plan, { flopsPerSecond, bytesPerSecond }: MachinePeak): number =>
  plan.kernels.reduce((sum, k) => sum + Math.max(k.flops / flopsPerSecond, bytesOf(plan, k) / bytesPerSecond), 0)

/** Steps before those that count: code is compiled, memory is touched for the first time. */
const warmUp = 2

const measure = async (config: DiffusionRun, backend: Backend, flags: Flags): Promise<BenchReport> => {
  const device = deviceOn(backend)
  const recipe = recipeOf(config)
  const stepper = stepperOn(device, recipe)
  const count = config.batch * config.accumulate * config.height * config.width * 3
  const examples = recipe.task.examples(Uint8Array.from({ length: count }, (_, i) => (i * 37) % 256))
  let state = await device.realize(initialState(recipe, key(config.seed)))
  const plan = stepper.plan(state)
  const seconds: number[] = []
  for (const step of range(warmUp + countOf(flags, 'steps', 10))) {
    const start = performance.now()
    const [next, { loss }] = await stepper.run(state, examples, step + 1)
    await device.read(loss)
    seconds.push((performance.now() - start) / 1000)
    state = next
  }
  const counted = seconds.slice(warmUp)
  const machine = await measurePeak(backend)
  const least = config.accumulate * leastSeconds(plan, machine)
  const profile = flags.has('profile') ? await stepper.profile(state, examples, 1) : undefined
  return {
    config,
    device: device.description,
    parameters: countElements(state.params),
    kernels: plan.kernels.length,
    flops: flopsOf(plan) * config.accumulate,
    planned: memoryOf(plan),
    seconds: counted,
    median: median(counted),
    ofPeak: least / median(counted),
    residentBytes: process.resourceUsage().maxRSS * 1024,
    machine,
    ...(profile !== undefined && { profile }),
  }
}

const giga = (x: number): string => (x / 1e9).toFixed(x < 1e10 ? 2 : 1)
/** Seconds as milliseconds, three digits and no exponent. */
const milli = (seconds: number): string =>
  seconds < 0.9995 ? (1000 * seconds).toPrecision(3) : (1000 * seconds).toFixed(0)
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`

const summary = (report: BenchReport): string => {
  const { config, machine, median } = report
  const images = config.batch * config.accumulate
  return [
    `  device    ${report.device}`,
    `  machine   ${machine.machine} · at best ${giga(machine.flopsPerSecond)} GFLOP/s and ${giga(machine.bytesPerSecond)} GB/s`,
    `  step      ${config.preset} at ${config.height}×${config.width}, batch ${images} · ${showCount(report.parameters)} parameters · ${showFlops(report.flops)} in ${grouped(report.kernels)} kernels`,
    `  time      ${milli(median)} ms a step, from ${milli(Math.min(...report.seconds))} to ${milli(Math.max(...report.seconds))} · ${(images / median).toPrecision(3)} img/s · ${giga(report.flops / median)} GFLOP/s · ${percent(report.ofPeak)} of what the machine could`,
    `  memory    planned ${showBytes(report.planned)} · the process had ${showBytes(report.residentBytes)} at most`,
    '',
  ].join('\n')
}

const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text

const cellsOf = (row: ProfileRow): readonly string[] => [
  row.milliseconds.toFixed(2),
  percent(row.share),
  `${row.count}×`,
  giga(row.flopsPerSecond),
  giga(row.bytesPerSecond),
  row.intensity.toPrecision(3),
  `${percent(row.ofRoof)} ${row.bound === 'memory' ? 'mem' : 'ops'}`,
  row.kind,
  row.size,
  shorten(row.computes, 48),
  showChoices(row.choices),
]

const heads = ['ms', 'share', '', 'GFLOP/s', 'GB/s', 'FLOP/B', 'of roof', 'kind', 'size', 'computes', 'with'] as const

/** Columns of numbers to the right, of words to the left. */
const table = (rows: readonly (readonly string[])[]): string => {
  const widths = heads.map((_, c) => Math.max(...rows.map((row) => at(row, c).length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, c) => (c < 7 ? cell.padStart(at(widths, c)) : cell.padEnd(at(widths, c)))).join('  ')
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join('')
}

const aboveRoof =
  '  above 100 %: operations are those of plain sums; 3×3 convolutions in tiles (Winograd) need up to 4 times fewer\n'

const profileTable = (profile: Profile, peak: MachinePeak, most: number): string => {
  const rows = profileRows(profile, peak)
  const shown = rows.slice(0, most)
  const kernels = rows.reduce((sum, row) => sum + row.milliseconds, 0)
  const rest = kernels - shown.reduce((sum, row) => sum + row.milliseconds, 0)
  return [
    table([heads, ...shown.map(cellsOf)]),
    ...(rows.length > most
      ? [
          `  ${rest.toFixed(2)} ms (${percent(rest / profile.total)}) in ${rows.length - most} other rows (--rows ${rows.length})\n`,
        ]
      : []),
    ...(shown.some((row) => row.ofRoof > 1) ? [aboveRoof] : []),
    `  ${kernels.toFixed(2)} ms in kernels, ${(profile.total - kernels).toFixed(2)} ms (${percent(1 - kernels / profile.total)}) outside them\n`,
  ].join('')
}

const print = (report: BenchReport, flags: Flags): void => {
  const { profile, machine: peak } = report
  if (flags.has('json')) {
    const rows = profile && { total: profile.total, rows: profileRows(profile, peak) }
    process.stdout.write(`${JSON.stringify({ ...report, ...(rows && { profile: rows }) }, null, 2)}\n`)
    return
  }
  process.stdout.write(summary(report))
  if (profile !== undefined) process.stdout.write(`\n${profileTable(profile, peak, countOf(flags, 'rows', 25))}`)
}

/** `fathom bench`. */
export const runBench = (flags: Flags): Promise<Outcome> =>
  pipe(
    withDevice(settingsOf(flags), deviceOptionsOf(flags)),
    TE.chain(({ settings, notes }) =>
      pipe(
        TE.fromEither(configOf(settings)),
        TE.bimap(
          ({ message }): Outcome => ({ code: 2, message }),
          (config) => ({ config, notes }),
        ),
      ),
    ),
    TE.bind('backend', ({ config: { device } }) =>
      pipe(loadBackend(device, deviceOptionsOf(flags)), TE.mapLeft(failed)),
    ),
    TE.chain(({ config, backend, notes }) =>
      TE.tryCatch(
        async () => {
          try {
            const report = await measure(config, backend, flags)
            if (!flags.has('json')) for (const note of notes) say(`  note      ${note}`)
            print(report, flags)
          } finally {
            await backend.close()
          }
        },
        (error): Outcome => failed(error instanceof Error ? error : { message: String(error) }),
      ),
    ),
    TE.match(
      (outcome) => outcome,
      (): Outcome => ({ code: 0 }),
    ),
  )()
