/**
 * out[o, index[p], :] += updates[o, p, :] into zeros. Rows of some length have code of their own (scatterRows.ts). A unit is one `o` and a strip of the columns, and goes through all p in order: no two units
 * write the same element, and sums do not depend on who computes what.
 *
 * Sums are f64 in scratch memory, rounded once at the end, as cpu's are; f64 and integers are summed in the output itself.
 */
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import type { ScatterKernel } from '../../../compiler/kernel.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import { chunk, clear, rangeOf } from './bytes.ts'
import { block, inBuffer, inScratch, kept, words } from '../emit/block.ts'
import { fresh, inside, keep } from '../emit/emitter.ts'
import { pickedRow } from './gather.ts'
import { isByRows, scatterRows } from './scatterRows.ts'
import { code, phase, type Generated, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import {
  elementAt,
  fromDouble,
  isWhole,
  loadElement,
  storeElement,
  toDouble,
  wrapWhole,
} from '../scalar/scalarValue.ts'

/** Columns of a unit. */
const strip = 64

/** In what sums are kept. */
const sumType = (dtype: DType): DType => (isWhole(dtype) ? dtype : 'f64')

/** Updates of a dtype by an index that has a sign or none. */
interface Adding {
  readonly dtype: DType
  readonly isSigned: boolean
}

const addCode = code(
  'scatter',
  () => block(words('to', 'from', 'indices', 'strips', 'picks', 'inner', 'lastRow')),
  (unit, { dtype, isSigned }: Adding) => {
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
  },
)

const roundCode = code(
  'round',
  () => block(words('to', 'from', 'size')),
  (unit, { dtype }: Pick<Adding, 'dtype'>) => {
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
  },
)

/** Sums from scratch memory into the output. */
const round = (output: number, dtype: DType, size: number): Phase =>
  phase(
    roundCode,
    { dtype },
    { to: inBuffer(output), from: inScratch(0), size },
    { units: Math.ceil(size / chunk), grain: 1 },
  )

/** Long rows each by itself, short ones together. */
export const scatter = (kernel: ScatterKernel): Generated =>
  isByRows(kernel) ? scatterRows(kernel) : scatterTogether(kernel)

/** Zeros, sums, and, where sums are wider than the output, rounding. */
const scatterTogether = ({ updates, index, extent, output, dtype }: ScatterKernel): Generated => {
  const { outer, rows, picks, inner } = extent
  const size = outer * rows * inner
  const inPlace = sumType(dtype) === dtype
  const bytes = size * bytesPerElement[sumType(dtype)]
  const sums = inPlace ? inBuffer(output) : inScratch(0)
  const strips = Math.ceil(inner / strip)
  const sum = phase(
    addCode,
    { dtype, isSigned: index.dtype === 'i32' },
    {
      to: sums,
      from: inBuffer(updates.buffer),
      indices: inBuffer(index.buffer),
      strips,
      picks,
      inner,
      lastRow: rows - 1,
    },
    {
      units: picks === 0 ? 0 : outer * strips,
      grain: Math.max(1, Math.ceil(4096 / Math.max(1, picks * Math.min(inner, strip)))),
    },
  )
  const zeros = clear(sums, bytes)
  if (inPlace) return { phases: [zeros, sum], scratch: 0 }
  return { phases: [zeros, sum, round(output, dtype, size)], scratch: bytes }
}
