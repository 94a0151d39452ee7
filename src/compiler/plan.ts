/** Plans: the compiler's result as plain data. Kernels in order, the buffers that they read and write, and where each lies. */
import type { Program } from './canonicalise.ts'
import type { Routine } from './kernel.ts'

export type { Slot } from './kernel.ts'

/** A compiled program. */
export interface Plan extends Routine {
  readonly program: Program
  /** Of the block in which all literals lie. */
  readonly literalBytes: number
  /** Outputs that may be written where a donated argument lies: the argument of each. */
  readonly overwrites: ReadonlyMap<number, number>
}
