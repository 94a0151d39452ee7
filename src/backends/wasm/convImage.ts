/**
 * The image that a convolution reads: the input with its padding, and with zeros between its pixels where it is dilated, in the input's own
 * order in memory. Where there is neither, it is the input itself.
 */
import { at, permute, product, range } from '../../prelude/array.ts'
import { dilated } from '../../graph/infer.ts'
import type { ConvKernel } from '../../compiler/kernel.ts'
import { coalesce, type View } from '../../compiler/view.ts'
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
} from './assembler/code.ts'
import type { Function } from './assembler/module.ts'
import { addresses } from '../cpu/walk.ts'
import { constantStatements, emitter, fresh, inside, keep, lanesOfBits, word, type Emitter } from './emitter.ts'
import type { Parameter, Phase } from './kernelCode.ts'

/** An image in memory: where it begins, its strides in elements, and the phase that makes it. */
export interface Image {
  readonly start: Parameter
  readonly strides: readonly number[]
  readonly phases: readonly Phase[]
  /** Bytes of scratch memory. */
  readonly bytes: number
}

/** Along one axis: length with padding, the part of the input that is inside, and where it stands. Negative padding crops. */
interface Extent {
  readonly length: number
  readonly first: number
  readonly count: number
  readonly at: number
  readonly dilation: number
}

const extentOf = (length: number, dilation: number, low: number, high: number): Extent => {
  const padded = Math.max(0, dilated(length, dilation) + low + high)
  const first = low >= 0 ? 0 : Math.ceil(-low / dilation)
  const last = Math.min(length - 1, Math.floor((padded - 1 - low) / dilation))
  return { length: padded, first, count: Math.max(0, last - first + 1), at: low + first * dilation, dilation }
}

/** Words of the block. */
const words = {
  from: 0,
  to: 1,
  lines: 2,
  lineBytes: 3,
  groups: 4,
  groupFrom: 5,
  groupTo: 6,
  length: 7,
  elementFrom: 8,
  elementTo: 9,
} as const

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
  const entry = keep(turn, 'entry', add(word(block, words.lines), mul(get(unit), i32(8))))
  const line = keep(turn, 'line', apply('i32.load', [entry]))
  const copy = inside(turn)
  const [group, source, target] = [fresh(e, 'group', 'i32'), fresh(e, 'source', 'i32'), fresh(e, 'target', 'i32')]
  copy.statements.push(
    set(group, i32(0)),
    set(source, add(word(block, words.from), line)),
    set(target, add(to, apply('i32.load', [entry], 4))),
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

/** For each line of the image, the bytes at which it begins in the input and inside the line, or that there is nothing. */
const linesOf = (outer: readonly number[], extents: readonly Extent[], strides: readonly number[]): Int32Array => {
  const lengths = outer.map((a) => at(extents, a).length)
  const coordinates = outer.map((_, k) =>
    addresses({ offset: 0, shape: lengths, strides: outer.map((__, j) => (j === k ? 1 : 0)) }),
  )
  const lines = new Int32Array(2 * product(lengths))
  for (let line = 0; 2 * line < lines.length; line++) {
    let [from, exists] = [0, true]
    outer.forEach((axis, k) => {
      const { at: begin, count, dilation, first } = at(extents, axis)
      const moved = (coordinates[k]?.[line] as number) - begin
      const pixel = moved / dilation
      exists &&= moved >= 0 && Number.isInteger(pixel) && pixel < count
      from += (first + pixel) * at(strides, axis)
    })
    lines[2 * line] = exists ? 4 * from : nothing
  }
  return lines
}

/** The phase that writes the padded image to scratch memory at `offset`. */
const copyOf = ({ x }: ConvKernel, extents: readonly Extent[], offset: number): Image => {
  const { strides } = x.view
  const reach = (axis: number): number => Math.abs(at(strides, axis))
  const order = range(4).toSorted((a, b) => reach(b) - reach(a))
  const lengths = extents.map((a) => a.length)
  const dense = denseIn(order, lengths)
  const [outer, inner] = [order.slice(0, 2), order.slice(2)]
  const target: View = {
    offset: inner.reduce((sum, a) => sum + at(extents, a).at * at(dense, a), 0),
    shape: inner.map((a) => at(extents, a).count),
    strides: inner.map((a) => at(dense, a) * at(extents, a).dilation),
  }
  const source: View = {
    offset: inner.reduce((sum, a) => sum + at(extents, a).first * at(strides, a), 0),
    shape: target.shape,
    strides: permute(strides, inner),
  }
  const joined = coalesce(source).shape.length < 2 && coalesce(target).shape.length < 2
  const empty = product(target.shape) === 0
  const lines = linesOf(outer, extents, strides)
  for (let line = 0; 2 * line < lines.length; line++) {
    if (empty) lines[2 * line] = nothing
    if (lines[2 * line] !== nothing) lines[2 * line] = (lines[2 * line] as number) + 4 * source.offset
    lines[2 * line + 1] = 4 * target.offset
  }
  const [run, from, to] = [
    joined ? product(target.shape) : at(target.shape, 1),
    joined ? (coalesce(source).strides[0] ?? 1) : at(source.strides, 1),
    joined ? (coalesce(target).strides[0] ?? 1) : at(target.strides, 1),
  ]
  const start: Parameter = { kind: 'scratch', offset }
  const runs = run === 1 || (from === 1 && to === 1)
  const lineLength = product(inner.map((a) => at(lengths, a)))
  const phase: Phase = {
    key: `image ${runs ? 'runs' : 'steps'}`,
    make: (name) => makeFunction(name, runs),
    parameters: [
      { kind: 'buffer', buffer: x.buffer, offset: 4 * x.view.offset },
      start,
      { kind: 'table', values: lines },
      4 * lineLength,
      joined ? 1 : at(target.shape, 0),
      4 * at(source.strides, 0),
      4 * at(target.strides, 0),
      run,
      4 * from,
      4 * to,
    ],
    units: lines.length / 2,
    grain: Math.max(1, Math.floor(4096 / Math.max(1, lineLength))),
  }
  return { start, strides: dense, phases: [phase], bytes: 4 * product(lengths) }
}

/** The image of a convolution; `offset` bytes of scratch memory are taken already. */
export const imageOf = (kernel: ConvKernel, offset: number): Image => {
  const { x, attrs } = kernel
  const spatial = ([0, 1] as const).map((i) =>
    extentOf(at(x.view.shape, i + 1), attrs.inputDilation[i], attrs.padLow[i], attrs.padHigh[i]),
  )
  const whole = (axis: number): Extent => extentOf(at(x.view.shape, axis), 1, 0, 0)
  const extents = [whole(0), ...spatial, whole(3)]
  const isInput = spatial.every(
    (s, i) => (s.dilation === 1 || at(x.view.shape, i + 1) === 1) && s.at === 0 && s.count === s.length,
  )
  if (!isInput) return copyOf(kernel, extents, offset)
  const cropped = spatial.reduce((sum, s, i) => sum + s.first * at(x.view.strides, i + 1), x.view.offset)
  return {
    start: { kind: 'buffer', buffer: x.buffer, offset: 4 * cropped },
    strides: x.view.strides,
    phases: [],
    bytes: 0,
  }
}
