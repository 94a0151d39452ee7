/** Where the pixels of tiles lie, for Winograd's transforms: computed once, with the plan. */
import { range } from '../../../prelude/array.ts'
import type { Grid } from '../../../compiler/contraction/winogradProducts.ts'
import type { View } from '../../../compiler/view.ts'
import { nothing, scatteredWords } from './winogradForm.ts'

/** The element of a view that lies lowest in memory, from its first: other than 0 where an axis is turned. */
export const lowestOf = ({ shape, strides }: View): number =>
  strides.reduce((sum, stride, axis) => sum + Math.min(0, stride * ((shape[axis] as number) - 1)), 0)

/** For each tile along an axis, the elements from the first pixel to each of its own. */
const along = (
  { tiles, side, step, low }: Grid,
  axis: 0 | 1,
  length: number,
  stride: number,
): readonly (readonly number[])[] =>
  range(tiles[axis]).map((t) =>
    range(side).map((i) => {
      const pixel = t * step + i - low[axis]
      return pixel >= 0 && pixel < length ? pixel * stride : NaN
    }),
  )

/** Writes the bytes of one tile's pixels, from `start` on. */
const writeTile = (
  into: Int32Array,
  start: number,
  first: number,
  rows: readonly number[],
  columns: readonly number[],
): void => {
  let next = start
  for (const row of rows)
    for (const column of columns) {
      const place = 4 * (first + row + column)
      into[next++] = Number.isNaN(place) ? nothing : place
    }
}

/**
 * Bytes from where `images` begin in memory to every pixel of every tile, [image, tile row, tile column, row, column]; `nothing` outside of an
 * image.
 *
 * @param images a view [images, rows, columns] of f32
 */
export const offsetsOf = (images: View, grid: Grid): Int32Array => {
  const [count, height, width] = images.shape as [number, number, number]
  const [byImage, byRow, byColumn] = images.strides as [number, number, number]
  const [rows, columns] = [along(grid, 0, height, byRow), along(grid, 1, width, byColumn)]
  const [first, pixels] = [-lowestOf(images), grid.side ** 2]
  const offsets = new Int32Array(count * rows.length * columns.length * pixels)
  let start = 0
  for (let image = 0; image < count; image++)
    for (const ys of rows)
      for (const xs of columns) {
        writeTile(offsets, start, first + image * byImage, ys, xs)
        start += pixels
      }
  return offsets
}

/** Records for scattering: the offsets of each tile, then those of pixels that are there and their number. */
export const scatteredRecords = (offsets: Int32Array, pixels: number): Int32Array => {
  const tiles = offsets.length / pixels
  const words = scatteredWords(pixels)
  const records = new Int32Array(tiles * words)
  for (let tile = 0; tile < tiles; tile++) {
    const record = tile * words
    let there = 0
    for (let i = 0; i < pixels; i++) {
      const offset = offsets[tile * pixels + i] as number
      records[record + i] = offset
      if (offset !== nothing) records[record + pixels + there++] = offset
    }
    records[record + words - 1] = there
  }
  return records
}

/** For each tile, the rows of an output of `rowBytes` each that its pixels are; what is not there comes last and counts for nothing. */
export const rowsOf = (records: Int32Array, pixels: number, rowBytes: number): Int32Array => {
  const words = scatteredWords(pixels)
  const rows = new Int32Array((records.length / words) * pixels)
  for (let record = 0, row = 0; record < records.length; record += words)
    for (let i = 0; i < pixels; i++) rows[row++] = (records[record + pixels + i] as number) / rowBytes
  return rows
}
