/** Moving bytes: rows copied in vectors, ranges filled with zeros. Elements of every dtype move as the bytes that they are. */
import { add, apply, branch, fill, get, i32, loop, mul, select, set, store, sub, when } from '../assembler/code.ts'
import type { Expression, Local, Statement } from '../assembler/code.ts'
import type { OpcodeName } from '../assembler/opcodes.ts'
import { block, words, type Parameter } from '../emit/block.ts'
import { fresh, keep, type Emitter } from '../emit/emitter.ts'
import { code, phase, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'

/** Bytes that a unit of work moves, where it may choose. */
export const chunk = 32768

const move = (load: OpcodeName, store_: OpcodeName, to: Expression, from: Expression, offset = 0): Statement =>
  store(store_, to, apply(load, [from], offset), offset)

const pieces = [
  [16, 'v128.load', 'v128.store'],
  [8, 'i64.load', 'i64.store'],
  [4, 'i32.load', 'i32.store'],
  [2, 'i32.load16_u', 'i32.store16'],
  [1, 'i32.load8_u', 'i32.store8'],
] as const

/** Whether so many bytes are moved at once. */
export const isPiece = (size: number): boolean => pieces.some(([bytes]) => bytes === size)

/** One element, or a row, of 1, 2, 4, 8 or 16 bytes. */
export const moveElement = (size: number, to: Expression, from: Expression): Statement => {
  const piece = pieces.find(([bytes]) => bytes === size)
  if (piece === undefined) throw new Error(`wasm: ${size} bytes are not moved at once`)
  return move(piece[1], piece[2], to, from)
}

/** Less than 16 bytes, a multiple of `size`: 8, 4, 2 and 1 of them where that bit of the number is set. */
const moveFew = (size: number, to: Local, from: Local, bytes: Expression): readonly Statement[] =>
  pieces.flatMap(([piece, load, store_]) =>
    piece < size || piece === 16
      ? []
      : when(apply('i32.and', [bytes, i32(piece)]), [
          move(load, store_, get(to), get(from)),
          set(to, add(get(to), i32(piece))),
          set(from, add(get(from), i32(piece))),
        ]),
  )

/**
 * Copies a row of `bytes` bytes, a multiple of the element's size. What is left of whole turns is copied as a vector that ends with the row:
 * bytes that are copied twice cost nothing.
 */
export const moveRow = (e: Emitter, size: number, to: Expression, from: Expression, bytes: Expression): void => {
  const [t, f, left] = [fresh(e, 'to', 'i32'), fresh(e, 'from', 'i32'), fresh(e, 'left', 'i32')]
  const label = left.name
  const vector = (offset: number): Statement => move('v128.load', 'v128.store', get(t), get(f), offset)
  const advance = [
    set(t, add(get(t), i32(32))),
    set(f, add(get(f), i32(32))),
    set(left, sub(get(left), i32(32))),
    branch(label, apply('i32.ge_s', [get(left), i32(32)])),
  ]
  const many = [
    when(apply('i32.ge_s', [get(left), i32(32)]), [loop(label, [vector(0), vector(16), ...advance])]),
    when(apply('i32.gt_s', [get(left), i32(16)]), [vector(0)]),
    when(get(left), [
      set(t, sub(add(get(t), get(left)), i32(16))),
      set(f, sub(add(get(f), get(left)), i32(16))),
      vector(0),
    ]),
  ]
  e.statements.push(
    set(t, to),
    set(f, from),
    set(left, bytes),
    when(apply('i32.ge_s', [get(left), i32(16)]), many, moveFew(size, t, f, get(left))),
  )
}

/** The `index`-th range of `length` of what is `total` long: where it begins, and how long it is. */
export const rangeOf = (
  e: Emitter,
  index: Expression,
  length: Expression,
  total: Expression,
): readonly [begin: Expression, count: Expression] => {
  const begin = keep(e, 'begin', mul(index, length))
  const left = keep(e, 'left', sub(total, begin))
  return [begin, keep(e, 'count', select(apply('i32.lt_u', [left, length]), left, length))]
}

const clearCode = code(
  'clear',
  () => block(words('to', 'bytes')),
  (unit) => {
    const { words: w, first } = unit
    eachUnit(unit, (turn) => {
      const [begin, count] = rangeOf(turn, get(first), i32(chunk), w.bytes)
      turn.statements.push(fill(add(w.to, begin), i32(0), count))
    })
  },
)

/** Fills memory with zeros. */
export const clear = (to: Parameter, bytes: number): Phase =>
  phase(clearCode, {}, { to, bytes }, { units: Math.ceil(bytes / chunk), grain: 1 })
