/** Flat elements as nested arrays of a shape, and elements as people write them. */
import { product } from '../prelude/array.ts'
import { decodeHalf } from '../graph/half.ts'
import type { DType, TypedArray } from '../graph/dtype.ts'
import type { Shape } from '../graph/shape.ts'

/** Elements in nested arrays: a number for no axes, a row for one, rows for two; booleans of a bool tensor. */
export type Nested<E = number | boolean> = E | readonly Nested<E>[]

/** `element(0), element(1), …` of row-major positions in nested arrays of `shape`. */
export const nest = <E>(shape: Shape, element: (i: number) => E, start = 0): Nested<E> => {
  const [length, ...inner] = shape
  if (length === undefined) return element(start)
  const step = product(inner)
  return Array.from({ length }, (_, i) => nest(inner, element, start + i * step))
}

/** The element at `i` of a storage of the dtype. */
export const elementOf =
  (dtype: DType, values: TypedArray) =>
  (i: number): number | boolean => {
    const x = values[i] ?? 0
    return dtype === 'bool' ? x !== 0 : dtype === 'f16' ? decodeHalf(x) : x
  }
