/** out[o, p, :] = table[o, index[p], :]: rows picked by an index, which is clamped to the rows that there are. */
import { bytesPerElement } from '../../../graph/dtype.ts'
import type { GatherKernel } from '../../../compiler/kernel.ts'
import { range } from '../../../prelude/array.ts'
import { add, apply, countTo, get, i32, mul, select, set, sub, type Expression } from '../assembler/code.ts'
import { chunk, isPiece, moveElement, moveRow, rangeOf } from './bytes.ts'
import { block, inBuffer, kept, words } from '../emit/block.ts'
import { fresh, inside, keep, lanesOfBits, type Emitter } from '../emit/emitter.ts'
import { code, phase, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'

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
interface Gathering {
  readonly size: number
  readonly isSigned: boolean
  readonly isSingle: boolean
  readonly isOne: boolean
}

const gatherCode = code(
  'gather',
  () => block(words('to', 'from', 'indices', 'total', 'perUnit', 'picks', 'length', 'lastRow')),
  (unit, form: Gathering) => {
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
  },
)

/** Rows as units: a unit is `perUnit` rows of the output. */
export const gather = ({ table, index, extent, output, dtype }: GatherKernel): Phase => {
  const size = bytesPerElement[dtype]
  const { outer, rows, picks, inner } = extent
  const bytes = inner * size
  const perUnit = Math.max(1, Math.floor(chunk / Math.max(1, bytes)))
  return phase(
    gatherCode,
    {
      size: isPiece(bytes) ? bytes : size,
      isSigned: index.dtype === 'i32',
      isSingle: isPiece(bytes),
      isOne: outer === 1,
    },
    {
      to: inBuffer(output),
      from: inBuffer(table.buffer),
      indices: inBuffer(index.buffer),
      total: outer * picks,
      perUnit,
      picks,
      length: bytes,
      lastRow: rows - 1,
    },
    { units: bytes === 0 ? 0 : Math.ceil((outer * picks) / perUnit), grain: 1 },
  )
}
