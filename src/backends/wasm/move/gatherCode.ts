/** What writes the picking of rows (gather.ts). */
import { range } from '../../../prelude/array.ts'
import { add, apply, countTo, get, i32, mul, set, sub, type Expression } from '../assembler/code.ts'
import { moveElement, moveRow, rangeOf } from './bytes.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, lanesOfBits, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { pickedRow } from './pickedRow.ts'

/** Four rows of a table that are moved at once, from pick `r` on: their places are computed side by side. */
const moveFour = (
  e: Emitter,
  { size, isSigned }: Gathering,
  [from, indices, lastRow, target]: readonly [Expression, Expression, Expression, Expression],
  r: Expression,
): void => {
  const four = (x: Expression): Expression => apply('i32x4.splat', [x])
  const raw = apply('v128.load', [add(indices, mul(r, i32(4)))], 0)
  const below = apply(isSigned ? 'i32x4.min_s' : 'i32x4.min_u', [raw, four(lastRow)])
  const row = isSigned ? apply('i32x4.max_s', [below, lanesOfBits(e, 0)]) : below
  const places = apply('i32x4.add', [apply('i32x4.shl', [row, i32(Math.log2(size))]), four(from)])
  const kept = keep(e, 'places', places)
  for (const k of range(4))
    e.statements.push(moveElement(size, add(target, i32(size * k)), apply('i32x4.extract_lane', [kept], k)))
}

/** Rows of elements of `size` bytes, from one table or several. Rows that are moved at once are elements. */
export interface Gathering {
  readonly size: number
  readonly isSigned: boolean
  readonly isSingle: boolean
  readonly isOne: boolean
}

/** The words of the code. */
type GatherWords = Words<'to' | 'from' | 'indices' | 'total' | 'perUnit' | 'picks' | 'length' | 'lastRow'>

/** Writes the picking of rows. */
export const writeGather = (unit: Unit<GatherWords>, form: Gathering): void => {
  const { size, isSigned, isSingle, isOne } = form
  const { e, first } = unit
  const { to, from, indices, total, perUnit, picks, length, lastRow } = kept(e, unit.words)
  eachUnit(unit, (turnOfUnit) => {
    const [begin, count] = rangeOf(turnOfUnit, get(first), perUnit, total)
    const [r, end] = [fresh(e, 'r', 'i32'), keep(turnOfUnit, 'end', add(begin, count))]
    turnOfUnit.statements.push(set(r, begin))
    const turn = inside(turnOfUnit)
    const o = isOne ? i32(0) : keep(turn, 'o', apply('i32.div_u', [get(r), picks]))
    const p = isOne ? get(r) : keep(turn, 'p', apply('i32.rem_u', [get(r), picks]))
    const row = pickedRow(turn, isSigned, indices, p, lastRow)
    const source = add(mul(add(lastRow, i32(1)), o), row)
    const [target, origin] = [add(to, mul(get(r), length)), add(from, mul(source, length))]
    if (isSingle) turn.statements.push(moveElement(size, target, origin))
    else moveRow(turn, size, target, origin, length)
    if (isSingle && isOne) {
      const four = inside(turnOfUnit)
      const target = keep(four, 'target', add(to, mul(get(r), i32(size))))
      moveFour(four, form, [from, indices, lastRow, target], get(r))
      turnOfUnit.statements.push(countTo(r, keep(turnOfUnit, 'fours', sub(end, i32(3))), 4, four.statements))
    }
    turnOfUnit.statements.push(countTo(r, end, 1, turn.statements))
  })
}
