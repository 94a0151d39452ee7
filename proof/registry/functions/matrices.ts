/** Triangles and diagonals of matrices; axes exchanged, elements repeated and rolled. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { meshgrid, moveAxis, repeat, roll, swapAxes, tile } from '../../../src/tensor/movement.ts'
import { diag, diagonal, outer, trace, tril, triu } from '../../../src/tensor/triangles.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, type NdArray } from '../../array.ts'
import {
  arithmeticTypes,
  badShape,
  entry,
  inputOf,
  one,
  table,
  type Case,
  type Entry,
  type Expected,
} from '../entry.ts'
import { wrapping } from '../primitives/elementwise.ts'
import { movement, orders, permuted } from '../primitives/movement.ts'
import { sum } from '../primitives/reduction.ts'
import { noSuchAxis } from './axes.ts'
import { moving } from './shaping.ts'

const offsets = fc.integer({ min: -3, max: 3 })

const ofMatrices = (
  f: (x: Tensor, offset: number) => Tensor,
  oracle: (x: NdArray, offset: number) => Expected,
  name: string,
  options: Partial<Entry> = {},
): Entry =>
  moving(
    movement(() => offsets, f, oracle, 2),
    {
      lacks: ['scalar'],
      errors: [
        badShape(new RegExp(`^${name}: takes a matrix or a stack of them, got \\[3\\]$`), ['f32[3]'], (x) =>
          f(one(x), 0),
        ),
        badShape(new RegExp(`^${name}: the diagonal is a whole number, got 0\\.5$`), ['f32[2,3]'], (x) =>
          f(one(x), 0.5),
        ),
      ],
      ...options,
    },
  )

const triangle =
  (keeps: (difference: number, offset: number) => boolean) =>
  (x: NdArray, offset: number): Expected =>
    table(x.shape, (i) => (keeps((i.at(-1) ?? 0) - (i.at(-2) ?? 0), offset) ? elementAt(x, i) : 0))

const diagonalOf = (x: NdArray, offset: number): Expected => {
  const [n, m] = [x.shape.at(-2) ?? 0, x.shape.at(-1) ?? 0]
  const length = Math.max(0, Math.min(n, n + offset, m, m - offset))
  return table([...x.shape.slice(0, -2), length], (index) => {
    const i = index.at(-1) ?? 0
    return elementAt(x, [...index.slice(0, -1), i + Math.max(0, -offset), i + Math.max(0, offset)])
  })
}

const matrixOf = (x: NdArray, offset: number): Expected => {
  const n = (x.shape[0] ?? 0) + Math.abs(offset)
  return table([n, n], ([i = 0, j = 0]) => (j - i === offset ? elementAt(x, [Math.min(i, j)]) : 0))
}

const traceOf = (x: NdArray, offset: number): Expected => {
  const lines = diagonalOf(x, offset)
  const length = lines.shape.at(-1) ?? 0
  return table(lines.shape.slice(0, -1), (index) =>
    sum(Array.from({ length }, (_, k) => elementAt({ ...lines, dtype: x.dtype }, [...index, k]))),
  )
}

const exchanged = (rank: number): fc.Arbitrary<readonly [number, number]> =>
  fc.tuple(fc.nat(rank - 1), fc.nat(rank - 1))

/** Axis `from` at the place `to`, by taking it out and putting it in. */
const movedOrder = (rank: number, from: number, to: number): readonly number[] => {
  const others = Array.from({ length: rank }, (_, i) => i).filter((a) => a !== from)
  return others.toSpliced(to, 0, from)
}

const vectors = (dtype: DType, n: number): fc.Arbitrary<readonly NdArray[]> =>
  fc
    .array(fc.integer({ min: 0, max: 3 }), { minLength: n, maxLength: n })
    .chain((lengths) => fc.tuple(...lengths.map((length) => arrays([length], dtype))))

