/**
 * The function of a reduction: each unit computes some neighbouring results, or a part of them.
 *
 * In `rows`, vectors lie along a reduced axis, and four results are computed together; in `row` one. In `columns`, vectors lie along the
 * results: sixteen of them are kept in registers while all that is reduced goes by; in `column` four.
 */
import { at, range } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import { add, apply, countTo, get, i32, mul, select, set, sub, type Expression } from '../assembler/code.ts'
import {
  across,
  begin,
  masked,
  partialBytes,
  rounded,
  rowPointer,
  take,
  total,
  validAt,
  writePartial,
  writeResults,
  type Accumulation,
  type Accumulator,
  type Results,
} from '../emit/accumulator.ts'
import { castStep, writeBody, type LaneType } from '../emit/body.ts'
import { block, kept, list, listOf, words } from '../emit/block.ts'
import { fresh, inside, keep, ramp, type Emitter } from '../emit/emitter.ts'
import { code } from '../emit/kernelCode.ts'
import {
  advanced,
  leavesOf,
  read,
  write,
  type BodyStructure,
  type Reading,
  type Walk,
  type Writing,
} from '../emit/leaf.ts'
import { enter, odometerField, turn } from '../emit/odometer.ts'
import { eachUnit, open, pointerFields, toStarts, type Opening } from '../emit/opening.ts'

/** Which results a unit computes, and along which axis vectors lie. */
export type Form = 'rows' | 'row' | 'columns' | 'column'

/** Results of a unit along their innermost axis. */
export const resultsOf: { readonly [F in Form]: number } = { rows: 4, row: 1, columns: 16, column: 4 }

/** All that the code of a reduction depends on. */
export interface ReduceStructure {
  readonly form: Form
  readonly body: BodyStructure
  readonly dtype: DType
  readonly accumulation: Accumulation
  /** Of the output and the leaves, along the axis of vectors. */
  readonly walks: readonly Walk[]
  /** In `rows`, which of them stay where they are from one result to the next. */
  readonly shared: readonly boolean[]
  /** Axes of the odometer: those of the results, their blocks, and the parts. */
  readonly axes: number
  /** Loops around the innermost one, or in `columns` all loops. */
  readonly loops: number
  /** The loop that is cut into parts; the axis of vectors in `rows` counts as the last; −1 where there is one part. */
  readonly cut: number
  /** Whether no vector along a reduced axis is cut off. */
  readonly whole: boolean
  /** Whether parts are written, to be joined later. */
  readonly isPartial: boolean
}

/** The words of a reduction: `rowSteps` go from one result to the next, and `loopSteps` along each loop. */
const reduceFields = ({ walks: { length }, loops, axes }: ReduceStructure) =>
  block({
    ...pointerFields(length),
    rowSteps: list(length),
    ...words('vectorBytes', 'results', 'partLength', 'cutLength'),
    lengths: list(loops),
    loopSteps: listOf(length, list(loops)),
    odometer: odometerField(axes, length),
  })

/** What the inside of loops needs of the words, in locals. */
interface Numbers {
  readonly vectorBytes: Expression
  readonly lengths: readonly Expression[]
  /** By leaf: the step from one result to the next, and those along the loops. */
  readonly leaves: readonly { readonly rowStep: Expression; readonly loopSteps: readonly Expression[] }[]
}

interface Scope extends Opening {
  readonly structure: ReduceStructure
  readonly numbers: Numbers
  /** Elements of the cut axis in this part. */
  readonly partLength: Expression
  readonly accumulators: readonly Accumulator[]
  /** How many of the unit's results there are; undefined where all are. */
  readonly valid: Expression | undefined
}

/** One value of the body, as what is accumulated. */
const value = (
  into: Emitter,
  { structure: { body, dtype } }: Scope,
  leaf: (e: Emitter, k: number) => Expression,
): Expression => {
  const places = new Map(leavesOf(body).map(([instruction], k) => [instruction, k]))
  const x = writeBody(into, body, (e, instruction) => leaf(e, places.get(instruction) ?? 0))
  const from = at(body.instructions, body.instructions.length - 1).dtype as LaneType
  const step = castStep(from, dtype as LaneType)
  if (step === undefined) throw new Error(`wasm: ${from} is not summed as ${dtype}`)
  return keep(into, 'value', step(into, x, x, x))
}

/** Loops over reduced axes, from `level` on, around what `inner` writes for pointers of the leaves. */
const nested = (
  e: Emitter,
  scope: Scope,
  level: number,
  pointers: readonly Expression[],
  inner: (e: Emitter, pointers: readonly Expression[]) => void,
): void => {
  const { structure, numbers } = scope
  if (level === structure.loops) {
    inner(e, pointers)
    return
  }
  const own = pointers.map((pointer) => {
    const local = fresh(e, 'q', 'i32')
    e.statements.push(set(local, pointer))
    return local
  })
  const counter = fresh(e, 'c', 'i32')
  e.statements.push(set(counter, i32(0)))
  const length = level === structure.cut ? scope.partLength : at(numbers.lengths, level)
  const body = inside(e)
  nested(body, scope, level + 1, own.map(get), inner)
  own.forEach((local, k) =>
    body.statements.push(set(local, add(get(local), at(at(numbers.leaves, k).loopSteps, level)))),
  )
  e.statements.push(countTo(counter, length, 1, body.statements))
}

