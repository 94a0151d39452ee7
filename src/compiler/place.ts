/**
 * Kernels that put parts into a zeroed output: pad and concatenate. A backend may write each part where it goes ({@link windowOf}), or ask for each
 * element of the output which part has it: along every axis it is (index − start) / stride, where that is whole and inside the part.
 */
import { at } from '../prelude/array.ts'
import { rowMajor, sizeOf, type Shape } from '../graph/shape.ts'
import type { PlacedPart, PlaceKernel } from './kernel.ts'
import type { View } from './view.ts'

/** Where a part lies in a row-major output of this shape. */
export const windowOf = (shape: Shape, { from, start, stride }: PlacedPart): View => {
  const dense = rowMajor(shape)
  return {
    offset: start.reduce((sum, s, a) => sum + s * at(dense, a), 0),
    shape: from.view.shape,
    strides: dense.map((d, a) => d * at(stride, a)),
  }
}

/** Whether the parts fill the output: no two of them have an element in common. */
export const isFilled = ({ parts, shape }: PlaceKernel): boolean =>
  parts.reduce((sum, { from }) => sum + sizeOf(from.view.shape), 0) === sizeOf(shape)
