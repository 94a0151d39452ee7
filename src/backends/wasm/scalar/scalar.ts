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
import { add, apply, f64, get, i32, mul, select, set, sub, type Expression, type Local } from '../assembler/code.ts'
import { block, each, inBuffer, listOf, word, words, type Field, type Parameter } from '../emit/block.ts'
import { leavesOf, structureOf, viewOf, type BodyStructure, type Leaf } from '../emit/leaf.ts'
import { fresh, keep, type Emitter } from '../emit/emitter.ts'
import { code, phase, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import { along, enter, moveAll, nestField, nestNumbers, openNest, through, type Cursor } from './scalarNest.ts'
import { scalarOps } from './scalarOps.ts'
import { cast, fromDouble, isWhole, literal, loadElement, storeElement, toDouble, wrapWhole } from './scalarValue.ts'

/** Elements of the innermost axis that a unit has. */
const segment = 4096

/** How a leaf is reached: as a cursor of the nest, or by its own axes from the linear index. */
interface Reach {
  readonly cursors: readonly Cursor[]
  readonly lengths: readonly number[]
  /** Undefined where all leaves are cursors. */
  readonly crossing: readonly View[] | undefined
}

const sizeOfStep = (leaf: Leaf): number => (leaf.kind === 'load' ? bytesPerElement[leaf.dtype] : 1)

const startOf = (leaf: Leaf): Parameter =>
  leaf.kind === 'load'
    ? inBuffer(leaf.from.buffer, bytesPerElement[leaf.dtype] * leaf.from.view.offset)
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
  return { lengths: nest.lengths, cursors: [target, ...moving], crossing: undefined }
}

/** How leaves are reached from the linear index: the start, and for each axis its step in the linear index, length and stride. */
type Crossing<N> = readonly {
  readonly start: N
  readonly axes: readonly { readonly step: N; readonly length: N; readonly stride: N }[]
}[]

const crossingNumbers = (body: Body, { crossing }: Reach): Crossing<Parameter> =>
  (crossing ?? []).map((view, k) => {
    const [, leaf] = at(leavesOf(body), k)
    const axes = view.shape.map((length, a) => ({
      step: product(view.shape.slice(a + 1)),
      length,
      stride: at(view.strides, a) * sizeOfStep(leaf),
    }))
    return { start: startOf(leaf), axes }
  })

/** What code knows of how its leaves are reached. */
interface ReachStructure {
  readonly cursors: number
  readonly axes: number
  /** How many axes each leaf has of its own; undefined where all leaves are cursors. */
  readonly crossing: readonly number[] | undefined
}

const structureOfReach = ({ cursors, lengths, crossing }: Reach): ReachStructure => ({
  cursors: cursors.length,
  axes: lengths.length,
  crossing: crossing?.map((view) => view.shape.length),
})

/** The words of how leaves are reached. */
const reachFields = ({ cursors, axes, crossing }: ReachStructure) => {
  const own: Field<Crossing<Parameter>, Crossing<Expression>> = each(
    (crossing ?? []).map((count) =>
      block({ start: word, axes: listOf(count, block(words('step', 'length', 'stride'))) }),
    ),
  )
  return { nest: nestField(cursors, axes), crossing: own }
}

/** Where a leaf stands: its cursor, or start + Σ (linear / step mod length)·stride. */
const positionsOf = (crossing: Crossing<Expression>, cursors: readonly Local[]): readonly (() => Expression)[] =>
  crossing.length === 0
    ? cursors.slice(1).map((cursor) => () => get(cursor))
    : crossing.map(
        ({ start, axes }) =>
          () =>
            axes.reduce((sum, { step, length, stride }) => {
              const along = apply('i32.div_u', [get(at(cursors, 1)), step])
              return add(sum, apply('i32.mul', [apply('i32.rem_u', [along, length]), stride]))
            }, start),
      )

