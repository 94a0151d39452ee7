/** What writes sums of short rows (scatter.ts). */
import type { DType } from '../../../graph/dtype.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { elementAt, fromDouble, loadElement, storeElement, toDouble, wrapWhole } from '../scalar/scalarValue.ts'
import { chunk, rangeOf } from './bytes.ts'
import { pickedRow } from './pickedRow.ts'
import { strip, sumType } from './scatterSums.ts'

/** Updates of a dtype by an index that has a sign or none. */
export interface Adding {
  readonly dtype: DType
  readonly isSigned: boolean
}

/** The words of the sums. */
type AddWords = Words<'to' | 'from' | 'indices' | 'strips' | 'picks' | 'inner' | 'lastRow'>

/** Writes the sums. */
export const writeSums = (unit: Unit<AddWords>, { dtype, isSigned }: Adding): void => {
  const { e, first } = unit
  const { to, from, indices, strips, picks, inner, lastRow } = kept(e, unit.words)
  const sums = sumType(dtype)
  eachUnit(unit, (turnOfUnit) => {
    const o = keep(turnOfUnit, 'o', apply('i32.div_u', [get(first), strips]))
    const [begin, count] = rangeOf(turnOfUnit, apply('i32.rem_u', [get(first), strips]), i32(strip), inner)
    const p = fresh(e, 'p', 'i32')
    turnOfUnit.statements.push(set(p, i32(0)))
    const turn = inside(turnOfUnit)
    const row = pickedRow(turn, isSigned, indices, get(p), lastRow)
    const rowOf = (r: Expression): Expression => add(mul(r, inner), begin)
    const target = keep(turn, 'target', elementAt(to, rowOf(add(mul(o, add(lastRow, i32(1))), row)), sums))
    const source = keep(turn, 'source', elementAt(from, rowOf(add(mul(o, picks), get(p))), dtype))
    const k = fresh(e, 'k', 'i32')
    turn.statements.push(set(k, i32(0)))
    const element = inside(turn)
    const address = keep(element, 'at', elementAt(target, get(k), sums))
    const update = loadElement(element, dtype, keep(element, 'from', elementAt(source, get(k), dtype)))
    const sum = loadElement(element, sums, address)
    const next =
      sums === 'f64'
        ? apply('f64.add', [sum, toDouble(update, dtype)])
        : wrapWhole(apply('i32.add', [sum, update]), dtype)
    element.statements.push(storeElement(element, sums, address, next))
    turn.statements.push(countTo(k, count, 1, element.statements))
    turnOfUnit.statements.push(countTo(p, picks, 1, turn.statements))
  })
}

/** Writes what rounds the sums into the output. */
export const writeRounding = (unit: Unit<Words<'to' | 'from' | 'size'>>, { dtype }: Pick<Adding, 'dtype'>): void => {
  const { e, words: w, first } = unit
  eachUnit(unit, (turnOfUnit) => {
    const [begin, count] = rangeOf(turnOfUnit, get(first), i32(chunk), w.size)
    const i = fresh(e, 'i', 'i32')
    turnOfUnit.statements.push(set(i, begin))
    const turn = inside(turnOfUnit)
    const sum = apply('f64.load', [elementAt(w.from, get(i), 'f64')], 0)
    const value = keep(turn, 'value', fromDouble(turn, sum, dtype))
    turn.statements.push(storeElement(turn, dtype, elementAt(w.to, get(i), dtype), value))
    turnOfUnit.statements.push(countTo(i, keep(turnOfUnit, 'end', add(begin, count)), 1, turn.statements))
  })
}
