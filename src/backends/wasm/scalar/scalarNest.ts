/**
 * Loop nests over single elements: cursors (addresses, or numbers) that move along axes, and code that goes through their axes.
 *
 * A cursor's value is where it stands; a loop moves all of them by one stride a turn, and back at its end.
 */
import { at } from '../../../prelude/array.ts'
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
import type { NestNumbers } from './nestWords.ts'

/** A nest while code is written: its numbers in locals, and the cursors. */
export interface OpenNest extends NestNumbers<Expression> {
  readonly cursors: readonly Local[]
}

/** Reads the words of a nest. */
export const openNest = (e: Emitter, { starts, lengths, strides }: NestNumbers<Expression>): OpenNest => ({
  cursors: starts.map(() => fresh(e, 'cursor', 'i32')),
  starts: starts.map((start) => keep(e, 'start', start)),
  lengths: lengths.map((length) => keep(e, 'length', length)),
  strides: strides.map((own) => own.map((stride) => keep(e, 'stride', stride))),
})

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
