/** What writes blocks of 4×4 elements that are turned round in registers (transposing.ts). */
import { at, range } from '../../../prelude/array.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import { writeInstructions } from '../emit/body.ts'
import type { ReadOf } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { advanced, leavesOf, read, transposed, write, type Reading, type Walk } from '../emit/leaf.ts'
import { enter, turn, type odometerField } from '../emit/odometer.ts'
import { eachUnit, open, toStarts, type Opening, type WrittenStructure, type Unit } from '../emit/opening.ts'

/** Blocks of four rows. */
export interface Across {
  readonly written: WrittenStructure
  readonly walks: readonly Walk[]
  /** Which leaves are turned round. */
  readonly turned: readonly number[]
  /** Axes of the odometer. */
  readonly axes: number
}

/** Four vectors of a leaf, one for each row. */
type Rows = readonly Expression[]

/** Four rows of all outputs, four columns a turn. */
const writeFourRows = (
  unit: Emitter,
  { e, pointers, steps }: Opening,
  { written: { body, outputs }, walks, turned }: Across,
  rowSteps: readonly Expression[],
  length: Expression,
): void => {
  const i = fresh(e, 'i', 'i32')
  const leaves = leavesOf(body)
  const starts = pointers.map((pointer, k) =>
    range(4).map((row) => keep(unit, 'row', add(get(pointer), mul(at(rowSteps, k), i32(row))))),
  )
  const readings = leaves.map(([, leaf], k) =>
    range(4).map((row): Reading => ({
      leaf,
      walk: at(walks, outputs.length + k),
      pointer: at(at(starts, outputs.length + k), row),
      step: at(steps, outputs.length + k),
    })),
  )
  const fixed = readings.map((own): Rows | undefined =>
    at(own, 0).walk === 'stays' ? own.map((reading) => keep(unit, 'same', read(unit, reading))) : undefined,
  )
  unit.statements.push(set(i, i32(0)))
  const tile = inside(unit)
  const rowsOf = (k: number): Rows | undefined => {
    if (!turned.includes(k)) return fixed[k]
    const step = at(steps, outputs.length + k)
    const base = keep(
      tile,
      'at',
      add(get(at(pointers, outputs.length + k)), apply('i32.mul', [apply('i32.shr_u', [get(i), i32(2)]), step])),
    )
    const columns = range(4).map((c) => keep(tile, 'x', apply('v128.load', [add(base, mul(step, i32(c)))], 0)))
    return transposed(tile, columns)
  }
  const ready = leaves.map((_, k) => rowsOf(k))
  const places = new Map(leaves.map(([instruction], k) => [instruction, k]))
  const values = range(4).map((row) =>
    writeInstructions(tile, body, (inner, instruction) => {
      const k = places.get(instruction) ?? 0
      return ready[k]?.[row] ?? read(inner, advanced(inner, at(at(readings, k), row), get(i)))
    }),
  )
  outputs.forEach(({ dtype, instruction }, k) => {
    values.forEach((own, row) => {
      const to = { dtype, walk: at(walks, k), pointer: at(at(starts, k), row), step: at(steps, k) }
      tile.statements.push(...write(tile, advanced(tile, to, get(i)), 0, at(own, instruction)))
    })
  })
  unit.statements.push(countTo(i, length, 16, tile.statements))
}

/** The words of the code. */
interface AcrossWords {
  readonly starts: readonly Expression[]
  readonly steps: readonly Expression[]
  readonly rowSteps: readonly Expression[]
  readonly length: Expression
  readonly odometer: ReadOf<ReturnType<typeof odometerField>>
}

/** Writes the blocks: a unit is four rows. */
export const writeAcross = (unit: Unit<AcrossWords>, structure: Across): void => {
  const { e, words, first } = unit
  const opening = open(unit)
  const rowSteps = words.rowSteps.map((step) => keep(e, 'rowStep', step))
  const length = keep(e, 'length', words.length)
  const odometer = { ...words.odometer, pointers: opening.pointers }
  e.statements.push(...toStarts(opening, words.starts))
  const coordinates = enter(e, odometer, get(first))
  eachUnit(unit, (turnOfRows) => {
    writeFourRows(turnOfRows, opening, structure, rowSteps, length)
    turnOfRows.statements.push(...turn(odometer, coordinates))
  })
}
