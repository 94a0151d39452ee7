/**
 * out[o, index[p], :] += updates[o, p, :] row by row: picks are put in the order of their rows, those of one row as they come, and each row adds up its
 * own in registers. Every row is written once, so threads share rows, and sums do not depend on who computes what.
 *
 * Sums are f64, rounded once at the end, as cpu's are; whole numbers wrap.
 */
import { bytesPerElement } from '../../../graph/dtype.ts'
import type { ScatterKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, inScratch, words } from '../emit/block.ts'
import { codeLater, phase, type Generated } from '../emit/kernelCode.ts'
import { chunk } from './bytes.ts'
import type { Adding, Ordering } from './scatterRowsCode.ts'

/** Its functions are written by `writeOrder`. */
export const orderCode = codeLater<Ordering>()('picks by row', () =>
  block(words('indices', 'picks', 'lastRow', 'begins', 'order')),
)

/** Its functions are written by `writeRows`. */
export const rowsCode = codeLater<Adding>()('scatter rows', () =>
  block(
    words(
      'to',
      'from',
      'begins',
      'order',
      'rows',
      'picks',
      'rowBytes',
      'rowsOfUnit',
      'rowUnits',
      'stripBytes',
      'strips',
    ),
  ),
)

/** Columns of a unit at most. */
const strip = 1024

/** Whether rows are long enough that they are worth the order of the picks. */
export const isByRows = ({ extent: { inner } }: ScatterKernel): boolean => inner >= 8

/** The picks in order, and then the rows. */
export const scatterRows = ({ updates, index, extent, output, dtype }: ScatterKernel): Generated => {
  const { outer, rows, picks, inner } = extent
  const size = bytesPerElement[dtype]
  const columns = Math.min(inner, strip)
  const rowsOfUnit = Math.max(1, Math.min(Math.ceil(rows / 16), Math.floor(chunk / (columns * size))))
  const [rowUnits, strips] = [Math.ceil(rows / rowsOfUnit), Math.ceil(inner / strip)]
  const [begins, order] = [inScratch(0), inScratch(4 * (rows + 2))]
  const ordering = phase(
    orderCode,
    { isSigned: index.dtype === 'i32' },
    { indices: inBuffer(index.buffer), picks, lastRow: rows - 1, begins, order },
    { units: 1, grain: 1 },
  )
  const adding = phase(
    rowsCode,
    { dtype },
    {
      to: inBuffer(output),
      from: inBuffer(updates.buffer),
      begins,
      order,
      rows,
      picks,
      rowBytes: inner * size,
      rowsOfUnit,
      rowUnits,
      stripBytes: columns * size,
      strips,
    },
    { units: outer * rowUnits * strips, grain: Math.max(1, Math.ceil(4096 / (rowsOfUnit * columns))) },
  )
  return { phases: [ordering, adding], scratch: 4 * (rows + 2 + picks) }
}
