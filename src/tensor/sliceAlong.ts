/** A range of one axis, where all other axes stay whole. */
import type { SliceBounds, Tensor } from './tensor.ts'

/** The elements of `axis`, counted from 0, that `slice` would take by these bounds: `[start, limit]`, `[start]` to the end, with a stride as the third. */
export const sliceAlong = (x: Tensor, axis: number, ...bounds: SliceBounds): Tensor =>
  x.slice(...x.shape.map((_, a) => (a === axis ? bounds : ([] as const))))
