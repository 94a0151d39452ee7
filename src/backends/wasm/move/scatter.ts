/**
 * out[o, index[p], :] += updates[o, p, :] into zeros. A unit is one `o` and a strip of the columns, and goes through all p in order: no two units
 * write the same element, and sums do not depend on who computes what.
 *
 * Sums are f64 in scratch memory, rounded once at the end, as cpu's are; f64 and integers are summed in the output itself.
 */
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import type { ScatterKernel } from '../../../compiler/kernel.ts'
import { add, apply, countTo, get, i32, mul, set, type Expression } from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { chunk, clear, rangeOf, unitParameters } from './bytes.ts'
import { emitter, fresh, inside, keep } from '../emit/emitter.ts'
import { pickedRow } from './gather.ts'
import type { Generated, Parameter, Phase } from '../emit/kernelCode.ts'
import { wordAt } from '../scalar/scalarNest.ts'
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

const makeAdd = (name: string, dtype: DType, isSigned: boolean): Function => {
  const [block, first, last] = unitParameters()
  const e = emitter()
  const words = [0, 1, 2, 3, 4, 5, 6].map((i) => keep(e, 'word', wordAt(block, i)))
  const [to, from, indices, strips, picks, inner, lastRow] = words as [
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
    Expression,
  ]
  const sums = sumType(dtype)
  const unit = inside(e)
  const o = keep(unit, 'o', apply('i32.div_u', [get(first), strips]))
  const [begin, count] = rangeOf(unit, apply('i32.rem_u', [get(first), strips]), i32(strip), inner)
  const p = fresh(e, 'p', 'i32')
  unit.statements.push(set(p, i32(0)))
  const turn = inside(unit)
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
  unit.statements.push(countTo(p, picks, 1, turn.statements))
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: e.statements }
}

const clearScratch = (bytes: number): Phase => ({
  ...clear(0, bytes),
  parameters: [{ kind: 'scratch', offset: 0 }, bytes],
})

/** Sums from scratch memory into the output. */
const round = (output: number, dtype: DType, size: number): Phase => ({
  key: `round ${dtype}`,
  make: (name) => {
    const [block, first, last] = unitParameters()
    const e = emitter()
    const unit = inside(e)
    const [begin, count] = rangeOf(unit, get(first), i32(chunk), wordAt(block, 2))
    const i = fresh(e, 'i', 'i32')
    unit.statements.push(set(i, begin))
    const turn = inside(unit)
    const sum = apply('f64.load', [elementAt(wordAt(block, 1), get(i), 'f64')], 0)
    const value = keep(turn, 'value', fromDouble(turn, sum, dtype))
    turn.statements.push(storeElement(turn, dtype, elementAt(wordAt(block, 0), get(i), dtype), value))
    unit.statements.push(countTo(i, keep(unit, 'end', add(begin, count)), 1, turn.statements))
    return { name, parameters: [block, first, last], body: [countTo(first, get(last), 1, unit.statements)] }
  },
  parameters: [{ kind: 'buffer', buffer: output, offset: 0 }, { kind: 'scratch', offset: 0 }, size],
  units: Math.ceil(size / chunk),
  grain: 1,
})

/** Zeros, sums, and, where sums are wider than the output, rounding. */
export const scatter = ({ updates, index, extent, output, dtype }: ScatterKernel): Generated => {
  const { outer, rows, picks, inner } = extent
  const size = outer * rows * inner
  const isSigned = index.dtype === 'i32'
  const inPlace = sumType(dtype) === dtype
  const bytes = size * bytesPerElement[sumType(dtype)]
  const sums: Parameter = inPlace ? { kind: 'buffer', buffer: output, offset: 0 } : { kind: 'scratch', offset: 0 }
  const strips = Math.ceil(inner / strip)
  const sum: Phase = {
    key: `scatter ${dtype} ${isSigned}`,
    make: (name) => makeAdd(name, dtype, isSigned),
    parameters: [
      sums,
      { kind: 'buffer', buffer: updates.buffer, offset: 0 },
      { kind: 'buffer', buffer: index.buffer, offset: 0 },
      strips,
      picks,
      inner,
      rows - 1,
    ],
    units: picks === 0 ? 0 : outer * strips,
    grain: Math.max(1, Math.ceil(4096 / Math.max(1, picks * Math.min(inner, strip)))),
  }
  if (inPlace) return { phases: [clear(output, bytes), sum], scratch: 0 }
  return { phases: [clearScratch(bytes), sum, round(output, dtype, size)], scratch: bytes }
}
