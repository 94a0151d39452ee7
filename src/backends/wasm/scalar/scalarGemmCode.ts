/** What writes contractions one product at a time (scalarGemm.ts). */
import type { DType } from '../../../graph/dtype.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { elementAt, loadElement, storeElement, sumOf } from './scalarValue.ts'

/** Dtypes of the operands and the result. */
export interface Dtypes {
  readonly x: DType
  readonly y: DType
  readonly dtype: DType
}

/** The words of the code: where operands lie, their tables, and how many there are. */
type GemmWords =
  | ('out' | 'left' | 'right' | 'xBatch' | 'xRows' | 'xDepth')
  | ('yBatch' | 'yDepth' | 'yColumns' | 'rows' | 'columns' | 'depth')

/** Writes the rows of a product. */
export const writeScalarGemm = (unit: Unit<Words<GemmWords>>, { x, y, dtype }: Dtypes): void => {
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
}
