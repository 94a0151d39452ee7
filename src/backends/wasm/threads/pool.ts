/**
 * The threads of a device: the one that calls, and workers. They share the memory and run programs together (control.ts).
 *
 * Each has its own table of functions, filled alike. Workers get new functions as messages, and read them when they next have nothing to
 * do; until they have, the others do their part.
 */
import { encode } from '../assembler/module.ts'
import type { Phase } from '../emit/kernelCode.ts'
import { calls, control, endings, runFunction, workFunction } from './control.ts'
import { initialPages, maximumPages, type Heap } from '../memory.ts'
import type { Platform, WorkerHandle } from './threads.ts'
import { install, instantiate, openThread, readFailure, type Functions } from './worker.ts'

/** Threads that run programs. */
export interface Pool {
  /** How many, with the one that calls. */
  readonly threads: number
  /** Gives functions to all threads. @param called what they call of JavaScript, for this thread: workers have it */
  readonly install: (functions: Functions, called?: WebAssembly.ModuleImports) => void
  /** Runs records from one address to another. Throws when a kernel or a worker fails; nothing runs after that. */
  readonly run: (record: number, end: number) => void
  /** Workers that sleep. */
  readonly sleeping: () => number
  readonly close: () => Promise<void>
}

const loopsModule = (shared: boolean, mayWait: boolean): WebAssembly.Module =>
  new WebAssembly.Module(
    encode({
      functions: shared ? [runFunction(true, mayWait), workFunction] : [runFunction(false, false)],
      table: true,
      memory: { initial: initialPages, maximum: maximumPages, shared },
    }),
  )

type Run = (control: number, record: number, end: number) => number

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The caller's thread alone. */
export const alone = (heap: Heap): Pool => {
  const thread = openThread(heap.memory)
  const run = instantiate(thread, loopsModule(false, false))['run'] as Run
  return {
    threads: 1,
    install: (functions, called) => {
      install(thread, functions, called)
    },
    run: (record, end) => {
      run(0, record, end)
    },
    sleeping: () => 0,
    close: () => Promise.resolve(),
  }
}

/** How a program ended, in words. */
const describe = (ending: number, heap: Heap, address: number): string =>
  ending === endings.silent ? 'a worker has not answered for two minutes' : readFailure(heap.memory, address)

/** Starts workers; rejects when one cannot begin. The heap must be shared. */
export const openPool = async (heap: Heap, platform: Platform, threads: number): Promise<Pool> => {
  const thread = openThread(heap.memory)
  const loops = loopsModule(true, platform.mayWait)
  const { address } = heap.allocate(control.bytes)
  const run = instantiate(thread, loops)['run'] as Run
  let broken: string | undefined
  const lost = (why: string): void => {
    broken ??= `a worker was lost: ${why}`
    Atomics.store(heap.words(), (address + control.failed) / 4, 1)
  }
  const started = await Promise.allSettled(
    Array.from({ length: threads - 1 }, () =>
      platform.startWorker({ kind: 'begin', memory: heap.memory, loops, control: address }, lost),
    ),
  )
  const workers = started.flatMap((s): readonly WorkerHandle[] => (s.status === 'fulfilled' ? [s.value] : []))
  const close = async (): Promise<void> => {
    broken ??= 'the device is closed'
    await Promise.all(workers.map((worker) => worker.end()))
  }
  const failure = started.find((s) => s.status === 'rejected')
  if (failure !== undefined) {
    await close()
    throw new Error(`a thread could not be started: ${wordsOf(failure.reason)}`)
  }
  return {
    threads,
    install: (functions, called) => {
      install(thread, functions, called)
      for (const worker of workers) worker.send({ kind: 'functions', ...functions })
      const words = heap.words()
      Atomics.add(words, (address + control.messages) / 4, 1) // after the messages are sent: see workFunction
      Atomics.add(words, (address + control.wakeCount) / 4, 1)
      Atomics.notify(words, (address + control.wakeCount) / 4)
    },
    run: (record, end) => {
      // One that failed while there was nothing to do is missed by nobody: the others would do its part, more slowly, for ever.
      if (Atomics.load(heap.words(), (address + control.failed) / 4) !== 0)
        broken ??= `a worker failed: ${readFailure(heap.memory, address)}`
      if (broken !== undefined) throw new Error(`wasm: nothing can run on this device any more: ${broken}`)
      let ending: number
      try {
        ending = run(address, record, end)
      } catch (error) {
        broken = `a kernel failed: ${wordsOf(error)}`
        throw new Error(`wasm: ${broken}`, { cause: error })
      }
      if (ending === endings.done) return
      broken ??= describe(ending, heap, address)
      throw new Error(`wasm: the run was given up: ${broken}`)
    },
    sleeping: () => Atomics.load(heap.words(), (address + control.sleepers) / 4),
    close,
  }
}

/** Which phases are shared: those that are worth it, or, to try threads on small programs, all that have two units. */
export type Sharing = 'worthwhile' | 'all'

/** How a phase is shared. */
export interface Share {
  /** Units that a thread takes at once. */
  readonly chunk: number
  readonly calls: (typeof calls)[keyof typeof calls]
}

/** How a phase is shared, by the time that one thread would take for it. */
export const shareOf = (
  { units, grain }: Pick<Phase, 'units' | 'grain'>,
  nanoseconds: number,
  threads: number,
  sharing: Sharing,
): Share => {
  if (threads === 1 || units < 2) return { chunk: Math.max(units, 1), calls: calls.alone }
  if (sharing === 'all') return { chunk: 1, calls: calls.all }
  // Eight parts a thread: the last ones to finish are waited for by all.
  const chunk = Math.max(grain, Math.ceil(units / (8 * threads)))
  if (units <= chunk || nanoseconds < 5_000) return { chunk: units, calls: calls.alone }
  // Waking costs the first thread some microseconds, and the sleeper comes 50 µs later.
  return { chunk, calls: nanoseconds < 100_000 ? calls.awake : calls.all }
}
