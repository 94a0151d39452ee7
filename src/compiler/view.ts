/**
 * Strided views: how a kernel walks over a buffer without a copy. Transpose, broadcast, slice and reverse change only a view;
 * reshape does where the strides allow it.
 */
import { at, permute, range } from '../prelude/array.ts'
import { rowMajor, sizeOf, type Shape } from '../graph/shape.ts'
import type { NodeOf } from '../graph/ops.ts'

/** The address of element (i₀, i₁, …) is `offset + Σ iₐ·strides[a]`, in elements. */
export interface View {
  readonly offset: number
  readonly shape: Shape
  readonly strides: readonly number[]
}

/** A whole buffer, row-major. */
export const contiguous = (shape: Shape): View => ({ offset: 0, shape, strides: rowMajor(shape) })

/** Whether the view walks its elements in memory order without gaps. */
export const isContiguous = (view: View): boolean => {
  const dense = rowMajor(view.shape)
  return view.shape.every((n, a) => n === 1 || view.strides[a] === dense[a])
}

/** Primitives that only move the view. */
export type MovementOp = 'transpose' | 'broadcast' | 'slice' | 'reverse'

type Movements = { readonly [K in MovementOp]: (view: View, node: NodeOf<K>) => View }

const movements: Movements = {
  transpose: (v, { attrs: { permutation } }) => ({
    ...v,
    shape: permute(v.shape, permutation),
    strides: permute(v.strides, permutation),
  }),
  broadcast: (v, { shape, attrs: { axes } }) => {
    const source = range(shape.length).filter((a) => !axes.includes(a))
    return { ...v, shape, strides: shape.map((_, a) => (axes.includes(a) ? 0 : at(v.strides, source.indexOf(a)))) }
  },
  slice: (v, { shape, attrs: { start, stride } }) => ({
    offset: v.offset + start.reduce((sum, s, a) => sum + s * at(v.strides, a), 0),
    shape,
    strides: v.strides.map((s, a) => s * at(stride, a)),
  }),
  reverse: (v, { attrs: { axes } }) => ({
    offset: v.offset + axes.reduce((sum, a) => sum + (at(v.shape, a) - 1) * at(v.strides, a), 0),
    shape: v.shape,
    strides: v.strides.map((s, a) => (axes.includes(a) ? -s : s)),
  }),
}

/** The view that the movement makes of its input's view. */
export const moved = <K extends MovementOp>(view: View, node: NodeOf<K>): View => movements[node.op](view, node)

interface Run {
  readonly length: number
  readonly stride: number
}

/** The view with neighbouring axes merged where one continues the other, and axes of length 1 dropped: the fewest loops. */
export const coalesce = (view: View): View => {
  const runs: Run[] = []
  view.shape.forEach((length, a) => {
    const stride = at(view.strides, a)
    const last = runs.at(-1)
    if (length === 1) return
    if (last !== undefined && last.stride === stride * length)
      runs[runs.length - 1] = { length: last.length * length, stride }
    else runs.push({ length, stride })
  })
  return { offset: view.offset, shape: runs.map((r) => r.length), strides: runs.map((r) => r.stride) }
}

/** Splits the runs of a coalesced view into the axes of `shape`; undefined where an axis would span two runs. */
const splitRuns = (runs: View, shape: Shape): readonly number[] | undefined => {
  const strides: number[] = []
  let run = runs.shape.length - 1
  let left = run < 0 ? 1 : at(runs.shape, run)
  let stride = run < 0 ? 0 : at(runs.strides, run)
  for (const length of shape.toReversed()) {
    if (left === 1 && length > 1 && run > 0) {
      run -= 1
      left = at(runs.shape, run)
      stride = at(runs.strides, run)
    }
    if (left % length !== 0) return undefined
    strides.unshift(stride)
    stride *= length
    left /= length
  }
  return strides
}

/** The view in another shape, or undefined where a copy is needed. */
export const reshaped = (view: View, shape: Shape): View | undefined => {
  if (sizeOf(shape) === 0) return { ...contiguous(shape), offset: 0 }
  const strides = splitRuns(coalesce(view), shape)
  return strides === undefined ? undefined : { offset: view.offset, shape, strides }
}
