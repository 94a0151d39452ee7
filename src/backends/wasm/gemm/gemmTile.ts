/**
 * The innermost loop of matrix products: a tile of sums that stays in registers while the contracted axis is walked.
 *
 * For each k: the columns of y are loaded as vectors, an element of each row of x is splat, and every pair is multiplied and added.
 * 6×16 fills the 256-bit registers that V8 makes of adjacent 128-bit operations (115 GFLOP/s a core against 55); without them 4×8 is the
 * largest tile that does not spill, for V8 keeps all loads of a turn alive: rows + vectors + rows·vectors ≤ 15.
 */
import { range } from '../../../prelude/array.ts'
import {
  add,
  apply,
  branch,
  get,
  i32,
  loop,
  set,
  store,
  when,
  type Expression,
  type Local,
  type Statement,
} from '../assembler/code.ts'
import { fadd, fmul, fresh, type Emitter } from '../emit/emitter.ts'
import type { Machine } from '../emit/kernelCode.ts'

/** How many sums a tile has, and how its rows of x are reached. */
export interface Tile {
  readonly rows: number
  /** A multiple of 4. */
  readonly columns: number
  readonly fma: boolean
  /** Whether the rows of x are neighbours in memory; else each has a pointer of its own. */
  readonly across: boolean
}

/** The tile for a machine and a number of columns. */
export const tileFor = ({ fma, wide }: Machine, columns: number, across: boolean): Tile => {
  const widest = wide ? 16 : 8
  const narrow = columns <= 4 ? 4 : 8
  return { rows: wide ? 6 : 4, columns: columns <= 8 ? narrow : widest, fma, across }
}

/** Vectors of a row of the tile. */
const vectors = (tile: Tile): readonly number[] => range(tile.columns / 4)

/** Sums as locals, [row][vector]. */
export type Sums = readonly (readonly Local[])[]

/** Locals for the sums of a tile. */
export const sumsOf = (e: Emitter, tile: Tile): Sums =>
  range(tile.rows).map(() => vectors(tile).map(() => fresh(e, 'sum', 'v128')))

/** Reads the sums from where each row of the tile begins. */
export const loadSums = (e: Emitter, sums: Sums, rows: readonly Expression[]): void => {
  sums.forEach((row, i) => {
    row.forEach((sum, v) => e.statements.push(set(sum, apply('v128.load', [rows[i] as Expression], 16 * v))))
  })
}

/** Writes whole rows of the tile. The stores of a row are neighbours: from them V8 finds what it can join. */
export const storeSums = (e: Emitter, sums: Sums, rows: readonly Expression[]): void => {
  sums.forEach((row, i) => {
    row.forEach((sum, v) => e.statements.push(store('v128.store', rows[i] as Expression, get(sum), 16 * v)))
  })
}

/** Writes the first `columns` numbers of each row of the tile: the last panel of a matrix whose columns no panel divides. */
export const storeRagged = (e: Emitter, sums: Sums, rows: readonly Expression[], columns: Expression): void => {
  sums.forEach((row, i) => {
    row.forEach((sum, v) => {
      const lane = (k: number): Statement => ({
        kind: 'store',
        op: 'v128.store32_lane',
        args: [rows[i] as Expression, get(sum)],
        immediates: [16 * v + 4 * k, k],
      })
      const from = (k: number): readonly Statement[] =>
        k === 4 ? [] : [when(apply('i32.gt_s', [columns, i32(4 * v + k)]), [lane(k), ...from(k + 1)])]
      e.statements.push(...from(0))
    })
  })
}

/** Where the innermost loop reads, and how far it goes on with each k. All of it in bytes. */
export interface Walk {
  /** A pointer for each row of x, or one for all. */
  readonly x: readonly Local[]
  readonly xStep: Expression
  readonly y: Local
  readonly yStep: Expression
  /** Where `y` is after the last k; there is at least one. */
  readonly end: Expression
}

/** Adds the products of a run of k to the sums. The loop is labelled with the name of the pointer that ends it. */
export const multiply = (e: Emitter, tile: Tile, sums: Sums, { x, xStep, y, yStep, end }: Walk): void => {
  const fused = (a: Expression, b: Expression, sum: Expression): Expression =>
    tile.fma ? apply('f32x4.relaxed_madd', [a, b, sum]) : fadd(sum, fmul(a, b))
  const columns = vectors(tile).map(() => fresh(e, 'column', 'v128'))
  const row = fresh(e, 'row', 'v128')
  const turn = [
    ...columns.map((c, v) => set(c, apply('v128.load', [get(y)], 16 * v))),
    ...sums.flatMap((sumRow, i) => [
      set(row, apply('v128.load32_splat', [get((tile.across ? x[0] : x[i]) as Local)], tile.across ? 4 * i : 0)),
      ...sumRow.map((sum, v) => set(sum, fused(get(row), get(columns[v] as Local), get(sum)))),
    ]),
    ...x.map((pointer) => set(pointer, add(get(pointer), xStep))),
    set(y, add(get(y), yStep)),
  ]
  e.statements.push(loop(y.name, [...turn, branch(y.name, apply('i32.ne', [get(y), end]))]))
}

/** The pointers of a tile's rows at byte `offset`, from the words of its record. */
export const pointersAt = (
  e: Emitter,
  pointers: readonly Local[],
  record: Expression,
  first: number,
  offset: Expression,
): void => {
  pointers.forEach((pointer, i) =>
    e.statements.push(set(pointer, add(apply('i32.load', [record], 4 * (first + i)), offset))),
  )
}

/** Bytes of a tile row. */
export const rowBytes = (tile: Tile): number => 4 * tile.columns
