/**
 * What a contraction does to its result before it leaves it (bias, activation, residual), as code: when a unit has summed all products of its
 * rows, it walks over them once more, in place, while they lie in the nearest cache. The tile's own code thus stays what it is.
 *
 * The output is [batch, rows, columns]. An operand's address is a sum of three parts, one of each; where the row's part is that of the output
 * itself, or nothing, it needs no table.
 */
import { at, range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { addresses } from '../../../compiler/addresses.ts'
import { operandParts, type OutputShape } from '../../../compiler/contraction/operandParts.ts'
import type { Body } from '../../../compiler/kernel.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import { whyNotVector } from '../emit/body.ts'
import { writeRow } from '../elementwise/elementwise.ts'
import { block, listOf, table, words, type Field, type Parameter } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { leavesOf, startOf, stepOf, viewOf, walkOf, type Leaf, type Walk } from '../emit/leaf.ts'
import { structureOfWritten, type Written, type WrittenStructure } from '../emit/opening.ts'
import type { Unsupported } from '../emit/unsupported.ts'

/** How a row's part of an address comes about: there is none, it is the output's own, or a table has it. */
type RowPart = 'none' | 'output' | 'table'

/** A leaf of the body: its address as a sum of parts, in elements. */
interface Operand {
  readonly leaf: Leaf
  readonly batch: Int32Array
  readonly rows: Int32Array
  readonly rowPart: RowPart
  readonly stride: number
}

/** A body that ends a contraction. */
export interface Epilogue {
  readonly written: Written
  readonly operands: readonly Operand[]
  readonly shape: OutputShape
}

/** An epilogue as code knows it. */
export interface EpilogueStructure {
  readonly written: WrittenStructure
  readonly operands: readonly { readonly rowPart: RowPart; readonly walk: Walk }[]
}

/** The structure of an epilogue. */
export const structureOfEpilogue = ({ written, operands }: Epilogue): EpilogueStructure => ({
  operands: operands.map(({ rowPart, stride }) => ({ rowPart, walk: walkOf(stride) })),
  written: structureOfWritten(written),
})

const operandOf = (leaf: Leaf, shape: OutputShape): Operand | undefined => {
  const parts = operandParts(viewOf(leaf), shape)
  if (parts === undefined) return undefined
  const [batch, rows] = [addresses(parts.batch), addresses(parts.rows)]
  const [, count, width] = shape
  const asOutput = rows.every((x, m) => x === m * width) && batch.every((x, b) => x === b * count * width)
  const isFloat = leaf.kind === 'load' && leaf.dtype === 'f32'
  return {
    leaf,
    batch,
    rows,
    rowPart: rows.every((x) => x === 0) ? 'none' : asOutput && isFloat ? 'output' : 'table',
    stride: parts.step,
  }
}

/** The body as an epilogue, or why it must be a kernel of its own. */
export const epilogueOf = (body: Body, output: number, shape: OutputShape): E.Either<Unsupported, Epilogue> => {
  const reason = whyNotVector(body)
  if (reason !== undefined) return E.left(reason)
  const operands = leavesOf(body).map(([, leaf]) => operandOf(leaf, shape))
  if (!operands.every((o) => o !== undefined)) return E.left({ kind: 'axes' })
  const written: Written = {
    body,
    outputs: [{ buffer: output, dtype: 'f32', instruction: body.instructions.length - 1 }],
  }
  return E.right({ written, operands, shape })
}

/** An operand of an epilogue: its start, its step along the columns, its parts of batches and of rows. */
export interface OperandNumbers<N> {
  readonly start: N
  readonly step: N
  readonly batches: N
  readonly rows: N
}

/** The words of the operands of an epilogue, or of none. */
export const epilogueField = (
  epilogue: EpilogueStructure | undefined,
): Field<readonly OperandNumbers<Parameter>[], readonly OperandNumbers<Expression>[]> =>
  listOf(epilogue?.operands.length ?? 0, block(words('start', 'step', 'batches', 'rows')))

/**
 * The numbers of the operands.
 *
 * @param batches for each batch of the contraction, its batch and its first column in the output
 * @param first bytes of the output before its first row
 * @param tiles rows of the output of every tile, one after the other
 */
export const epilogueNumbers = (
  { operands }: Epilogue,
  batches: readonly { readonly batch: number; readonly column: number }[],
  first: number,
  tiles: Int32Array,
): readonly OperandNumbers<Parameter>[] =>
  operands.map(({ leaf, batch, rows, rowPart, stride }) => {
    const start = startOf(leaf, 0)
    const fromOutput = rowPart === 'output' && typeof start !== 'number' && start.kind === 'buffer'
    const perBatch = batches.map((b) => stepOf(leaf, (batch[b.batch] as number) + b.column * stride))
    return {
      start: fromOutput ? { ...start, offset: start.offset + first } : start,
      step: stepOf(leaf, stride),
      batches: table(Int32Array.from(perBatch)),
      rows: rowPart === 'table' ? table(tiles.map((row) => stepOf(leaf, rows[row] as number))) : 0,
    }
  })

/** The unit whose result is there: all of it as expressions in bytes. */
export interface EndedUnit {
  readonly numbers: readonly OperandNumbers<Expression>[]
  readonly batch: Expression
  /** Where the batch of the output begins. */
  readonly out: Expression
  readonly firstTile: Expression
  readonly firstRecord: Expression
  readonly recordsEnd: Expression
  readonly recordBytes: number
  /** Rows of a whole tile, and the word of a record at which their places in the output begin; behind them it says how many there are. */
  readonly rows: number
  readonly places: number
  /** Columns, as bytes of a row. */
  readonly from: Expression
  readonly to: Expression
}

/** Writes the walk over a unit's rows. */
export const writeEpilogue = (e: Emitter, { written, operands }: EpilogueStructure, unit: EndedUnit): void => {
  const walks: readonly Walk[] = ['next', ...operands.map((o) => o.walk)]
  const { numbers } = unit
  const pointers = range(operands.length + 1).map(() => fresh(e, 'pointer', 'i32'))
  const steps = [i32(4), ...numbers.map(({ step }) => keep(e, 'step', step))]
  const starts = numbers.map(({ start, batches }) =>
    keep(e, 'start', add(start, apply('i32.load', [add(batches, mul(unit.batch, i32(4)))]))),
  )
  const [record, row] = [fresh(e, 'record', 'i32'), fresh(e, 'row', 'i32')]
  const tableRow = fresh(e, 'tableRow', 'i32')
  const perRecord = inside(e)
  const perRow = inside(perRecord)
  const place = keep(perRow, 'place', apply('i32.load', [add(get(record), get(row))], 4 * unit.places))
  perRow.statements.push(set(at(pointers, 0), add(unit.out, place)))
  operands.forEach(({ rowPart }, k) => {
    const part = (): Expression =>
      rowPart === 'output'
        ? place
        : rowPart === 'none'
          ? i32(0)
          : apply('i32.load', [add(at(numbers, k).rows, add(get(tableRow), get(row)))])
    perRow.statements.push(set(at(pointers, k + 1), add(at(starts, k), part())))
  })
  writeRow({ e: perRow, pointers, steps }, written, walks, unit.from, unit.to, false)
  const valid = mul(apply('i32.load', [get(record)], 4 * (unit.places + unit.rows)), i32(4))
  perRecord.statements.push(
    set(row, i32(0)),
    countTo(row, keep(perRecord, 'valid', valid), 4, perRow.statements),
    set(tableRow, add(get(tableRow), i32(4 * unit.rows))),
  )
  e.statements.push(
    set(tableRow, mul(unit.firstTile, i32(4 * unit.rows))),
    set(record, unit.firstRecord),
    countTo(record, unit.recordsEnd, unit.recordBytes, perRecord.statements),
  )
}
