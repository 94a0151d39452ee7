/** A backend that can be lost, as a GPU can: cpu, that at one of its calls is gone with all its memory. */
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Backend, Memory } from '../../src/backends/backend.ts'
import { OutOfMemory } from '../../src/prelude/errors.ts'

/** What a device is asked for. */
export type Call = 'allocate' | 'write' | 'run' | 'read' | 'prepare'

/** What a backend that is gone answers: it throws and rejects in words of its own, or takes work silently, and what it should give never comes. */
export type Answer = 'throws' | 'is silent'

/** When it goes. */
export interface Fate {
  /** The call at which it is lost, counted from 1 over those of `of`; Infinity: never. */
  readonly lostAt?: number
  /** The call at which memory is refused, counted in the same way. */
  readonly shortAt?: number
  /** Which calls count; default all. */
  readonly of?: readonly Call[]
  readonly answer?: Answer
}

/** The backend, and what a test asks it. */
export interface Losable {
  readonly backend: Backend
  /** Calls that have counted. */
  readonly calls: () => number
  readonly isClosed: () => boolean
  readonly lose: () => void
}

/** Why it was lost, in its words. */
export const reset = 'the driver was reset'

const gone = (): Error => new Error('no such buffer')

/** What counts calls, and is lost or short at one of them. */
const countdown = ({ lostAt = Infinity, shortAt = Infinity, of }: Fate, lose: () => void) => {
  let calls = 0
  return {
    calls: () => calls,
    count: (call: Call): void => {
      if (of !== undefined && !of.includes(call)) return
      calls++
      if (calls === lostAt) lose()
      if (calls >= shortAt && call !== 'read') throw new OutOfMemory('losable: 5 GB are asked for, and 1 GB are there')
    },
  }
}

/** Opens it. */
export const losableBackend = (fate: Fate = {}): Losable => {
  const inner = cpuBackend(true)
  const { answer = 'throws' } = fate
  let [isGone, isClosed] = [false, false]
  const announced: ((reason: string) => void)[] = []
  const lost = new Promise<string>((resolve) => {
    announced.push(resolve)
  })
  const lose = (): void => {
    isGone = true
    for (const announce of announced) setImmediate(announce, reset) // behind the calls that fail
  }
  const { calls, count } = countdown(fate, lose)
  /** Does the work, unless the device is gone. */
  const doing = <R>(call: Call, work: () => R, silently: () => R): R => {
    count(call)
    if (!isGone) return work()
    if (answer === 'throws') throw gone()
    return silently()
  }
  const nothing = (): void => undefined
  const backend: Backend = {
    ...inner,
    name: 'losable',
    lost,
    allocate: (bytes) =>
      doing(
        'allocate',
        () => inner.allocate(bytes),
        (): Memory => ({ bytes }),
      ),
    release: (memory) => {
      if (isGone && answer === 'throws') throw gone()
      if (!isGone) inner.release(memory)
    },
    write: (memory, values) => {
      doing(
        'write',
        () => {
          inner.write(memory, values)
        },
        nothing,
      )
    },
    read: async (memory) =>
      doing(
        'read',
        () => inner.read(memory),
        () => new Promise(nothing),
      ),
    prepare: (plan) => {
      const executable = doing(
        'prepare',
        () => inner.prepare(plan),
        () => undefined,
      )
      return {
        run: (inputs, outputs) => {
          doing('run', () => executable?.run(inputs, outputs), nothing)
        },
        profile: async (inputs, outputs) =>
          doing(
            'run',
            async () => executable?.profile?.(inputs, outputs) ?? [],
            () => new Promise(nothing),
          ),
        release: nothing,
      }
    },
    close: async () => {
      isClosed = true
      if (isGone && answer === 'throws') throw gone()
      await inner.close()
    },
  }
  return { backend, calls, isClosed: () => isClosed, lose }
}
