/**
 * The image that a convolution reads: the input with zeros around it, in the input's own order in memory. Where it needs none, it is the
 * input itself.
 */
import { at, permute, product, range } from '../../../prelude/array.ts'
import { addresses } from '../../../compiler/addresses.ts'
import type { Operand } from '../../../compiler/kernel.ts'
import { coalesce } from '../../../compiler/view.ts'
import {
  add,
  apply,
  countTo,
  get,
  i32,
  mul,
  set,
  store,
  sub,
  when,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { constantStatements, emitter, fresh, inside, keep, lanesOfBits, word, type Emitter } from '../emit/emitter.ts'
import type { Parameter, Phase } from '../emit/kernelCode.ts'

/** An image in memory: where it begins, its strides in elements, and the phase that makes it. */
export interface Image {
  readonly start: Parameter
  readonly strides: readonly number[]
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory. */
  readonly bytes: number
}

/** Zeros before and behind the input along one axis. */
export interface Margins {
  readonly low: number
  readonly high: number
}

/** An axis of the image: its length, and the part of it that is the input. */
interface Extent {
  readonly length: number
  readonly low: number
  readonly count: number
}

/** Words of the block. */
const words = {
  from: 0,
  to: 1,
  lines: 2,
  lineBytes: 3,
  begin: 4,
  groups: 5,
  groupFrom: 6,
  groupTo: 7,
  length: 8,
  elementFrom: 9,
  elementTo: 10,
} as const

/** Numbers that are worth a thread's attention. */
const unitsOfWork = 16384

/** Marks a line of nothing but zeros. */
const nothing = -0x80000000

/** Copies `bytes` from one address to another, not a byte more. */
const copyRun = (e: Emitter, from: Expression, to: Expression, bytes: Expression): void => {
  const i = fresh(e, 'i', 'i32')
  const whole = keep(e, 'whole', sub(bytes, i32(15)))
  const four = store('v128.store', add(to, get(i)), apply('v128.load', [add(from, get(i))], 0))
  const one = store('f32.store', add(to, get(i)), apply('f32.load', [add(from, get(i))], 0))
  e.statements.push(set(i, i32(0)), countTo(i, whole, 16, [four]), countTo(i, bytes, 4, [one]))
}

/** Copies elements with steps. */
const copySteps = (e: Emitter, from: Expression, to: Expression, bytes: Expression, block: Local): void => {
  const [i, source, target] = [fresh(e, 'i', 'i32'), fresh(e, 'source', 'i32'), fresh(e, 'target', 'i32')]
  e.statements.push(
    set(source, from),
    set(target, to),
    set(i, i32(0)),
    countTo(i, bytes, 4, [
      store('f32.store', get(target), apply('f32.load', [get(source)], 0)),
      set(source, add(get(source), word(block, words.elementFrom))),
      set(target, add(get(target), word(block, words.elementTo))),
    ]),
  )
}

const makeFunction = (name: string, runs: boolean): Function => {
  const e = emitter()
  const block: Local = { name: 'block', type: 'i32' }
  const unit: Local = { name: 'unit', type: 'i32' }
  const last: Local = { name: 'last', type: 'i32' }
  const turn = inside(e)
  const lineBytes = keep(turn, 'lineBytes', word(block, words.lineBytes))
  const to = keep(turn, 'to', add(word(block, words.to), apply('i32.mul', [get(unit), lineBytes])))
  const i = fresh(e, 'i', 'i32')
  const zero = lanesOfBits(e, 0)
  const wide = keep(turn, 'wide', sub(lineBytes, i32(31)))
  turn.statements.push(
    set(i, i32(0)),
    countTo(i, wide, 32, [store('v128.store', add(to, get(i)), zero), store('v128.store', add(to, get(i)), zero, 16)]),
    countTo(i, lineBytes, 4, [store('i32.store', add(to, get(i)), i32(0))]),
  )
  const line = keep(turn, 'line', apply('i32.load', [add(word(block, words.lines), mul(get(unit), i32(4)))]))
  const copy = inside(turn)
  const [group, source, target] = [fresh(e, 'group', 'i32'), fresh(e, 'source', 'i32'), fresh(e, 'target', 'i32')]
  copy.statements.push(
    set(group, i32(0)),
    set(source, add(word(block, words.from), line)),
    set(target, add(to, word(block, words.begin))),
  )
  const perGroup = inside(copy)
  const bytes = keep(perGroup, 'bytes', mul(word(block, words.length), i32(4)))
  if (runs) copyRun(perGroup, get(source), get(target), bytes)
  else copySteps(perGroup, get(source), get(target), bytes, block)
  perGroup.statements.push(
    set(source, add(get(source), word(block, words.groupFrom))),
    set(target, add(get(target), word(block, words.groupTo))),
  )
  copy.statements.push(countTo(group, word(block, words.groups), 1, perGroup.statements))
  turn.statements.push(when(apply('i32.ne', [line, i32(nothing)]), copy.statements))
  e.statements.push(countTo(unit, get(last), 1, turn.statements))
  return { name, parameters: [block, unit, last], body: [...constantStatements(e), ...e.statements] }
}

/** Strides of the padded image: dense, axes in the order of the input's memory. */
const denseIn = (order: readonly number[], lengths: readonly number[]): readonly number[] => {
  const strides = lengths.map(() => 0)
  order.reduceRight((stride, axis) => {
    strides[axis] = stride
    return stride * at(lengths, axis)
  }, 1)
  return strides
}

/** For each line of the image, the bytes at which it begins in the input, or that there is nothing. */
const linesOf = (outer: readonly number[], extents: readonly Extent[], strides: readonly number[]): Int32Array => {
  const lengths = outer.map((a) => at(extents, a).length)
  const coordinates = outer.map((_, k) =>
    addresses({ offset: 0, shape: lengths, strides: outer.map((__, j) => (j === k ? 1 : 0)) }),
  )
  const lines = new Int32Array(product(lengths))
  for (let line = 0; line < lines.length; line++) {
    let [from, exists] = [0, true]
    outer.forEach((axis, k) => {
      const { low, count } = at(extents, axis)
      const pixel = (coordinates[k]?.[line] as number) - low
      exists &&= pixel >= 0 && pixel < count
      from += pixel * at(strides, axis)
    })
    lines[line] = exists ? 4 * from : nothing
  }
  return lines
}

/** The phase that writes the image to scratch memory at `offset`. */
const copyOf = ({ view, buffer }: Operand, extents: readonly Extent[], offset: number): Image => {
  const { strides } = view
  const reach = (axis: number): number => Math.abs(at(strides, axis))
  const order = range(4).toSorted((a, b) => reach(b) - reach(a))
  const lengths = extents.map((a) => a.length)
  const dense = denseIn(order, lengths)
  const [outer, inner] = [order.slice(0, 2), order.slice(2)]
  const counts = inner.map((a) => at(extents, a).count)
  const source = coalesce({ offset: 0, shape: counts, strides: permute(strides, inner) })
  const target = coalesce({ offset: 0, shape: counts, strides: permute(dense, inner) })
  const joined = source.shape.length < 2 && target.shape.length < 2
  const [run, from, to] = joined
    ? [product(counts), source.strides[0] ?? 1, target.strides[0] ?? 1]
    : [at(counts, 1), at(strides, at(inner, 1)), at(dense, at(inner, 1))]
  const begin = inner.reduce((sum, a) => sum + at(extents, a).low * at(dense, a), 0)
  const lines = linesOf(outer, extents, strides)
  const start: Parameter = { kind: 'scratch', offset }
  const runs = run === 1 || (from === 1 && to === 1)
  const lineLength = product(inner.map((a) => at(lengths, a)))
  const phase: Phase = {
    key: `image ${runs ? 'runs' : 'steps'}`,
    make: (name) => makeFunction(name, runs),
    parameters: [
      { kind: 'buffer', buffer, offset: 4 * view.offset },
      start,
      { kind: 'table', values: lines },
      4 * lineLength,
      4 * begin,
      joined ? 1 : at(counts, 0),
      4 * at(strides, at(inner, 0)),
      4 * at(dense, at(inner, 0)),
      run,
      4 * from,
      4 * to,
    ],
    units: lines.length,
    grain: Math.max(1, Math.floor(unitsOfWork / Math.max(1, lineLength))),
  }
  return { start, strides: dense, phases: [phase], bytes: 4 * product(lengths) }
}

/** The image of a convolution's input with these margins of its rows and columns. */
export const imageOf = (x: Operand, margins: readonly [Margins, Margins], scratch: number): Image => {
  const none = { low: 0, high: 0 }
  const extents = [none, ...margins, none].map(({ low, high }, axis): Extent => {
    const count = at(x.view.shape, axis)
    return { length: low + count + high, low, count }
  })
  if (extents.some((e) => e.length !== e.count)) return copyOf(x, extents, scratch)
  const start: Parameter = { kind: 'buffer', buffer: x.buffer, offset: 4 * x.view.offset }
  return { start, strides: x.view.strides, phases: [], bytes: 0 }
}
