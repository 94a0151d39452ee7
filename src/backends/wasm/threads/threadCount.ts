/** How many threads a device has: as many as it is asked for, or what is right for where it runs. */
import type { Platform } from './threads.ts'

/** More threads share the memory's bandwidth without gaining from it. */
const mostThreads = 8

/** A number of threads, and what people should know of it. */
export interface ThreadCount {
  readonly threads: number
  readonly notes: readonly string[]
}

/**
 * Threads where nobody asks for a number: one for each core, up to eight.
 *
 * A page's own thread has one. It answers to the page's user, and may not sleep: with others it would spin until they have done their part.
 */
const usualThreads = ({ cores, mayWait }: Pick<Platform, 'cores' | 'mayWait'>, shared: boolean): ThreadCount => {
  if (!shared) return { threads: 1, notes: ['more threads need a page that is isolated from other origins'] }
  if (!mayWait) return { threads: 1, notes: ["a page's own thread may not wait for others: a Worker has more"] }
  return { threads: Math.min(cores, mostThreads), notes: [] }
}

/**
 * The number of threads.
 *
 * @param asked the number that is asked for, if any
 * @param shared whether there is shared memory
 * @throws RangeError or Error where a device cannot have so many
 */
export const threadCount = (
  asked: number | undefined,
  platform: Pick<Platform, 'cores' | 'mayWait'>,
  shared: boolean,
): ThreadCount => {
  if (asked === undefined) return usualThreads(platform, shared)
  if (!Number.isInteger(asked) || asked < 1 || asked > 64)
    throw new RangeError(`wasm: threads must be a whole number from 1 to 64, got ${asked}`)
  if (asked > 1 && !shared)
    throw new Error(
      `wasm: ${asked} threads need SharedArrayBuffer, which a page has when it is served with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; open it with threads: 1 otherwise`,
    )
  return { threads: asked, notes: [] }
}
