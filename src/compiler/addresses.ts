/** The addresses of a view's elements as a table: the rows, columns or depth of a contraction. */
import { at } from '../prelude/array.ts'
import { coalesce, type View } from './view.ts'

/** All addresses of a view, in the order of its elements. */
export const addresses = (view: View): Int32Array => {
  const { offset, shape, strides } = coalesce(view)
  const out = new Int32Array(shape.reduce((a, b) => a * b, 1))
  if (out.length === 0) return out
  out[0] = offset
  let filled = 1 // elements of the axes inside this one; each further step along it repeats them, moved
  for (let a = shape.length - 1; a >= 0; a--) {
    const [length, stride] = [at(shape, a), at(strides, a)]
    for (let i = filled; i < filled * length; i++) out[i] = (out[i - filled] ?? 0) + stride
    filled *= length
  }
  return out
}
