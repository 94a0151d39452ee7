/** The command `doctor`: what devices this machine has, whether each computes right, how fast it is, and which `train` would take. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import process from 'node:process'
import type { Backend } from '../backends/backend.ts'
import { backends, findAdapters, findFastest, loadBackend, type Adapter, type Fastest } from '../backends/registry.ts'
import { disagreements, sampleCount } from '../backends/selfTest.ts'
import { speedOf, type Speed } from '../backends/speed.ts'
import { showBytes } from '../compiler/print.ts'
import { E } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import type { FlagValue } from './parse.ts'
import type { Outcome } from './outcome.ts'
import { deviceOptions } from './settings.ts'
import { say } from './terminal.ts'

/** A device that opened: what it is, which families of kernels came out wrong, and how fast it is. */
interface Opened {
  readonly name: string
  readonly description: string
  readonly memoryLimit: number
  readonly wrong: readonly string[]
  readonly speed?: Speed
  /** What it keeps on this machine for the next program. */
  readonly kept?: string
}

/** A device that did not open, and why. */
interface Closed {
  readonly name: string
  readonly why: string
}

type Finding = Opened | Closed

/** Everything that was found out. */
export interface Report {
  readonly node: string
  readonly platform: string
  readonly processor: string
  readonly cores: number
  readonly memory: number
  readonly adapters: readonly Adapter[]
  /** Why adapters could not be asked for. */
  readonly noAdapters?: string
  readonly devices: readonly Finding[]
  readonly train?: Fastest
}

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e))

/** The message of a device that did not open, without what is said beside it. */
const reasonIn = (message: string): string => message.replace(/^device '\w+' could not be opened: /, '')

const examined = async (backend: Backend, trusted: Backend, forget: boolean): Promise<Opened> => {
  const { name, description, memoryLimit } = backend
  if (forget) await backend.kept?.forget()
  const kept = await backend.kept?.describe()
  const known = { name, description, memoryLimit, ...(kept !== undefined && { kept }) }
  try {
    const wrong = await disagreements(backend, trusted)
    return { ...known, wrong, speed: await speedOf(backend) }
  } catch (e) {
    return { ...known, wrong: [`it failed: ${messageOf(e)}`] }
  } finally {
    await backend.close()
  }
}

const findingOf = async (name: string, forget: boolean): Promise<Finding> => {
  const [opened, trusted] = [await loadBackend(name, deviceOptions)(), await loadBackend('cpu', { fused: false })()]
  if (E.isLeft(opened)) return { name, why: reasonIn(opened.left.message) }
  if (E.isLeft(trusted)) return { name, why: trusted.left.message }
  return examined(opened.right, trusted.right, forget)
}

const examine = async (forget: boolean): Promise<Report> => {
  const adapters = await findAdapters()
  const devices: Finding[] = []
  for (const name of Object.keys(backends)) devices.push(await findingOf(name, forget)) // one at a time: they are measured
  const train = await findFastest(deviceOptions)()
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'an unknown processor',
    cores: availableParallelism(),
    memory: totalmem(),
    adapters: E.isRight(adapters) ? adapters.right : [],
    ...(E.isLeft(adapters) && { noAdapters: adapters.left.message }),
    devices,
    ...(E.isRight(train) && { train: train.right }),
  }
}

/** Words in lines of at most 100 columns, further lines below the first. */
const block = (head: string, text: string, indent = 12): readonly string[] => {
  const lines = text.match(new RegExp(`.{1,${100 - indent}}(?:\\s|$)|\\S+`, 'g')) ?? ['']
  return lines.map((line, i) => `${(i === 0 ? head : '').padEnd(indent)}${line.trimEnd()}`)
}

const row = (name: string, text: string): readonly string[] => block(`    ${name}`, text, 16)

const rate = (perSecond: number, unit: string): string => {
  const [scale, prefix] = perSecond >= 1e12 ? [1e12, 'T'] : [1e9, 'G']
  return `${(perSecond / scale).toPrecision(3)} ${prefix}${unit}`
}

