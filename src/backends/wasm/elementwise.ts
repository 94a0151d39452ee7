/**
 * Elementwise kernels: out[i] = body(i), eight elements a turn.
 *
 * A kernel is one loop nest. Its innermost axis is walked in vectors; the outer axes are the units that threads share. Where the nest has
 * one axis only, a unit is a run of {@link flatUnit} elements. The last vector of a flat kernel may write past the end: buffers are
 * padded for that.
 */
import { at, range } from '../../prelude/array.ts'
import type { Body, ElementwiseKernel, Instruction } from '../../compiler/kernel.ts'
import { nestOf, type Nest } from '../../compiler/nest.ts'
import { contiguous, type View } from '../../compiler/view.ts'
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
  sub,
  when,
  type Expression,
  type Local,
  type Statement,
} from './assembler/code.ts'
import { whyNotVector, writeBody } from './body.ts'
import { constantStatements, emitter, fresh, inside, keep, ramp, type Emitter } from './emitter.ts'
import type { Parameter, Phase } from './kernelCode.ts'

/** Elements of a unit of a kernel with one axis. */
export const flatUnit = 4096

type Leaf = Extract<Instruction, { readonly kind: 'load' | 'index' }>

/** How an operand moves along the innermost axis: it stays, it goes on to the next element, or it jumps. */
type Walk = 'stays' | 'next' | 'jumps'

const walkOf = (stride: number): Walk => (stride === 0 ? 'stays' : stride === 1 ? 'next' : 'jumps')

const viewOf = (leaf: Leaf): View => (leaf.kind === 'load' ? leaf.from.view : leaf.view)

/** The loads and indices of a body, with their place among the instructions. */
export const leavesOf = ({ instructions }: Body): readonly (readonly [instruction: number, leaf: Leaf])[] =>
  instructions.flatMap((x, i) => (x.kind === 'load' || x.kind === 'index' ? [[i, x] as const] : []))

/** The structure of a body, for the key of its function. */
export const structureOf = ({ instructions }: Body): string =>
  instructions
    .map((x) => {
      if (x.kind === 'apply') return `${x.op}:${x.dtype}(${x.inputs.join()})`
      return x.kind === 'literal' ? `${x.value}:${x.dtype}` : `${x.kind}:${x.dtype}`
    })
    .join(';')

/** Word `index` of the parameter block. */
export const word = (block: Local, index: number): Expression => apply('i32.load', [get(block)], 4 * index)

/** Where the words of a block stand: the output, the start of each leaf, the lengths, and each leaf's strides. */
interface Layout {
  readonly starts: number
  readonly lengths: number
  readonly strides: (leaf: number) => number
}

const layoutOf = (leaves: number, axes: number): Layout => ({
  starts: 1,
  lengths: 1 + leaves,
  strides: (leaf) => 1 + leaves + axes + leaf * axes,
})

/** The first element of a leaf: an address in bytes, or, for an index, its value. */
const startOf = (leaf: Leaf): Parameter =>
  leaf.kind === 'load'
    ? { kind: 'buffer', buffer: leaf.from.buffer, offset: 4 * leaf.from.view.offset }
    : leaf.view.offset

/** A stride in bytes for loads, in steps for indices. */
const strideOf = (leaf: Leaf, stride: number): number => (leaf.kind === 'load' ? 4 * stride : stride)

/** A leaf while code is written: where it begins in this row, and its stride along the innermost axis. */
interface Reading {
  readonly leaf: Leaf
  readonly walk: Walk
  readonly pointer: Local
  readonly stride: Expression
}

