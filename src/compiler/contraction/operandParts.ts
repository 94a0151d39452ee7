/**
 * The operands of an epilogue in the axes of the contraction's output, [batch, rows, columns]: an operand's address is a sum of three parts, one of
 * each, so that code which walks over the output needs no division.
 */
import { at, permute } from '../../prelude/array.ts'
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
  const part = (axis: 0 | 1 | 2): View => axesOf(found.view, at(found.parts, axis))
  const columns = coalesce(part(2))
  return columns.shape.length > 1 ? undefined : { batch: part(0), rows: part(1), step: columns.strides[0] ?? 0 }
}
