/**
 * Packing: the columns of y as panels, so that the innermost loop of a matrix product reads them in order.
 *
 * A panel holds y[k, n … n + c) for all k in the order in which they are contracted. A unit is one block of k of one panel. Columns behind
 * the last one hold whatever is there: their sums are never stored.
 */
import { range } from '../../../prelude/array.ts'
import {
  add,
  apply,
  countTo,
  get,
  i32,
  mul,
  select,
  set,
  store,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import { block, table, words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { bytesOf, count, type Axis, type Contraction, type Depth } from './gemmContraction.ts'
import { code, phase, type Parameter, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'

/** Rows of y that a unit copies; a thread's attention is worth some microseconds. */
const chunkLength = 256

/** Four numbers from four addresses. */
const gathered = (pointers: readonly Local[], offset: Expression): Expression =>
  range(3).reduce(
    (vector, k) => apply('v128.load32_lane', [add(get(pointers[k + 1] as Local), offset), vector], 0, k + 1),
    apply('v128.load32_zero', [add(get(pointers[0] as Local), offset)], 0),
  )

/** A chunk of a panel: where it is copied from and to, and which k it has. */
interface Chunk {
  readonly columns: Expression
  readonly source: Expression
  readonly depth: Expression
  readonly target: Expression
  readonly k: Local
  readonly first: Expression
  readonly end: Expression
  readonly width: number
}

/** For each k of a chunk. @param write emits what is done with it, from the offset of the k in y and its place in the panel */
const eachK = (
  e: Emitter,
  { depth, target, k, first, end, width }: Chunk,
  write: (turn: Emitter, offset: Expression, place: Expression) => void,
): void => {
  const turn = inside(e)
  write(turn, apply('i32.load', [add(depth, mul(get(k), i32(4)))]), add(target, mul(get(k), i32(4 * width))))
  e.statements.push(set(k, first), countTo(k, end, 1, turn.statements))
}

/** One vector of the panel after the other: for each, all k of the chunk. */
const copyColumns = (e: Emitter, chunk: Chunk): void => {
  const { columns, source, width } = chunk
  for (const v of range(width / 4)) {
    const pointers = range(4).map(() => fresh(e, 'column', 'i32'))
    pointers.forEach((p, i) => e.statements.push(set(p, add(source, apply('i32.load', [columns], 4 * (4 * v + i))))))
    eachK(e, chunk, (turn, step, place) => {
      const offset = keep(turn, 'offset', step)
      turn.statements.push(store('v128.store', place, gathered(pointers, offset), 16 * v))
    })
  }
}

/** All vectors of the panel at once, for each k of the chunk: columns are neighbours. */
const copyRows = (e: Emitter, chunk: Chunk): void => {
  const { columns, source, width } = chunk
  const begin = keep(e, 'begin', add(source, apply('i32.load', [columns])))
  eachK(e, chunk, (turn, step, place) => {
    const from = keep(turn, 'from', add(begin, step))
    const to = keep(turn, 'to', place)
    const values = range(width / 4).map((v) => keep(turn, 'y', apply('v128.load', [from], 16 * v)))
    values.forEach((value, v) => turn.statements.push(store('v128.store', to, value, 16 * v)))
  })
}

/** Panels of `width` columns, which are neighbours in y or lie apart. */
interface Packing {
  readonly width: number
  readonly neighbours: boolean
}

const packCode = code(
  'pack',
  () => block(words('from', 'to', 'depth', 'columns', 'batches', 'panels', 'chunks', 'chunk', 'length')),
  (unit, { width, neighbours }: Packing) => {
    const { e, words: w } = unit
    eachUnit(unit, (turn) => {
      const chunk = keep(turn, 'chunk', apply('i32.rem_u', [get(unit.first), w.chunks]))
      const rest = keep(turn, 'rest', apply('i32.div_u', [get(unit.first), w.chunks]))
      const panel = keep(turn, 'panel', apply('i32.rem_u', [rest, w.panels]))
      const batch = apply('i32.div_u', [rest, w.panels])
      const source = keep(turn, 'source', add(w.from, apply('i32.load', [add(w.batches, mul(batch, i32(4)))])))
      const length = keep(turn, 'length', w.length)
      const target = keep(turn, 'target', add(w.to, mul(apply('i32.mul', [rest, length]), i32(4 * width))))
      const first = keep(turn, 'first', apply('i32.mul', [chunk, w.chunk]))
      const next = keep(turn, 'next', add(first, w.chunk))
      const end = keep(turn, 'end', select(apply('i32.lt_s', [next, length]), next, length))
      const columns = keep(turn, 'columns', add(w.columns, mul(panel, i32(4 * width))))
      const depth = keep(turn, 'depth', w.depth)
      const k = fresh(e, 'k', 'i32')
      const copy = neighbours ? copyRows : copyColumns
      copy(turn, { columns, source, depth, target, k, first, end, width })
    })
  },
)

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
  return phase(
    packCode,
    { width, neighbours },
    {
      from: c.y,
      to,
      depth: table(bytesOf(depth.axes, 'y')),
      columns: table(padded(bytesOf(c.columns, 'y'), width)),
      batches: table(bytesOf(c.batch, 'y')),
      panels,
      chunks,
      chunk: Math.ceil(depth.length / chunks),
      length: depth.length,
    },
    { units: count(c.batch) * panels * chunks, grain: neighbours ? 8 : 3 },
  )
}
