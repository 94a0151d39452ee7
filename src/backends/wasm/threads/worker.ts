/** What a worker does, on Node and in a page alike: it takes the functions that it is sent, and units of work until more are sent. */
import { control } from './control.ts'
import { javascriptFunctions } from '../emit/javascript.ts'

/** Functions of a module by name, and where each belongs in the table. */
export interface Functions {
  readonly module: WebAssembly.Module
  readonly places: readonly (readonly [name: string, index: number])[]
}

/** What a worker is sent first. */
export interface Beginning {
  readonly kind: 'begin'
  readonly memory: WebAssembly.Memory
  /** The module of the loops (control.ts). */
  readonly loops: WebAssembly.Module
  /** Address of the control block. */
  readonly control: number
}

/** What a worker is sent, one after the other; a control block counts those that are not the beginning. */
export type Message = Beginning | ({ readonly kind: 'functions' } & Functions)

/** The functions of a thread: a table cannot be shared, so each thread fills its own alike. */
export interface Thread {
  readonly memory: WebAssembly.Memory
  readonly table: WebAssembly.Table
}

/** An empty table over a memory. */
export const openThread = (memory: WebAssembly.Memory): Thread => ({
  memory,
  table: new WebAssembly.Table({ element: 'anyfunc', initial: 256 }),
})

/** Instantiates a module of this backend: its memory, its table, and what it calls of JavaScript. */
export const instantiate = (
  { memory, table }: Thread,
  module: WebAssembly.Module,
  called: WebAssembly.ModuleImports = {},
): WebAssembly.Exports => new WebAssembly.Instance(module, { env: { memory, table, ...called } }).exports

/** Puts functions into the table. */
export const install = (thread: Thread, { module, places }: Functions, called?: WebAssembly.ModuleImports): void => {
  const exports = instantiate(thread, module, called)
  for (const [name, index] of places) {
    if (index >= thread.table.length) thread.table.grow(Math.max(index + 1 - thread.table.length, thread.table.length))
    thread.table.set(index, exports[name])
  }
}

type Work = (control: number, received: number) => void

/** Writes down that this worker failed, and why, and wakes the first thread if it waits for it. */
const writeFailure = ({ memory }: Thread, address: number, error: unknown): void => {
  const words = new Int32Array(memory.buffer)
  const text = new TextEncoder().encode(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  const kept = text.subarray(0, control.failureBytes - 4)
  words[(address + control.failure) / 4] = kept.length
  new Uint8Array(memory.buffer).set(kept, address + control.failure + 4)
  Atomics.store(words, (address + control.failed) / 4, 1)
  Atomics.notify(words, (address + control.done) / 4)
}

/** What a worker wrote down when it failed. */
export const readFailure = (memory: WebAssembly.Memory, address: number): string => {
  const length = new Int32Array(memory.buffer)[(address + control.failure) / 4] ?? 0
  const start = address + control.failure + 4
  return new TextDecoder().decode(new Uint8Array(memory.buffer).slice(start, start + length))
}

/** Answers messages: give each to the function that this returns. It comes back when there is a further one to take. */
export const serve = (ready: () => void): ((message: Message) => void) => {
  let thread: Thread | undefined
  let [address, received] = [0, 0]
  let work: Work = () => undefined
  return (message) => {
    if (message.kind === 'begin') {
      thread = openThread(message.memory)
      address = message.control
      work = instantiate(thread, message.loops)['work'] as Work
      ready()
    } else if (thread !== undefined) {
      try {
        install(thread, message, javascriptFunctions)
        received += 1
      } catch (error) {
        writeFailure(thread, address, error)
        return
      }
    }
    if (thread === undefined) return
    try {
      work(address, received)
    } catch (error) {
      writeFailure(thread, address, error)
    }
  }
}
