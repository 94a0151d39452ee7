/** The numbered buffers of a plan and where each comes from. */
import type { DType, TypedArray } from '../graph/dtype.ts'

/** Where a buffer comes from. Temporaries lie in the arena at `offset` bytes. */
export type Placement =
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'literal'; readonly values: TypedArray }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'temporary'; readonly offset: number }

/** A numbered buffer of a plan. */
export interface Buffer {
  readonly dtype: DType
  readonly length: number
  readonly placement: Placement
}
