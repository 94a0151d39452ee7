/**
 * Running sums. Each is in f64, or wraps, and goes along its line in order: what a line gives depends on no other, so threads share lines. A sum
 * waits for the one before it; so a unit goes along several lines at once, whose sums do not wait for each other.
 */
import { range } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import type { CumsumKernel } from '../../../compiler/kernel.ts'
import { add, apply, branch, f64, get, i32, loop, mul, select, set, store, sub } from '../assembler/code.ts'
import type { Expression, Local, Statement } from '../assembler/code.ts'
import { block, inBuffer, kept, words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { code, phase, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import { narrowed, widened } from './doubles.ts'
import { fromDouble, isWhole, loadElement, storeElement, toDouble, wrapWhole } from '../scalar/scalarValue.ts'

/** Lines that a unit goes along at once, whose elements are not neighbours. */
const most = 4

/** So many lines at once. */
interface Lines {
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

const linesCode = code(
  'cumsum of lines',
  () => block(words('to', 'from', 'lines', 'length', 'inner', 'first', 'step')),
  (unit, { dtype, together }: Lines) => {
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
        turnOfUnit.statements.push(
          set(at, mul(element, i32(bytesPerElement[dtype]))),
          set(sum, whole ? i32(0) : f64(0)),
        )
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
  },
)

/** Neighbouring columns of f32, so many at once, a multiple of four that divides them. */
const columnsCode = code(
  'cumsum of columns',
  () => block(words('to', 'from', 'strips', 'length', 'inner', 'first', 'step')),
  (unit, { width }: { readonly width: number }) => {
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
  },
)

/** Elements that are worth a thread's attention. */
const worthwhile = 4096

/** Running sums along the middle axis. */
export const cumsum = ({ from, outer, length, inner, reverse, output, dtype }: CumsumKernel): Phase => {
  const places = {
    to: inBuffer(output),
    from: inBuffer(from.buffer),
    length,
    inner,
    first: reverse ? (length - 1) * inner : 0,
    step: (reverse ? -inner : inner) * bytesPerElement[dtype],
  }
  const width = dtype === 'f32' ? [16, 8, 4].find((w) => inner % w === 0) : undefined
  const grainOf = (lines: number): number => Math.max(1, Math.ceil(worthwhile / (length * lines)))
  if (width === undefined) {
    const lines = outer * inner
    const together = Math.min(lines, most)
    const work = { units: Math.ceil(lines / together), grain: grainOf(together) }
    return phase(linesCode, { dtype, together }, { ...places, lines }, work)
  }
  const strips = inner / width
  return phase(columnsCode, { width }, { ...places, strips }, { units: outer * strips, grain: grainOf(width) })
}
