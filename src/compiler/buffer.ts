/** The numbered buffers of a plan and where each comes from. */
import type { DType, TypedArray } from '../graph/dtype.ts'

/** Where a buffer comes from. Temporaries lie in the arena at `offset` bytes, literals in a block of their own. */
export type Placement =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'literal'; readonly values: TypedArray; readonly offset: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'temporary'; readonly offset: number }

/** A numbered buffer of a plan. */
export interface Buffer {
  readonly dtype: DType
  readonly length: number
  readonly placement: Placement
}

/** The piece of memory in which a buffer lies: one for all temporaries, one for all literals, and each argument and output. */
export const memoryKey = ({ placement }: Buffer): string => {
  switch (placement.kind) {
    case 'temporary':
      return 'arena'
    case 'literal':
      return 'literals'
    case 'argument':
    case 'output':
      return `${placement.kind} ${placement.index}`
  }
}
