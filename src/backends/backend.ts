/**
 * What a backend is: it keeps memory, and it runs plans. Nothing here knows tensors.
 */
import type { DType, TypedArray } from '../graph/dtype.ts'
import type { KernelChoices } from '../compiler/choices.ts'
import type { Limits } from '../compiler/limits.ts'
import type { Plan } from '../compiler/plan.ts'
import type { MachinePeak } from '../compiler/profile.ts'

/** A range of memory that a backend owns; only that backend knows what is in it. */
export interface Memory {
  readonly bytes: number
}

/** A plan made ready to run. */
export interface Executable<M extends Memory = Memory> {
  /**
   * Resolves when the plan can run, and rejects where its code cannot be compiled; nothing runs it before. Absent where it can run at once. A GPU
   * compiles the code of many kernels at the same time only if nobody waits for each.
   */
  readonly ready?: Promise<void>
  /** Runs the plan on arguments, writing the outputs. An output lies apart from everything else, or in the place of the argument that the plan lets it overwrite. */
  readonly run: (inputs: readonly M[], outputs: readonly M[]) => void
  /** Runs the plan as `run` does, waiting for each kernel: milliseconds of each, in the plan's order. Absent where kernels are not run one by one. */
  readonly profile?: (inputs: readonly M[], outputs: readonly M[]) => Promise<readonly number[]>
  /** Gives back what the plan keeps to itself: tables, literals, parameters. It cannot run afterwards. */
  readonly release: () => void
  /** What was chosen for each kernel, in the plan's order. Absent where there is no choice. */
  readonly choices?: readonly KernelChoices[]
  /** The generated code of each kernel as text, in the plan's order. Absent where no code is generated. */
  readonly source?: () => readonly string[]
}

/** Anything that JSON holds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/**
 * What a backend has chosen for the machine that it runs on, where that changes bits: plain data, to be kept with a run and given back when it goes
 * on. Only the backend looks into it. The same choices give the same bits, on every machine that can make them.
 */
export type Choices = { readonly [name: string]: Json }

/** What a machine reaches at best, as it was measured. */
export interface MeasuredPeak extends MachinePeak {
  /** Whose peak it is, in words. */
  readonly machine: string
}

/** What a backend keeps on the machine for the next program, as what it has measured there. */
export interface Kept {
  /** What it is, in a sentence for people. */
  readonly describe: () => Promise<string>
  /** Forgets it: it is found out again. */
  readonly forget: () => Promise<void>
}

/** The interface of every backend. Reading back is asynchronous because a GPU's is. */
export interface Backend<M extends Memory = Memory> {
  readonly name: string
  /** One line for people: the name, and what of the machine is used. */
  readonly description: string
  /** Threads that run kernels. */
  readonly threads: number
  /** Bytes that everything together may take. */
  readonly memoryLimit: number
  /** What is kept for the next program. Absent where nothing is. */
  readonly kept?: Kept
  /** What kernels must keep to. */
  readonly limits: Limits
  /** What it computes with. */
  readonly dtypes: readonly DType[]
  /** What it has chosen, where there is a choice. */
  readonly choices?: Choices
  /**
   * Bytes that a run of the plan takes here, with all that the backend adds to arguments, results and temporaries: what lies between the steps of a
   * kernel, literals, tables, padding. Of a plan that is too large already it may be the plan's own bytes, which cost nothing to tell.
   */
  readonly bytesNeeded: (plan: Plan) => number
  readonly allocate: (bytes: number) => M
  /** Gives memory back to be allocated again. */
  readonly release: (memory: M) => void
  readonly write: (memory: M, values: TypedArray) => void
  /** The copy is taken when it is called, so that later runs do not change it. It may reject, where the device is lost meanwhile. */
  readonly read: (memory: M) => Promise<Uint8Array>
  readonly prepare: (plan: Plan) => Executable<M>
  /** Resolves with the reason if the device is lost, with all that is in its memory. Absent where that cannot happen. */
  readonly lost?: Promise<string>
  /** What its machine reaches at best, measured. Absent where that is the processor: `measurePeak` of the registry. */
  readonly measurePeak?: () => Promise<MeasuredPeak>
  readonly close: () => Promise<void>
}

/** What a checked device looks for: NaN and infinities, or NaN alone. */
export type Check = 'finite' | 'nan'
