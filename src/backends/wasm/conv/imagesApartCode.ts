/** What writes images apart (imagesApart.ts). */
import { at, range } from '../../../prelude/array.ts'
import { add, apply, countTo, get, i32, mul, set, store, type Expression } from '../assembler/code.ts'
import { kept, type Words } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { eachUnit, type Unit } from '../emit/opening.ts'

/** How many channels and images are exchanged at once. */
export interface Square {
  readonly side: 1 | 4
}

const shuffled = (x: Expression, y: Expression, lanes: readonly number[]): Expression =>
  apply('i8x16.shuffle', [x, y], ...lanes.flatMap((lane) => range(4).map((b) => 4 * lane + b)))

/** The columns of four rows, in two rounds of pairs. */
const transposed = (e: Emitter, rows: readonly Expression[]): readonly Expression[] => {
  const pair = (i: number, j: number, lanes: readonly number[], of: readonly Expression[]): Expression =>
    keep(e, 'pair', shuffled(at(of, i), at(of, j), lanes))
  const [low, high] = [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ] as const
  const halves = [pair(0, 2, low, rows), pair(0, 2, high, rows), pair(1, 3, low, rows), pair(1, 3, high, rows)]
  return [pair(0, 2, low, halves), pair(0, 2, high, halves), pair(1, 3, low, halves), pair(1, 3, high, halves)]
}

/** The words of the code. Steps are bytes. */
type ApartWords = Words<
  'from' | 'to' | 'pixels' | 'images' | 'groups' | 'fromLine' | 'fromPixel' | 'toImage' | 'toLine'
>

/** Writes the images: a unit is a row of one. */
export const writeApart = (unit: Unit<ApartWords>, { side }: Square): void => {
  const { e, first } = unit
  const w = kept(e, unit.words)
  eachUnit(unit, (turn) => {
    const [pixel, group, image] = [fresh(e, 'pixel', 'i32'), fresh(e, 'group', 'i32'), fresh(e, 'image', 'i32')]
    const from = keep(turn, 'from', add(w.from, mul(get(first), w.fromLine)))
    const to = keep(turn, 'to', add(w.to, mul(get(first), w.toLine)))
    const groupBytes = keep(turn, 'groupBytes', mul(w.images, i32(4)))
    const perPixel = inside(turn)
    const source = keep(perPixel, 'source', add(from, mul(get(pixel), w.fromPixel)))
    const target = keep(perPixel, 'target', add(to, mul(mul(get(pixel), w.groups), i32(4))))
    const square = inside(perPixel)
    const begin = keep(square, 'begin', add(source, add(mul(get(group), groupBytes), mul(get(image), i32(4)))))
    const end = keep(square, 'end', add(target, add(mul(get(image), w.toImage), mul(get(group), i32(4)))))
    const load = side === 4 ? 'v128.load' : 'f32.load'
    const rows = range(side).map((g) => keep(square, 'row', apply(load, [add(begin, mul(groupBytes, i32(g)))], 0)))
    const columns = side === 4 ? transposed(square, rows) : rows
    columns.forEach((x, n) =>
      square.statements.push(store(side === 4 ? 'v128.store' : 'f32.store', add(end, mul(w.toImage, i32(n))), x)),
    )
    perPixel.statements.push(
      set(group, i32(0)),
      countTo(group, w.groups, side, [set(image, i32(0)), countTo(image, w.images, side, square.statements)]),
    )
    turn.statements.push(set(pixel, i32(0)), countTo(pixel, w.pixels, 1, perPixel.statements))
  })
}
