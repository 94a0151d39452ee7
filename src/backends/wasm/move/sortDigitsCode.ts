/**
 * What writes the sort by digits: numbers become words whose order as u32 is theirs, and pairs of word and index are put in the order of one digit
 * after the other, from the lowest (radix sort; Knuth, TAOCP 3, 5.2.5).
 */
import { range } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import { add, apply, countTo, f32, fill, get, i32, mul, select, set, store, when } from '../assembler/code.ts'
import type { Expression, Local } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { isWhole } from '../scalar/register.ts'
import { elementAt, loadElement, toDouble } from '../scalar/scalarValue.ts'
import { counterBytes, passesOf, type Digits } from './digits.ts'

const xor = (x: Expression, y: Expression): Expression => apply('i32.xor', [x, y])

/** A value as a word: −0 is 0, and what is no number the last. */
const keyOf = (e: Emitter, dtype: DType, value: Expression): Expression => {
  if (dtype === 'i32') return xor(value, i32(0x8000_0000))
  if (isWhole(dtype)) return value
  const x = keep(e, 'x', dtype === 'f32' ? value : apply('f32.demote_f64', [toDouble(value, dtype)]))
  const bits = keep(e, 'bits', apply('i32.reinterpret_f32', [apply('f32.add', [x, f32(0)])]))
  const sign = apply('i32.or', [apply('i32.shr_s', [bits, i32(31)]), i32(0x8000_0000)])
  return select(apply('f32.eq', [x, x]), xor(bits, sign), i32(-1))
}

const digitOf = (key: Expression, bits: number, pass: number): Expression =>
  apply('i32.and', [apply('i32.shr_u', [key, i32(bits * pass)]), i32(2 ** bits - 1)])

const word = (base: Expression, i: Expression): Expression => add(base, mul(i, i32(4)))

const load = (address: Expression): Expression => apply('i32.load', [address], 0)

/** Puts the pairs in the order of one digit; not where all have the same. */
const writePass = (
  e: Emitter,
  { bits }: Digits,
  pass: number,
  counters: Expression,
  [from, to, length]: readonly [Local, Local, Expression],
): void => {
  const own = keep(e, 'own', add(counters, i32(4 * pass * 2 ** bits)))
  const [n, sum, swap] = [fresh(e, 'n', 'i32'), fresh(e, 'sum', 'i32'), fresh(e, 'swap', 'i32')]
  const before = inside(e)
  const count = keep(before, 'count', load(word(own, get(n))))
  before.statements.push(store('i32.store', word(own, get(n)), get(sum)), set(sum, add(get(sum), count)))
  const moving = inside(e)
  const pair = keep(moving, 'pair', add(get(from), mul(get(n), i32(8))))
  const counter = keep(moving, 'counter', word(own, digitOf(load(pair), bits, pass)))
  const place = keep(moving, 'place', load(counter))
  moving.statements.push(
    store('i64.store', add(get(to), mul(place, i32(8))), apply('i64.load', [pair], 0)),
    store('i32.store', counter, add(place, i32(1))),
  )
  const ofFirst = load(word(own, digitOf(load(get(from)), bits, pass)))
  e.statements.push(
    when(apply('i32.ne', [ofFirst, length]), [
      set(sum, i32(0)),
      set(n, i32(0)),
      countTo(n, i32(2 ** bits), 1, before.statements),
      set(n, i32(0)),
      countTo(n, length, 1, moving.statements),
      set(swap, get(from)),
      set(from, get(to)),
      set(to, get(swap)),
    ]),
  )
}

/** Writes the sort of rows by their digits. */
export const writeSortDigits = (
  unit: Unit<Words<'out' | 'source' | 'scratch' | 'length' | 'inner' | 'rowBytes'>>,
  form: Digits,
): void => {
  const { dtype, bits } = form
  const { e, first } = unit
  const { out, source, scratch, length, inner, rowBytes } = kept(e, unit.words)
  eachUnit(unit, (turn) => {
    const outer = mul(mul(apply('i32.div_u', [get(first), inner]), length), inner)
    const base = keep(turn, 'base', add(outer, apply('i32.rem_u', [get(first), inner])))
    const counters = keep(turn, 'counters', add(scratch, mul(get(first), rowBytes)))
    const [from, to, n] = [fresh(e, 'from', 'i32'), fresh(e, 'to', 'i32'), fresh(e, 'n', 'i32')]
    const reading = inside(turn)
    const element = keep(reading, 'element', add(base, mul(get(n), inner)))
    const value = loadElement(reading, dtype, keep(reading, 'at', elementAt(source, element, dtype)))
    const key = keep(reading, 'key', keyOf(reading, dtype, value))
    const pair = keep(reading, 'pair', add(get(from), mul(get(n), i32(8))))
    reading.statements.push(store('i32.store', pair, key), store('i32.store', pair, get(n), 4))
    for (const pass of range(passesOf(bits))) {
      const ofPass = add(counters, i32(4 * pass * 2 ** bits))
      const counter = keep(reading, 'counter', word(ofPass, digitOf(key, bits, pass)))
      reading.statements.push(store('i32.store', counter, add(load(counter), i32(1))))
    }
    turn.statements.push(
      set(from, add(counters, i32(counterBytes(bits)))),
      set(to, add(get(from), mul(length, i32(8)))),
      fill(counters, i32(0), i32(counterBytes(bits))),
      set(n, i32(0)),
      countTo(n, length, 1, reading.statements),
    )
    for (const pass of range(passesOf(bits))) writePass(turn, form, pass, counters, [from, to, length])
    const index = apply('i32.load', [add(get(from), mul(get(n), i32(8)))], 4)
    turn.statements.push(
      set(n, i32(0)),
      countTo(n, length, 1, [store('i32.store', word(out, add(base, mul(get(n), inner))), index)]),
    )
  })
}
