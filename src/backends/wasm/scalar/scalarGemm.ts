/**
 * Contractions of dtypes that have no vector code, one product at a time: sums in f64 in the order of k, rounded once, or wrapping ones of whole
 * numbers, as cpu's. Tables of addresses, made with the plan, know the views; the code knows none of their axes.
 */
import { permute } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import { addresses } from '../../../compiler/addresses.ts'
import type { GemmKernel, Operand } from '../../../compiler/kernel.ts'
import type { View } from '../../../compiler/view.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import { block, inBuffer, kept, table, words, type Parameter } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { code, phase, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import { elementAt, loadElement, storeElement, sumOf } from './scalarValue.ts'

const axesOf = ({ view }: Operand, axes: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, axes),
  strides: permute(view.strides, axes),
})

/** Bytes from the operand's start, for each combined index of some of its axes. */
const places = (operand: Operand, axes: readonly number[]): Int32Array =>
  addresses(axesOf(operand, axes)).map((a) => a * bytesPerElement[operand.dtype])

const startOf = ({ buffer, view, dtype }: Operand): Parameter => inBuffer(buffer, bytesPerElement[dtype] * view.offset)

/** Dtypes of the operands and the result. */
interface Dtypes {
  readonly x: DType
  readonly y: DType
  readonly dtype: DType
}

const gemmCode = code(
  'scalar gemm',
  () =>
    block({
      ...words('out', 'left', 'right', 'xBatch', 'xRows', 'xDepth'),
      ...words('yBatch', 'yDepth', 'yColumns', 'rows', 'columns', 'depth'),
    }),
  (unit, { x, y, dtype }: Dtypes) => {
    const { e, first } = unit
    const sums = sumOf(x, y, dtype)
    const { out, left, right, xBatch, xRows, xDepth, yBatch, yDepth, yColumns, rows, columns, depth } = kept(
      e,
      unit.words,
    )
    const entry = (of: Expression, i: Expression): Expression => apply('i32.load', [add(of, mul(i, i32(4)))], 0)
    eachUnit(unit, (turnOfUnit) => {
      const batch = keep(turnOfUnit, 'batch', apply('i32.div_u', [get(first), rows]))
      const row = apply('i32.rem_u', [get(first), rows])
      const xStart = keep(turnOfUnit, 'x', add(left, add(entry(xBatch, batch), entry(xRows, row))))
      const yStart = keep(turnOfUnit, 'y', add(right, entry(yBatch, batch)))
      const [n, k, sum] = [fresh(e, 'n', 'i32'), fresh(e, 'k', 'i32'), fresh(e, 'sum', sums.register)]
      const column = inside(turnOfUnit)
      const yColumn = keep(column, 'column', add(yStart, entry(yColumns, get(n))))
      column.statements.push(set(sum, sums.zero), set(k, i32(0)))
      const turn = inside(column)
      const a = loadElement(turn, x, keep(turn, 'at', add(xStart, entry(xDepth, get(k)))))
      const b = loadElement(turn, y, keep(turn, 'at', add(yColumn, entry(yDepth, get(k)))))
      turn.statements.push(set(sum, sums.plus(get(sum), a, b)))
      column.statements.push(countTo(k, depth, 1, turn.statements))
      const value = keep(column, 'value', sums.rounded(column, get(sum)))
      const target = elementAt(out, add(mul(get(first), columns), get(n)), dtype)
      column.statements.push(storeElement(column, dtype, target, value))
      turnOfUnit.statements.push(set(n, i32(0)), countTo(n, columns, 1, column.statements))
    })
  },
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