/** Readings of each leaf, one for each row; rows share it where the leaf does not move from row to row. */
const rowReadings = (e: Emitter, scope: Scope, pointers: readonly Expression[]): readonly (readonly Reading[])[] => {
  const { structure, numbers, steps, valid } = scope
  const count = resultsOf[structure.form]
  return leavesOf(structure.body).map(([, leaf], k) => {
    const { rowStep } = at(numbers.leaves, k)
    const one = (pointer: Expression): Reading => ({
      leaf,
      walk: at(structure.walks, k + 1),
      pointer,
      step: at(steps, k + 1),
    })
    const pointer = at(pointers, k)
    if (count === 1 || at(structure.shared, k + 1)) return range(count).map(() => one(pointer))
    return range(count).map((row) => one(keep(e, 'row', rowPointer(pointer, rowStep, row, valid))))
  })
}

/** Vectors along a reduced axis: four elements of four rows a turn, or sixteen of one. */
const alongReduced = (e: Emitter, scope: Scope, pointers: readonly Expression[]): void => {
  const { structure, numbers, accumulators } = scope
  const { accumulation, form, whole, cut, loops, walks, shared: isShared } = structure
  const readings = rowReadings(e, scope, pointers)
  const fixed = readings.map((own, k) =>
    at(walks, k + 1) === 'stays' ? own.map((reading) => keep(e, 'same', read(e, reading))) : undefined,
  )
  const i = fresh(e, 'i', 'i32')
  /** The values of a row at byte `i`, from `ahead` elements further on; what rows share is read once. */
  const four = (into: Emitter, left?: Expression): ((row: number, ahead: number) => Expression) => {
    const moved = (e: Emitter, k: number, row: number): Reading => advanced(e, at(at(readings, k), row), get(i))
    const once = readings.map((_, k) => fixed[k] === undefined && (form === 'row' || at(isShared, k + 1)))
    const here = once.map((isOnce, k) => (isOnce ? moved(into, k, 0) : undefined))
    const shared = here.map((reading) =>
      reading !== undefined && form === 'rows' ? keep(into, 'x', read(into, reading, 0, left)) : undefined,
    )
    return (row, ahead) =>
      value(into, scope, (e, k) => fixed[k]?.[row] ?? shared[k] ?? read(e, here[k] ?? moved(e, k, row), ahead, left))
  }
  const bytes = form === 'rows' ? 16 : 64
  const end = cut === loops ? keep(e, 'end', mul(scope.partLength, i32(4))) : numbers.vectorBytes
  e.statements.push(set(i, i32(0)))
  const main = inside(e)
  const inMain = four(main)
  const all = range(4).map((n) => (form === 'rows' ? inMain(n, 0) : inMain(0, 4 * n)))
  all.forEach((x, n) => main.statements.push(...take(accumulation, at(accumulators, n), x)))
  if (whole) {
    e.statements.push(countTo(i, end, bytes, main.statements))
    return
  }
  e.statements.push(countTo(i, keep(e, 'whole', sub(end, i32(bytes - 1))), bytes, main.statements))
  const rest = inside(e)
  const left = keep(rest, 'left', apply('i32.shr_s', [sub(end, get(i)), i32(2)]))
  const isValid = keep(rest, 'valid', apply('i32x4.lt_s', [ramp(e), apply('i32x4.splat', [left])]))
  const inRest = four(rest, left)
  range(resultsOf[form]).forEach((row) => {
    const x = masked(rest, accumulation, inRest(row, 0), isValid)
    rest.statements.push(...take(accumulation, at(accumulators, row), x))
  })
  e.statements.push(countTo(i, end, 16, rest.statements))
}

/** Vectors along the results: what is reduced goes by. */
const alongResults = (e: Emitter, scope: Scope, pointers: readonly Expression[]): void => {
  const { structure, steps, accumulators, valid } = scope
  const readings = leavesOf(structure.body).map(([, leaf], k): Reading => ({
    leaf,
    walk: at(structure.walks, k + 1),
    pointer: at(pointers, k),
    step: at(steps, k + 1),
  }))
  const fixed = readings.map((reading) => (reading.walk === 'stays' ? keep(e, 'same', read(e, reading)) : undefined))
  const all = accumulators.map((_, w) =>
    value(e, scope, (into, k) => fixed[k] ?? read(into, at(readings, k), 4 * w, valid)),
  )
  all.forEach((x, w) => e.statements.push(...take(structure.accumulation, at(accumulators, w), x)))
}

