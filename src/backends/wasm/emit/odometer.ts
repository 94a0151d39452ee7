/**
 * Pointers that walk over the outer axes of a box: set by division for the first unit of a range, then moved from unit to unit as an
 * odometer turns, one addition for each pointer.
 */
import { at, range } from '../../../prelude/array.ts'
import { add, apply, get, i32, set, when, type Expression, type Local, type Statement } from '../assembler/code.ts'
import { fresh, keep, word, type Emitter } from './emitter.ts'
import type { Parameter } from './kernelCode.ts'

/** Where the words of an odometer stand in the block: the lengths of the axes, and for each pointer its steps and its turns. */
export interface Odometer {
  readonly first: number
  readonly axes: number
  readonly pointers: readonly Local[]
}

/**
 * The words: lengths; then for each pointer its step along each axis, and what it moves when an axis steps on and all inner ones begin again.
 *
 * @param steps for each pointer and axis
 */
export const odometerParameters = (
  lengths: readonly number[],
  steps: readonly (readonly number[])[],
): readonly Parameter[] => {
  const turns = (own: readonly number[]): readonly number[] =>
    own.map((s, a) => s - own.slice(a + 1).reduce((sum, t, k) => sum + t * (at(lengths, a + 1 + k) - 1), 0))
  return [...lengths, ...steps.flatMap((own) => [...own, ...turns(own)])]
}

const stepWord = ({ first, axes }: Odometer, pointer: number, axis: number): number =>
  first + axes + 2 * axes * pointer + axis

const turnWord = (o: Odometer, pointer: number, axis: number): number => stepWord(o, pointer, axis) + o.axes

/** Moves the pointers, which stand at the beginning, to unit `u`; the coordinates are left in locals. */
export const enter = (e: Emitter, block: Local, o: Odometer, u: Expression): readonly Local[] => {
  const coordinates = range(o.axes).map((a) => fresh(e, `c${a}_`, 'i32'))
  let rest = u
  for (let axis = o.axes - 1; axis >= 0; axis--) {
    const coordinate = at(coordinates, axis)
    const length = word(block, o.first + axis)
    e.statements.push(set(coordinate, axis === 0 ? rest : apply('i32.rem_u', [rest, length])))
    if (axis > 0) rest = keep(e, 'rest', apply('i32.div_u', [rest, length]))
    o.pointers.forEach((pointer, k) =>
      e.statements.push(
        set(pointer, add(get(pointer), apply('i32.mul', [get(coordinate), word(block, stepWord(o, k, axis))]))),
      ),
    )
  }
  return coordinates
}

/** Moves the pointers to the next unit. */
export const turn = (
  block: Local,
  o: Odometer,
  coordinates: readonly Local[],
  axis = o.axes - 1,
): readonly Statement[] => {
  if (axis < 0) return []
  const coordinate = at(coordinates, axis)
  const move = o.pointers.map((pointer, k) => set(pointer, add(get(pointer), word(block, turnWord(o, k, axis)))))
  const next = set(coordinate, add(get(coordinate), i32(1)))
  if (axis === 0) return [next, ...move]
  return [
    next,
    when(apply('i32.lt_s', [get(coordinate), word(block, o.first + axis)]), move, [
      set(coordinate, i32(0)),
      ...turn(block, o, coordinates, axis - 1),
    ]),
  ]
}
