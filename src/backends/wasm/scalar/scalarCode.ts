/** What writes bodies one element at a time (scalar.ts). */
import { at, range } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import type { ReduceKernel } from '../../../compiler/kernel.ts'
import { add, apply, f64, get, i32, mul, select, set, sub, type Expression, type Local } from '../assembler/code.ts'
import { leavesOf, type BodyStructure } from '../emit/leaf.ts'
import { fresh, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'
import { isWhole } from './register.ts'
import { segment, type NestNumbers } from './nestWords.ts'
import { along, enter, moveAll, openNest, through } from './scalarNest.ts'
import { scalarOps } from './scalarOps.ts'
import { cast, fromDouble, literal, loadElement, storeElement, toDouble, wrapWhole } from './scalarValue.ts'

/** How leaves are reached from the linear index: the start, and for each axis its step in the linear index, length and stride. */
export type Crossing<N> = readonly {
  readonly start: N
  readonly axes: readonly { readonly step: N; readonly length: N; readonly stride: N }[]
}[]

/** What code knows of how its leaves are reached. */
export interface ReachStructure {
  readonly cursors: number
  readonly axes: number
  /** How many axes each leaf has of its own; undefined where all leaves are cursors. */
  readonly crossing: readonly number[] | undefined
}

/** The words of how leaves are reached. */
interface ReachWords {
  readonly nest: NestNumbers<Expression>
  readonly crossing: Crossing<Expression>
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
export interface Writing {
  readonly body: BodyStructure
  readonly dtype: DType
  readonly reach: ReachStructure
}

/** Writes a body through a window: a unit is a segment of a row. */
export const writeScalar = (
  unit: Unit<ReachWords & { readonly perRow: Expression }>,
  { body, dtype, reach: { axes } }: Writing,
): void => {
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
}

/** A reduction: `kept` are axes of the output, the others are reduced. */
export interface Reducing extends Writing {
  readonly operation: ReduceKernel['operation']
  readonly kept: readonly number[]
}

/** Writes a reduction: a unit is one result. */
export const writeScalarReduce = (unit: Unit<ReachWords>, { body, dtype, operation, reach, kept }: Reducing): void => {
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
}
