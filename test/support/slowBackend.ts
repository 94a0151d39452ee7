/** A backend as a GPU's: cpu, but plans are ready later than they are prepared, and the device can be lost. */
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Backend } from '../../src/backends/backend.ts'

/** The backend, and the hand of whoever moves it. */
export interface Slow {
  readonly backend: Backend
  /** Plans that wait for their code. */
  readonly waiting: () => number
  /** The code of all plans that wait is compiled; or is not, for a reason. */
  readonly compileAll: (failure?: string) => void
  /** The device is lost. Reads that are under way reject in words of their own, or never end. */
  readonly lose: (reason: string, reads?: 'reject first' | 'never end') => void
}

interface Waiting {
  readonly compiled: () => void
  readonly reject: (e: Error) => void
}

/** Opens it. @param holdReads whether reads end only when the device is lost */
export const slowBackend = (holdReads = false): Slow => {
  const backend = cpuBackend(true)
  const waiting: Waiting[] = []
  const reads: ((e: Error) => void)[] = []
  const announced: ((reason: string) => void)[] = []
  const lost = new Promise<string>((resolve) => {
    announced.push(resolve)
  })
  return {
    backend: {
      ...backend,
      name: 'slow',
      lost,
      read: (memory) =>
        holdReads
          ? new Promise((_, reject) => {
              reads.push(reject)
            })
          : backend.read(memory),
      prepare: (plan) => {
        const executable = backend.prepare(plan)
        let isReady = false
        const ready = new Promise<void>((resolve, reject) => {
          const compiled = (): void => {
            isReady = true
            resolve()
          }
          waiting.push({ compiled, reject })
        })
        return {
          ...executable,
          ready,
          source: () => plan.kernels.map((k) => k.computes),
          run: (inputs, outputs) => {
            if (!isReady) throw new Error('a plan was run before it was ready')
            executable.run(inputs, outputs)
          },
        }
      },
    },
    waiting: () => waiting.length,
    compileAll: (failure) => {
      for (const { compiled, reject } of waiting.splice(0))
        if (failure === undefined) compiled()
        else reject(new Error(failure))
    },
    lose: (reason, how = 'never end') => {
      if (how === 'reject first') for (const reject of reads) reject(new Error('the buffer is gone'))
      for (const announce of announced) announce(reason)
    },
  }
}
