/** Broadcasting, written into the graph: a number as a tensor of a shape, and a tensor stretched to a larger one. */
import { equalNumbers, range, without } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { notATensor } from '../prelude/mistaken.ts'
import { allocate, requireKnownDType, type DType, type TypedArray } from '../graph/dtype.ts'
import { encodeHalf } from '../graph/half.ts'
import { makeNode } from '../graph/node.ts'
import type { Node } from '../graph/ops.ts'
import { requireWholeShape, showShape, type Shape } from '../graph/shape.ts'

/** The least and the largest number of each integer dtype; of any other number than 0 a bool makes 1. */
const bounds: { readonly [K in Exclude<DType, 'f16' | 'f32' | 'f64'>]: readonly [least: number, largest: number] } = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
  bool: [-Infinity, Infinity],
}

/** Refuses a number that an integer dtype does not hold: stored, it would be another one. Floats round. */
const requireRepresentable = (value: number, dtype: DType): void => {
  if (dtype === 'f16' || dtype === 'f32' || dtype === 'f64') return
  const [least, largest] = bounds[dtype]
  if (!Number.isInteger(value))
    throw new DTypeError(`${value} is not a number of dtype ${dtype}; cast the tensor to a float first`)
  if (value < least || value > largest)
    throw new DTypeError(
      `${value} is not a number of dtype ${dtype}, which holds ${least} … ${largest}; cast the tensor first`,
    )
}

/** `value` as one element of `dtype`; integer dtypes hold whole numbers of their range only, and bool 0 or 1. */
export const literalOf = (value: number, dtype: DType): TypedArray => {
  requireKnownDType(dtype)
  if (typeof value !== 'number') throw notATensor('full', value, 'a number')
  requireRepresentable(value, dtype)
  const values = allocate(dtype, 1)
  values[0] = dtype === 'f16' ? encodeHalf(value) : dtype === 'bool' ? Number(value !== 0) : value
  return values
}

/** A node that holds `value` in every element of `shape`. */
export const fullNode = (value: number, shape: Shape, dtype: DType): Node =>
  broadcastNode(makeNode('constant', { values: literalOf(value, dtype), shape: [], dtype }, []), shape)

/** `x` repeated to `shape` by NumPy's rule: missing axes in front, lengths of 1 stretched. */
export const broadcastNode = (x: Node, shape: Shape): Node => {
  requireWholeShape(shape)
  if (equalNumbers(x.shape, shape)) return x
  const lead = shape.length - x.shape.length
  const axes = range(shape.length).filter((a) => a < lead || (x.shape[a - lead] === 1 && shape[a] !== 1))
  const kept = without(
    x.shape,
    axes.filter((a) => a >= lead).map((a) => a - lead),
  )
  const fits = lead >= 0 && equalNumbers(kept, without(shape, axes))
  if (!fits) throw new ShapeError(`broadcastTo: ${showShape(x.shape)} does not broadcast to ${showShape(shape)}`)
  return makeNode('broadcast', { shape, axes }, [
    equalNumbers(kept, x.shape) ? x : makeNode('reshape', { shape: kept }, [x]),
  ])
}
