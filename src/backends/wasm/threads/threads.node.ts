/** Threads on Node: worker_threads, which do not keep the process alive. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { flags } from './v8Flags.node.ts'
import type { Platform } from './threads.ts'

/** The worker's file stands beside this one: TypeScript in the repository, JavaScript in the package. */
const workerFile = new URL(import.meta.url.endsWith('.ts') ? './worker.node.ts' : './worker.node.js', import.meta.url)

/** Node. */
export const platform: Platform = {
  cores: availableParallelism(),
  flags,
  isServed: false,
  mayWait: true,
  startWorker: (beginning, lost) =>
    new Promise((resolve, reject) => {
      // Without the main thread's own options: some of them, as --input-type, are errors for a worker's file.
      const worker = new Worker(workerFile, { name: 'fathom', workerData: beginning, execArgv: [] })
      let ended = false
      const fail = (why: string): void => {
        if (ended) return
        reject(new Error(why)) // does nothing once the worker is ready
        lost(why)
      }
      worker.on('error', (error: unknown) => {
        fail(String(error))
      })
      worker.on('exit', (code) => {
        fail(`it ended with code ${code}`)
      })
      worker.once('message', () => {
        worker.unref()
        resolve({
          send: (message) => {
            worker.postMessage(message)
          },
          end: async () => {
            ended = true
            await worker.terminate()
          },
        })
      })
    }),
}
