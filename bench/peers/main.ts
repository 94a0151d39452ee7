/**
 * `npm run bench:peers`: the same work in fathom and in other libraries, each in a process of its own, taking turns in one run.
 *
 *     npm run bench:peers -- --only unet --json
 *
 * prints { unet: [{ name, ours, peer, ratio, … }] }: seconds a step, and ours / peer, so that below 1 fathom is faster. Weights and
 * inputs are the same, and so must be the number of parameters and the losses of the first steps, or the run fails.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { showBytes } from '../../src/compiler/print.ts'
import { median } from '../../src/evaluation/statistics.ts'
import { at } from '../../src/prelude/array.ts'
import { showSeconds, table } from '../report.ts'
import { alternate, type Timed, type Timing } from '../timing.ts'
import { flopsOfCase, kernelCases, unetCases, type KernelCase } from './cases.ts'
import { numberOf, startProcess, type Answer, type LineProcess } from './lineProcess.ts'
import { programCases } from './programCases.ts'
import { findPython, howToInstall } from './python.ts'

const suites = ['unet', 'programs', 'gemm', 'conv', 'function'] as const

const usage = `npm run bench:peers -- [flags]
  --only LIST    ${suites.join(', ')}, or parts of names [all]
  --device NAME  fathom's [wasm]
  --threads N    of fathom and PyTorch [${availableParallelism()}]
  --rounds N     turns of each, at most [9]
  --budget S     seconds for a case, after which each gets 3 turns at least [60]
  --json         print JSON
`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    device: { type: 'string', default: 'wasm' },
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '9' },
    budget: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const threads = Number(values.threads)

/** Milliseconds before a turn in which threads of the other side, which may still look for work, go to sleep. */
const pause = 30

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

const beside = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

const words = values.only?.split(',')
const wanted = (suite: string, name: string): boolean =>
  words === undefined || words.some((word) => word === suite || name.includes(word))

/** A pair of medians. */
interface Comparison {
  readonly name: string
  /** Seconds. */
  readonly ours: number
  readonly peer: number
  /** ours / peer. */
  readonly ratio: number
  readonly peerName: string
  readonly detail: { readonly ours: Timing; readonly peer: Timing } & Readonly<Record<string, unknown>>
}

const comparison = (
  name: string,
  peerName: string,
  ours: Timing,
  peer: Timing,
  more: Readonly<Record<string, unknown>> = {},
): Comparison => ({
  name,
  ours: ours.median,
  peer: peer.median,
  ratio: ours.median / peer.median,
  peerName,
  detail: { ours, peer, ...more },
})

const timing = { rounds: Number(values.rounds), turn: 0, budget: Number(values.budget) }

/** Both losses of a step must agree: the same weights, inputs and update. Later steps may drift, for sums have another order. */
const requireSameLoss = (name: string, step: number, ours: number, peer: number): void => {
  if (Math.abs(ours - peer) > 1e-3 * Math.abs(peer))
    throw new Error(
      `${name}: the losses of step ${step} differ, ${ours} and PyTorch's ${peer}: the two do not train the same network`,
    )
}

/** Steps whose losses are compared; they warm both sides up as well. */
const checkedSteps = 3

/** Seconds that a turn of a training step takes about: as in training, one step follows another. */
const stepsTurn = 0.3

