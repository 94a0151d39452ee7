/** Threads in a page: module workers. The page must be cross-origin isolated, or there is no shared memory and no thread. */
import type { Flags, Platform } from './threads.ts'

/** A page has no say in them. */
const noFlags: Flags = { wide: false }

/** What an event without a message means. */
const notLoaded =
  'its file could not be loaded; it must be served beside the others (bundlers find it by `new Worker(new URL(…))`), and with Cross-Origin-Embedder-Policy too'

/** A page, or a worker of it; a worker may sleep, a page's own thread not. */
export const platform: Platform = {
  cores: navigator.hardwareConcurrency,
  flags: { given: () => noFlags, left: () => noFlags, set: () => noFlags, clear: () => undefined },
  isServed: true,
  mayWait: !('document' in globalThis),
  startWorker: (beginning, lost) =>
    new Promise((resolve, reject) => {
      // Written so that bundlers find the file; the package has it as JavaScript.
      const worker = new Worker(new URL('./worker.page.js', import.meta.url), { type: 'module', name: 'fathom' })
      worker.addEventListener('error', (event) => {
        const why = 'message' in event ? event.message : notLoaded
        reject(new Error(why)) // does nothing once the worker is ready
        lost(why)
      })
      worker.addEventListener(
        'message',
        () => {
          resolve({
            send: (message) => {
              worker.postMessage(message)
            },
            end: () => {
              worker.terminate()
              return Promise.resolve()
            },
          })
        },
        { once: true },
      )
      worker.postMessage(beginning)
    }),
}
