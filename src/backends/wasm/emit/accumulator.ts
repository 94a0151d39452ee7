/**
 * Sums and maxima of four lanes at a time.
 *
 * Sums of f32 are kept in doubles, as cpu keeps them: their error is that of one rounding, whatever their order and length. Whole numbers wrap,
 * maxima are exact; so no result depends on how a reduction is cut into parts.
 */
import { at, range } from '../../../prelude/array.ts'
import {
  add,
  apply,
  get,
  i32,
  select,
  set,
  store,
  when,
  type Expression,
  type Local,
  type Statement,
} from '../assembler/code.ts'
import type { OpcodeName } from '../assembler/opcodes.ts'
import { bitsOf, fresh, keep, lanesOfBits, type Emitter } from './emitter.ts'
import { transposed, write, writeSome, type Writing } from './leaf.ts'

/** What is accumulated: sums of f32 in doubles, or lanes that an instruction joins, beginning with those of a number by its bits. */
export type Accumulation =
  | { readonly kind: 'doubles' }
  | { readonly kind: 'lanes'; readonly join: OpcodeName; readonly identity: number }

/** Bytes of an element of what parts leave to be joined. */
export const partialBytes = ({ kind }: Accumulation): 4 | 8 => (kind === 'doubles' ? 8 : 4)

/** The accumulation of an operation; undefined where lanes of `dtype` have none. */
export const accumulationOf = (operation: 'sum' | 'max', dtype: string): Accumulation | undefined => {
  const whole = dtype === 'i32' || dtype === 'u32' || dtype === 'u8'
  if (operation === 'sum') {
    if (dtype === 'f32') return { kind: 'doubles' }
    return whole ? { kind: 'lanes', join: 'i32x4.add', identity: 0 } : undefined
  }
  if (dtype === 'f32') return { kind: 'lanes', join: 'f32x4.max', identity: bitsOf(-Infinity) }
  if (dtype === 'i32') return { kind: 'lanes', join: 'i32x4.max_s', identity: -(2 ** 31) }
  return whole ? { kind: 'lanes', join: 'i32x4.max_u', identity: 0 } : undefined
}

/** Locals that hold four lanes: as doubles the lower two and the upper two. */
export type Accumulator = readonly Local[]

/** A new accumulator of nothing. */
export const begin = (e: Emitter, a: Accumulation): Accumulator => {
  const locals = range(a.kind === 'doubles' ? 2 : 1).map(() => fresh(e, 'sum', 'v128'))
  e.statements.push(...reset(e, a, locals))
  return locals
}

const reset = (e: Emitter, a: Accumulation, locals: Accumulator): readonly Statement[] =>
  locals.map((local) => set(local, lanesOfBits(e, a.kind === 'doubles' ? 0 : a.identity)))

const upper = (x: Expression): Expression =>
  apply('i8x16.shuffle', [x, x], 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)

/** Takes four lanes in. */
export const take = (a: Accumulation, into: Accumulator, x: Expression): readonly Statement[] => {
  const parts = a.kind === 'doubles' ? [x, upper(x)].map((half) => apply('f64x2.promote_low_f32x4', [half])) : [x]
  const join = a.kind === 'doubles' ? 'f64x2.add' : a.join
  return into.map((local, k) => set(local, apply(join, [get(local), at(parts, k)])))
}

/** The lanes before `valid`, and nothing for the others. */
export const masked = (e: Emitter, a: Accumulation, x: Expression, isValid: Expression): Expression =>
  apply('v128.bitselect', [x, lanesOfBits(e, a.kind === 'doubles' ? 0 : a.identity), isValid])

const pairOf = (x: Expression, y: Expression, half: 0 | 8): Expression =>
  apply('i8x16.shuffle', [x, y], ...[0, 16].flatMap((from) => range(8).map((b) => from + half + b)))

/** A vector of four results: as doubles two vectors. */
export type Results = readonly Expression[]

