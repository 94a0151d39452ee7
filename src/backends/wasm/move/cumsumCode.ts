/** What writes running sums (cumsum.ts). */
import { range } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import { add, apply, branch, f64, get, i32, loop, mul, select, set, store, sub } from '../assembler/code.ts'
import type { Expression, Local, Statement } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { narrowed, widened } from './doubles.ts'
import { isWhole } from '../scalar/register.ts'
import { fromDouble, loadElement, storeElement, toDouble, wrapWhole } from '../scalar/scalarValue.ts'

/** So many lines at once. */
export interface Lines {
  readonly dtype: DType
  readonly together: number
}

/** `length` turns; each goes on by `step` bytes, which is less than 0 from the end of a line. */
const along = (e: Emitter, length: Expression, turn: readonly Statement[]): void => {
  const left = fresh(e, 'left', 'i32')
  e.statements.push(
    set(left, length),
    loop(left.name, [...turn, set(left, sub(get(left), i32(1))), branch(left.name, get(left))]),
  )
}

/** The words of both codes. */
type Common = 'to' | 'from' | 'length' | 'inner' | 'first' | 'step'

/** Writes several lines at once. */
export const writeLines = (unit: Unit<Words<Common | 'lines'>>, { dtype, together }: Lines): void => {
  const { e, first } = unit
  const { to, from, lines, length, inner, first: start, step } = kept(e, unit.words)
  const whole = isWhole(dtype)
  eachUnit(unit, (turnOfUnit) => {
    const cursors = range(together).map((n): readonly [at: Local, sum: Local] => {
      const own = keep(turnOfUnit, 'own', add(mul(get(first), i32(together)), i32(n)))
      const last = sub(lines, i32(1))
      // Where there are no more lines, the last one again: with the same sums.
      const line = keep(turnOfUnit, 'line', select(apply('i32.lt_s', [own, last]), own, last))
      const outer = mul(mul(apply('i32.div_u', [line, inner]), length), inner)
      const [at, sum] = [fresh(e, 'at', 'i32'), fresh(e, 'sum', whole ? 'i32' : 'f64')]
      const element = add(add(outer, apply('i32.rem_u', [line, inner])), start)
      turnOfUnit.statements.push(set(at, mul(element, i32(bytesPerElement[dtype]))), set(sum, whole ? i32(0) : f64(0)))
      return [at, sum]
    })
    const turn = inside(turnOfUnit)
    for (const [at, sum] of cursors) {
      const x = loadElement(turn, dtype, add(from, get(at)))
      turn.statements.push(
        set(sum, whole ? apply('i32.add', [get(sum), x]) : apply('f64.add', [get(sum), toDouble(x, dtype)])),
      )
      const value = keep(turn, 'value', whole ? wrapWhole(get(sum), dtype) : fromDouble(turn, get(sum), dtype))
      turn.statements.push(storeElement(turn, dtype, add(to, get(at)), value), set(at, add(get(at), step)))
    }
    along(turnOfUnit, length, turn.statements)
  })
}

/** So many neighbouring columns. */
export interface Columns {
  readonly width: number
}

/** Writes neighbouring columns of f32, so many at once, a multiple of four that divides them. */
export const writeColumns = (unit: Unit<Words<Common | 'strips'>>, { width }: Columns): void => {
  const { e, first } = unit
  const { to, from, strips, length, inner, first: start, step } = kept(e, unit.words)
  eachUnit(unit, (turnOfUnit) => {
    const outer = mul(mul(apply('i32.div_u', [get(first), strips]), length), inner)
    const column = mul(apply('i32.rem_u', [get(first), strips]), i32(width))
    const at = fresh(e, 'at', 'i32')
    const sums = range(width / 2).map(() => fresh(e, 'sums', 'v128'))
    turnOfUnit.statements.push(set(at, mul(add(add(outer, column), start), i32(4))))
    for (const sum of sums) turnOfUnit.statements.push(set(sum, apply('f64x2.splat', [f64(0)])))
    const turn = inside(turnOfUnit)
    const [source, target] = [keep(turn, 'source', add(from, get(at))), keep(turn, 'target', add(to, get(at)))]
    for (const v of range(width / 4)) {
      const x = keep(turn, 'x', apply('v128.load', [source], 16 * v))
      const [l, h] = [sums[2 * v], sums[2 * v + 1]] as [Local, Local]
      turn.statements.push(
        set(l, apply('f64x2.add', [get(l), widened(x, 0)])),
        set(h, apply('f64x2.add', [get(h), widened(x, 1)])),
        store('v128.store', target, narrowed(get(l), get(h)), 16 * v),
      )
    }
    turn.statements.push(set(at, add(get(at), step)))
    along(turnOfUnit, length, turn.statements)
  })
}
