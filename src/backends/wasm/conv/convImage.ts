/**
 * The image that a convolution reads: the input with zeros around it, in the input's own order in memory. Where it needs none, it is the
 * input itself.
 */
import { at, permute, product, range } from '../../../prelude/array.ts'
import { addresses } from '../../../compiler/addresses.ts'
import type { Margins } from '../../../compiler/contraction/convolution.ts'
import type { Operand } from '../../../compiler/kernel.ts'
import { coalesce } from '../../../compiler/view.ts'
import { add, apply, countTo, get, i32, mul, set, store, sub, when, type Expression } from '../assembler/code.ts'
import { block, inBuffer, inScratch, table, words, type Field } from '../emit/block.ts'
import { fresh, inside, keep, lanesOfBits, type Emitter } from '../emit/emitter.ts'
import { code, phase, type Parameter, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'

/** An image in memory: where it begins, its strides in elements, and the phase that makes it. */
export interface Image {
  readonly start: Parameter
  readonly strides: readonly number[]
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory. */
  readonly bytes: number
}

/** An axis of the image: its length, and the part of it that is the input. */
interface Extent {
  readonly length: number
  readonly low: number
  readonly count: number
}

/** The words of a copy: lines of the image, each made of groups of numbers. */
const imageBlock = block({
  ...words('from', 'to', 'lines', 'lineBytes', 'begin'),
  ...words('groups', 'groupFrom', 'groupTo', 'length', 'elementFrom', 'elementTo'),
})

/** The words as expressions. */
type Words = typeof imageBlock extends Field<never, infer Read> ? Read : never

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
const copySteps = (e: Emitter, from: Expression, to: Expression, bytes: Expression, w: Words): void => {
  const [i, source, target] = [fresh(e, 'i', 'i32'), fresh(e, 'source', 'i32'), fresh(e, 'target', 'i32')]
  e.statements.push(
    set(source, from),
    set(target, to),
    set(i, i32(0)),
    countTo(i, bytes, 4, [
      store('f32.store', get(target), apply('f32.load', [get(source)], 0)),
      set(source, add(get(source), w.elementFrom)),
      set(target, add(get(target), w.elementTo)),
    ]),
  )
}

/** Whether numbers are copied in runs; else they lie apart. */
interface Copying {
  readonly runs: boolean
}

const imageCode = code(
  'image',
  () => imageBlock,
  (unit, { runs }: Copying) => {
    const { e, words: w } = unit
    eachUnit(unit, (turn) => {
      const lineBytes = keep(turn, 'lineBytes', w.lineBytes)
      const to = keep(turn, 'to', add(w.to, apply('i32.mul', [get(unit.first), lineBytes])))
      const i = fresh(e, 'i', 'i32')
      const zero = lanesOfBits(e, 0)
      const wide = keep(turn, 'wide', sub(lineBytes, i32(31)))
      turn.statements.push(
        set(i, i32(0)),
        countTo(i, wide, 32, [
          store('v128.store', add(to, get(i)), zero),
          store('v128.store', add(to, get(i)), zero, 16),
        ]),
        countTo(i, lineBytes, 4, [store('i32.store', add(to, get(i)), i32(0))]),
      )
      const line = keep(turn, 'line', apply('i32.load', [add(w.lines, mul(get(unit.first), i32(4)))]))
      const copy = inside(turn)
      const [group, source, target] = [fresh(e, 'group', 'i32'), fresh(e, 'source', 'i32'), fresh(e, 'target', 'i32')]
      copy.statements.push(set(group, i32(0)), set(source, add(w.from, line)), set(target, add(to, w.begin)))
      const perGroup = inside(copy)
      const bytes = keep(perGroup, 'bytes', mul(w.length, i32(4)))
      if (runs) copyRun(perGroup, get(source), get(target), bytes)
      else copySteps(perGroup, get(source), get(target), bytes, w)
      perGroup.statements.push(set(source, add(get(source), w.groupFrom)), set(target, add(get(target), w.groupTo)))
      copy.statements.push(countTo(group, w.groups, 1, perGroup.statements))
      turn.statements.push(when(apply('i32.ne', [line, i32(nothing)]), copy.statements))
    })
  },
)

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
  const start = inScratch(offset)
  const runs = run === 1 || (from === 1 && to === 1)
  const lineLength = product(inner.map((a) => at(lengths, a)))
  const copying = phase(
    imageCode,
    { runs },
    {
      from: inBuffer(buffer, 4 * view.offset),
      to: start,
      lines: table(lines),
      lineBytes: 4 * lineLength,
      begin: 4 * begin,
      groups: joined ? 1 : at(counts, 0),
      groupFrom: 4 * at(strides, at(inner, 0)),
      groupTo: 4 * at(dense, at(inner, 0)),
      length: run,
      elementFrom: 4 * from,
      elementTo: 4 * to,
    },
    { units: lines.length, grain: Math.max(1, Math.floor(unitsOfWork / Math.max(1, lineLength))) },
  )
  return { start, strides: dense, phases: [copying], bytes: 4 * product(lengths) }
}

/** The image of a convolution's input with these margins of its rows and columns. */
export const imageOf = (x: Operand, margins: readonly [Margins, Margins], scratch: number): Image => {
  const none = { low: 0, high: 0 }
  const extents = [none, ...margins, none].map(({ low, high }, axis): Extent => {
    const count = at(x.view.shape, axis)
    return { length: low + count + high, low, count }
  })
  if (extents.some((e) => e.length !== e.count)) return copyOf(x, extents, scratch)
  return { start: inBuffer(x.buffer, 4 * x.view.offset), strides: x.view.strides, phases: [], bytes: 0 }
}