/** Four elements of a leaf at byte `i` of the row; `valid` says how many of them exist, where not all four do. */
const read = (e: Emitter, { leaf, walk, pointer, stride }: Reading, i: Expression, valid?: Expression): Expression => {
  if (leaf.kind === 'index') {
    const position = apply('i32.shr_u', [i, i32(2)])
    const first = apply('i32x4.splat', [add(get(pointer), apply('i32.mul', [position, stride]))])
    const values = apply('i32x4.add', [first, apply('i32x4.mul', [apply('i32x4.splat', [stride]), ramp(e)])])
    return leaf.dtype === 'f32' ? apply('f32x4.convert_i32x4_s', [values]) : values
  }
  if (walk === 'stays') return apply('v128.load32_splat', [get(pointer)], 0)
  if (walk === 'next') return apply('v128.load', [add(get(pointer), i)], 0)
  const base = keep(e, 'at', add(get(pointer), apply('i32.mul', [apply('i32.shr_u', [i, i32(2)]), stride])))
  const lane = (k: number): Expression => {
    const step = mul(stride, i32(k))
    return add(base, valid === undefined ? step : select(apply('i32.gt_s', [valid, i32(k)]), step, i32(0)))
  }
  return range(3).reduce(
    (vector, k) => apply('v128.load32_lane', [lane(k + 1), vector], 0, k + 1),
    apply('v128.load32_zero', [base], 0),
  )
}

/** Coordinates of unit `u` along the outer axes, from the innermost of them: the pointers of all leaves and of the output. */
const enterRow = (
  e: Emitter,
  block: Local,
  layout: Layout,
  outer: number,
  u: Local,
  readings: readonly Reading[],
): void => {
  readings.forEach(({ pointer }, k) => e.statements.push(set(pointer, word(block, layout.starts + k))))
  const rest = fresh(e, 'rest', 'i32')
  e.statements.push(set(rest, get(u)))
  for (let axis = outer - 1; axis >= 0; axis--) {
    const length = word(block, layout.lengths + axis)
    const coordinate = axis === 0 ? get(rest) : keep(e, 'coordinate', apply('i32.rem_u', [get(rest), length]))
    readings.forEach(({ pointer }, k) =>
      e.statements.push(
        set(pointer, add(get(pointer), apply('i32.mul', [coordinate, word(block, layout.strides(k) + axis)]))),
      ),
    )
    if (axis > 0) e.statements.push(set(rest, apply('i32.div_u', [get(rest), length])))
  }
}

/** A row: from byte `from` to byte `to` of the innermost axis, eight elements a turn, and what is left. */
const writeRow = (
  e: Emitter,
  body: Body,
  readings: readonly Reading[],
  target: Local,
  from: Expression,
  to: Expression,
  padded: boolean,
): void => {
  const byInstruction = new Map(leavesOf(body).map(([instruction], k) => [instruction, at(readings, k)]))
  const fixed = new Map<Reading, Expression>()
  for (const reading of readings)
    if (reading.leaf.kind === 'load' && reading.walk === 'stays')
      fixed.set(reading, keep(e, 'same', read(e, reading, i32(0))))
  const i = fresh(e, 'i', 'i32')
  const four = (to: Emitter, offset: number, valid?: Expression): Expression =>
    writeBody(to, body, (inner, instruction) => {
      const reading = byInstruction.get(instruction)
      if (reading === undefined) throw new Error('wasm: a leaf without its reading')
      return fixed.get(reading) ?? read(inner, reading, add(get(i), i32(offset)), valid)
    })
  e.statements.push(set(i, from))
  const end = keep(e, 'end', to)
  const turn = inside(e)
  const [first, second] = [four(turn, 0), four(turn, 16)]
  turn.statements.push(
    store('v128.store', add(get(target), get(i)), first),
    store('v128.store', add(get(target), get(i)), second, 16),
  )
  if (padded) {
    e.statements.push(countTo(i, end, 32, turn.statements))
    return
  }
  const whole = keep(e, 'whole', sub(end, i32(31)))
  e.statements.push(countTo(i, whole, 32, turn.statements))
  const last = inside(e)
  const left = keep(last, 'left', apply('i32.shr_s', [sub(end, get(i)), i32(2)]))
  const value = four(last, 0, left)
  const lane = (k: number): Statement => ({
    kind: 'store',
    op: 'v128.store32_lane',
    args: [add(get(target), get(i)), value],
    immediates: [4 * k, k],
  })
  last.statements.push(
    when(
      apply('i32.ge_s', [left, i32(4)]),
      [store('v128.store', add(get(target), get(i)), value)],
      [lane(0), when(apply('i32.gt_s', [left, i32(1)]), [lane(1), when(apply('i32.gt_s', [left, i32(2)]), [lane(2)])])],
    ),
  )
  e.statements.push(countTo(i, end, 16, last.statements))
}