const finish = (e: Emitter, scope: Scope): void => {
  const { structure, pointers, accumulators, valid } = scope
  const { accumulation: a, form, dtype, isPartial } = structure
  const pointer = get(at(pointers, 0))
  const to: Writing = { dtype, walk: 'next', pointer, step: i32(0) }
  const put = (results: Results, n: number, some: Expression | undefined): void => {
    const bytes = a.kind === 'doubles' ? 32 : 16
    e.statements.push(
      ...(isPartial
        ? writePartial(a, pointer, results, n * bytes, some)
        : writeResults(e, a, to, results, 4 * n, some)),
    )
  }
  if (form === 'rows') put(across(e, a, accumulators), 0, valid)
  else if (form === 'row') put(total(e, a, across(e, a, accumulators)), 0, i32(1))
  else accumulators.forEach((own, n) => put(own.map(get), n, valid))
}

/** The function of a reduction. */
export const reduceCode = code('reduce', reduceFields, (unit, structure: ReduceStructure) => {
  const { e, words: w, first } = unit
  const { axes, form, cut, accumulation } = structure
  const opening = open(unit)
  const { pointers } = opening
  const numbers: Numbers = {
    vectorBytes: keep(e, 'vectorBytes', w.vectorBytes),
    lengths: w.lengths.map((length) => keep(e, 'length', length)),
    leaves: range(pointers.length - 1).map((k) => ({
      rowStep: keep(e, 'rowStep', at(w.rowSteps, k + 1)),
      loopSteps: at(w.loopSteps, k + 1).map((step) => keep(e, 'loopStep', step)),
    })),
  }
  e.statements.push(...toStarts(opening, w.starts))
  const odometer = { ...w.odometer, pointers }
  const coordinates = enter(e, odometer, get(first))
  eachUnit(unit, (turnOfUnit) => {
    const [blockIndex, part] = [at(coordinates, axes - 2), at(coordinates, axes - 1)]
    const isCounted = form === 'rows' || form === 'column'
    const valid = isCounted ? keep(turnOfUnit, 'valid', validAt(w.results, get(blockIndex))) : undefined
    const own = keep(turnOfUnit, 'own', w.partLength)
    const left = sub(w.cutLength, apply('i32.mul', [get(part), own]))
    const partLength = cut < 0 ? i32(0) : keep(turnOfUnit, 'partLength', least(keep(turnOfUnit, 'left', left), own))
    const accumulators = range(form === 'column' ? 1 : 4).map(() => begin(turnOfUnit, accumulation))
    const scope: Scope = { ...opening, structure, numbers, partLength, accumulators, valid }
    const leaves = pointers.slice(1).map(get)
    nested(turnOfUnit, scope, 0, leaves, (inner, starts) => {
      ;(form === 'rows' || form === 'row' ? alongReduced : alongResults)(inner, scope, starts)
    })
    finish(turnOfUnit, scope)
    turnOfUnit.statements.push(...turn(odometer, coordinates))
  })
})

const least = (x: Expression, y: Expression): Expression => select(apply('i32.lt_s', [x, y]), x, y)

/** Results that are joined as one unit. */
export const joinUnit = 256

/** What joins parts depends on what they are, and on the output. */
export interface JoinStructure {
  readonly accumulation: Accumulation
  readonly dtype: DType
}

/** Joins parts, four results a turn, the parts in their order; `stride` are the bytes of a part. */
export const joinCode = code(
  'join',
  () => block(words('output', 'partials', 'count', 'parts', 'stride')),
  ({ e, words: w, first, last }, { accumulation: a, dtype }: JoinStructure) => {
    const { output, partials, count, parts, stride } = kept(e, w)
    const i = fresh(e, 'i', 'i32')
    e.statements.push(set(i, mul(get(first), i32(joinUnit))))
    const end = keep(e, 'end', least(keep(e, 'last', mul(get(last), i32(joinUnit))), count))
    const turnOf4 = inside(e)
    const accumulator = begin(turnOf4, a)
    const from = fresh(e, 'from', 'i32')
    turnOf4.statements.push(set(from, add(partials, mul(get(i), i32(partialBytes(a))))))
    const p = fresh(e, 'p', 'i32')
    turnOf4.statements.push(set(p, i32(0)))
    const join = a.kind === 'doubles' ? 'f64x2.add' : a.join
    turnOf4.statements.push(
      countTo(p, parts, 1, [
        ...accumulator.map((local, k) =>
          set(local, apply(join, [get(local), apply('v128.load', [get(from)], 16 * k)])),
        ),
        set(from, add(get(from), stride)),
      ]),
    )
    const to: Writing = { dtype, walk: 'next', pointer: output, step: i32(0) }
    turnOf4.statements.push(
      ...write(turnOf4, advanced(turnOf4, to, mul(get(i), i32(4))), 0, rounded(turnOf4, a, accumulator.map(get))),
    )
    e.statements.push(countTo(i, end, 4, turnOf4.statements))
  },
)
