/** Primitives that read and write where indices say. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { arrays, count, elementAt, indices, shapes, type NdArray } from '../../array.ts'
import {
  all,
  arithmeticTypes,
  badDType,
  badShape,
  distinct,
  entry,
  inputOf,
  isFloating,
  table,
  type Case,
  type Entry,
  type Expected,
} from '../entry.ts'
import { apply } from './node.ts'

const clamped = (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1)

/** A table, indices of which some lie outside, and the axis to pick along. */
export interface Picking {
  readonly table: NdArray
  readonly index: NdArray
  readonly axis: number
}

/** Tables with rows to pick from. */
export const pickings = (dtype: DType): fc.Arbitrary<Picking> =>
  fc
    .tuple(shapes(1, 3), shapes(0, 2), fc.nat(2), fc.constantFrom<DType>('i32', 'u32'))
    .filter(([shape, picks, a]) => (shape[a % shape.length] ?? 0) > 0 && count(shape) * count(picks) <= 200)
    .chain(([shape, picks, a, indexType]) => {
      const axis = a % shape.length
      const indices = fc.integer({ min: indexType === 'u32' ? 0 : -1, max: shape[axis] ?? 0 })
      return fc.record({
        table: arrays(shape, dtype),
        index: arrays(picks, indexType, indices),
        axis: fc.constant(axis),
      })
    })

/** The rows that the indices name. */
export const picked = ({ table: t, index, axis }: Picking): Expected => {
  const rank = index.shape.length
  return table([...t.shape.slice(0, axis), ...index.shape, ...t.shape.slice(axis + 1)], (at) =>
    elementAt(t, [
      ...at.slice(0, axis),
      clamped(elementAt(index, at.slice(axis, axis + rank)), t.shape[axis] ?? 0),
      ...at.slice(axis + rank),
    ]),
  )
}

/** Updates for `size` rows along an axis. */
export interface Scattering {
  readonly index: NdArray
  readonly updates: NdArray
  readonly axis: number
  readonly size: number
}

/** Indices of which some meet and some lie outside. */
export const scatterings = (dtype: DType): fc.Arbitrary<Scattering> =>
  fc
    .tuple(shapes(0, 2), shapes(0, 2), fc.nat(2), fc.integer({ min: 1, max: 4 }))
    .filter(([around, picks]) => count(around) * count(picks) <= 40)
    .chain(([around, picks, a, size]) => {
      const axis = a % (around.length + 1)
      return fc.record({
        index: arrays(picks, 'i32', fc.integer({ min: -1, max: size })),
        updates: arrays([...around.slice(0, axis), ...picks, ...around.slice(axis)], dtype),
        axis: fc.constant(axis),
        size: fc.constant(size),
      })
    })

/** Every update at its row. */
export const scattered = ({ index, updates, axis, size }: Scattering): Expected => {
  const after = updates.shape.slice(axis + index.shape.length)
  return table([...updates.shape.slice(0, axis), size, ...after], (at) =>
    indices(index.shape)
      .filter((pick) => clamped(elementAt(index, pick), size) === at[axis])
      .reduce((sum, pick) => sum + elementAt(updates, [...at.slice(0, axis), ...pick, ...at.slice(axis + 1)]), 0),
  )
}

/** Whether `a` stands before `b` in order: the smaller one, and any number before NaN. */
export const precedes = (a: number, b: number): boolean => a < b || (Number.isNaN(b) && !Number.isNaN(a))

/** The order of each line along `axis`: its index[axis]-th is the j that has exactly so many elements before it. */
export const sortedOrder = (x: NdArray, axis: number): Expected =>
  table(x.shape, (index) => {
    const value = (j: number): number =>
      elementAt(
        x,
        index.map((e, a) => (a === axis ? j : e)),
      )
    const positions = Array.from({ length: x.shape[axis] ?? 0 }, (_, j) => j)
    const before = (j: number): number =>
      positions.filter((i) => precedes(value(i), value(j)) || (!precedes(value(j), value(i)) && i < j)).length
    return positions.find((j) => before(j) === index[axis]) ?? -1
  })

const ranked = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .oneof(inputOf(dtype, 1, 3), isFloating(dtype) ? distinct(dtype, 1) : inputOf(dtype, 1, 3))
    .chain((x) => fc.nat(x.shape.length - 1).map((axis) => ({ x, axis })))
    .map(({ x, axis }) => ({
      inputs: [x],
      build: (t) => apply('argsort', { axis }, t),
      oracle: (x) => sortedOrder(x, axis),
    }))