/** `0.33 µs`, `12.5 ms`. */
const brief = (seconds: number): string =>
  seconds < 1e-3 ? `${(1e6 * seconds).toPrecision(3)} µs` : `${(1e3 * seconds).toPrecision(3)} ms`

const speedRow = ({ flopsPerSecond, bytesPerSecond, launchSeconds }: Speed): readonly string[] =>
  row(
    'speed',
    `${rate(flopsPerSecond, 'FLOP/s')} in products of matrices · ${rate(bytesPerSecond, 'B/s')} in passes over memory · ${brief(launchSeconds)} a launch`,
  )

const deviceLines = (finding: Finding): readonly string[] => {
  if ('why' in finding) return [...block(`  – ${finding.name}`, finding.why), '']
  const { name, description, wrong, speed, kept, memoryLimit } = finding
  const verdict =
    wrong.length === 0
      ? `${sampleCount} programs of every family agree with the specification`
      : `WRONG: ${wrong.join('; ')}`
  return [
    ...block(`  ${wrong.length === 0 ? '✓' : '✗'} ${name}`, description),
    ...row('kernels', verdict),
    ...(speed === undefined ? [] : speedRow(speed)),
    ...(kept === undefined ? [] : row('kept', kept)),
    ...(Number.isFinite(memoryLimit) ? row('memory', `${showBytes(memoryLimit)} at most`) : []),
    '',
  ]
}

/** Features that kernels use or could use; the others are for drawing. */
const forKernels = /timestamp|subgroup|f16|f64|matrix|chromium/

const adapterLines = (adapter: Adapter): readonly string[] => {
  const { power, vendor, architecture, device, description, software, features, limits } = adapter
  const names = [description, vendor, architecture, device].filter((part) => part !== '')
  const limit = (name: string): number => limits[name] ?? 0
  return [
    ...block('  gpu', `${names.join(' · ')}${software ? ' · a program on the processor' : ''}`),
    ...row('chosen by', power.join(' and ')),
    ...row('features', features.filter((name) => forKernels.test(name)).join(', ') || 'none that kernels use'),
    ...row(
      'limits',
      `${limit('maxStorageBuffersPerShaderStage')} buffers a kernel · ${showBytes(limit('maxStorageBufferBindingSize'))} of each seen at once, ${showBytes(limit('maxBufferSize'))} in all · ${showBytes(limit('maxComputeWorkgroupStorageSize'))} and ${limit('maxComputeInvocationsPerWorkgroup')} invocations a workgroup`,
    ),
    '',
  ]
}

const trainLines = ({ train }: Report): readonly string[] =>
  train === undefined
    ? block('  train', 'would find no device')
    : block(
        '  train',
        `takes ${train.name}${train.notes.length === 0 ? '' : `, for ${train.notes.join(', and ')}`}; --device NAME chooses another`,
      )

/** The report for a terminal. */
export const showReport = (report: Report): string =>
  [
    '',
    ...block(
      '  machine',
      `${report.processor} · ${report.cores} cores · ${showBytes(report.memory)} · ${report.platform} · Node ${report.node}`,
    ),
    '',
    ...report.adapters.flatMap(adapterLines),
    ...(report.adapters.length > 0 ? [] : [...block('  gpu', report.noAdapters ?? 'none was found'), '']),
    ...report.devices.flatMap(deviceLines),
    ...trainLines(report),
    '',
  ].join('\n')

/** What comes of it: a failure where a device computes wrongly. */
export const outcomeOf = ({ devices }: Report): Outcome => {
  const wrong = devices.flatMap((d) => ('wrong' in d && d.wrong.length > 0 ? [d.name] : []))
  return wrong.length === 0
    ? { code: 0 }
    : {
        code: 1,
        message: `kernels of ${wrong.join(' and ')} came out wrong: update the driver, use another --device, and please report it`,
      }
}

/** `fathom doctor`. */
export const runDoctor = async (flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const report = await examine(flags.has('retune'))
  say(flags.has('json') ? printableJson(JSON.stringify(report, undefined, 2)) : showReport(report))
  return outcomeOf(report)
}
