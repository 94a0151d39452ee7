/**
 * HEIC, the format of phones, decoded by libheif, an optional dependency (LGPL-3.0, as is sharp's libvips) in
 * WebAssembly: sharp's own build has no HEVC.
 *
 * It runs in a thread of its own, because a call into WebAssembly cannot be stopped, and a thread can: that is the
 * timeout. One picture at a time, so that memory is that of one.
 */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { RawPicture } from './rawTiff.ts'

/** A picture for the thread. */
export interface HeicRequest {
  readonly bytes: Uint8Array
  readonly maxPixels: number
}

/** The thread's answer. */
export type HeicReply =
  | { readonly _tag: 'Decoded'; readonly picture: RawPicture }
  | { readonly _tag: 'Failed'; readonly message: string }

const packageName = 'libheif-js'

/** Whether the decoder is there. */
export const heicInstalled = (): boolean => {
  try {
    createRequire(import.meta.url).resolve(`${packageName}/wasm-bundle`)
    return true
  } catch {
    return false
  }
}

/** The thread's file stands beside this one: TypeScript in the repository, JavaScript in the package. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './heicWorker.node.ts' : './heicWorker.node.js',
  import.meta.url,
)

/** How long an idle thread is kept: it holds the memory of its largest picture. */
const idleMilliseconds = 2000

interface Thread {
  readonly worker: Worker
  /** Ends when the decoder is loaded, which is not to count as decoding. */
  readonly ready: Promise<void>
}

const startThread = (): Thread => {
  // `stdout` is not passed on: libheif writes there what it also returns.
  const worker = new Worker(workerFile, { name: 'fathom heic', execArgv: [], stdout: true, stderr: true })
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      resolve()
    })
    worker.once('error', reject)
    worker.once('exit', (code) => {
      reject(new Error(`the thread of the HEIC decoder ended with code ${code}`))
    })
  })
  ready.catch(() => undefined) // awaited by the call that started it
  return { worker, ready }
}

/** The thread that is kept between pictures, and the call that it works on. */
const state: { thread: Thread | undefined; last: Promise<unknown>; idle: NodeJS.Timeout | undefined } = {
  thread: undefined,
  last: Promise.resolve(),
  idle: undefined,
}

const endThread = (): void => {
  const ending = state.thread?.worker.terminate()
  state.thread = undefined
  ending?.catch(() => undefined)
}

const ask = (worker: Worker, request: HeicRequest, seconds: number): Promise<HeicReply> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`timeout: not decoded in ${seconds} s`)))
    }, seconds * 1000)
    const onMessage = (reply: HeicReply): void => finish(() => resolve(reply))
    const onError = (error: unknown): void => finish(() => reject(error))
    const onExit = (code: number): void =>
      finish(() => reject(new Error(`out of memory, or killed: the decoder's thread ended with code ${code}`)))
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      settle()
    }
    worker.once('message', onMessage).once('error', onError).once('exit', onExit)
    worker.postMessage(request)
  })

const decodeNow = async (request: HeicRequest, seconds: number): Promise<RawPicture> => {
  clearTimeout(state.idle)
  const { worker, ready } = (state.thread ??= startThread())
  worker.ref()
  try {
    await ready
    const reply = await ask(worker, request, seconds)
    if (reply._tag === 'Failed') throw new Error(reply.message)
    return reply.picture
  } catch (error) {
    endThread() // it may still be at work, or have been left by an abort in a state that nobody knows
    throw error
  } finally {
    worker.unref()
    state.idle = setTimeout(endThread, idleMilliseconds).unref()
  }
}

/** Decodes a HEIC file, upright, with the colours of its profile. Rejects with the decoder's message, or `timeout: …`. */
export const decodeHeic = (bytes: Uint8Array, maxPixels: number, seconds: number): Promise<RawPicture> => {
  const mine = state.last.then(() => decodeNow({ bytes, maxPixels }, seconds))
  state.last = mine.catch(() => undefined)
  return mine
}
