/**
 * Letting the garbage collector find what nothing refers to any more. It feels no pressure from memory that is not JavaScript's own, and what it
 * has found it tells only between macrotasks, which a loop of awaited promises never reaches.
 */

import { range } from '../prelude/array.ts'

/** A macrotask: timers, signals, painting and the collector's callbacks have their turn. `setTimeout` would wait for milliseconds in a page. */
export const macrotask: () => Promise<void> = (() => {
  const { setImmediate: immediate } = globalThis as { readonly setImmediate?: (callback: () => void) => unknown }
  if (immediate !== undefined)
    return () =>
      new Promise((resolve) => {
        immediate(resolve)
      })
  return () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      const arrived = (): void => {
        port1.close()
        resolve()
      }
      port1.addEventListener('message', arrived)
      port1.start()
      port2.postMessage(undefined)
    })
})()

/** A file of this folder that only Node can load: named by a value, so that neither the types nor a page's bundle follow it. */
const nodeFile: string = './collector.node.ts'

/** Bytes that are asked for, never touched, and dropped: engines collect when such memory adds up. */
const ballast = 64 * 2 ** 20

/** Asks for a collection where it cannot be ordered. */
const provoke = (): number => range(8).reduce((sum) => sum + new ArrayBuffer(ballast).byteLength, 0)

/** What of the platform may be there. */
interface Surroundings {
  readonly performance: unknown // what all have; a type of nothing but options fits nothing
  readonly gc?: (() => unknown) | undefined
  readonly process?: { readonly versions?: { readonly node?: string } }
}

const findCollect = async (): Promise<() => unknown> => {
  const { gc, process }: Surroundings = globalThis
  if (gc !== undefined) return gc
  if (process?.versions?.node === undefined) return provoke
  try {
    const found = (await import(nodeFile)) as unknown
    return (found as { readonly collect: () => void }).collect
  } catch {
    return provoke // another engine under Node's name, without V8's flags
  }
}

const known: { collect?: Promise<() => unknown> } = {}

/** Macrotasks that the callbacks of a collection are waited for. */
const mostMacrotasks = 10

/**
 * Collects, and lets the callbacks of finalization registries run until `enough` holds, or for some macrotasks more in vain.
 */
export const collectGarbage = async (enough: () => boolean): Promise<void> => {
  known.collect ??= findCollect()
  const collect = await known.collect
  await macrotask() // what a suspended function refers to for its last job only is let go
  for (let turn = 0; turn < mostMacrotasks && !enough(); turn++) {
    if (turn === 0 || collect === provoke) collect()
    await macrotask()
  }
}
