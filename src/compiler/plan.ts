/** Plans: the compiler's result as plain data. Kernels in order, the buffers that they read and write, and where each lies. */
import type { DType } from '../graph/dtype.ts'
import type { Shape } from '../graph/shape.ts'
import type { Program } from './canonicalise.ts'
import type { Buffer } from './buffer.ts'
import type { Kernel } from './kernel.ts'

/** Shape and dtype of an argument or a result. */
export interface Slot {
  readonly shape: Shape
  readonly dtype: DType
}

/** A compiled program. */
export interface Plan {
  readonly program: Program
  readonly arguments: readonly Slot[]
  readonly outputs: readonly Slot[]
  readonly buffers: readonly Buffer[]
  readonly kernels: readonly Kernel[]
  readonly arenaBytes: number
  /** Of the block in which all literals lie. */
  readonly literalBytes: number
  /** Outputs that may be written where a donated argument lies: the argument of each. */
  readonly overwrites: ReadonlyMap<number, number>
}
