/**
 * Contractions of dtypes that have no vector code, one product at a time: sums in f64 in the order of k, rounded once, or wrapping ones of whole
 * numbers, as cpu's. Tables of addresses, made with the plan, know the views; the code knows none of their axes.
 */
import { permute } from '../../../prelude/array.ts'
import { bytesPerElement } from '../../../graph/dtype.ts'
import { addresses } from '../../../compiler/addresses.ts'
import type { GemmKernel, Operand } from '../../../compiler/kernel.ts'
import type { View } from '../../../compiler/view.ts'
import { block, inBuffer, table, words, type Parameter } from '../emit/block.ts'
import { codeLater, phase, type Phase } from '../emit/kernelCode.ts'
import type { Dtypes } from './scalarGemmCode.ts'

const axesOf = ({ view }: Operand, axes: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, axes),
  strides: permute(view.strides, axes),
})

/** Bytes from the operand's start, for each combined index of some of its axes. */
const places = (operand: Operand, axes: readonly number[]): Int32Array =>
  addresses(axesOf(operand, axes)).map((a) => a * bytesPerElement[operand.dtype])

const startOf = ({ buffer, view, dtype }: Operand): Parameter => inBuffer(buffer, bytesPerElement[dtype] * view.offset)

/** Its functions are written by `writeScalarGemm`. */
export const gemmCode = codeLater<Dtypes>()('scalar gemm', () =>
  block({
    ...words('out', 'left', 'right', 'xBatch', 'xRows', 'xDepth'),
    ...words('yBatch', 'yDepth', 'yColumns', 'rows', 'columns', 'depth'),
  }),
)

/** A unit is a row of the result. */
export const scalarGemm = (kernel: GemmKernel): Phase => {
  const { x, y, axes, output, dtype } = kernel
  const [batches, rows, depth] = [places(x, axes.batch[0]), places(x, axes.rows), places(x, axes.contract[0])]
  const columns = places(y, axes.columns)
  return phase(
    gemmCode,
    { x: x.dtype, y: y.dtype, dtype },
    {
      out: inBuffer(output),
      left: startOf(x),
      right: startOf(y),
      xBatch: table(batches),
      xRows: table(rows),
      xDepth: table(depth),
      yBatch: table(places(y, axes.batch[1])),
      yDepth: table(places(y, axes.contract[1])),
      yColumns: table(columns),
      rows: rows.length,
      columns: columns.length,
      depth: depth.length,
    },
    {
      units: batches.length * rows.length,
      grain: Math.max(1, Math.ceil(4096 / Math.max(1, columns.length * depth.length))),
    },
  )
}
