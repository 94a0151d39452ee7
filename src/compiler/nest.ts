/**
 * Loop nests: the axes over which several views of one linear index walk together.
 *
 * Views come with shapes of their own (a body looks through reshapes). Their common axes are the finest in which each of them is a stride;
 * neighbours that every view walks as one are merged again, so that a nest has as few loops as the views allow.
 */
import { at } from '../prelude/array.ts'
import { sizeOf, type Shape } from '../graph/shape.ts'
import { coalesce, type View } from './view.ts'

/** Axes from the outermost to the innermost, with the stride of each view along each. */
export interface Nest {
  readonly lengths: readonly number[]
  /** For each view, a stride for each axis. */
  readonly strides: readonly (readonly number[])[]
}

/** Products of the lengths from each axis inwards: where axes begin, in elements of the linear index. */
const boundariesOf = (shape: Shape): readonly number[] => {
  const found: number[] = []
  let product = 1
  for (const length of shape.toReversed()) found.push((product *= length))
  return found
}

/** The stride of a coalesced view along the axis whose step is `inner` elements of the linear index. */
const strideAt = (view: View, inner: number): number => {
  let product = 1
  for (let a = view.shape.length - 1; a >= 0; a--) {
    const next = product * at(view.shape, a)
    if (inner < next) return at(view.strides, a) * (inner / product)
    product = next
  }
  return 0
}

interface Axis {
  readonly length: number
  readonly strides: readonly number[]
}

/** `outer` and `inner` as one axis, where each view steps over the whole inner axis with one step of the outer. */
const merged = (outer: Axis, inner: Axis): Axis | undefined =>
  outer.strides.every((s, v) => s === at(inner.strides, v) * inner.length)
    ? { length: outer.length * inner.length, strides: inner.strides }
    : undefined

/**
 * The nest of views over one linear index of `size` elements; undefined where their axes cross (a 4×6 seen as 3×8 after a transpose).
 */
export const nestOf = (size: number, views: readonly View[]): Nest | undefined => {
  const runs = views.map(coalesce)
  const boundaries = [...new Set([1, ...runs.flatMap((view) => boundariesOf(view.shape)), size])].toSorted(
    (a, b) => a - b,
  )
  const axes: Axis[] = []
  for (let k = 1; k < boundaries.length; k++) {
    const [inner, outer] = [at(boundaries, k - 1), at(boundaries, k)]
    if (outer % inner !== 0) return undefined
    const axis: Axis = { length: outer / inner, strides: runs.map((view) => strideAt(view, inner)) }
    const last = axes.at(-1)
    const joined = last === undefined ? undefined : merged(axis, last)
    if (joined === undefined) axes.push(axis)
    else axes[axes.length - 1] = joined
  }
  const ordered = axes.toReversed()
  return { lengths: ordered.map((a) => a.length), strides: views.map((_, v) => ordered.map((a) => at(a.strides, v))) }
}

/** A view of the same elements whose axes are parts of the axes of a shape. */
export interface Refined {
  readonly view: View
  /** For each axis of the shape, the axes of the view that it consists of, from the outermost. */
  readonly parts: readonly (readonly number[])[]
}

/**
 * A view in the axes of `shape`, each cut where the view's own axes begin: what a reshape is when strides do not allow it
 * ([heads, pixels, width] with its first axes exchanged, seen as [pixels, heads · width]). Undefined where axes cross.
 */
export const refined = (view: View, shape: Shape): Refined | undefined => {
  const runs = coalesce(view)
  const outers = boundariesOf(shape) // from the innermost axis
  const boundaries = [...new Set([1, ...boundariesOf(runs.shape), ...outers])].toSorted((a, b) => a - b)
  const inners = boundaries.slice(0, -1)
  if (sizeOf(shape) === 0 || inners.some((inner, k) => at(boundaries, k + 1) % inner !== 0)) return undefined
  const count = inners.length
  const partsOf = (axis: number): readonly number[] => {
    const outer = at(outers, shape.length - 1 - axis)
    const inner = outer / at(shape, axis)
    return inners.flatMap((begin, k) => (begin >= inner && begin < outer ? [count - 1 - k] : [])).toReversed()
  }
  return {
    view: {
      offset: view.offset,
      shape: inners.map((inner, k) => at(boundaries, k + 1) / inner).toReversed(),
      strides: inners.map((inner) => strideAt(runs, inner)).toReversed(),
    },
    parts: shape.map((_, axis) => partsOf(axis)),
  }
}