/** Writes the body for one element; a leaf's position is an address, or an index's value. */
const writeElement = (e: Emitter, body: BodyStructure, positions: readonly (() => Expression)[]): Expression => {
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

/** Elements that are written through a window. */
interface Writing {
  readonly body: BodyStructure
  readonly dtype: DType
  readonly reach: ReachStructure
}

/** A unit is a segment of a row. */
const elementwiseCode = code(
  'scalar',
  ({ reach }: Writing) => block({ perRow: word, ...reachFields(reach) }),
  (unit, { body, dtype, reach: { axes } }: Writing) => {
    const { e, words: w, first } = unit
    const nest = openNest(e, w.nest)
    const positions = positionsOf(w.crossing, nest.cursors)
    const perRow = keep(e, 'perRow', w.perRow)
    const target = at(nest.cursors, 0)
    eachUnit(unit, (turnOfUnit) => {
      enter(turnOfUnit, nest, range(axes - 1), keep(turnOfUnit, 'row', apply('i32.div_u', [get(first), perRow])))
      const begin = keep(turnOfUnit, 'begin', mul(apply('i32.rem_u', [get(first), perRow]), i32(segment)))
      moveAll(turnOfUnit, nest, axes - 1, begin)
      const left = keep(turnOfUnit, 'left', sub(at(nest.lengths, axes - 1), begin))
      const count = select(apply('i32.lt_s', [left, i32(segment)]), left, i32(segment))
      along(turnOfUnit, nest, axes - 1, count, (turn) => {
        const value = writeElement(turn, body, positions)
        turn.statements.push(storeElement(turn, dtype, get(target), value))
      })
    })
  },
)

/** At least one axis: a single element is a row of one. */
const withAxis = (reach: Reach): Reach =>
  reach.lengths.length > 0
    ? reach
    : { ...reach, lengths: [1], cursors: reach.cursors.map((c) => ({ ...c, strides: [0] })) }

/** out[window(i)] = body(i), one element after the other. */
export const scalarInto = (body: Body, dtype: DType, output: number, window: View): Phase => {
  const step = bytesPerElement[dtype]
  const target = inBuffer(output, step * window.offset)
  const reach = withAxis(reachOf(body, window, target, step))
  const { lengths } = reach
  const length = at(lengths, lengths.length - 1)
  const perRow = Math.ceil(length / segment)
  return phase(
    elementwiseCode,
    { dtype, reach: structureOfReach(reach), body: structureOf(body) },
    { perRow, nest: nestNumbers(reach.cursors, lengths), crossing: crossingNumbers(body, reach) },
    { units: (body.size / length) * perRow, grain: Math.max(1, Math.ceil(segment / length)) },
  )
}

/** out[i] = body(i), one element after the other. */
export const scalarElementwise = ({ body, dtype, output }: ElementwiseKernel): Phase =>
  scalarInto(body, dtype, output, contiguous([body.size]))

/** A reduction: `kept` are axes of the output, the others are reduced. */
interface Reducing extends Writing {
  readonly operation: ReduceKernel['operation']
  readonly kept: readonly number[]
}

const reduceCode = code(
  'scalar reduce',
  ({ reach }: Reducing) => block(reachFields(reach)),
  (unit, { body, dtype, operation, reach, kept }: Reducing) => {
    const { e, words: w, first } = unit
    const nest = openNest(e, w.nest)
    const positions = positionsOf(w.crossing, nest.cursors)
    const from = at(body.instructions, body.instructions.length - 1).dtype
    const isInteger = operation === 'sum' && isWhole(dtype) && isWhole(from)
    const total = fresh(e, 'total', isInteger ? 'i32' : 'f64')
    const target = at(nest.cursors, 0)
    const reduced = range(reach.axes).filter((axis) => !kept.includes(axis))
    eachUnit(unit, (turnOfUnit) => {
      enter(turnOfUnit, nest, kept, get(first))
      turnOfUnit.statements.push(set(total, isInteger ? i32(0) : f64(operation === 'sum' ? 0 : -Infinity)))
      through(turnOfUnit, nest, reduced, (turn) => {
        const value = writeElement(turn, body, positions)
        const next = isInteger ? value : toDouble(value, from)
        const op = isInteger ? 'i32.add' : operation === 'sum' ? 'f64.add' : 'f64.max'
        turn.statements.push(set(total, apply(op, [get(total), next])))
      })
      const result = isInteger ? wrapWhole(get(total), dtype) : fromDouble(turnOfUnit, get(total), dtype)
      const value = keep(turnOfUnit, 'result', result)
      turnOfUnit.statements.push(storeElement(turnOfUnit, dtype, get(target), value))
    })
  },
)

/** out[target(i)] = Σ or max of body(i): a unit is one result, summed in f64 in the order of the linear index, and rounded once. */
export const scalarReduce = (kernel: ReduceKernel): Phase => {
  const { body, target, size, output, dtype, operation } = kernel
  const start = inBuffer(output)
  const bytes = bytesPerElement[dtype]
  const reach = reachOf(body, target, start, bytes)
  const { strides } = at(reach.cursors, 0)
  return phase(
    reduceCode,
    {
      operation,
      dtype,
      kept: range(reach.lengths.length).filter((axis) => at(strides, axis) !== 0),
      reach: structureOfReach(reach),
      body: structureOf(body),
    },
    { nest: nestNumbers(reach.cursors, reach.lengths), crossing: crossingNumbers(body, reach) },
    { units: size, grain: Math.max(1, Math.ceil((segment * size) / body.size)) },
  )
}
