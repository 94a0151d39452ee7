/** Loop nests over single elements, as numbers of a block: cursors (addresses, or numbers), and axes along which they move. */
import type { Expression } from '../assembler/code.ts'
import { block, list, listOf, type Field, type Parameter } from '../emit/block.ts'

/** Elements of the innermost axis that a unit has. */
export const segment = 4096

/** What moves through a nest: where it begins, and its stride along each axis, both in bytes for an address. */
export interface Cursor {
  readonly start: Parameter
  readonly strides: readonly number[]
}

/** Where cursors begin, the lengths of axes, and by cursor and axis the strides. */
export interface NestNumbers<N> {
  readonly starts: readonly N[]
  readonly lengths: readonly N[]
  readonly strides: readonly (readonly N[])[]
}

/** The words of a nest of so many cursors and axes. */
export const nestField = (cursors: number, axes: number): Field<NestNumbers<Parameter>, NestNumbers<Expression>> =>
  block({ starts: list(cursors), lengths: list(axes), strides: listOf(cursors, list(axes)) })

/** The numbers of a nest. */
export const nestNumbers = (cursors: readonly Cursor[], lengths: readonly number[]): NestNumbers<Parameter> => ({
  starts: cursors.map((c) => c.start),
  lengths,
  strides: cursors.map((c) => c.strides),
})