const compareSteps = async (name: string, ours: LineProcess, peer: LineProcess): Promise<Comparison> => {
  const [mine, theirs] = [numberOf(ours.ready, 'parameters'), numberOf(peer.ready, 'parameters')]
  if (mine !== theirs) throw new Error(`${name}: fathom has ${mine} parameters, PyTorch ${theirs}`)
  const losses: number[] = []
  for (let step = 1; step <= checkedSteps; step++) {
    const [a, b] = [await ours.ask('1'), await peer.ask('1')]
    requireSameLoss(name, step, numberOf(a, 'loss'), numberOf(b, 'loss'))
    losses.push(numberOf(a, 'loss'))
  }
  const last: { ours: Answer; peer: Answer } = { ours: {}, peer: {} }
  const busy: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] }
  const timed = async (side: 'ours' | 'peer', from: LineProcess): Promise<Timed> => {
    const steps = Math.max(1, Math.round(stepsTurn / numberOf(await from.ask('1'), 'seconds')))
    const run = async (): Promise<number> => {
      await wait(pause)
      last[side] = await from.ask(String(steps))
      if ('cpu' in last[side]) busy[side].push(numberOf(last[side], 'cpu'))
      return numberOf(last[side], 'seconds')
    }
    return { name: side, run }
  }
  const sides = [await timed('ours', ours), await timed('peer', peer)]
  const timings = await alternate(sides, { ...timing, warmUp: 1 })
  const memory = { ours: numberOf(last.ours, 'peakBytes'), peer: numberOf(last.peer, 'peakBytes') }
  return comparison(name, 'PyTorch', at(timings, 0), at(timings, 1), {
    parameters: mine,
    losses,
    residentBytes: memory,
    ...(busy.ours.length > 0 && { cpuSeconds: { ours: median(busy.ours), peer: median(busy.peer) } }),
  })
}

/** Two programs that make the same step: fathom's under the package's own names, PyTorch's, which leaves weights and inputs in a folder. */
const comparePrograms = async (python: string, name: string, file: string, options: object): Promise<Comparison> => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-peers-'))
  const running: LineProcess[] = []
  const start = async (command: string, args: readonly string[], config: object): Promise<LineProcess> => {
    const started = await startProcess(command, [...args, JSON.stringify({ ...options, threads, folder, ...config })])
    say(`  ${String(started.ready['about'])}`)
    running.push(started)
    return started
  }
  try {
    say(name)
    const peer = await start(python, [beside(`${file}.py`)], {})
    const sources = ['--import', new URL('../../scripts/sources.mjs', import.meta.url).href]
    const ours = await start(process.execPath, [...sources, beside(`${file}.ts`)], { device: values.device })
    return await compareSteps(name, ours, peer)
  } finally {
    for (const { close } of running) close()
    rmSync(folder, { recursive: true })
  }
}

/** Seconds that a turn of a kernel takes about: many short runs are one turn. */
const kernelTurn = 0.1

const askFor = async (from: LineProcess, c: KernelCase, times: number): Promise<Answer> => {
  await wait(pause)
  return from.ask(JSON.stringify({ case: c, times }))
}

/** How many runs are a turn. The first are slow, so it is asked again until so many have taken about so long. */
const timesOf = async (from: LineProcess, c: KernelCase): Promise<number> => {
  let times = 2
  for (;;) {
    const seconds = numberOf(await askFor(from, c, times), 'seconds')
    const enough = Math.max(1, Math.round(kernelTurn / seconds))
    if (enough <= 2 * times) return enough
    times = enough
  }
}

const compareKernel = async (
  name: string,
  c: KernelCase,
  ours: LineProcess,
  peers: readonly LineProcess[],
): Promise<readonly Comparison[]> => {
  const timed: (Timed & { readonly about: string; readonly cpu: readonly number[] })[] = []
  for (const from of [ours, ...peers]) {
    const about = String(from.ready['about'])
    const first = await askFor(from, c, 2)
    if ('error' in first) say(`  ${name}: ${about} cannot: ${String(first['error'])}`)
    else {
      const times = await timesOf(from, c)
      const cpu: number[] = []
      const run = async (): Promise<number> => {
        const turn = await askFor(from, c, times)
        cpu.push(numberOf(turn, 'cpu'))
        return numberOf(turn, 'seconds')
      }
      timed.push({ name, about, cpu, run })
    }
  }
  const timings = await alternate(timed, { ...timing, warmUp: 1 })
  const rate = ({ median }: Timing): number => (c.kind === 'function' ? NaN : flopsOfCase(c) / median / 1e9)
  return timed.slice(1).map(({ about }, i) => {
    const [mine, theirs] = [at(timings, 0), at(timings, i + 1)]
    const gflops = { ours: rate(mine), peer: rate(theirs) }
    const cpuSeconds = { ours: median(at(timed, 0).cpu), peer: median(at(timed, i + 1).cpu) }
    return comparison(name, about, mine, theirs, { cpuSeconds, ...(c.kind === 'function' ? {} : { gflops }) })
  })
}

