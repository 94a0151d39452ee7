/** Which row an index picks. */
import { add, apply, i32, mul, select, type Expression } from '../assembler/code.ts'
import { keep, type Emitter } from '../emit/emitter.ts'

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
