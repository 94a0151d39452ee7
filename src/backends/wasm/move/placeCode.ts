/** What writes the copying of rows (place.ts). */
import { at, range } from '../../../prelude/array.ts'
import { apply, branch, get, i32, loop, set, sub, type Expression } from '../assembler/code.ts'
import type { Words } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import type { NestNumbers } from '../scalar/nestWords.ts'
import { enter, moveAll, openNest } from '../scalar/scalarNest.ts'
import { moveRow, rangeOf } from './bytes.ts'

/** Rows of elements of `size` bytes, in a nest of so many axes. */
export interface RowsOfNest {
  readonly size: number
  readonly axes: number
}

/** The words of the code. */
type RowsWords = Words<'bytes' | 'rows' | 'units'> & { readonly nest: NestNumbers<Expression> }

/** Writes rows that each lie in one piece: a unit is `rows` of them along the last axis of the nest, which has `units` units. */
export const writeRowsOfNest = (unit: Unit<RowsWords>, { size, axes }: RowsOfNest): void => {
  const { e, words: w, first } = unit
  const nest = openNest(e, w.nest)
  const [to, from] = [at(nest.cursors, 0), at(nest.cursors, 1)]
  const bytes = keep(e, 'bytes', w.bytes)
  const rows = keep(e, 'rows', w.rows)
  const units = keep(e, 'units', w.units)
  eachUnit(unit, (turn) => {
    enter(turn, nest, range(axes - 1), keep(turn, 'outer', apply('i32.div_u', [get(first), units])))
    const inAxis = apply('i32.rem_u', [get(first), units])
    const [begin, count] = rangeOf(turn, inAxis, rows, at(nest.lengths, axes - 1))
    moveAll(turn, nest, axes - 1, begin)
    const left = fresh(turn, 'rows', 'i32')
    const row = inside(turn)
    moveRow(row, size, get(to), get(from), bytes)
    moveAll(row, nest, axes - 1, i32(1))
    row.statements.push(set(left, sub(get(left), i32(1))), branch(left.name, get(left)))
    turn.statements.push(set(left, count), loop(left.name, row.statements))
  })
}
