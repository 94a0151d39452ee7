/**
 * Packing: the columns of y as panels, so that the innermost loop of a matrix product reads them in order.
 *
 * A panel holds y[k, n … n + c) for all k in the order in which they are contracted. A unit is one block of k of one panel. Columns behind
 * the last one hold whatever is there: their sums are never stored.
 */
import { range } from '../../../prelude/array.ts'
import { add, apply, countTo, get, i32, mul, set, store, type Expression, type Local } from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { constantStatements, emitter, fresh, inside, keep, word, type Emitter } from '../emit/emitter.ts'
import { bytesOf, count, type Axis, type Contraction, type Depth } from './gemmContraction.ts'
import type { Parameter, Phase } from '../emit/kernelCode.ts'

/** Words of the block. */
const words = { from: 0, to: 1, depth: 2, columns: 3, batches: 4, panels: 5, chunks: 6, chunk: 7, length: 8 } as const

/** Rows of y that a unit copies; a thread's attention is worth some microseconds. */
const chunkLength = 256

/** Four numbers from four addresses. */
const gathered = (pointers: readonly Local[], offset: Expression): Expression =>
  range(3).reduce(
    (vector, k) => apply('v128.load32_lane', [add(get(pointers[k + 1] as Local), offset), vector], 0, k + 1),
    apply('v128.load32_zero', [add(get(pointers[0] as Local), offset)], 0),
  )

/** One vector of the panel after the other: for each, all k of the chunk. */
const copyColumns = (
  e: Emitter,
  columns: Expression,
  source: Expression,
  depth: Expression,
  target: Expression,
  k: Local,
  first: Expression,
  end: Expression,
  width: number,
): void => {
  for (const v of range(width / 4)) {
    const pointers = range(4).map(() => fresh(e, 'column', 'i32'))
    pointers.forEach((p, i) => e.statements.push(set(p, add(source, apply('i32.load', [columns], 4 * (4 * v + i))))))
    const turn = inside(e)
    const offset = keep(turn, 'offset', apply('i32.load', [add(depth, mul(get(k), i32(4)))]))
    turn.statements.push(
      store('v128.store', add(target, mul(get(k), i32(4 * width))), gathered(pointers, offset), 16 * v),
    )
    e.statements.push(set(k, first), countTo(k, end, 1, turn.statements))
  }
}

/** All vectors of the panel at once, for each k of the chunk: columns are neighbours. */
const copyRows = (
  e: Emitter,
  columns: Expression,
  source: Expression,
  depth: Expression,
  target: Expression,
  k: Local,
  first: Expression,
  end: Expression,
  width: number,
): void => {
  const begin = keep(e, 'begin', add(source, apply('i32.load', [columns])))
  const turn = inside(e)
  const from = keep(turn, 'from', add(begin, apply('i32.load', [add(depth, mul(get(k), i32(4)))])))
  const to = keep(turn, 'to', add(target, mul(get(k), i32(4 * width))))
  const values = range(width / 4).map((v) => keep(turn, 'y', apply('v128.load', [from], 16 * v)))
  values.forEach((value, v) => turn.statements.push(store('v128.store', to, value, 16 * v)))
  e.statements.push(set(k, first), countTo(k, end, 1, turn.statements))
}

const makeFunction = (name: string, width: number, neighbours: boolean): Function => {
  const e = emitter()
  const block: Local = { name: 'block', type: 'i32' }
  const unit: Local = { name: 'first', type: 'i32' }
  const last: Local = { name: 'last', type: 'i32' }
  const turn = inside(e)
  const at = (index: number): Expression => word(block, index)
  const chunk = keep(turn, 'chunk', apply('i32.rem_u', [get(unit), at(words.chunks)]))
  const rest = keep(turn, 'rest', apply('i32.div_u', [get(unit), at(words.chunks)]))
  const panel = keep(turn, 'panel', apply('i32.rem_u', [rest, at(words.panels)]))
  const batch = apply('i32.div_u', [rest, at(words.panels)])
  const source = keep(
    turn,
    'source',
    add(at(words.from), apply('i32.load', [add(at(words.batches), mul(batch, i32(4)))])),
  )
  const length = keep(turn, 'length', at(words.length))
  const target = keep(turn, 'target', add(at(words.to), mul(apply('i32.mul', [rest, length]), i32(4 * width))))
  const first = keep(turn, 'first', apply('i32.mul', [chunk, at(words.chunk)]))
  const next = keep(turn, 'next', add(first, at(words.chunk)))
  const end = keep(turn, 'end', {
    kind: 'select',
    yes: next,
    no: length,
    condition: apply('i32.lt_s', [next, length]),
    type: 'i32',
  })
  const columns = keep(turn, 'columns', add(at(words.columns), mul(panel, i32(4 * width))))
  const depth = keep(turn, 'depth', at(words.depth))
  const k = fresh(e, 'k', 'i32')
  ;(neighbours ? copyRows : copyColumns)(turn, columns, source, depth, target, k, first, end, width)
  e.statements.push(countTo(unit, get(last), 1, turn.statements))
  return { name, parameters: [block, unit, last], body: [...constantStatements(e), ...e.statements] }
}

/** Whether the columns are neighbours in y. */
export const neighbouring = (columns: readonly Axis[]): boolean => {
  const offsets = bytesOf(columns, 'y')
  return offsets.every((x, i) => x === 4 * i)
}

/** Column offsets, the last one repeated until panels are full. */
const padded = (offsets: Int32Array, width: number): Int32Array =>
  Int32Array.from(
    { length: Math.ceil(offsets.length / width) * width },
    (_, i) => offsets[Math.min(i, offsets.length - 1)] as number,
  )

/** The phase that packs y into panels of `width` columns at `to`. */
export const pack = (c: Contraction, depth: Depth, width: number, to: Parameter): Phase => {
  const neighbours = neighbouring(c.columns)
  const panels = Math.ceil(count(c.columns) / width)
  const chunks = Math.max(1, Math.ceil(depth.length / chunkLength))
  const table = (values: Int32Array): Parameter => ({ kind: 'table', values })
  return {
    key: `pack ${width} ${neighbours ? 'neighbours' : 'apart'}`,
    make: (name) => makeFunction(name, width, neighbours),
    parameters: [
      c.y,
      to,
      table(bytesOf(depth.axes, 'y')),
      table(padded(bytesOf(c.columns, 'y'), width)),
      table(bytesOf(c.batch, 'y')),
      panels,
      chunks,
      Math.ceil(depth.length / chunks),
      depth.length,
    ],
    units: count(c.batch) * panels * chunks,
    grain: neighbours ? 8 : 3,
  }
}
