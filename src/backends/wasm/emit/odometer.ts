/**
 * Pointers that walk over the outer axes of a box: set by division for the first unit of a range, then moved from unit to unit as an
 * odometer turns, one addition for each pointer.
 */
import { at, range } from '../../../prelude/array.ts'
import { add, apply, get, i32, set, when, type Expression, type Local, type Statement } from '../assembler/code.ts'
import { block, list, listOf, type Field, type Parameter } from './block.ts'
import { fresh, keep, type Emitter } from './emitter.ts'

/** An odometer: the lengths of its axes, and for each pointer its steps and its turns along them. */
export interface OdometerNumbers<N> {
  readonly lengths: readonly N[]
  readonly moves: readonly { readonly steps: readonly N[]; readonly turns: readonly N[] }[]
}

/** The words of an odometer of so many axes and pointers. */
export const odometerField = (
  axes: number,
  pointers: number,
): Field<OdometerNumbers<Parameter>, OdometerNumbers<Expression>> =>
  block({ lengths: list(axes), moves: listOf(pointers, block({ steps: list(axes), turns: list(axes) })) })

/**
 * Lengths; and for each pointer its step along each axis, and what it moves when an axis steps on and all inner ones begin again.
 *
 * @param steps for each pointer and axis
 */
export const odometerOf = (
  lengths: readonly number[],
  steps: readonly (readonly number[])[],
): OdometerNumbers<number> => ({
  lengths,
  moves: steps.map((own) => ({
    steps: own,
    turns: own.map((s, a) => s - own.slice(a + 1).reduce((sum, t, k) => sum + t * (at(lengths, a + 1 + k) - 1), 0)),
  })),
})

/** An odometer while code is written: its words, and what they move. */
export interface Odometer extends OdometerNumbers<Expression> {
  readonly pointers: readonly Local[]
}

/** Moves the pointers, which stand at the beginning, to unit `u`; the coordinates are left in locals. */
export const enter = (e: Emitter, o: Odometer, u: Expression): readonly Local[] => {
  const axes = o.lengths.length
  const coordinates = range(axes).map((a) => fresh(e, `c${a}_`, 'i32'))
  let rest = u
  for (let axis = axes - 1; axis >= 0; axis--) {
    const coordinate = at(coordinates, axis)
    const length = at(o.lengths, axis)
    e.statements.push(set(coordinate, axis === 0 ? rest : apply('i32.rem_u', [rest, length])))
    if (axis > 0) rest = keep(e, 'rest', apply('i32.div_u', [rest, length]))
    o.pointers.forEach((pointer, k) =>
      e.statements.push(
        set(pointer, add(get(pointer), apply('i32.mul', [get(coordinate), at(at(o.moves, k).steps, axis)]))),
      ),
    )
  }
  return coordinates
}

/** Moves the pointers to the next unit. */
export const turn = (o: Odometer, coordinates: readonly Local[], axis = o.lengths.length - 1): readonly Statement[] => {
  if (axis < 0) return []
  const coordinate = at(coordinates, axis)
  const move = o.pointers.map((pointer, k) => set(pointer, add(get(pointer), at(at(o.moves, k).turns, axis))))
  const next = set(coordinate, add(get(coordinate), i32(1)))
  if (axis === 0) return [next, ...move]
  return [
    next,
    when(apply('i32.lt_s', [get(coordinate), at(o.lengths, axis)]), move, [
      set(coordinate, i32(0)),
      ...turn(o, coordinates, axis - 1),
    ]),
  ]
}