const gather: Entry = entry({
  dtypes: all,
  cases: (dtype) =>
    pickings(dtype).map((p) => ({
      inputs: [p.table, p.index],
      build: (t, i) => apply('gather', { axis: p.axis }, t, i),
      oracle: (t, index) => picked({ ...p, table: t, index }),
    })),
  differentiableIn: [0],
  linearIn: [0],
  errors: [
    badShape(/^gather: axes \[2\] must be different axes of a tensor with 2 axes$/, ['f32[2,3]', 'i32[1]'], (t, i) =>
      apply('gather', { axis: 2 }, t, i),
    ),
    badDType(/^gather: indices must be i32 or u32, got f32$/, ['f32[2]', 'f32[1]'], (t, i) =>
      apply('gather', { axis: 0 }, t, i),
    ),
    badShape(/^gather: axis 0 of \[0,3\] has no rows to pick from$/, ['f32[0,3]', 'i32[2]'], (t, i) =>
      apply('gather', { axis: 0 }, t, i),
    ),
  ],
})

const scatterAdd: Entry = entry({
  dtypes: arithmeticTypes,
  cases: (dtype) =>
    scatterings(dtype).map((s) => ({
      inputs: [s.index, s.updates],
      build: (i, u) => apply('scatterAdd', { axis: s.axis, size: s.size }, i, u),
      oracle: (index, updates) => scattered({ ...s, index, updates }),
    })),
  differentiableIn: [1],
  linearIn: [1],
  errors: [
    badDType(/^scatterAdd: indices must be i32 or u32, got u8$/, ['u8[2]', 'f32[2]'], (i, u) =>
      apply('scatterAdd', { axis: 0, size: 2 }, i, u),
    ),
    badDType(/^scatterAdd: adds numbers; cast bool first$/, ['i32[2]', 'bool[2]'], (i, u) =>
      apply('scatterAdd', { axis: 0, size: 2 }, i, u),
    ),
    badShape(/^scatterAdd: there are updates, but 0 rows to add them to$/, ['i32[2]', 'f32[2]'], (i, u) =>
      apply('scatterAdd', { axis: 0, size: 0 }, i, u),
    ),
    badShape(/^scatterAdd: updates \[2\] have no axes 1 … 1 for indices \[2\]$/, ['i32[2]', 'f32[2]'], (i, u) =>
      apply('scatterAdd', { axis: 1, size: 2 }, i, u),
    ),
    badShape(/^scatterAdd: updates \[2,3\] do not hold \[3\] at axis 0$/, ['i32[3]', 'f32[2,3]'], (i, u) =>
      apply('scatterAdd', { axis: 0, size: 2 }, i, u),
    ),
  ],
})

/** Running sums of each line, from its end or its beginning. */
const running = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(inputOf(dtype, 1, 3), fc.nat(2), fc.boolean())
    .map(([x, a, reverse]) => ({ x, axis: a % x.shape.length, reverse }))
    .map(({ x, axis, reverse }) => ({
      inputs: [x],
      build: (t) => apply('cumsum', { axis, reverse }, t),
      oracle: (x) =>
        table(x.shape, (index) => {
          const own = index[axis] ?? 0
          const length = x.shape[axis] ?? 0
          const terms = Array.from({ length: reverse ? length - own : own + 1 }, (_, j) =>
            reverse ? length - 1 - j : j,
          )
          return terms.reduce((sum, j) => sum + elementAt(x, index.with(axis, j)), 0)
        }),
    }))

/** A row for each. */
export const indexing: { readonly [K in 'gather' | 'scatterAdd' | 'argsort' | 'cumsum']: Entry } = {
  gather,
  scatterAdd,
  cumsum: entry({
    dtypes: arithmeticTypes,
    cases: running,
    differentiableIn: [0],
    linearIn: [0],
    lacks: ['scalar'],
    errors: [
      badShape(/^cumsum: axes \[1\] must be different axes of a tensor with 1 axes$/, ['f32[2]'], (x) =>
        apply('cumsum', { axis: 1, reverse: false }, x),
      ),
      badDType(/^cumsum: takes numbers; cast bool to i32 first$/, ['bool[2]'], (x) =>
        apply('cumsum', { axis: 0, reverse: false }, x),
      ),
    ],
  }),
  argsort: entry({
    dtypes: arithmeticTypes,
    cases: ranked,
    lacks: ['scalar'],
    errors: [
      badShape(/^argsort: axes \[1\] must be different axes of a tensor with 1 axes$/, ['f32[2]'], (x) =>
        apply('argsort', { axis: 1 }, x),
      ),
    ],
  }),
}
