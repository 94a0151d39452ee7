/** What writes merge sort: from the bottom, by ping-pong between two rows of indices. A unit is one sorted row. */
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import {
  add,
  apply,
  block as labelled,
  branch,
  countTo,
  get,
  i32,
  loop,
  mul,
  select,
  set,
  store,
  when,
} from '../assembler/code.ts'
import type { Expression, Local } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { isWhole, registerOf } from '../scalar/register.ts'
import { loadElement } from '../scalar/scalarValue.ts'

/** Whether `y` comes before `x`, which stood before it. */
const before = (dtype: DType, y: Expression, x: Expression): Expression => {
  if (isWhole(dtype)) return apply(dtype === 'i32' ? 'i32.lt_s' : 'i32.lt_u', [y, x])
  const type = registerOf[dtype] === 'f32' ? 'f32' : 'f64'
  const isNumber = apply(`${type}.eq`, [y, y])
  return apply('i32.and', [isNumber, apply('i32.eqz', [apply(`${type}.le`, [x, y])])])
}

const word = (base: Expression, i: Expression): Expression => add(base, mul(i, i32(4)))

/** Merges the sorted ranges [low, middle) and [middle, high) of one row into the other. */
const merge = (
  e: Emitter,
  dtype: DType,
  keyAt: (e: Emitter, index: Expression) => Expression,
  rows: readonly [from: Local, to: Local],
  bounds: readonly [low: Expression, middle: Expression, high: Expression],
): void => {
  const [from, to] = rows
  const [low, middle, high] = bounds
  const [i, j, k] = [fresh(e, 'i', 'i32'), fresh(e, 'j', 'i32'), fresh(e, 'k', 'i32')]
  e.statements.push(set(i, low), set(j, middle), set(k, low))
  const turn = inside(e)
  const [left, right] = [i, j].map((n) => keep(turn, 'index', apply('i32.load', [word(get(from), get(n))], 0))) as [
    Expression,
    Expression,
  ]
  // A range that is used up is behind the other; indices read past its end are never keys.
  const takesRight = fresh(e, 'takesRight', 'i32')
  const compare = inside(turn)
  compare.statements.push(set(takesRight, before(dtype, keyAt(compare, right), keyAt(compare, left))))
  turn.statements.push(
    when(
      apply('i32.ge_s', [get(i), middle]),
      [set(takesRight, i32(1))],
      [when(apply('i32.ge_s', [get(j), high]), [set(takesRight, i32(0))], compare.statements)],
    ),
    store('i32.store', word(get(to), get(k)), select(get(takesRight), right, left)),
    set(j, add(get(j), get(takesRight))),
    set(i, add(get(i), apply('i32.eqz', [get(takesRight)]))),
  )
  e.statements.push(countTo(k, high, 1, turn.statements))
}

const least = (e: Emitter, x: Expression, y: Expression): Expression =>
  keep(e, 'least', select(apply('i32.lt_u', [x, y]), x, y))

/** Rows of a dtype. */
export interface Sorting {
  readonly dtype: DType
}

/** Writes the sort of rows. */
export const writeSort = (
  unit: Unit<Words<'out' | 'source' | 'scratch' | 'length' | 'inner'>>,
  { dtype }: Sorting,
): void => {
  const { e, first } = unit
  const { out, source, scratch, length, inner } = kept(e, unit.words)
  eachUnit(unit, (turnOfUnit) => {
    const outer = keep(turnOfUnit, 'outer', apply('i32.div_u', [get(first), inner]))
    const column = apply('i32.rem_u', [get(first), inner])
    const base = keep(turnOfUnit, 'base', add(mul(mul(outer, length), inner), column))
    const elementOf = (start: Expression, i: Expression, bytes: number): Expression =>
      add(start, mul(add(base, mul(i, inner)), i32(bytes)))
    const keyAt = (into: Emitter, index: Expression): Expression =>
      loadElement(into, dtype, keep(into, 'at', elementOf(source, index, bytesPerElement[dtype])))
    const [from, to, swap] = [fresh(e, 'from', 'i32'), fresh(e, 'to', 'i32'), fresh(e, 'swap', 'i32')]
    const [n, width, low] = [fresh(e, 'n', 'i32'), fresh(e, 'width', 'i32'), fresh(e, 'low', 'i32')]
    turnOfUnit.statements.push(
      set(from, add(scratch, mul(mul(get(first), length), i32(8)))),
      set(to, word(get(from), length)),
      set(n, i32(0)),
      countTo(n, length, 1, [store('i32.store', word(get(from), get(n)), get(n))]),
      set(width, i32(1)),
    )
    const pair = inside(turnOfUnit)
    const middle = least(pair, add(get(low), get(width)), length)
    const high = least(pair, add(get(low), mul(get(width), i32(2))), length)
    merge(pair, dtype, keyAt, [from, to], [get(low), middle, high])
    pair.statements.push(set(low, high), branch('pairs', apply('i32.lt_s', [get(low), length])))
    const pass = [
      branch('sorted', apply('i32.ge_s', [get(width), length])),
      set(low, i32(0)),
      loop('pairs', pair.statements),
      set(swap, get(from)),
      set(from, get(to)),
      set(to, get(swap)),
      set(width, mul(get(width), i32(2))),
      branch('passes'),
    ]
    turnOfUnit.statements.push(
      labelled('sorted', [loop('passes', pass)]),
      set(n, i32(0)),
      countTo(n, length, 1, [
        store('i32.store', elementOf(out, get(n), 4), apply('i32.load', [word(get(from), get(n))], 0)),
      ]),
    )
  })
}
