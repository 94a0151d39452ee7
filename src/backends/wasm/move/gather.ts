/** out[o, p, :] = table[o, index[p], :]: rows picked by an index, which is clamped to the rows that there are. */
import { bytesPerElement } from '../../../graph/dtype.ts'
import type { GatherKernel } from '../../../compiler/kernel.ts'
import { add, apply, countTo, get, i32, mul, select, type Expression } from '../assembler/code.ts'
import { chunk, moveElement, moveRow, rangeOf, unitParameters } from './bytes.ts'
import { emitter, fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import type { Phase } from '../emit/kernelCode.ts'
import { wordAt } from '../scalar/scalarNest.ts'
import { set } from '../assembler/code.ts'

/** Row `p` of the index, clamped to 0 … rows − 1; `last` is rows − 1. */
export const pickedRow = (
  e: Emitter,
  isSigned: boolean,
  index: Expression,
  p: Expression,
  last: Expression,
): Expression => {
  const raw = keep(e, 'row', apply('i32.load', [add(index, mul(p, i32(4)))], 0))
  const below = keep(e, 'row', select(apply(isSigned ? 'i32.lt_s' : 'i32.lt_u', [raw, last]), raw, last))
  return isSigned ? keep(e, 'row', select(apply('i32.lt_s', [below, i32(0)]), i32(0), below)) : below
}

/** Rows as units: a unit is `rows` rows of the output. */
export const gather = ({ table, index, extent, output, dtype }: GatherKernel): Phase => {
  const size = bytesPerElement[dtype]
  const { outer, rows, picks, inner } = extent
  const isSigned = index.dtype === 'i32'
  const isSingle = inner === 1
  const bytes = inner * size
  const perUnit = Math.max(1, Math.floor(chunk / Math.max(1, bytes)))
  return {
    key: `gather ${size} ${isSigned} ${isSingle}`,
    make: (name) => {
      const [block, first, last] = unitParameters()
      const e = emitter()
      const [to, from, indices, total, each, picks, length, lastRow] = [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
        keep(e, 'word', wordAt(block, i)),
      ) as [Expression, Expression, Expression, Expression, Expression, Expression, Expression, Expression]
      const unit = inside(e)
      const [begin, count] = rangeOf(unit, get(first), each, total)
      const [r, end] = [fresh(e, 'r', 'i32'), keep(unit, 'end', add(begin, count))]
      unit.statements.push(set(r, begin))
      const turn = inside(unit)
      const o = keep(turn, 'o', apply('i32.div_u', [get(r), picks]))
      const p = keep(turn, 'p', apply('i32.rem_u', [get(r), picks]))
      const row = pickedRow(turn, isSigned, indices, p, lastRow)
      const source = add(mul(o, add(lastRow, i32(1))), row)
      const [target, origin] = [add(to, mul(get(r), length)), add(from, mul(source, length))]
      if (isSingle) turn.statements.push(moveElement(size, target, origin))
      else moveRow(turn, size, target, origin, length)
      unit.statements.push(countTo(r, end, 1, turn.statements))
      e.statements.push(countTo(first, get(last), 1, unit.statements))
      return { name, parameters: [block, first, last], body: e.statements }
    },
    parameters: [
      { kind: 'buffer', buffer: output, offset: 0 },
      { kind: 'buffer', buffer: table.buffer, offset: 0 },
      { kind: 'buffer', buffer: index.buffer, offset: 0 },
      outer * picks,
      perUnit,
      picks,
      bytes,
      rows - 1,
    ],
    units: bytes === 0 ? 0 : Math.ceil((outer * picks) / perUnit),
    grain: 1,
  }
}
