/** What this machine reaches at best, measured: multiply-adds and copies on all cores at once. */
import { availableParallelism } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { flags } from './threads/v8Flags.node.ts'
import { flopsOfTurn, peakModule, peakPages, type PeakForm } from './peak.ts'
import type { MachinePeak } from '../../compiler/profile.ts'
import type { MeasuredPeak } from '../backend.ts'
import { at, range } from '../../prelude/array.ts'

/** The peak of the whole machine, and of one of its cores. */
export interface MeasuredMachine extends MachinePeak {
  readonly cores: number
  readonly oneCore: MachinePeak
  /** The form of code that reached the peak. */
  readonly form: PeakForm
}

/** What a worker is told: how much to do in a call, and for how many milliseconds to repeat it. */
interface Task {
  readonly kind: 'multiplyAdds' | 'copy'
  readonly milliseconds: number
}

/** JavaScript: a worker beside this file would have another name once it is built. */
const workerCode = `
const { parentPort, workerData: { bytes, pages } } = require('node:worker_threads')
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
const length = 2 ** 26
new Uint8Array(memory.buffer, 65536).fill(1) // pages that were never written are one and the same page of zeros
const tasks = {
  multiplyAdds: () => (exports.multiplyAdds(50000), 50000),
  copy: () => (exports.copy(65536, 65536 + length, length), 2 * length),
}
parentPort.on('message', ({ kind, milliseconds }) => {
  const begin = performance.now()
  let best = 0
  for (let start = begin; start - begin < milliseconds; ) {
    const work = tasks[kind]()
    const end = performance.now()
    best = Math.max(best, (1000 * work) / (end - start))
    start = end
  }
  parentPort.postMessage(best)
})
`

/** Units of work a second in the best call of one worker: turns of the loop, or bytes read and written. */
const rateOf = async (worker: Worker, task: Task): Promise<number> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.postMessage(task)
  })

/** The best of several rounds of all workers together. */
const bestOf = async (workers: readonly Worker[], task: Task, rounds: number): Promise<number> => {
  const totals: number[] = []
  for (let i = 0; i < rounds; i++) {
    const rates = await Promise.all(workers.map(async (worker) => rateOf(worker, task)))
    totals.push(rates.reduce((a, b) => a + b, 0))
    await wait(5)
  }
  return Math.max(...totals)
}

const withWorkers = async <T>(count: number, form: PeakForm, use: (workers: readonly Worker[]) => Promise<T>) => {
  const workerData = { bytes: peakModule(form), pages: peakPages }
  const workers = range(count).map(() => new Worker(workerCode, { eval: true, workerData }))
  try {
    return await use(workers)
  } finally {
    await Promise.all(workers.map(async (worker) => worker.terminate()))
  }
}

const forms: readonly PeakForm[] = [
  { fma: true, wide: true },
  { fma: true, wide: false },
  { fma: false, wide: true },
  { fma: false, wide: false },
]

const [warmUp, window] = [60, 40] // milliseconds: V8 compiles the loop again while it runs first

/** The form that multiplies and adds fastest on one core, with its rate. */
const fastestForm = async (): Promise<{ readonly form: PeakForm; readonly flopsPerSecond: number }> => {
  const valid = forms.filter((form) => WebAssembly.validate(peakModule(form)))
  const measured = []
  for (const form of valid) {
    const turns = await withWorkers(1, form, async (workers) => {
      await bestOf(workers, { kind: 'multiplyAdds', milliseconds: warmUp }, 1)
      return bestOf(workers, { kind: 'multiplyAdds', milliseconds: window }, 4)
    })
    measured.push({ form, flopsPerSecond: turns * flopsOfTurn(form) })
  }
  return at(
    measured.toSorted((a, b) => b.flopsPerSecond - a.flopsPerSecond),
    0,
  )
}

const copyRate = async (workers: readonly Worker[]): Promise<number> => {
  await bestOf(workers, { kind: 'copy', milliseconds: warmUp }, 1)
  return bestOf(workers, { kind: 'copy', milliseconds: window }, 4)
}

/**
 * Measures the machine, in about two seconds. V8's flags must be set before.
 *
 * @returns rates of all cores together, and of one
 */
export const measureMachine = async (): Promise<MeasuredMachine> => {
  const { form, flopsPerSecond } = await fastestForm()
  const cores = availableParallelism()
  const bytesPerSecond = await withWorkers(1, form, copyRate)
  const together = await withWorkers(cores, form, async (workers) => {
    await bestOf(workers, { kind: 'multiplyAdds', milliseconds: warmUp }, 1)
    const turns = await bestOf(workers, { kind: 'multiplyAdds', milliseconds: window }, 4)
    return { flopsPerSecond: turns * flopsOfTurn(form), bytesPerSecond: await copyRate(workers) }
  })
  return { cores, form, oneCore: { flopsPerSecond, bytesPerSecond }, ...together }
}

/** The peak of some threads: of one core, or of as many as there are. */
export const peakOf = (machine: MeasuredMachine, threads: number): MachinePeak =>
  threads === 1 ? machine.oneCore : machine

/** The peak of a device with so many threads, in WebAssembly with all that this process may make of it. */
export const measureThreads = async (threads: number): Promise<MeasuredPeak> => {
  flags.set()
  const machine = await measureMachine()
  const cores = threads === 1 ? 'one core' : `${machine.cores} cores`
  return { machine: cores, ...peakOf(machine, threads) }
}
