/**
 * Contractions as a GPU walks them: rows, columns and depth are linear indices, of which each invocation takes its own apart; and what of an image
 * lies outside counts as zeros, so that no padded copy is made.
 */
import { contractionOfGemm } from '../../../compiler/contraction/gemm.ts'
import { count, inOrderOfX, type Axis } from '../../../compiler/contraction/contraction.ts'
import { contractionOfPhase, phasesAlong, type ConvPhase } from '../../../compiler/contraction/convolution.ts'
import type { ConvKernel, GemmKernel } from '../../../compiler/kernel.ts'

/** An axis, and how far it goes along the rows (0) or columns (1) of an image whose borders must be tested. */
export interface TileAxis extends Axis {
  readonly pixel?: { readonly side: 0 | 1; readonly step: number }
}

/** Pixels of an image along one side: where the first row and tap meet it, and where it ends. */
export interface Border {
  readonly base: number
  readonly limit: number
}

/** A contraction to be computed in tiles. */
export interface TileContraction {
  /** The first element in each array. */
  readonly first: { readonly x: number; readonly y: number; readonly out: number }
  readonly batch: readonly TileAxis[]
  readonly rows: readonly TileAxis[]
  readonly columns: readonly TileAxis[]
  readonly depth: readonly TileAxis[]
  /** The borders that must be tested; undefined where all lies inside. */
  readonly borders: readonly [rows: Border | undefined, columns: Border | undefined]
}

/** Numbers of batches, rows, columns and terms. */
export interface Extents {
  readonly batch: number
  readonly rows: number
  readonly columns: number
  readonly depth: number
}

/** The extents of a contraction. */
export const extentsOf = ({ batch, rows, columns, depth }: TileContraction): Extents => ({
  batch: count(batch),
  rows: count(rows),
  columns: count(columns),
  depth: count(depth),
})

const continues = (outer: TileAxis, inner: TileAxis): boolean =>
  outer.pixel === undefined &&
  inner.pixel === undefined &&
  outer.x === inner.x * inner.length &&
  outer.y === inner.y * inner.length &&
  outer.out === inner.out * inner.length

/** Axes of length 1 left out, and neighbours as one where every array goes on from one to the other. */
const merged = (axes: readonly TileAxis[]): readonly TileAxis[] => {
  const found: TileAxis[] = []
  for (const axis of axes) {
    if (axis.length === 1) continue
    const last = found.at(-1)
    if (last !== undefined && continues(last, axis))
      found[found.length - 1] = { ...axis, length: last.length * axis.length }
    else found.push(axis)
  }
  return found
}

/** A product of matrices; undefined where axes of its views cross. */
export const tilesOfGemm = (kernel: GemmKernel): TileContraction | undefined => {
  const found = contractionOfGemm(kernel)
  if (found === undefined) return undefined
  const { first, batch, rows, columns, depth } = found
  return {
    first,
    batch: merged(batch),
    rows: merged(rows),
    columns: merged(columns),
    depth: merged(depth),
    borders: [undefined, undefined],
  }
}

const ordered = (axes: readonly TileAxis[]): readonly TileAxis[] => inOrderOfX(axes)

/** One phase of a convolution. Axes with the smallest steps through the image are innermost, so that neighbours read neighbours. */
const tilesOfPhase = (kernel: ConvKernel, phase: ConvPhase): TileContraction => {
  const { view } = kernel.x
  const found = contractionOfPhase(kernel, phase, { strides: view.strides, low: [0, 0] })
  const borderOf = (side: 0 | 1): Border | undefined => {
    const { base, limit, pixels, step, taps, tapStep } = phase[side]
    return base >= 0 && base + (pixels - 1) * step + (taps - 1) * tapStep < limit ? undefined : { base, limit }
  }
  const borders = [borderOf(0), borderOf(1)] as const
  const tested = (axes: readonly Axis[], stepOf: (side: 0 | 1) => number, firstSide: number): readonly TileAxis[] =>
    axes.map((axis, a) => {
      const side = a - firstSide
      return (side === 0 || side === 1) && borders[side] !== undefined && axis.length > 1
        ? { ...axis, pixel: { side, step: stepOf(side) } }
        : axis
    })
  return {
    first: { ...found.first, x: found.first.x + view.offset },
    batch: merged(found.batch),
    rows: merged(ordered(tested(found.rows, (side) => phase[side].step, 1))),
    columns: merged(found.columns),
    depth: merged(ordered(tested(found.depth, (side) => phase[side].tapStep, 0))),
    borders,
  }
}

/** A convolution as contractions, one for each phase of its output. */
export const tilesOfConv = (kernel: ConvKernel): readonly TileContraction[] => {
  const [rows, columns] = [phasesAlong(kernel, 0), phasesAlong(kernel, 1)]
  return rows.flatMap((row) => columns.map((column) => tilesOfPhase(kernel, [row, column])))
}

/** Whether neighbours of x are rows, rather than terms. */
export const readsAcross = ({ rows, depth }: TileContraction): boolean => {
  const [m, k] = [rows.at(-1), depth.at(-1)]
  return m?.x === 1 && m.length >= 4 && !(k?.x === 1 && k.length >= 4)
}

/** Whether neighbours of y are columns, rather than terms. */
export const readsColumns = ({ columns, depth }: TileContraction): boolean => {
  const [n, k] = [columns.at(-1), depth.at(-1)]
  return n?.y === 1 || !(k?.y === 1 && k.length >= 4)
}

/** Whether words of two halves of the output belong to two neighbouring columns of one row. */
export const writesPairs = ({ first, batch, rows, columns }: TileContraction): boolean => {
  const [only, ...others] = columns
  const isEven = (x: number): boolean => x % 2 === 0
  return (
    others.length === 0 &&
    only?.out === 1 &&
    isEven(only.length) &&
    isEven(first.out) &&
    [...batch, ...rows].every((axis) => isEven(axis.out))
  )
}