const grids = (dtype: DType): fc.Arbitrary<Case> =>
  fc.tuple(fc.integer({ min: 2, max: 3 }), fc.nat(2), fc.boolean()).chain(([n, which, xy]) =>
    vectors(dtype, n).map((xs) => {
      const k = which % n
      const lengths = xs.map((x) => x.shape[0] ?? 0)
      const [first = 0, second = 0, ...rest] = lengths
      return {
        inputs: xs,
        build: (...ts: readonly Tensor[]) => one(meshgrid(ts, xy ? 'xy' : 'ij')[k]),
        oracle: (...xs: readonly NdArray[]) =>
          table(xy ? [second, first, ...rest] : lengths, (index) => {
            const [i = 0, j = 0, ...others] = index
            const own = (xy ? [j, i, ...others] : index)[k] ?? 0
            return xs[k]?.data[own] ?? NaN
          }),
      }
    }),
  )

type Name =
  | 'tril'
  | 'triu'
  | 'diag'
  | 'diagonal'
  | 'trace'
  | 'outer'
  | 'swapAxes'
  | 'moveAxis'
  | 'tile'
  | 'repeat'
  | 'roll'
  | 'meshgrid'

/** A row for each. */
export const matrixFunctions: { readonly [K in Name]: Entry } = {
  tril: ofMatrices(
    tril,
    triangle((d, offset) => d <= offset),
    'tril',
  ),
  triu: ofMatrices(
    triu,
    triangle((d, offset) => d >= offset),
    'triu',
  ),
  diagonal: ofMatrices(diagonal, diagonalOf, 'diagonal', {
    errors: [
      badShape(/^diagonal: a diagonal runs over two axes, got axis 1 twice$/, ['f32[2,3]'], (x) =>
        diagonal(one(x), 0, 1, -1),
      ),
    ],
  }),
  diag: moving(
    (dtype) =>
      fc.tuple(inputOf(dtype, 1, 2), offsets).map(([x, offset]) => ({
        inputs: [x],
        build: (t) => diag(one(t), offset),
        oracle: (x) => (x.shape.length === 1 ? matrixOf(x, offset) : diagonalOf(x, offset)),
      })),
    {
      lacks: ['scalar'],
      errors: [
        badShape(/^diag: takes a vector or a matrix, got \[\]; diagonal takes stacks of matrices$/, ['f32[]'], (x) =>
          diag(one(x)),
        ),
      ],
    },
  ),
  trace: ofMatrices(trace, traceOf, 'trace', {
    dtypes: ['f64', 'f32', 'i32'],
    slack: 1,
    errors: [badShape(/^trace: takes a matrix or a stack of them, got \[3\]$/, ['f32[3]'], (x) => trace(one(x)))],
  }),
  outer: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      vectors(dtype, 2).map((xs): Case => ({
        inputs: xs,
        build: (x, y) => outer(one(x), one(y)),
        oracle: (x, y) =>
          table([...x.shape, ...y.shape], ([i = 0, j = 0]) =>
            wrapping(
              (a, b) => a * b,
              (a, b) => a * b,
            )(elementAt(x, [i]), elementAt(y, [j]), dtype),
          ),
      })),
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    lacks: ['scalar'],
    errors: [
      badShape(/^outer: takes two vectors, got \[2\] and \[2,3\]$/, ['f32[2]', 'f32[2,3]'], (x, y) =>
        outer(one(x), one(y)),
      ),
    ],
  }),
  swapAxes: moving(
    movement(
      (shape) => exchanged(shape.length),
      (x, [a, b]) => swapAxes(x, a, b - x.rank),
      (x, [a, b]) =>
        permuted(
          x,
          x.shape.map((_, i) => (i === a ? b : i === b ? a : i)),
        ),
      1,
    ),
    { lacks: ['scalar'], errors: [noSuchAxis('swapAxes', (x) => swapAxes(x, 0, 2))] },
  ),
  moveAxis: moving(
    movement(
      (shape) => fc.tuple(exchanged(shape.length), orders(shape), fc.boolean()),
      (x, [[from, to], order, one]) =>
        one
          ? moveAxis(x, from - x.rank, to)
          : moveAxis(
              x,
              order,
              x.shape.map((_, i) => i),
            ),
      (x, [[from, to], order, one]) => permuted(x, one ? movedOrder(x.shape.length, from, to) : order),
      1,
    ),
    {
      lacks: ['scalar'],
      errors: [
        noSuchAxis('moveAxis', (x) => moveAxis(x, 0, 2)),
        badShape(/^moveAxis: \[0,1\] and \[1\] must be as many different axes each$/, ['f32[2,3]'], (x) =>
          moveAxis(one(x), [0, 1], 1),
        ),
      ],
    },
  ),
  tile: moving(
    movement(
      () => fc.array(fc.nat(2), { maxLength: 3 }),
      (x, counts) => tile(x, counts),
      (x, counts) => {
        const rank = Math.max(x.shape.length, counts.length)
        const lengths = [...Array.from({ length: rank - x.shape.length }, () => 1), ...x.shape]
        const times = [...Array.from({ length: rank - counts.length }, () => 1), ...counts]
        return table(
          lengths.map((n, i) => n * (times[i] ?? 1)),
          (index) => elementAt(x, index.map((v, i) => v % (lengths[i] ?? 1)).slice(rank - x.shape.length)),
        )
      },
    ),
    {
      errors: [
        badShape(/^tile: takes whole numbers ≥ 0, got -1$/, ['f32[2,3]'], (x) => tile(one(x), [-1])),
        badShape(/^tile: takes whole numbers ≥ 0, got 1\.5$/, ['f32[2,3]'], (x) => tile(one(x), [1.5])),
      ],
    },
  ),
  repeat: moving(
    movement(
      (shape) => fc.tuple(fc.nat(3), fc.nat(shape.length - 1)),
      (x, [n, axis]) => repeat(x, n, axis - x.rank),
      (x, [n, axis]) =>
        table(
          x.shape.map((m, a) => (a === axis ? m * n : m)),
          (index) =>
            elementAt(
              x,
              index.map((v, a) => (a === axis ? Math.floor(v / n) : v)),
            ),
        ),
      1,
    ),
    {
      lacks: ['scalar'],
      errors: [
        noSuchAxis('repeat', (x) => repeat(x, 2, 2)),
        badShape(/^repeat: takes whole numbers ≥ 0, got 0\.5$/, ['f32[2,3]'], (x) => repeat(one(x), 0.5, 0)),
      ],
    },
  ),
  roll: moving(
    movement(
      (shape) =>
        fc.array(fc.tuple(fc.integer({ min: -7, max: 7 }), fc.nat(Math.max(0, shape.length - 1))), { maxLength: 2 }),
      (x, moves) =>
        x.rank === 0
          ? roll(x, [], [])
          : roll(
              x,
              moves.map(([by]) => by),
              moves.map(([, axis]) => axis),
            ),
      (x, moves) =>
        table(x.shape, (index) =>
          elementAt(
            x,
            index.map((v, a) => {
              const n = x.shape[a] ?? 1
              const by = sum(moves.flatMap(([by, axis]) => (axis === a ? [by] : [])))
              return (((v - by) % n) + n) % n
            }),
          ),
        ),
    ),
    {
      errors: [
        noSuchAxis('roll', (x) => roll(x, 1, 2)),
        badShape(/^roll: needs a whole number of places for each of the axes \[0,1\], got \[1\]$/, ['f32[2,3]'], (x) =>
          roll(one(x), 1, [0, 1]),
        ),
      ],
    },
  ),
  meshgrid: entry({
    dtypes: arithmeticTypes,
    cases: grids,
    differentiableIn: 'floats',
    lacks: ['scalar'],
    errors: [badShape(/^meshgrid: takes vectors, got \[2,3\]$/, ['f32[2,3]'], (x) => meshgrid([one(x)]))],
  }),
}
