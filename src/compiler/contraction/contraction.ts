/**
 * Contractions: out[b, m, n] = Σₖ x[b, m, k] · y[b, k, n], each letter any number of axes with a stride in every array. Matrix products of
 * any views are contractions, and so are convolutions over a padded image: the address of (pixel, tap and channel) is a sum of two parts.
 *
 * All is counted in elements of three arrays; where those lie is a backend's business.
 */
import { product } from '../../prelude/array.ts'
import { nestOf } from '../nest.ts'
import { coalesce, type View } from '../view.ts'

/** An axis: its length, and its stride in each array, in elements; 0 where the array does not have it. */
export interface Axis {
  readonly length: number
  readonly x: number
  readonly y: number
  readonly out: number
}

/** The arrays of a contraction. */
export type ArrayName = 'x' | 'y' | 'out'

/** A contraction. Columns are neighbours in `out`. */
export interface Contraction {
  /** The first element in each array. */
  readonly first: { readonly [A in ArrayName]: number }
  /** Whether its results fill `out`. */
  readonly isWhole: boolean
  /** Whether elements of x belong to one row each, as those of an image under a filter do not. */
  readonly readsOnce: boolean
  readonly batch: readonly Axis[]
  readonly rows: readonly Axis[]
  readonly columns: readonly Axis[]
  readonly depth: readonly Axis[]
}

/** The axes as a view of one of the arrays. */
export const viewOf = (axes: readonly Axis[], array: ArrayName): View => ({
  offset: 0,
  shape: axes.map((a) => a.length),
  strides: axes.map((a) => a[array]),
})

/** How many there are. */
export const count = (axes: readonly Axis[]): number => product(axes.map((a) => a.length))

/** Axes over which views of x, y and `out` walk together, undefined where they cross; what has no view has no stride. */
export const jointAxes = (size: number, views: { readonly [A in ArrayName]?: View }): readonly Axis[] | undefined => {
  if (size === 0) return [{ length: 0, x: 0, y: 0, out: 0 }]
  const none: View = { offset: 0, shape: [], strides: [] }
  const nest = nestOf(size, [views.x ?? none, views.y ?? none, views.out ?? none])
  return nest?.lengths.map((length, a) => {
    const [x = 0, y = 0, out = 0] = nest.strides.map((s) => s[a] ?? 0)
    return { length, x, y, out }
  })
}

/** Axes with the largest steps through x first, so that memory is walked in order; what x does not have is outermost. */
export const inOrderOfX = (axes: readonly Axis[]): readonly Axis[] => {
  const reach = (a: Axis): number => (a.x === 0 ? Infinity : Math.abs(a.x))
  return axes.filter((a) => a.length !== 1).toSorted((a, b) => (reach(a) === reach(b) ? 0 : reach(b) - reach(a)))
}

/** Length and stride of the innermost run of axes through x. */
export const innermost = (axes: readonly Axis[]): { readonly length: number; readonly stride: number } => {
  const { shape, strides } = coalesce(viewOf(axes, 'x'))
  return { length: shape.at(-1) ?? 1, stride: strides.at(-1) ?? 0 }
}

/** Whether neighbours of x are rows (a weight gradient, xᵀ·g), rather than along the contracted axis. */
export const isAcross = ({ rows, depth }: Contraction): boolean => {
  const [m, k] = [innermost(inOrderOfX(rows)), innermost(inOrderOfX(depth))]
  return m.stride === 1 && m.length >= 4 && !(k.stride === 1 && k.length >= 4)
}

/** When a backend sums long contractions in parts. */
export interface PartsPolicy {
  /** Terms of a part at least. */
  readonly partLength: number
  readonly mostParts: number
  /** Results above which parts cost more memory traffic than they save. */
  readonly mostResults: number
}

/** Parts of a contraction with this many results and terms: it follows from the shapes alone, so the order of every sum is fixed with the plan. */
export const partsOf = (results: number, terms: number, policy: PartsPolicy): number =>
  results > policy.mostResults ? 1 : Math.max(1, Math.min(policy.mostParts, Math.floor(terms / policy.partLength)))
