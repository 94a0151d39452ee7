/** Where the buffers of a plan lie while it runs: in parts of memory that can move from run to run, or in the block of literals, which stays. */
import { bytesPerElement } from '../graph/dtype.ts'
import { sizeOf } from '../graph/shape.ts'
import type { Routine } from '../compiler/kernel.ts'
import type { Plan } from '../compiler/plan.ts'

/** The parts of memory that can move: the arguments, the outputs, the arena, the scratch memory of kernels. */
export interface Slots {
  readonly arena: number
  readonly scratch: number
  readonly count: number
}

/** The slots of a plan: arguments come first, then outputs, each by its number. */
export const slotsOf = (plan: Routine): Slots => {
  const arena = plan.arguments.length + plan.outputs.length
  return { arena, scratch: arena + 1, count: arena + 2 }
}

/** Where a buffer lies: at an offset in a slot, or in the block of literals. */
export interface Place {
  readonly slot: number | 'literals'
  readonly offset: number
}

/** The place of each buffer. */
export const placesOf = (plan: Routine): readonly Place[] =>
  plan.buffers.map(({ placement }): Place => {
    switch (placement.kind) {
      case 'argument':
        return { slot: placement.index, offset: 0 }
      case 'output':
        return { slot: plan.arguments.length + placement.index, offset: 0 }
      case 'temporary':
        return { slot: slotsOf(plan).arena, offset: placement.offset }
      case 'literal':
        return { slot: 'literals', offset: placement.offset }
    }
  })

/**
 * Bytes that a run of the plan needs beside its arguments: outputs that lie apart, and the arena.
 *
 * @param padded the bytes that a range of so many takes
 */
export const bytesBeside = (plan: Plan, padded: (bytes: number) => number): number =>
  plan.outputs.reduce(
    (sum, { shape, dtype }, i) => sum + (plan.overwrites.has(i) ? 0 : padded(sizeOf(shape) * bytesPerElement[dtype])),
    plan.arenaBytes === 0 ? 0 : padded(plan.arenaBytes),
  )
