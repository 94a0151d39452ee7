/**
 * Elementwise kernels and reductions one element at a time: for every dtype and every primitive, where there is no vector code. Results have
 * cpu's bits, but for functions that vector code computes its own way.
 *
 * Operands whose axes cross (a 4×6 seen as 3×8 after a transpose) are reached from the linear index, by division.
 */
import { at, product, range } from '../../../prelude/array.ts'
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import type { Body, ElementwiseKernel, ReduceKernel } from '../../../compiler/kernel.ts'
import { nestOf } from '../../../compiler/nest.ts'
import { coalesce, contiguous, type View } from '../../../compiler/view.ts'
import {
  add,
  apply,
  countTo,
  f64,
  get,
  i32,
  mul,
  select,
  set,
  sub,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import type { Function } from '../assembler/module.ts'
import { leavesOf, structureOf, viewOf, type Leaf } from '../emit/leaf.ts'
import { constantStatements, emitter, fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import type { Parameter, Phase } from '../emit/kernelCode.ts'
import { along, enter, moveAll, nestSize, nestWords, openNest, through, wordAt, type Cursor } from './scalarNest.ts'
import { scalarOps } from './scalarOps.ts'
import { cast, fromDouble, isWhole, literal, loadElement, storeElement, toDouble, wrapWhole } from './scalarValue.ts'

/** Elements of the innermost axis that a unit has. */
const segment = 4096

/** How a leaf is reached: as a cursor of the nest, or by its own axes from the linear index. */
interface Reach {
  readonly cursors: readonly Cursor[]
  readonly lengths: readonly number[]
  /** Absent for a leaf that is a cursor. */
  readonly crossing: readonly (View | undefined)[]
}

const sizeOfStep = (leaf: Leaf): number => (leaf.kind === 'load' ? bytesPerElement[leaf.dtype] : 1)

const startOf = (leaf: Leaf): Parameter =>
  leaf.kind === 'load'
    ? { kind: 'buffer', buffer: leaf.from.buffer, offset: bytesPerElement[leaf.dtype] * leaf.from.view.offset }
    : leaf.view.offset

/** The nest of `first` and the leaves; where they cross, that of `first` and the linear index, from which the leaves are then reached. */
const reachOf = (body: Body, first: View, start: Cursor['start'], step: number): Reach => {
  const leaves = leavesOf(body).map(([, leaf]) => leaf)
  const views = leaves.map(viewOf)
  const together = nestOf(body.size, [first, ...views])
  const nest = together ?? nestOf(body.size, [first, contiguous([body.size])])
  if (nest === undefined) throw new Error('wasm: a view crosses its own linear index')
  const [own = [], ...others] = nest.strides
  const target: Cursor = { start, strides: own.map((s) => s * step) }
  if (together === undefined)
    return {
      lengths: nest.lengths,
      cursors: [target, { start: 0, strides: at(others, 0) }],
      crossing: views.map(coalesce),
    }
  const moving = leaves.map((leaf, k): Cursor => ({
    start: startOf(leaf),
    strides: at(others, k).map((s) => s * sizeOfStep(leaf)),
  }))
  return { lengths: nest.lengths, cursors: [target, ...moving], crossing: views.map(() => undefined) }
}

/** Words of the leaves that are reached from the linear index: the start, and for each axis its step in the linear index, length and stride. */
const crossingWords = (body: Body, { crossing }: Reach): readonly Parameter[] =>
  leavesOf(body).flatMap(([, leaf], k) => {
    const view = crossing[k]
    if (view === undefined) return []
    const axes = view.shape.map((length, a) => [
      product(view.shape.slice(a + 1)),
      length,
      at(view.strides, a) * sizeOfStep(leaf),
    ])
    return [startOf(leaf), ...axes.flat()]
  })

/** Where a leaf stands: its cursor, or start + Σ (linear / step mod length)·stride. */
const positionsOf = (
  block: Local,
  word: number,
  { crossing }: Reach,
  cursors: readonly Local[],
): readonly (() => Expression)[] => {
  let next = word
  return crossing.map((view, k) => {
    if (view === undefined) return () => get(at(cursors, k + 1))
    const first = next
    next += 1 + 3 * view.shape.length
    return () =>
      view.shape.reduce(
        (sum, _, a) => {
          const [step, length, stride] = range(3).map((i) => wordAt(block, first + 1 + 3 * a + i)) as [
            Expression,
            Expression,
            Expression,
          ]
          const along = apply('i32.div_u', [get(at(cursors, 1)), step])
          return add(sum, apply('i32.mul', [apply('i32.rem_u', [along, length]), stride]))
        },
        wordAt(block, first),
      )
  })
}

/** Writes the body for one element; a leaf's position is an address, or an index's value. */
const writeElement = (e: Emitter, body: Body, positions: readonly (() => Expression)[]): Expression => {
  const leafOrder = new Map(leavesOf(body).map(([instruction], k) => [instruction, k]))
  const values: Expression[] = []
  body.instructions.forEach((instruction, i) => {
    if (instruction.kind === 'literal') {
      values.push(literal(instruction.value, instruction.dtype))
      return
    }
    if (instruction.kind === 'apply') {
      const [x, y, z] = instruction.inputs.map((k) => at(values, k))
      if (x === undefined) throw new Error(`wasm: ${instruction.op} of nothing`)
      const from = at(body.instructions, at(instruction.inputs, 0)).dtype
      values.push(keep(e, instruction.op, scalarOps[instruction.op](e, [x, y ?? x, z ?? x], from, instruction.dtype)))
      return
    }
    const position = at(positions, leafOrder.get(i) ?? 0)()
    const value =
      instruction.kind === 'load'
        ? loadElement(e, instruction.dtype, keep(e, 'at', position))
        : cast(e, position, 'i32', instruction.dtype)
    values.push(keep(e, 'x', value))
  })
  return at(values, values.length - 1)
}

const parametersOf = (): readonly [Local, Local, Local] => [
  { name: 'block', type: 'i32' },
  { name: 'first', type: 'i32' },
  { name: 'last', type: 'i32' },
]

/** What a function's key says of how its leaves are reached. */
const reachKey = ({ lengths, crossing }: Reach): string =>
  `${lengths.length} ${crossing.map((v) => v?.shape.length ?? '').join()}`

/** A unit is a segment of a row: segments per row stand first in the block, then the nest, then what crosses. */
const makeElementwise = (name: string, body: Body, dtype: DType, reach: Reach): Function => {
  const [block, first, last] = parametersOf()
  const e = emitter()
  const axes = reach.lengths.length
  const nest = openNest(e, block, 1, reach.cursors.length, axes)
  const positions = positionsOf(block, 1 + nestSize(reach.cursors.length, axes), reach, nest.cursors)
  const perRow = keep(e, 'perRow', wordAt(block, 0))
  const [target] = nest.cursors
  if (target === undefined) throw new Error('wasm: a nest without cursors')
  const unit = inside(e)
  enter(unit, nest, range(axes - 1), keep(unit, 'row', apply('i32.div_u', [get(first), perRow])))
  const begin = keep(unit, 'begin', mul(apply('i32.rem_u', [get(first), perRow]), i32(segment)))
  moveAll(unit, nest, axes - 1, begin)
  const left = keep(unit, 'left', sub(at(nest.lengths, axes - 1), begin))
  const count = select(apply('i32.lt_s', [left, i32(segment)]), left, i32(segment))
  along(unit, nest, axes - 1, count, (turn) => {
    const value = writeElement(turn, body, positions)
    turn.statements.push(storeElement(turn, dtype, get(target), value))
  })
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: [...constantStatements(e), ...e.statements] }
}

/** At least one axis: a single element is a row of one. */
const withAxis = (reach: Reach): Reach =>
  reach.lengths.length > 0
    ? reach
    : { ...reach, lengths: [1], cursors: reach.cursors.map((c) => ({ ...c, strides: [0] })) }

/** out[window(i)] = body(i), one element after the other. */
export const scalarInto = (body: Body, dtype: DType, output: number, window: View): Phase => {
  const step = bytesPerElement[dtype]
  const target = { kind: 'buffer', buffer: output, offset: step * window.offset } as const
  const reach = withAxis(reachOf(body, window, target, step))
  const { lengths } = reach
  const length = at(lengths, lengths.length - 1)
  const perRow = Math.ceil(length / segment)
  return {
    key: `scalar ${dtype} ${reachKey(reach)} ${structureOf(body)}`,
    make: (name) => makeElementwise(name, body, dtype, reach),
    parameters: [perRow, ...nestWords(reach.cursors, lengths), ...crossingWords(body, reach)],
    units: (body.size / length) * perRow,
    grain: Math.max(1, Math.ceil(segment / length)),
  }
}

/** out[i] = body(i), one element after the other. */
export const scalarElementwise = ({ body, dtype, output }: ElementwiseKernel): Phase =>
  scalarInto(body, dtype, output, contiguous([body.size]))

/** Axes of the output, and those that are reduced. */
interface Split {
  readonly kept: readonly number[]
  readonly reduced: readonly number[]
}

const makeReduce = (name: string, kernel: ReduceKernel, reach: Reach, { kept, reduced }: Split): Function => {
  const { body, dtype, operation } = kernel
  const [block, first, last] = parametersOf()
  const e = emitter()
  const axes = reach.lengths.length
  const nest = openNest(e, block, 0, reach.cursors.length, axes)
  const positions = positionsOf(block, nestSize(reach.cursors.length, axes), reach, nest.cursors)
  const from = at(body.instructions, body.instructions.length - 1).dtype
  const isInteger = operation === 'sum' && isWhole(dtype) && isWhole(from)
  const total = fresh(e, 'total', isInteger ? 'i32' : 'f64')
  const [target] = nest.cursors
  if (target === undefined) throw new Error('wasm: a nest without cursors')
  const unit = inside(e)
  enter(unit, nest, kept, get(first))
  unit.statements.push(set(total, isInteger ? i32(0) : f64(operation === 'sum' ? 0 : -Infinity)))
  through(unit, nest, reduced, (turn) => {
    const value = writeElement(turn, body, positions)
    const next = isInteger ? value : toDouble(value, from)
    const op = isInteger ? 'i32.add' : operation === 'sum' ? 'f64.add' : 'f64.max'
    turn.statements.push(set(total, apply(op, [get(total), next])))
  })
  const result = keep(unit, 'result', isInteger ? wrapWhole(get(total), dtype) : fromDouble(unit, get(total), dtype))
  unit.statements.push(storeElement(unit, dtype, get(target), result))
  e.statements.push(countTo(first, get(last), 1, unit.statements))
  return { name, parameters: [block, first, last], body: [...constantStatements(e), ...e.statements] }
}

/** Nothing to reduce: every result is the sum, or the maximum, of no number. */
const ofNothing = (kernel: ReduceKernel): ReduceKernel => ({
  ...kernel,
  body: { size: 0, instructions: [{ kind: 'literal', value: 0, dtype: kernel.dtype }] },
})

/** out[target(i)] = Σ or max of body(i): a unit is one result, summed in f64 in the order of the linear index, and rounded once. */
export const scalarReduce = (given: ReduceKernel): Phase => {
  const kernel = given.body.size === 0 ? ofNothing(given) : given
  const { body, target, size, output, dtype, operation } = kernel
  const start = { kind: 'buffer', buffer: output, offset: 0 } as const
  const bytes = bytesPerElement[dtype]
  const reach: Reach =
    body.size === 0
      ? { lengths: [size, 0], cursors: [{ start, strides: [bytes, 0] }], crossing: [] }
      : reachOf(body, target, start, bytes)
  const axes = range(reach.lengths.length)
  const strides = at(reach.cursors, 0).strides
  const isKept = (axis: number): boolean => at(strides, axis) !== 0
  const split = { kept: axes.filter(isKept), reduced: axes.filter((a) => !isKept(a)) }
  return {
    key: `scalar ${operation} ${dtype} ${reachKey(reach)} ${axes.map((a) => (isKept(a) ? 'k' : 'r')).join('')} ${structureOf(body)}`,
    make: (name) => makeReduce(name, kernel, reach, split),
    parameters: [...nestWords(reach.cursors, reach.lengths), ...crossingWords(body, reach)],
    units: size,
    grain: Math.max(1, Math.ceil((segment * size) / Math.max(1, body.size))),
  }
}
