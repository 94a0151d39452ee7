/** Parameters as matrices: filters too, whose last axis are the channels that come out. */
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Whether a parameter is a matrix or, with more axes, can be seen as one. */
export const isMatrix = ({ rank, size }: Tensor): boolean => rank > 1 && size > 0

/** Rows, what comes in, and columns, what comes out: `[…, I, O]` is a matrix [… · I, O]. */
export const matrixShape = ({ shape, size }: Tensor): readonly [rows: number, columns: number] => {
  const columns = shape.at(-1) ?? 1
  return [size / columns, columns]
}

/** A parameter as a matrix. @throws ShapeError for one of fewer than two axes, or without elements */
export const asMatrix = (who: string, x: Tensor, path: string): Tensor => {
  if (!isMatrix(x))
    throw new ShapeError(
      `${who}: ${path === '' ? 'the parameter' : `'${path}'`} is ${showShape(x.shape)}, and no matrix: give it to another optimizer, as partition({ matrices: ${who}(…), rest: adamW(…) }, (_, p) => (p.rank > 1 ? 'matrices' : 'rest'))`,
    )
  return x.reshape(matrixShape(x))
}
