/** Parts of tensors: by number, by computed indices, by computed places. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { dynamicSlice, dynamicUpdateSlice } from '../../../src/tensor/dynamicSlice.ts'
import { chunk, gatherNd, scatterNd, splitSizes, takeAlongAxis, unstack } from '../../../src/tensor/indexing.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, indices, shapes, type NdArray } from '../../array.ts'
import {
  all,
  arithmeticTypes,
  badDType,
  badShape,
  entry,
  inputOf,
  one,
  table,
  type Case,
  type Entry,
  unread,
} from '../entry.ts'
import { movement } from '../primitives/movement.ts'
import { noSuchAxis } from './axes.ts'
import { alongAxis, type AlongAxis } from './draw.ts'
import { moving } from './shaping.ts'

const held = (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1)

/** The part of `x` from `start` on. */
const partOf = (x: NdArray, shape: readonly number[], start: readonly number[]) =>
  table(shape, (index) =>
    elementAt(
      x,
      index.map((i, a) => i + (start[a] ?? 0)),
    ),
  )

const alongOf = (dtype: DType, of: (a: AlongAxis, i: number) => Case): fc.Arbitrary<Case> =>
  fc.tuple(alongAxis(inputOf(dtype, 1, 3)), fc.nat(20)).map(([a, i]) => of(a, i % (a.x.shape[a.axis] ?? 1)))

/** Without the axis, at index i of it. */
const rowAt = (x: NdArray, axis: number, i: number) =>
  table(x.shape.toSpliced(axis, 1), (index) => elementAt(x, index.toSpliced(axis, 0, i)))

const partBetween = (x: NdArray, axis: number, from: number, to: number) =>
  partOf(
    x,
    x.shape.map((n, a) => (a === axis ? to - from : n)),
    x.shape.map((_, a) => (a === axis ? from : 0)),
  )

const taken = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .tuple(alongAxis(inputOf(dtype, 1, 3)), fc.nat(3), fc.nat(7), fc.constantFrom<DType>('i32', 'u32'))
    .chain(([a, k, ones, indexType]) => {
      const n = a.x.shape[a.axis] ?? 0
      const shape = a.x.shape.map((m, i) => (i === a.axis ? k : ((ones >> i) & 1) === 1 && m > 0 ? 1 : m))
      const places = fc.integer({ min: indexType === 'i32' ? -1 : 0, max: n })
      return arrays(shape, indexType, places).map((index) => ({ ...a, index }))
    })
    .map(({ x, axis, given, index }) => ({
      inputs: [x, index],
      build: (t, i) => takeAlongAxis(one(t), unread(one(i)), given),
      oracle: (x, index) =>
        table(
          x.shape.map((n, a) => (a === axis ? (index.shape[a] ?? 0) : n)),
          (at) => {
            const i = elementAt(
              index,
              at.map((v, a) => (index.shape[a] === 1 ? 0 : v)),
            )
            return elementAt(
              x,
              at.map((v, a) => (a === axis ? held(i, x.shape[axis] ?? 0) : v)),
            )
          },
        ),
    }))

/** A shape without empty axes among the first k, and tuples of places in those. */
const tuples = (): fc.Arbitrary<{ readonly shape: readonly number[]; readonly k: number; readonly index: NdArray }> =>
  fc
    .tuple(shapes(1, 3), fc.nat(2), shapes(0, 2))
    .map(([shape, k, picks]) => ({ shape, k: 1 + (k % shape.length), picks }))
    .filter(({ shape, k, picks }) => shape.slice(0, k).every((n) => n > 0) && count(picks) <= 8)
    .chain(({ shape, k, picks }) =>
      arrays([...picks, k], 'i32', fc.integer({ min: -1, max: 5 })).map((index) => ({ shape, k, index })),
    )

