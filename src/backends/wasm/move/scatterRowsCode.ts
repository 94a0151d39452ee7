/** What writes the order of picks, and sums row by row (scatterRows.ts). */
import { range } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import { add, apply, countTo, f64, fill, get, i32, mul, set, store, sub, when } from '../assembler/code.ts'
import type { Expression } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { isWhole } from '../scalar/register.ts'
import { fromDouble, loadElement, storeElement, toDouble, wrapWhole } from '../scalar/scalarValue.ts'
import { rangeOf } from './bytes.ts'
import { narrowed, widened } from './doubles.ts'
import { pickedRow } from './pickedRow.ts'

const word = (base: Expression, i: Expression): Expression => add(base, mul(i, i32(4)))

const load = (address: Expression, offset = 0): Expression => apply('i32.load', [address], offset)

/** Indices that have a sign or none. */
export interface Ordering {
  readonly isSigned: boolean
}

/** Writes a counting sort, in one unit. Afterwards row r has the places begins[r] … begins[r + 1] − 1 of `order`. */
export const writeOrder = (
  unit: Unit<Words<'indices' | 'picks' | 'lastRow' | 'begins' | 'order'>>,
  { isSigned }: Ordering,
): void => {
  const { e } = unit
  const { indices, picks, lastRow, begins, order } = kept(e, unit.words)
  eachUnit(unit, (turn) => {
    const [p, r, sum] = [fresh(e, 'p', 'i32'), fresh(e, 'r', 'i32'), fresh(e, 'sum', 'i32')]
    const counting = inside(turn)
    const counter = keep(counting, 'counter', word(begins, pickedRow(counting, isSigned, indices, get(p), lastRow)))
    counting.statements.push(store('i32.store', counter, add(load(counter, 8), i32(1)), 8))
    const placing = inside(turn)
    const next = keep(placing, 'next', word(begins, pickedRow(placing, isSigned, indices, get(p), lastRow)))
    const place = keep(placing, 'place', load(next, 4))
    placing.statements.push(
      store('i32.store', word(order, place), get(p)),
      store('i32.store', next, add(place, i32(1)), 4),
    )
    const own = word(begins, get(r))
    turn.statements.push(
      fill(begins, i32(0), mul(add(lastRow, i32(3)), i32(4))),
      set(p, i32(0)),
      countTo(p, picks, 1, counting.statements),
      set(sum, i32(0)),
      set(r, i32(0)),
      countTo(r, lastRow, 1, [set(sum, add(get(sum), load(own, 8))), store('i32.store', own, get(sum), 8)]),
      set(p, i32(0)),
      countTo(p, picks, 1, placing.statements),
    )
  })
}

/** Columns of f32 that are added up at once. */
const width = 16

/** A loop over the picks of a row: `write` gets the address of an update's element. */
interface Picks {
  readonly begin: Expression
  readonly end: Expression
  readonly from: Expression
  readonly rowBytes: Expression
}

const eachPick = (
  e: Emitter,
  { begin, end, from, rowBytes }: Picks,
  offset: Expression,
  add_: (e: Emitter, at: Expression) => void,
): void => {
  const place = fresh(e, 'place', 'i32')
  const turn = inside(e)
  add_(turn, keep(turn, 'at', add(add(from, offset), mul(load(get(place)), rowBytes))))
  e.statements.push(set(place, begin), countTo(place, end, 4, turn.statements))
}

/** Sixteen columns of f32 at byte `offset` of a row. */
const sumColumns = (e: Emitter, picks: Picks, to: Expression, offset: Expression): void => {
  const sums = range(width / 2).map(() => fresh(e, 'sums', 'v128'))
  for (const sum of sums) e.statements.push(set(sum, apply('f64x2.splat', [f64(0)])))
  eachPick(e, picks, offset, (turn, at) => {
    for (const v of range(width / 4)) {
      const x = keep(turn, 'x', apply('v128.load', [at], 16 * v))
      sums.slice(2 * v, 2 * v + 2).forEach((sum, half) => {
        turn.statements.push(set(sum, apply('f64x2.add', [get(sum), widened(x, half === 0 ? 0 : 1)])))
      })
    }
  })
  const target = keep(e, 'target', add(to, offset))
  for (const v of range(width / 4)) {
    const [low, high] = sums.slice(2 * v, 2 * v + 2).map(get)
    if (low !== undefined && high !== undefined)
      e.statements.push(store('v128.store', target, narrowed(low, high), 16 * v))
  }
}

