/**
 * Contractions: out[b, m, n] = Σₖ x[b, m, k] · y[b, k, n], each letter any number of axes with a stride in every array. Matrix products of
 * any views are contractions, and so are convolutions over a padded image: the address of (pixel, tap and channel) is a sum of two parts.
 *
 * Here is what the code is told about one: which tiles there are, in which order the contracted axis is walked, and in which blocks. All
 * of it follows from the shapes, so the order of every sum is fixed with the plan.
 */
import { product } from '../../../prelude/array.ts'
import { addresses } from '../../../compiler/addresses.ts'
import { coalesce, type View } from '../../../compiler/view.ts'
import type { Tile } from './gemmTile.ts'
import type { Parameter } from '../emit/kernelCode.ts'

/** An axis: its length, and its stride in each array, in elements; 0 where the array does not have it. */
export interface Axis {
  readonly length: number
  readonly x: number
  readonly y: number
  readonly out: number
}

/** A contraction over f32 in memory. Columns are neighbours in `out`. */
export interface Contraction {
  readonly x: Parameter
  readonly y: Parameter
  readonly out: Parameter
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
export const viewOf = (axes: readonly Axis[], array: 'x' | 'y' | 'out'): View => ({
  offset: 0,
  shape: axes.map((a) => a.length),
  strides: axes.map((a) => a[array]),
})

/** All offsets of the axes in one of the arrays, in bytes. */
export const bytesOf = (axes: readonly Axis[], array: 'x' | 'y' | 'out'): Int32Array =>
  addresses(viewOf(axes, array)).map((a) => 4 * a)

/** How many there are. */
export const count = (axes: readonly Axis[]): number => product(axes.map((a) => a.length))

/** Axes with the largest steps through x first, so that memory is walked in order; what x does not have is outermost. */
const inOrderOfX = (axes: readonly Axis[]): readonly Axis[] => {
  const reach = (a: Axis): number => (a.x === 0 ? Infinity : Math.abs(a.x))
  return axes.filter((a) => a.length !== 1).toSorted((a, b) => (reach(a) === reach(b) ? 0 : reach(b) - reach(a)))
}

/** Length and stride of the innermost run of axes through x. */
const innermost = (axes: readonly Axis[]): { readonly length: number; readonly stride: number } => {
  const { shape, strides } = coalesce(viewOf(axes, 'x'))
  return { length: shape.at(-1) ?? 1, stride: strides.at(-1) ?? 0 }
}

/** Whether tiles lie along neighbours of x (a weight gradient, xᵀ·g), rather than the contracted axis. */
export const isAcross = ({ rows, depth }: Contraction): boolean => {
  const [m, k] = [innermost(inOrderOfX(rows)), innermost(inOrderOfX(depth))]
  return m.stride === 1 && m.length >= 4 && !(k.stride === 1 && k.length >= 4)
}

/** Tiles of rows: for each the bytes of its row pointers in x, those of its rows in `out`, and how many of them it has. */
export interface Tiles {
  readonly table: Int32Array
  readonly count: number
  readonly words: number
}

/** Words of a tile's record: pointers into x, rows of `out`, rows that it has. */
export const pointersOf = (tile: Tile): number => (tile.across ? 1 : tile.rows)

/** A tile that has fewer rows than others repeats its last one, or, across, has rows that are nobody's. */
export const tilesOf = (rows: readonly Axis[], tile: Tile): Tiles => {
  const ordered = tile.across ? inOrderOfX(rows) : rows
  const [x, out] = [bytesOf(ordered, 'x'), bytesOf(ordered, 'out')]
  const run = tile.across ? innermost(ordered).length : x.length
  const perRun = Math.ceil(run / tile.rows)
  const number = run === 0 ? 0 : (x.length / run) * perRun
  const pointers = pointersOf(tile)
  const words = pointers + tile.rows + 1
  const table = new Int32Array(number * words)
  for (let t = 0; t < number; t++) {
    const [from, within] = [Math.floor(t / perRun) * run, (t % perRun) * tile.rows]
    const valid = Math.min(tile.rows, run - within)
    const row = (i: number): number => from + within + Math.min(i, valid - 1)
    for (let i = 0; i < pointers; i++) table[t * words + i] = x[row(i)] as number
    for (let i = 0; i < tile.rows; i++) table[t * words + pointers + i] = out[row(i)] as number
    table[t * words + pointers + tile.rows] = valid
  }
  return { table, count: number, words }
}

/** The contracted axis as it is walked. */
export interface Depth {
  readonly axes: readonly Axis[]
  readonly length: number
  /** Bytes of x from one k of a segment to the next. */
  readonly step: number
  /** Segments: where each begins in x, in bytes, and its length. */
  readonly segments: Int32Array
  /** Blocks: the first segment, the one after the last, and the first k of each. */
  readonly blocks: Int32Array
}

/** Blocks are at most this long, so that a panel of y stays in the first-level cache while all tiles pass over it. */
const blockLength = 320

/** A length for blocks that cuts no run of the contracted axis, where runs are short enough for that. */
const blockOf = (length: number, run: number): number => {
  const even = Math.ceil(length / Math.max(1, Math.ceil(length / blockLength)))
  if (run > blockLength) return even
  return Math.max(1, Math.floor(blockLength / run)) * run
}

/** The contracted axes in the order of x's memory, cut into segments along which x has one step, and into blocks of those. */
export const depthOf = (depth: readonly Axis[]): Depth => {
  const axes = inOrderOfX(depth)
  const { shape, strides } = coalesce(viewOf(axes, 'x'))
  const [run, stride] = [shape.at(-1) ?? 1, strides.at(-1) ?? 0]
  const starts = addresses({ offset: 0, shape: shape.slice(0, -1), strides: strides.slice(0, -1) })
  const length = count(depth)
  const block = blockOf(length, Math.max(1, run))
  const [segments, blocks]: [number[], number[]] = [[], []]
  for (let k = 0; k === 0 || k < length; k += block) {
    const first = segments.length / 2
    const end = Math.min(length, k + block)
    for (let j = k; j < end;) {
      const within = j % run
      const taken = Math.min(run - within, end - j)
      segments.push(4 * ((starts[Math.floor(j / run)] as number) + within * stride), taken)
      j += taken
    }
    blocks.push(first, segments.length / 2, k)
  }
  return { axes, length, step: 4 * stride, segments: Int32Array.from(segments), blocks: Int32Array.from(blocks) }
}