const placeAt = (index: NdArray, pick: readonly number[], shape: readonly number[], k: number): readonly number[] =>
  Array.from({ length: k }, (_, j) => held(elementAt(index, [...pick, j]), shape[j] ?? 1))

const gatherings = (dtype: DType): fc.Arbitrary<Case> =>
  tuples().chain(({ shape, k, index }) =>
    arrays(shape, dtype).map((x) => ({
      inputs: [x, index],
      build: (t: Tensor | undefined, i: Tensor | undefined) => gatherNd(one(t), unread(one(i))),
      oracle: (x, index) => {
        const rank = index.shape.length - 1
        return table([...index.shape.slice(0, -1), ...x.shape.slice(k)], (at) =>
          elementAt(x, [...placeAt(index, at.slice(0, rank), x.shape, k), ...at.slice(rank)]),
        )
      },
    })),
  )

const scatterings = (dtype: DType): fc.Arbitrary<Case> =>
  tuples().chain(({ shape, k, index }) =>
    arrays([...index.shape.slice(0, -1), ...shape.slice(k)], dtype).map((updates) => ({
      inputs: [index, updates],
      build: (i: Tensor | undefined, u: Tensor | undefined) => scatterNd(unread(one(i)), one(u), shape),
      oracle: (index, updates) =>
        table(shape, (at) =>
          indices(index.shape.slice(0, -1))
            .filter((pick) => placeAt(index, pick, shape, k).every((p, j) => p === at[j]))
            .reduce((sum, pick) => sum + elementAt(updates, [...pick, ...at.slice(k)]), 0),
        ),
    })),
  )

interface Window {
  readonly shape: readonly number[]
  readonly sizes: readonly number[]
  readonly starts: NdArray
  /** Bit a: whether the start of axis a is a number. */
  readonly numbers: number
}

const windows = (): fc.Arbitrary<Window> =>
  shapes(0, 3).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      sizes: fc.tuple(...shape.map((n) => fc.nat(n))),
      starts: arrays([shape.length], 'i32', fc.integer({ min: -2, max: 6 })),
      numbers: fc.nat(7),
    }),
  )

const startsOf = ({ numbers, starts }: Window, given: Tensor | undefined): readonly (Tensor | number)[] =>
  starts.data.map((s, a) => (((numbers >> a) & 1) === 1 ? s : one(given).at(0, a)))

const heldStarts = ({ shape, sizes, starts }: Window): readonly number[] =>
  shape.map((n, a) => Math.min(Math.max(starts.data[a] ?? 0, 0), n - (sizes[a] ?? 0)))

const slices = (dtype: DType): fc.Arbitrary<Case> =>
  windows().chain((w) =>
    arrays(w.shape, dtype).map((x) => ({
      inputs: [x, w.starts],
      build: (t: Tensor | undefined, s: Tensor | undefined) => dynamicSlice(one(t), startsOf(w, s), w.sizes),
      oracle: (x: NdArray) => partOf(x, w.sizes, heldStarts(w)),
    })),
  )

const updates = (dtype: DType): fc.Arbitrary<Case> =>
  windows().chain((w) =>
    fc.tuple(arrays(w.shape, dtype), arrays(w.sizes, dtype)).map(([x, update]) => ({
      inputs: [x, update, w.starts],
      build: (t: Tensor | undefined, u: Tensor | undefined, s: Tensor | undefined) =>
        dynamicUpdateSlice(one(t), one(u), startsOf(w, s)),
      oracle: (x: NdArray, update: NdArray) => {
        const start = heldStarts(w)
        return table(x.shape, (index) => {
          const own = index.map((i, a) => i - (start[a] ?? 0))
          return own.every((i, a) => i >= 0 && i < (w.sizes[a] ?? 0)) ? elementAt(update, own) : elementAt(x, index)
        })
      },
    })),
  )

type Name =
  | 'at'
  | 'squeeze'
  | 'unstack'
  | 'splitSizes'
  | 'chunk'
  | 'takeAlongAxis'
  | 'gatherNd'
  | 'scatterNd'
  | 'dynamicSlice'
  | 'dynamicUpdateSlice'

