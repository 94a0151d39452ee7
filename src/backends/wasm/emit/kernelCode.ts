/**
 * The code of a kernel: phases that run one after the other, each a function `(block, first, last)` over independent units of work.
 *
 * A function knows the structure of its kernel (its body, how each operand is walked), and its block of parameters the numbers (addresses,
 * lengths, strides): kernels of one structure share a function, whatever their sizes. A unit's result depends neither on the thread that
 * computes it nor on how many there are: so the number of threads changes no bit.
 */
import type { Function } from '../assembler/module.ts'

export type { Machine } from '../../backend.ts'

/**
 * A word of a parameter block: a number; where a buffer of the plan begins, in bytes, `offset` bytes further; an address in the scratch
 * memory that kernels share, which no kernel finds as it left it; or where a table lies that was made with the plan.
 */
export type Parameter =
  | number
  | { readonly kind: 'buffer'; readonly buffer: number; readonly offset: number }
  | { readonly kind: 'scratch'; readonly offset: number }
  | { readonly kind: 'table'; readonly values: Int32Array | Float32Array }

/** One function over units of work. All units of a phase are done before the next phase begins. */
export interface Phase {
  /** The structure: phases with the same key share the function. */
  readonly key: string
  /** Makes the function; its name is the caller's. */
  readonly make: (name: string) => Function
  readonly parameters: readonly Parameter[]
  /** How many units of work there are. */
  readonly units: number
  /** Units that a thread takes at once: fewer are not worth its attention. */
  readonly grain: number
}

/** A kernel as code. */
export interface Generated {
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory that the phases use. */
  readonly scratch: number
}
