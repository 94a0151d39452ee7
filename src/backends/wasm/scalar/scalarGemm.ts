/**
 * Contractions of dtypes that have no vector code, one product at a time: sums in f64 in the order of k, rounded once, or wrapping ones of whole
 * numbers, as cpu's. Tables of addresses, made with the plan, know the views; the code knows none of their axes.
 */
import { permute } from '../../../prelude/array.ts'
import { bytesPerElement } from '../../../graph/dtype.ts'
import { addresses } from '../../../compiler/addresses.ts'
import type { GemmKernel, Operand } from '../../../compiler/kernel.ts'
import type { View } from '../../../compiler/view.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { unitParameters } from '../move/bytes.ts'
import { emitter, fresh, inside, keep } from '../emit/emitter.ts'
import type { Parameter, Phase } from '../emit/kernelCode.ts'
import { wordAt } from './scalarNest.ts'
import { elementAt, loadElement, storeElement, sumOf } from './scalarValue.ts'

const axesOf = ({ view }: Operand, axes: readonly number[]): View => ({
  offset: 0,
  shape: permute(view.shape, axes),
  strides: permute(view.strides, axes),
})

/** Bytes from the operand's start, for each combined index of some of its axes. */
const table = (operand: Operand, axes: readonly number[]): Int32Array =>
  addresses(axesOf(operand, axes)).map((a) => a * bytesPerElement[operand.dtype])

const startOf = ({ buffer, view, dtype }: Operand): Parameter => ({
  kind: 'buffer',
  buffer,
  offset: bytesPerElement[dtype] * view.offset,
})

const makeGemm = (name: string, { x, y, dtype }: GemmKernel): Function => {
  const [block, first, last] = unitParameters()
  const e = emitter()
  const sums = sumOf(x.dtype, y.dtype, dtype)
  const words = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((i) => keep(e, 'word', wordAt(block, i)))
  const [out, left, right, xBatch, xRows, xDepth] = words as [
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
  ]
  const [yBatch, yDepth, yColumns, rows, columns, depth] = words.slice(6) as [
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
  ]
  const entry = (of: Expression, i: Expression): Expression => apply('i32.load', [add(of, mul(i, i32(4)))], 0)
  const unit = inside(e)
  const batch = keep(unit, 'batch', apply('i32.div_u', [get(first), rows]))
  const row = apply('i32.rem_u', [get(first), rows])
  const xStart = keep(unit, 'x', add(left, add(entry(xBatch, batch), entry(xRows, row))))
  const yStart = keep(unit, 'y', add(right, entry(yBatch, batch)))
  const [n, k, sum] = [fresh(e, 'n', 'i32'), fresh(e, 'k', 'i32'), fresh(e, 'sum', sums.register)]
  const column = inside(unit)
  const yColumn = keep(column, 'column', add(yStart, entry(yColumns, get(n))))
  column.statements.push(set(sum, sums.zero), set(k, i32(0)))
  const turn = inside(column)
  const a = loadElement(turn, x.dtype, keep(turn, 'at', add(xStart, entry(xDepth, get(k)))))
  const b = loadElement(turn, y.dtype, keep(turn, 'at', add(yColumn, entry(yDepth, get(k)))))
  turn.statements.push(set(sum, sums.plus(get(sum), a, b)))
  column.statements.push(countTo(k, depth, 1, turn.statements))
  const value = keep(column, 'value', sums.rounded(column, get(sum)))
  const target = elementAt(out, add(mul(get(first), columns), get(n)), dtype)
  column.statements.push(storeElement(column, dtype, target, value))
  unit.statements.push(set(n, i32(0)), countTo(n, columns, 1, column.statements))
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: e.statements }
}

/** A unit is a row of the result. */
export const scalarGemm = (kernel: GemmKernel): Phase => {
  const { x, y, axes, output, dtype } = kernel
  const tables = [
    table(x, axes.batch[0]),
    table(x, axes.rows),
    table(x, axes.contract[0]),
    table(y, axes.batch[1]),
    table(y, axes.contract[1]),
    table(y, axes.columns),
  ] as const
  const [batches, rows, depth, , , columns] = tables
  return {
    key: `gemm ${x.dtype} ${y.dtype} ${dtype}`,
    make: (name) => makeGemm(name, kernel),
    parameters: [
      { kind: 'buffer', buffer: output, offset: 0 },
      startOf(x),
      startOf(y),
      ...tables.map((values) => ({ kind: 'table', values }) as const),
      rows.length,
      columns.length,
      depth.length,
    ],
    units: batches.length * rows.length,
    grain: Math.max(1, Math.ceil(4096 / Math.max(1, columns.length * depth.length))),
  }
}