/** A row for each. */
export const pickingFunctions: { readonly [K in Name]: Entry } = {
  at: moving(
    (dtype) =>
      fc.tuple(fc.boolean(), fc.boolean()).chain(([fromEnd, computed]) =>
        alongOf(dtype, ({ x, axis, given }, i) => {
          const n = x.shape[axis] ?? 0
          const index: NdArray = { shape: [], dtype: 'i32', data: [i] }
          return {
            inputs: computed ? [x, index] : [x],
            build: (t, j) => one(t).at(given, computed ? one(j) : fromEnd ? i - n : i),
            oracle: (x) => rowAt(x, axis, i),
          }
        }),
      ),
    {
      lacks: ['scalar'],
      errors: [
        noSuchAxis('at', (x) => x.at(2, 0)),
        badShape(
          /^at: there is no index 3 in axis 1 of \[2,3\]; it goes from 0 to 2, or from −1 back$/,
          ['f32[2,3]'],
          (x) => one(x).at(1, 3),
        ),
        badShape(/^at: there is no index 0 in axis 0 of \[0\], which is empty$/, ['f32[0]'], (x) => one(x).at(0, 0)),
      ],
    },
  ),
  squeeze: moving(
    movement(
      (shape) => fc.option(fc.subarray(shape.flatMap((n, a) => (n === 1 ? [a] : []))), { nil: undefined }),
      (x, axes) => x.squeeze(axes),
      (x, axes) => ({
        shape: x.shape.filter((n, a) => (axes === undefined ? n !== 1 : !axes.includes(a))),
        data: x.data,
      }),
    ),
    {
      errors: [
        badShape(/^squeeze: axis 1 of \[2,3\] has 3 elements; only an axis of 1 can go/, ['f32[2,3]'], (x) =>
          one(x).squeeze(-1),
        ),
      ],
    },
  ),
  unstack: moving(
    (dtype) =>
      alongOf(dtype, ({ x, axis, given }, i) => ({
        inputs: [x],
        build: (t) => one(unstack(one(t), given)[i]),
        oracle: (x) => rowAt(x, axis, i),
      })),
    {
      lacks: ['scalar'],
      errors: [
        badShape(/^unstack: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]'], (x) => unstack(one(x), 2)),
      ],
    },
  ),
  splitSizes: moving(
    (dtype) =>
      alongOf(dtype, ({ x, axis, given }, i) => {
        const n = x.shape[axis] ?? 0
        return {
          inputs: [x],
          build: (t) => one(splitSizes(one(t), [i, n - i], given)[1]),
          oracle: (x) => partBetween(x, axis, i, n),
        }
      }),
    {
      lacks: ['scalar'],
      errors: [
        badShape(/^splitSizes: \[2,2\] are 4 elements, axis 1 of \[2,3\] has 3$/, ['f32[2,3]'], (x) =>
          splitSizes(one(x), [2, 2], 1),
        ),
        badShape(/^splitSizes: lengths are whole numbers ≥ 0, got \[4,-1\]$/, ['f32[2,3]'], (x) =>
          splitSizes(one(x), [4, -1], 1),
        ),
      ],
    },
  ),
  chunk: moving(
    (dtype) =>
      alongOf(dtype, ({ x, axis, given }, i) => {
        const n = x.shape[axis] ?? 0
        const length = Math.ceil(n / (i + 1))
        return {
          inputs: [x],
          build: (t) => one(chunk(one(t), i + 1, given)[0]),
          oracle: (x) => partBetween(x, axis, 0, length),
        }
      }),
    {
      lacks: ['scalar'],
      errors: [
        badShape(/^chunk: takes a whole number of parts ≥ 1, got 0$/, ['f32[2,3]'], (x) => chunk(one(x), 0, 1)),
        badShape(/^chunk: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]'], (x) => chunk(one(x), 1, 2)),
      ],
    },
  ),
  takeAlongAxis: entry({
    dtypes: all,
    cases: taken,
    differentiableIn: [0],
    linearIn: [0],
    lacks: ['scalar'],
    errors: [
      badDType(/^takeAlongAxis: indices must be i32 or u32, got f32$/, ['f32[2]', 'f32[2]'], (x, i) =>
        takeAlongAxis(one(x), one(i)),
      ),
      badShape(
        /^takeAlongAxis: indices \[3,3\] do not fit \[2,3\]: all axes but 1 must be as long, or 1$/,
        ['f32[2,3]', 'i32[3,3]'],
        (x, i) => takeAlongAxis(one(x), one(i)),
      ),
      badShape(/^takeAlongAxis: axis 0 of \[0\] has no elements to pick from$/, ['f32[0]', 'i32[1]'], (x, i) =>
        takeAlongAxis(one(x), one(i)),
      ),
    ],
  }),
  gatherNd: entry({
    dtypes: all,
    cases: gatherings,
    differentiableIn: [0],
    linearIn: [0],
    lacks: ['scalar'],
    errors: [
      badShape(
        /^gatherNd: the last axis of indices \[4,3\] is as long as the axes of \[2,3\] that they index: 1 to 2$/,
        ['f32[2,3]', 'i32[4,3]'],
        (x, i) => gatherNd(one(x), one(i)),
      ),
      badDType(/^gatherNd: indices must be i32 or u32, got u8$/, ['f32[2,3]', 'u8[4,2]'], (x, i) =>
        gatherNd(one(x), one(i)),
      ),
    ],
  }),
  scatterNd: entry({
    dtypes: arithmeticTypes,
    cases: scatterings,
    differentiableIn: [1],
    linearIn: [1],
    slack: 1,
    lacks: ['scalar'],
    errors: [
      badShape(/^scatterAdd: updates \[3\] do not hold \[4\] at axis 0$/, ['i32[4,2]', 'f32[3]'], (i, u) =>
        scatterNd(one(i), one(u), [2, 3]),
      ),
    ],
  }),
  dynamicSlice: entry({
    dtypes: all,
    cases: slices,
    differentiableIn: [0],
    linearIn: [0],
    errors: [
      badShape(/^dynamicSlice: needs a start and a length for each axis of \[2,3\], got 1 and 2$/, ['f32[2,3]'], (x) =>
        dynamicSlice(one(x), [0], [1, 1]),
      ),
      badShape(/^dynamicSlice: a slice of 4 does not lie in axis 1 of \[2,3\]$/, ['f32[2,3]'], (x) =>
        dynamicSlice(one(x), [0, 0], [1, 4]),
      ),
      badShape(
        /^dynamicSlice: a start has no axes, got \[1\]; a\.at\(0, i\) picks one$/,
        ['f32[2]', 'i32[1]'],
        (x, s) => dynamicSlice(one(x), [one(s)], [1]),
      ),
      badDType(/^dynamicSlice: starts are i32 or u32, got f32; cast it first$/, ['f32[2]', 'f32[]'], (x, s) =>
        dynamicSlice(one(x), [one(s)], [1]),
      ),
    ],
  }),
  dynamicUpdateSlice: entry({
    dtypes: all,
    cases: updates,
    differentiableIn: [0, 1],
    errors: [
      badShape(/^dynamicUpdateSlice: a slice of 4 does not lie in axis 0 of \[3\]$/, ['f32[3]', 'f32[4]'], (x, u) =>
        dynamicUpdateSlice(one(x), one(u), [0]),
      ),
      badDType(/^where: dtypes f64 and f32 differ/, ['f32[3]', 'f64[2]'], (x, u) =>
        dynamicUpdateSlice(one(x), one(u), [0]),
      ),
    ],
  }),
}
