/**
 * The operands of an epilogue in the axes of the contraction's output, [batch, rows, columns]: an operand's address is a sum of three parts, one of
 * each, so that code which walks over the output needs no division.
 */
import { permute } from '../../prelude/array.ts'
import { refined } from '../nest.ts'
import { coalesce, type View } from '../view.ts'

/** The shape of an output as an epilogue sees it. */
export type OutputShape = readonly [batch: number, rows: number, columns: number]

/** The parts of an address, in elements from the beginning of the operand's view. */
export interface OperandParts {
  readonly batch: View
  readonly rows: View
  /** From one column to the next. */
  readonly step: number
}

const axesOf = (view: View, axes: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, axes),
  strides: permute(view.strides, axes),
})

/** The parts of a view over the output's elements; undefined where its axes cross those of the output, or columns have no one step. */
export const operandParts = (view: View, shape: OutputShape): OperandParts | undefined => {
  const found = refined(view, shape)
  if (found === undefined) return undefined
  const [batch, rows, columnPart] = found.parts.map((axes) => axesOf(found.view, axes)) as [View, View, View]
  const columns = coalesce(columnPart)
  return columns.shape.length > 1 ? undefined : { batch, rows, step: columns.strides[0] ?? 0 }
}
