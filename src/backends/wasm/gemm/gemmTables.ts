/**
 * What the code is told about a contraction: which tiles there are, in which order the contracted axis is walked, and in which blocks. All of it
 * follows from the shapes, so the order of every sum is fixed with the plan.
 */
import { addresses } from '../../../compiler/addresses.ts'
import {
  count,
  innermost,
  inOrderOfX,
  viewOf,
  type ArrayName,
  type Axis,
  type Contraction,
} from '../../../compiler/contraction/contraction.ts'
import { coalesce } from '../../../compiler/view.ts'
import type { Tile } from './gemmTile.ts'
import type { Parameter } from '../emit/kernelCode.ts'

/** Where the arrays of a contraction begin. */
export type Arrays = { readonly [A in ArrayName]: Parameter }

/** A contraction over f32 in memory, with its first element in each array. */
export interface Placed extends Contraction, Arrays {}

/** All offsets of the axes in one of the arrays, in bytes. */
export const bytesOf = (axes: readonly Axis[], array: ArrayName): Int32Array =>
  addresses(viewOf(axes, array)).map((a) => 4 * a)

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
