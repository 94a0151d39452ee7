/**
 * Loop nests over single elements: cursors (addresses, or numbers) that move along axes, and code that goes through their axes.
 *
 * In the block of parameters stand each cursor's start, the lengths of the axes, and each cursor's strides. A cursor's value is where it stands; a
 * loop moves all of them by one stride a turn, and back at its end.
 */
import { at, range } from '../../../prelude/array.ts'
import {
  add,
  apply,
  branch,
  get,
  i32,
  loop,
  mul,
  set,
  sub,
  when,
  type Expression,
  type Local,
} from '../assembler/code.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import type { Parameter } from '../emit/kernelCode.ts'

/** What moves through a nest: where it begins, and its stride along each axis, both in bytes for an address. */
export interface Cursor {
  readonly start: Parameter
  readonly strides: readonly number[]
}

/** The words that {@link openNest} reads. */
export const nestWords = (cursors: readonly Cursor[], lengths: readonly number[]): readonly Parameter[] => [
  ...cursors.map((c) => c.start),
  ...lengths,
  ...cursors.flatMap((c) => c.strides),
]

/** A nest while code is written. */
export interface OpenNest {
  readonly cursors: readonly Local[]
  readonly starts: readonly Expression[]
  readonly lengths: readonly Expression[]
  /** By cursor and axis. */
  readonly strides: readonly (readonly Expression[])[]
}

/** Word `index` of the block. */
export const wordAt = (block: Local, index: number): Expression => apply('i32.load', [get(block)], 4 * index)

/** Reads the words of `count` cursors over `axes` axes, which stand from `word` on. */
export const openNest = (e: Emitter, block: Local, word: number, count: number, axes: number): OpenNest => {
  const read = (name: string, index: number): Expression => keep(e, name, wordAt(block, word + index))
  return {
    cursors: range(count).map(() => fresh(e, 'cursor', 'i32')),
    starts: range(count).map((k) => read('start', k)),
    lengths: range(axes).map((a) => read('length', count + a)),
    strides: range(count).map((k) => range(axes).map((a) => read('stride', count + axes + k * axes + a))),
  }
}

/** How many words that takes. */
export const nestSize = (count: number, axes: number): number => count + axes + count * axes

/** Puts all cursors at the unit whose coordinates along `axes` (outermost first) the linear index `unit` holds. */
export const enter = (e: Emitter, nest: OpenNest, axes: readonly number[], unit: Expression): void => {
  nest.cursors.forEach((c, k) => e.statements.push(set(c, at(nest.starts, k))))
  let rest = unit
  axes.toReversed().forEach((axis, i) => {
    const length = at(nest.lengths, axis)
    const isLast = i === axes.length - 1
    const coordinate = isLast ? rest : keep(e, 'coordinate', apply('i32.rem_u', [rest, length]))
    moveAll(e, nest, axis, coordinate)
    if (!isLast) rest = keep(e, 'rest', apply('i32.div_u', [rest, length]))
  })
}

/** Moves all cursors by `steps` strides of an axis. */
export const moveAll = (e: Emitter, nest: OpenNest, axis: number, steps: Expression): void => {
  nest.cursors.forEach((c, k) =>
    e.statements.push(set(c, add(get(c), apply('i32.mul', [steps, at(at(nest.strides, k), axis)])))),
  )
}

/** `count` turns of `body`, after each of which all cursors have moved along the axis. */
export const along = (
  e: Emitter,
  nest: OpenNest,
  axis: number,
  count: Expression,
  body: (inner: Emitter) => void,
): void => {
  const left = fresh(e, 'left', 'i32')
  const turn = inside(e)
  body(turn)
  nest.cursors.forEach((c, k) => turn.statements.push(set(c, add(get(c), at(at(nest.strides, k), axis)))))
  e.statements.push(
    set(left, count),
    when(get(left), [
      loop(left.name, [...turn.statements, set(left, sub(get(left), i32(1))), branch(left.name, get(left))]),
    ]),
  )
}

/** All turns of several axes, the first of them outermost; cursors end where they began. */
export const through = (e: Emitter, nest: OpenNest, axes: readonly number[], body: (inner: Emitter) => void): void => {
  const [axis, ...inner] = axes
  if (axis === undefined) {
    body(e)
    return
  }
  along(e, nest, axis, at(nest.lengths, axis), (turn) => {
    through(turn, nest, inner, body)
  })
  moveAll(e, nest, axis, mul(at(nest.lengths, axis), i32(-1)))
}