const makeFunction = (name: string, body: Body, walks: readonly Walk[], axes: number) => {
  const e = emitter()
  const [block, first, last] = (['block', 'first', 'last'] as const).map((n): Local => ({ name: n, type: 'i32' })) as [
    Local,
    Local,
    Local,
  ]
  const leaves = leavesOf(body)
  const layout = layoutOf(leaves.length, axes)
  const inner = axes - 1
  const readings = leaves.map(([, leaf], k): Reading => ({
    leaf,
    walk: at(walks, k),
    pointer: fresh(e, 'pointer', 'i32'),
    stride: keep(e, 'stride', word(block, layout.strides(k) + inner)),
  }))
  const target = fresh(e, 'target', 'i32')
  const length = keep(e, 'length', mul(word(block, layout.lengths + inner), i32(4)))
  if (axes === 1) {
    readings.forEach(({ pointer }, k) => e.statements.push(set(pointer, word(block, layout.starts + k))))
    e.statements.push(set(target, word(block, 0)))
    const bytes = 4 * flatUnit
    const end = keep(e, 'end', mul(get(last), i32(bytes)))
    const limit = select(apply('i32.lt_s', [end, length]), end, length)
    writeRow(e, body, readings, target, mul(get(first), i32(bytes)), limit, true)
  } else {
    const row = inside(e)
    enterRow(row, block, layout, inner, first, readings)
    row.statements.push(set(target, add(word(block, 0), apply('i32.mul', [get(first), length]))))
    writeRow(row, body, readings, target, i32(0), length, false)
    e.statements.push(countTo(first, get(last), 1, row.statements))
  }
  return { name, parameters: [block, first, last], body: [...constantStatements(e), ...e.statements] }
}

/** The nest of a body's leaves over its linear index, the output first; undefined where the axes cross. */
export const bodyNest = (body: Body): Nest | undefined =>
  nestOf(body.size, [contiguous([body.size]), ...leavesOf(body).map(([, leaf]) => viewOf(leaf))])

/** The kernel as code, or why it has none. */
export const elementwise = ({ body, output, dtype }: ElementwiseKernel): Phase | string => {
  const reason = dtype === 'bool' ? 'bools in memory are bytes' : whyNotVector(body)
  if (reason !== undefined) return reason
  const nest = bodyNest(body)
  if (nest === undefined) return 'the axes of its operands cross'
  const { lengths } = nest
  const axes = Math.max(1, lengths.length)
  const leaves = leavesOf(body)
  const strides = leaves.map((_, k) => (lengths.length === 0 ? [0] : at(nest.strides, k + 1)))
  const walks = strides.map((s) => walkOf(at(s, axes - 1)))
  const units = axes === 1 ? Math.ceil(body.size / flatUnit) : lengths.slice(0, -1).reduce((a, b) => a * b, 1)
  return {
    key: `elementwise ${axes} ${walks.join()} ${structureOf(body)}`,
    make: (name) => makeFunction(name, body, walks, axes),
    parameters: [
      { kind: 'buffer', buffer: output, offset: 0 },
      ...leaves.map(([, leaf]) => startOf(leaf)),
      ...(lengths.length === 0 ? [1] : lengths),
      ...leaves.flatMap(([, leaf], k) => at(strides, k).map((s) => strideOf(leaf, s))),
    ],
    units,
    grain: axes === 1 ? 1 : Math.max(1, Math.ceil(flatUnit / at(lengths, axes - 1))),
  }
}