const compareKernels = async (
  python: string | undefined,
  cases: readonly (readonly [string, KernelCase])[],
): Promise<readonly Comparison[]> => {
  const config = JSON.stringify({ device: values.device, threads })
  const installed = existsSync(beside('node_modules/@jax-js/jax'))
  if (!installed) say('jax-js and TensorFlow.js are not installed: npm install --prefix bench/peers --ignore-scripts')
  const commands: readonly (readonly [command: string, args: readonly string[]])[] = [
    [process.execPath, [beside('kernels.ts'), config]],
    ...(python === undefined ? [] : ([[python, [beside('kernels.py'), config]]] as const)),
    ...(installed ? ['jax.mjs', 'tfjs.mjs'].map((file) => [process.execPath, [beside(file)]] as const) : []),
  ]
  const running: LineProcess[] = []
  try {
    for (const [command, args] of commands) running.push(await startProcess(command, args))
    for (const { ready } of running) say(`  ${String(ready['about'])}`)
    const all: Comparison[] = []
    for (const [name, c] of cases) all.push(...(await compareKernel(name, c, at(running, 0), running.slice(1))))
    return all
  } finally {
    for (const { close } of running) close()
  }
}

const show = (comparisons: readonly Comparison[]): string =>
  table([
    ['', 'fathom', 'peer', 'ratio', '±', 'of CPU', 'memory', 'peer’s', 'which'],
    ...comparisons.map(({ name, ours, peer, ratio, peerName, detail }) => {
      const memory = detail['residentBytes'] as { ours: number; peer: number } | undefined
      const cpu = detail['cpuSeconds'] as { ours: number; peer: number } | undefined
      return [
        name,
        showSeconds(ours),
        showSeconds(peer),
        ratio.toFixed(2),
        `${(100 * Math.hypot(detail.ours.spread, detail.peer.spread)).toFixed(0)} %`,
        cpu === undefined ? '' : (cpu.ours / cpu.peer).toFixed(2),
        memory === undefined ? '' : showBytes(memory.ours),
        memory === undefined ? '' : showBytes(memory.peer),
        peerName,
      ]
    }),
  ])

const main = async (): Promise<void> => {
  const python = findPython()
  const unets = Object.entries(unetCases).filter(([name]) => wanted('unet', name))
  const programs = Object.entries(programCases).filter(([name]) => wanted('programs', name))
  const kernels = Object.entries(kernelCases).filter(([name, { kind }]) => wanted(kind, name))
  if (python === undefined) {
    say(howToInstall)
    if (kernels.length === 0) {
      process.exitCode = 1
      return
    }
  }
  const [unet, steps]: readonly [Comparison[], Comparison[]] = [[], []]
  if (python !== undefined) {
    for (const [name, options] of unets)
      unet.push(await comparePrograms(python, name, 'unet', { ...options, rate: 1e-4, decay: 0.995 }))
    for (const [name, options] of programs) steps.push(await comparePrograms(python, name, 'programs', options))
  }
  const compared = kernels.length === 0 ? [] : await compareKernels(python, kernels)
  const of = (kind: KernelCase['kind']): readonly Comparison[] =>
    compared.filter(({ name }) => kernelCases[name]?.kind === kind)
  const results = Object.entries({
    unet,
    programs: steps,
    gemm: of('gemm'),
    conv: of('conv'),
    function: of('function'),
  }).filter(([, list]) => list.length > 0)
  process.stdout.write(
    values.json
      ? `${JSON.stringify(Object.fromEntries(results), null, 2)}\n`
      : `${results.map(([, list]) => show(list)).join('\n\n')}\n\nratio: fathom's time over the peer's, of CPU: its processors' time over the peer's; below 1 fathom is faster\n`,
  )
}

if (values.help) process.stdout.write(usage)
else await main()
