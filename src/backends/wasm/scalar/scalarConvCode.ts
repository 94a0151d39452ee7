/** What writes convolutions one product at a time (scalarConv.ts). */
import type { DType } from '../../../graph/dtype.ts'
import { add, apply, countTo, get, i32, mul, set, sub, when, type Expression } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { elementAt, loadElement, storeElement, sumOf } from './scalarValue.ts'

/** The words of a spatial axis. */
type Axis = Words<
  ('out' | 'stride' | 'low' | 'dilated' | 'inputDilation') | ('taps' | 'filterDilation' | 'xStride' | 'wStride')
>

/** One spatial axis of a unit: for each of its taps that meets an element of the input, `body` gets both places in bytes. */
const overTaps = (
  e: Emitter,
  axis: Axis,
  position: Expression,
  body: (inner: Emitter, x: Expression, w: Expression) => void,
): void => {
  const begin = keep(e, 'begin', sub(mul(position, axis.stride), axis.low))
  const tap = fresh(e, 'tap', 'i32')
  const turn = inside(e)
  const i = keep(turn, 'i', add(begin, mul(get(tap), axis.filterDilation)))
  const isInside = apply('i32.lt_u', [i, axis.dilated])
  const onElement = apply('i32.eqz', [apply('i32.rem_u', [i, axis.inputDilation])])
  const met = inside(turn)
  const x = keep(met, 'x', mul(apply('i32.div_u', [i, axis.inputDilation]), axis.xStride))
  body(met, x, keep(met, 'w', mul(get(tap), axis.wStride)))
  turn.statements.push(when(apply('i32.and', [isInside, onElement]), met.statements))
  e.statements.push(set(tap, i32(0)), countTo(tap, axis.taps, 1, turn.statements))
}

/** Dtypes of the operands and the result. */
export interface Dtypes {
  readonly x: DType
  readonly filter: DType
  readonly dtype: DType
}

/** The words of the code. */
type ConvWords = Words<
  'target' | 'x' | 'w' | 'xBatch' | 'xChannel' | 'wIn' | 'wOut' | 'depth' | 'outputs' | 'perGroup'
> & { readonly rows: Axis; readonly columns: Axis }

/** Writes the pixels of a convolution. */
export const writeScalarConv = (unit: Unit<ConvWords>, { x, filter, dtype }: Dtypes): void => {
  const { e, first } = unit
  const sums = sumOf(x, filter, dtype)
  const w = kept(e, unit.words)
  const { rows, columns } = w
  eachUnit(unit, (turnOfUnit) => {
    const column = keep(turnOfUnit, 'column', apply('i32.rem_u', [get(first), columns.out]))
    const rest = keep(turnOfUnit, 'rest', apply('i32.div_u', [get(first), columns.out]))
    const row = keep(turnOfUnit, 'row', apply('i32.rem_u', [rest, rows.out]))
    const image = keep(turnOfUnit, 'image', add(w.x, mul(apply('i32.div_u', [rest, rows.out]), w.xBatch)))
    const [c, k, sum] = [fresh(e, 'c', 'i32'), fresh(e, 'k', 'i32'), fresh(e, 'sum', sums.register)]
    const output = inside(turnOfUnit)
    const group = apply('i32.div_u', [get(c), w.perGroup])
    const channels = keep(output, 'channels', add(image, mul(mul(group, w.depth), w.xChannel)))
    const filters = keep(output, 'filters', add(w.w, mul(get(c), w.wOut)))
    output.statements.push(set(sum, sums.zero))
    overTaps(output, rows, row, (outer, xRow, wRow) => {
      overTaps(outer, columns, column, (inner, xColumn, wColumn) => {
        const xStart = keep(inner, 'xStart', add(channels, add(xRow, xColumn)))
        const wStart = keep(inner, 'wStart', add(filters, add(wRow, wColumn)))
        const turn = inside(inner)
        const a = loadElement(turn, x, keep(turn, 'at', add(xStart, mul(get(k), w.xChannel))))
        const b = loadElement(turn, filter, keep(turn, 'at', add(wStart, mul(get(k), w.wIn))))
        turn.statements.push(set(sum, sums.plus(get(sum), a, b)))
        inner.statements.push(set(k, i32(0)), countTo(k, w.depth, 1, turn.statements))
      })
    })
    const value = keep(output, 'value', sums.rounded(output, get(sum)))
    const target = elementAt(w.target, add(mul(get(first), w.outputs), get(c)), dtype)
    output.statements.push(storeElement(output, dtype, target, value))
    turnOfUnit.statements.push(set(c, i32(0)), countTo(c, w.outputs, 1, output.statements))
  })
}