/** One column at byte `offset` of a row. */
const sumColumn = (e: Emitter, dtype: DType, picks: Picks, to: Expression, offset: Expression): void => {
  const whole = isWhole(dtype)
  const sum = fresh(e, 'sum', whole ? 'i32' : 'f64')
  e.statements.push(set(sum, whole ? i32(0) : f64(0)))
  eachPick(e, picks, offset, (turn, at) => {
    const x = loadElement(turn, dtype, at)
    turn.statements.push(
      set(sum, whole ? apply('i32.add', [get(sum), x]) : apply('f64.add', [get(sum), toDouble(x, dtype)])),
    )
  })
  const value = keep(e, 'value', whole ? wrapWhole(get(sum), dtype) : fromDouble(e, get(sum), dtype))
  e.statements.push(storeElement(e, dtype, add(to, offset), value))
}

/** Updates of a dtype. */
export interface Adding {
  readonly dtype: DType
}

/** The words of the rows. */
type RowWords =
  | ('to' | 'from' | 'begins' | 'order' | 'rows' | 'picks')
  | ('rowBytes' | 'rowsOfUnit' | 'rowUnits' | 'stripBytes' | 'strips')

/** Writes the rows: a unit is some of one `o`, and a strip of their columns. */
export const writeRows = (unit: Unit<Words<RowWords>>, { dtype }: Adding): void => {
  const { e, first } = unit
  const w = kept(e, unit.words)
  const size = bytesPerElement[dtype]
  eachUnit(unit, (turnOfUnit) => {
    const rest = keep(turnOfUnit, 'rest', apply('i32.div_u', [get(first), w.strips]))
    const [left, bytes] = rangeOf(turnOfUnit, apply('i32.rem_u', [get(first), w.strips]), w.stripBytes, w.rowBytes)
    const o = keep(turnOfUnit, 'o', apply('i32.div_u', [rest, w.rowUnits]))
    const [top, count] = rangeOf(turnOfUnit, apply('i32.rem_u', [rest, w.rowUnits]), w.rowsOfUnit, w.rows)
    const from = keep(turnOfUnit, 'from', add(add(w.from, left), mul(mul(o, w.picks), w.rowBytes)))
    const to = keep(turnOfUnit, 'to', add(add(w.to, left), mul(mul(o, w.rows), w.rowBytes)))
    const [r, c] = [fresh(e, 'r', 'i32'), fresh(e, 'c', 'i32')]
    const turn = inside(turnOfUnit)
    const begins = keep(turn, 'begins', word(w.begins, get(r)))
    const [begin, end] = [
      keep(turn, 'begin', word(w.order, load(begins))),
      keep(turn, 'end', word(w.order, load(begins, 4))),
    ]
    const picks: Picks = { begin, end, from, rowBytes: w.rowBytes }
    const target = keep(turn, 'target', add(to, mul(get(r), w.rowBytes)))
    const [wide, one] = [inside(turn), inside(turn)]
    if (dtype === 'f32') sumColumns(wide, picks, target, get(c))
    sumColumn(one, dtype, picks, target, get(c))
    const vectors = keep(turn, 'vectors', sub(bytes, i32(4 * width - 1)))
    turn.statements.push(
      when(
        apply('i32.eq', [begin, end]),
        [fill(target, i32(0), bytes)],
        [
          set(c, i32(0)),
          ...(dtype === 'f32' ? [countTo(c, vectors, 4 * width, wide.statements)] : []),
          countTo(c, bytes, size, one.statements),
        ],
      ),
    )
    turnOfUnit.statements.push(set(r, top), countTo(r, keep(turnOfUnit, 'bottom', add(top, count)), 1, turn.statements))
  })
}