/** The lanes of each of four accumulators, joined. */
export const across = (e: Emitter, a: Accumulation, four: readonly Accumulator[]): Results => {
  if (a.kind === 'doubles') {
    const sums = four.map((own) => keep(e, 'sum', apply('f64x2.add', own.map(get))))
    return [0, 2].map((k) => {
      const [x, y] = [at(sums, k), at(sums, k + 1)]
      return keep(e, 'sums', apply('f64x2.add', [pairOf(x, y, 0), pairOf(x, y, 8)]))
    })
  }
  const columns = transposed(
    e,
    four.map((own) => get(at(own, 0))),
  )
  const [x, y] = [0, 2].map((k) => apply(a.join, [at(columns, k), at(columns, k + 1)])) as [Expression, Expression]
  return [keep(e, 'joined', apply(a.join, [x, y]))]
}

/** The four results joined into one, which stands in the first lane. */
export const total = (e: Emitter, a: Accumulation, results: Results): Results => {
  if (a.kind === 'doubles') {
    const [low, high] = results
    if (low === undefined || high === undefined) throw new Error('wasm: doubles are two vectors')
    const sum = keep(e, 'sum', apply('f64x2.add', [low, high]))
    return [keep(e, 'total', apply('f64x2.add', [sum, upper(sum)])), high]
  }
  const first = at(results, 0)
  const half = keep(e, 'half', apply(a.join, [first, upper(first)]))
  const swapped = apply('i8x16.shuffle', [half, half], 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3)
  return [keep(e, 'total', apply(a.join, [half, swapped]))]
}

/** Results as lanes of the output's dtype. */
export const rounded = (e: Emitter, a: Accumulation, results: Results): Expression => {
  const [low, high] = results
  if (low === undefined) throw new Error('wasm: a reduction without a result')
  if (a.kind === 'lanes' || high === undefined) return low
  const [x, y] = [low, high].map((half) => apply('f32x4.demote_f64x2_zero', [half])) as [Expression, Expression]
  return keep(e, 'rounded', pairOf(x, y, 0))
}

/** Writes the first `valid` results as they are, for what joins the parts. */
export const writePartial = (
  a: Accumulation,
  pointer: Expression,
  results: Results,
  offset: number,
  valid: Expression | undefined,
): readonly Statement[] => {
  const width = partialBytes(a)
  if (valid === undefined) return results.map((x, k) => store('v128.store', pointer, x, offset + 16 * k))
  return range(4).map((k) =>
    when(apply('i32.gt_s', [valid, i32(k)]), [
      {
        kind: 'store',
        op: width === 8 ? 'v128.store64_lane' : 'v128.store32_lane',
        args: [pointer, at(results, width === 8 ? k >> 1 : 0)],
        immediates: [offset + width * k, width === 8 ? k & 1 : k],
      },
    ]),
  )
}

/** Writes the first `valid` results, rounded, into the output; all four where `valid` is not given. */
export const writeResults = (
  e: Emitter,
  a: Accumulation,
  to: Writing,
  results: Results,
  ahead: number,
  valid: Expression | undefined,
): readonly Statement[] => {
  const value = rounded(e, a, results)
  if (valid === undefined) return write(e, to, ahead, value)
  const some = writeSome(e, to, value, valid)
  return [{ kind: 'if', condition: apply('i32.ge_s', [valid, i32(4)]), yes: write(e, to, 0, value), no: some }]
}

/** How many of four results there are at block `index` of `count` results in fours. */
export const validAt = (count: Expression, index: Expression): Expression => {
  const left = apply('i32.sub', [count, apply('i32.shl', [index, i32(2)])])
  return select(apply('i32.lt_s', [left, i32(4)]), left, i32(4))
}

/** `x + y·k` where k < valid, else x: rows that do not exist are read as the first one. */
export const rowPointer = (x: Expression, step: Expression, k: number, valid: Expression | undefined): Expression => {
  if (k === 0) return x
  const distance = apply('i32.mul', [step, i32(k)])
  return add(x, valid === undefined ? distance : select(apply('i32.gt_s', [valid, i32(k)]), distance, i32(0)))
}
