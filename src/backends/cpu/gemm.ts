/**
 * Matrix multiplication of gathered operands: out[m, n] = Σₖ x[row m + depth k] · y[depth k + column n].
 *
 * Addresses are sums of a row part and a depth part, so any strided view, and a convolution over a padded image, is a matrix here.
 * Operands are packed into panels of doubles; a tile of 2×4 sums stays in registers. Sums run over k in order and round once, so the
 * result equals the plain loop bit for bit.
 */
import type { Lanes } from './lanes.ts'

/** A matrix inside an array: element (i, j) is at offset + rows[i] + columns[j]. */
export interface Gathered {
  readonly array: Lanes
  readonly offset: number
  readonly rows: Int32Array
  readonly columns: Int32Array
}

/** Where results go: element (m, n) at offset + m·rowStride + n. */
export interface Target {
  readonly array: Lanes
  readonly offset: number
  readonly rowStride: number
}

const tileRows = 2
const tileColumns = 4

/** Panels of four columns: panel p holds y[k, 4p … 4p + 3] for all k; missing columns are zero. */
const packColumns = ({ array, offset, rows: depth, columns }: Gathered): Float64Array => {
  const panels = Math.ceil(columns.length / tileColumns)
  const packed = new Float64Array(panels * depth.length * tileColumns)
  for (let p = 0; p < panels; p++) {
    const count = Math.min(tileColumns, columns.length - p * tileColumns)
    for (let k = 0; k < depth.length; k++) {
      const from = offset + (depth[k] as number)
      const to = (p * depth.length + k) * tileColumns
      for (let j = 0; j < count; j++) packed[to + j] = array[from + (columns[p * tileColumns + j] as number)] as number
    }
  }
  return packed
}

/** Two rows of x, interleaved: [x[m, 0], x[m + 1, 0], x[m, 1], …]; a missing second row is zero. */
const packRows = (panel: Float64Array, { array, offset, rows, columns: depth }: Gathered, m: number): void => {
  const first = offset + (rows[m] as number)
  const second = m + 1 < rows.length ? offset + (rows[m + 1] as number) : -1
  const n = depth.length
  if (second < 0) {
    for (let k = 0; k < n; k++) {
      panel[2 * k] = array[first + (depth[k] as number)] as number
      panel[2 * k + 1] = 0
    }
    return
  }
  for (let k = 0; k < n; k++) {
    const d = depth[k] as number
    panel[2 * k] = array[first + d] as number
    panel[2 * k + 1] = array[second + d] as number
  }
}

/** The 2×4 sums of a row panel and a column panel, into `sums`. */
const tile = (x: Float64Array, y: Float64Array, q: number, depth: number, sums: Float64Array): void => {
  let [a, b, c, d] = [0, 0, 0, 0]
  let [e, f, g, h] = [0, 0, 0, 0]
  for (let k = 0, p = 0; k < depth; k++, p += 2, q += 4) {
    const x0 = x[p] as number
    const x1 = x[p + 1] as number
    const y0 = y[q] as number
    const y1 = y[q + 1] as number
    const y2 = y[q + 2] as number
    const y3 = y[q + 3] as number
    a += x0 * y0
    b += x0 * y1
    c += x0 * y2
    d += x0 * y3
    e += x1 * y0
    f += x1 * y1
    g += x1 * y2
    h += x1 * y3
  }
  sums[0] = a
  sums[1] = b
  sums[2] = c
  sums[3] = d
  sums[4] = e
  sums[5] = f
  sums[6] = g
  sums[7] = h
}

/** out = x · y; `x` is [rows, depth], `y` is [depth, columns]. */
export const gemm = (out: Target, x: Gathered, y: Gathered): void => {
  const depth = x.columns.length
  const columns = y.columns.length
  const packed = packColumns(y)
  const panel = new Float64Array(depth * tileRows)
  const sums = new Float64Array(tileRows * tileColumns)
  for (let m = 0; m < x.rows.length; m += tileRows) {
    packRows(panel, x, m)
    const rows = Math.min(tileRows, x.rows.length - m)
    for (let n = 0; n < columns; n += tileColumns) {
      tile(panel, packed, n * depth, depth, sums)
      const count = Math.min(tileColumns, columns - n)
      for (let i = 0; i < rows; i++) {
        const to = out.offset + (m + i) * out.rowStride + n
        for (let j = 0; j < count; j++) out.array[to + j] = sums[i * tileColumns + j] as number
      }
    }
  }
}
