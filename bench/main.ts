/**
 * `npm run bench`: every subject on every backend, as a table; `--json` prints JSON, `--charts DIR` draws.
 *
 *     npm run bench -- --only conv,norm --device wasm --rounds 10 --budget 5
 *
 * Timings of a busy machine say little: look at the column ±, and compare figures of one run.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { flopsOf, open, showFlops, type Device } from '../src/index.ts'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { measureMachine, peakOf, type MeasuredMachine } from '../src/backends/wasm/machinePeak.node.ts'
import { E } from '../src/prelude/fp.ts'
import { at } from '../src/prelude/array.ts'
import { barChart } from './barChart.ts'
import { measurementOf, measurementTable, type Measurement } from './report.ts'
import { rooflineChart } from './roofline.ts'
import { groups, subjects, type Prepared, type Subject } from './subjects.ts'
import { median } from '../src/evaluation/statistics.ts'
import { alternate } from './timing.ts'

const set = flags.set()

const usage = `npm run bench -- [flags]
  --only LIST     groups or parts of names: ${groups.join(', ')} [all]
  --device LIST   backends [cpu,wasm]
  --threads N     threads of wasm [all cores]
  --rounds N      turns of each subject at most [15]
  --budget S      seconds for a subject, after which it gets 3 turns at least [4]
  --all           also what is too much for a backend
  --json          print JSON
  --charts DIR    write throughput.svg and roofline.svg
`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    device: { type: 'string', default: 'cpu,wasm' },
    threads: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    budget: { type: 'string', default: '4' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    charts: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** More work in a run than this is not measured without --all: it would take many seconds. */
const mostWork: { readonly [device: string]: number } = { cpu: 3e9 }

const wanted = ({ group, name }: Subject): boolean =>
  values.only === undefined || values.only.split(',').some((word) => group === word || name.includes(word))

/** The share of a run that kernels do not take, in the middle of three runs. */
const hostShare = async ({ profile }: Prepared): Promise<number | undefined> => {
  if (profile === undefined) return undefined
  const shares: number[] = []
  for (let i = 0; i < 3; i++) {
    const { milliseconds, total } = await profile()
    shares.push(1 - milliseconds.reduce((a, b) => a + b, 0) / total)
  }
  return median(shares)
}

const measure = async (
  subject: Subject,
  devices: readonly Device[],
  machine: MeasuredMachine,
): Promise<readonly Measurement[]> => {
  const ready: { readonly device: Device; readonly prepared: Prepared }[] = []
  for (const device of devices) {
    const prepared = await subject.prepare(device)
    const work = prepared.plans * flopsOf(prepared.plan)
    if (!values.all && work > (mostWork[device.name] ?? Infinity))
      say(`${subject.name}: ${showFlops(work)} are too much for ${device.name} (--all measures it)`)
    else ready.push({ device, prepared })
  }
  const timed = ready.map(({ device, prepared }) => ({
    name: device.name,
    run: async () => {
      await prepared.run()
      return undefined
    },
  }))
  const timings = await alternate(timed, {
    rounds: Number(values.rounds),
    warmUp: 3,
    turn: 0.02,
    budget: Number(values.budget) * devices.length,
  })
  const measurements: Measurement[] = []
  for (const [i, { device, prepared }] of ready.entries()) {
    const peak = peakOf(machine, device.threads)
    const host = await hostShare(prepared)
    const measured = measurementOf(subject, device.name, prepared, at(timings, i), peak)
    measurements.push({ ...measured, ...(host !== undefined && { host }) })
  }
  return measurements
}

const openDevice = async (name: string): Promise<Device> => {
  const threads = values.threads === undefined ? {} : { threads: Number(values.threads) }
  const opened = await open(name, { wasm: { v8Flags: true, ...threads } })()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  return opened.right
}

const main = async (): Promise<void> => {
  const machine = await measureMachine()
  const gigaflops = (x: number): string => (x / 1e9).toFixed(1)
  say(
    `Node ${process.version}${set.wide ? ' with 256-bit vectors' : ''} · ${machine.cores} cores · peak ${gigaflops(machine.flopsPerSecond)} GFLOP/s, ${gigaflops(machine.bytesPerSecond)} GB/s (one core ${gigaflops(machine.oneCore.flopsPerSecond)}, ${gigaflops(machine.oneCore.bytesPerSecond)})`,
  )
  const measurements: Measurement[] = []
  for (const subject of subjects.filter(wanted)) {
    const devices = await Promise.all(values.device.split(',').map(openDevice))
    measurements.push(...(await measure(subject, devices, machine)))
    await Promise.all(devices.map(async (device) => device.close()))
    if (!values.json) say(`  ${subject.name}`)
  }
  const residentBytes = process.resourceUsage().maxRSS * 1024
  const report = {
    date: new Date().toISOString(),
    node: process.version,
    flags: set,
    machine,
    residentBytes,
    measurements,
  }
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${measurementTable(measurements)}\n`)
  if (values.charts !== undefined) {
    mkdirSync(values.charts, { recursive: true })
    writeFileSync(join(values.charts, 'throughput.svg'), barChart(measurements))
    writeFileSync(join(values.charts, 'roofline.svg'), rooflineChart(measurements, machine))
  }
}

if (values.help) process.stdout.write(usage)
else await main()
