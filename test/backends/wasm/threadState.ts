/** What threads of a model do, and every state that they can be in. */
import { control, type calls } from '../../../src/backends/wasm/threads/control.ts'
import type { Value } from './threadCode.ts'

/** A phase of a program. */
export interface ModelPhase {
  /** Index of its function in the table: functions 0 … of the `install`s so far are there. */
  readonly function: number
  readonly units: number
  readonly chunk: number
  readonly calls: keyof typeof calls
  /** Whether no unit ends before all have begun, as it is when units are long: the others must come. */
  readonly together?: boolean
}

/** What the first thread does, one after the other: run some of the phases, or install a function. */
export type ModelStep = { readonly run: readonly [from: number, to: number] } | 'install'

/** What is explored. */
export interface Model {
  readonly workers: number
  readonly phases: readonly ModelPhase[]
  readonly script: readonly ModelStep[]
}

/** The words of the control block that threads share; the ticket is of 64 bits. */
export const words: readonly number[] = [
  control.ticket,
  control.done,
  control.joining,
  control.wakeCount,
  control.sleepers,
  control.messages,
  control.failed,
]

/** Where a thread is. */
export interface ThreadState {
  pc: number
  stack: Value[]
  locals: Value[]
  /** The offset on which it sleeps. */
  asleep: number | undefined
  /** Functions in its table. */
  functions: number
  /** Messages that a worker has read; where the first thread is in its script, in units of a step of its installing. */
  place: number
  running: boolean
  units: readonly [phase: number, first: number, last: number] | undefined
}

/** Where all threads and the words between them are. */
export interface State {
  memory: Value[]
  threads: ThreadState[]
  /** Of each unit of each phase: not begun, begun, done. */
  units: number[][]
  /** The phases that run. */
  current: readonly [from: number, to: number]
}

/** The state, to be changed. */
export const copied = (s: State): State => ({
  memory: [...s.memory],
  threads: s.threads.map((t) => ({ ...t, stack: [...t.stack], locals: [...t.locals] })),
  units: s.units.map((u) => [...u]),
  current: s.current,
})

/** A text that equal states have in common. */
export const keyOf = (s: State): string =>
  `${s.memory.join()};${s.threads
    .map(
      (t) =>
        `${t.pc},${t.stack.join()},${t.locals.join()},${t.asleep},${t.functions},${t.place},${t.running},${t.units?.join('.')}`,
    )
    .join('|')};${s.units.map((u) => u.join('')).join()};${s.current.join()}`
