/** Pooling of images and sequences, and padding, in plain loops. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { padWith, type PaddingMode } from '../../../src/tensor/padding.ts'
import {
  adaptiveAveragePool,
  adaptiveAveragePool1d,
  averagePool,
  averagePool1d,
  globalAveragePool,
  maxPool,
  maxPool1d,
} from '../../../src/tensor/pooling.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, indices, shapes, type NdArray } from '../../array.ts'
import {
  all,
  badDType,
  badRange,
  badShape,
  distinctOf,
  entry,
  one,
  table,
  wide,
  type Entry,
  type Expected,
} from '../entry.ts'
import { sum } from '../primitives/reduction.ts'

type Spatial = readonly [number, number]

interface Windows {
  readonly size: Spatial
  readonly stride: Spatial
  readonly padding: Spatial
}

const length = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

const spatial = (low: number, high: number): fc.Arbitrary<Spatial> => fc.tuple(length(low, high), length(low, high))

const either = (p: Spatial): number | Spatial => (p[0] === p[1] ? p[0] : p)

/** Windows of all sorts, those that lie side by side among them, and an image of at least one of them. */
const drawn = (flat: boolean): fc.Arbitrary<readonly [shape: readonly number[], windows: Windows]> =>
  fc
    .record({ n: length(0, 2), c: length(1, 2), size: spatial(1, 3), stride: spatial(1, 3), extra: spatial(0, 3) })
    .chain((a) => {
      const size = flat ? ([1, a.size[1]] as const) : a.size
      const room = (i: 0 | 1): fc.Arbitrary<number> => length(0, flat && i === 0 ? 0 : Math.floor(size[i] / 2))
      return fc.tuple(fc.constant({ ...a, size }), fc.tuple(room(0), room(1)), fc.boolean())
    })
    .map(([{ n, c, size, stride: given, extra }, around, tile]) => {
      const stride = tile ? size : flat ? ([1, given[1]] as const) : given
      const padding = tile ? ([0, 0] as const) : around
      const side = (i: 0 | 1): number => (flat && i === 0 ? 1 : Math.max(1, size[i] + extra[i] - 2 * padding[i]))
      return [[n, side(0), side(1), c], { size, stride, padding }] as const
    })
    .filter(([shape]) => count(shape) <= 24)

/** `f` of the pixels of each window, and of how many places it has. */
const pooled = (
  x: NdArray,
  { size, stride, padding }: Windows,
  f: (pixels: readonly number[], places: number) => number,
): Expected => {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  const sides = [h, w] as const
  const windows = (i: 0 | 1): number => Math.floor((sides[i] + 2 * padding[i] - size[i]) / stride[i]) + 1
  return table([n, windows(0), windows(1), c], ([b = 0, y = 0, z = 0, k = 0]) => {
    const places = indices(size).map(([dy = 0, dx = 0]) => [
      y * stride[0] + dy - padding[0],
      z * stride[1] + dx - padding[1],
    ])
    const inside = places.filter(([i = 0, j = 0]) => i >= 0 && j >= 0 && i < h && j < w)
    return f(
      inside.map(([i = 0, j = 0]) => elementAt(x, [b, i, j, k])),
      places.length,
    )
  })
}

type Pooled = (pixels: readonly number[], places: number) => number

/** A pool of images, or of sequences as images of one row. */
const pool = (
  flat: boolean,
  build: (x: Tensor, windows: Windows) => Tensor,
  f: Pooled,
  different: boolean,
  options: Partial<Entry>,
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      drawn(flat)
        .chain(([shape, windows]) =>
          fc.tuple(different ? distinctOf(shape, dtype) : arrays(shape, dtype), fc.constant(windows)),
        )
        .map(([x, windows]) => {
          const without = (shape: readonly number[]): readonly number[] =>
            flat ? shape.filter((_, axis) => axis !== 1) : shape
          return {
            inputs: [{ ...x, shape: without(x.shape) }],
            build: (t: Tensor | undefined) => build(one(t), windows),
            oracle: (given: NdArray) => {
              const y = pooled({ ...given, shape: x.shape }, windows, f)
              return { ...y, shape: without(y.shape) }
            },
          }
        }),
    differentiableIn: [0],
    lacks: ['scalar'],
    ...options,
  })

const meanOf: Pooled = (pixels, places) => sum(pixels) / places
const meanOfSeen: Pooled = (pixels) => sum(pixels) / pixels.length
const largest: Pooled = (pixels) => Math.max(...pixels)

/** Windows as the options of a pool; the defaults are left out. */
const moves = ({ size, stride, padding }: Windows) => ({
  ...(stride === size ? {} : { stride: either(stride) }),
  padding: either(padding),
})

const moves1d = ({ size, stride, padding }: Windows) => ({
  ...(stride === size ? {} : { stride: stride[1] }),
  padding: padding[1],
})

/** Part i of `parts` of an axis of n. */
const partOf = (n: number, parts: number, i: number): readonly number[] => {
  const [start, limit] = [Math.floor((i * n) / parts), Math.ceil(((i + 1) * n) / parts)]
  return Array.from({ length: limit - start }, (_, k) => start + k)
}

const adaptive = (x: NdArray, [height, width]: Spatial): Expected => {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  return table([n, height, width, c], ([b = 0, y = 0, z = 0, k = 0]) => {
    const pixels = partOf(h, height, y).flatMap((i) => partOf(w, width, z).map((j) => elementAt(x, [b, i, j, k])))
    return sum(pixels) / pixels.length
  })
}

const image = (dtype: DType): fc.Arbitrary<NdArray> =>
  fc
    .tuple(length(0, 2), length(1, 5), length(1, 5), length(1, 2))
    .filter((shape) => count(shape) <= 24)
    .chain((shape) => arrays(shape, dtype))

const means: Partial<Entry> = { dtypes: wide, differentiableIn: [0], linearIn: [0], slack: 4, lacks: ['scalar'] }

const notImages = (name: string, f: (x: Tensor) => Tensor) =>
  badShape(new RegExp(`^${name}: takes images \\[N, H, W, C\\], got \\[4,4\\]$`), ['f32[4,4]'], (x) => f(one(x)))

const notSequences = (name: string, f: (x: Tensor) => Tensor) =>
  badShape(new RegExp(`^${name}: takes sequences \\[N, L, C\\], got \\[4,4\\]$`), ['f32[4,4]'], (x) => f(one(x)))

const doNotFit = (name: string, f: (x: Tensor) => Tensor) =>
  badShape(
    new RegExp(`^${name}: windows of \\[5,5\\] do not fit into \\[1,4,4,2\\] with padding \\[0,0\\]$`),
    ['f32[1,4,4,2]'],
    (x) => f(one(x)),
  )

/** Where an element of a padded axis comes from, −1 for the constant. */
const sources: { readonly [K in PaddingMode]: (i: number, n: number) => number } = {
  constant: (i, n) => (i < 0 || i >= n ? -1 : i),
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => (i + n) % n,
}

const room = (mode: PaddingMode, n: number): number =>
  mode === 'constant' || (mode === 'replicate' && n > 0) ? 2 : Math.max(0, Math.min(2, mode === 'reflect' ? n - 1 : n))

const padEntry: Entry = entry({
  dtypes: all,
  cases: (dtype) =>
    fc
      .tuple(shapes(0, 3), fc.constantFrom<PaddingMode>('constant', 'reflect', 'replicate', 'circular'), length(0, 1))
      .chain(([shape, mode, value]) =>
        fc.tuple(
          arrays(shape, dtype),
          fc.tuple(...shape.map((n) => fc.tuple(length(0, room(mode, n)), length(0, room(mode, n))))),
          fc.constant({ mode, value }),
        ),
      )
      .map(([x, widths, { mode, value }]) => ({
        inputs: [x],
        build: (t) => padWith(one(t), widths.map(either), { mode, value }),
        oracle: (x) => {
          const shape = x.shape.map((n, i) => n + (widths[i]?.[0] ?? 0) + (widths[i]?.[1] ?? 0))
          return table(shape, (index) => {
            const from = index.map((i, a) => sources[mode](i - (widths[a]?.[0] ?? 0), x.shape[a] ?? 0))
            return from.includes(-1) ? value : elementAt(x, from)
          })
        },
      })),
  differentiableIn: [0],
  errors: [
    badShape(/^padWith: 1 widths for \[2,3\]; give one for each axis/, ['f32[2,3]'], (x) => padWith(one(x), [1])),
    badShape(/^padWith: the width -1 of axis 0 must be a whole number ≥ 0/, ['f32[3]'], (x) => padWith(one(x), [-1])),
    badShape(/^padWith: circular can add at most 3 elements .* of \[3\], got 4$/, ['f32[3]'], (x) =>
      padWith(one(x), [4], { mode: 'circular' }),
    ),
    badRange(/^padWith: the mode is 'mirror'; it must be constant, reflect/, ['f32[3]'], (x) =>
      padWith(one(x), [1], { mode: JSON.parse('"mirror"') }),
    ),
  ],
})

type PoolFunction =
  | 'averagePool'
  | 'maxPool'
  | 'averagePool1d'
  | 'maxPool1d'
  | 'adaptiveAveragePool'
  | 'adaptiveAveragePool1d'
  | 'globalAveragePool'
  | 'padWith'

/** A row for each. */
export const poolFunctions: { readonly [K in PoolFunction]: Entry } = {
  averagePool: pool(false, (x, w) => averagePool(x, either(w.size), moves(w)), meanOf, false, {
    ...means,
    errors: [
      doNotFit('averagePool', (x) => averagePool(x, 5)),
      badShape(/^averagePool: size \[0\.5,0\.5\] must be whole numbers ≥ 1$/, ['f32[1,4,4,2]'], (x) =>
        averagePool(one(x), 0.5),
      ),
      badDType(
        /^averagePool: takes floats, got u8: a mean of whole numbers is none; cast them first$/,
        ['u8[1,4,4,2]'],
        (x) => averagePool(one(x)),
      ),
    ],
  }),
  maxPool: pool(false, (x, w) => maxPool(x, either(w.size), moves(w)), largest, true, {
    errors: [
      doNotFit('maxPool', (x) => maxPool(x, 5)),
      notImages('maxPool', (x) => maxPool(x, 2)),
      badShape(/^maxPool: padding \[2,2\] is more than half of windows of \[3,3\]/, ['f32[1,4,4,2]'], (x) =>
        maxPool(one(x), 3, { padding: 2 }),
      ),
    ],
  }),
  averagePool1d: pool(
    true,
    (x, w) => averagePool1d(x, w.size[1], { ...moves1d(w), countIncludePad: false }),
    meanOfSeen,
    false,
    { ...means, errors: [notSequences('averagePool1d', (x) => averagePool1d(x))] },
  ),
  maxPool1d: pool(true, (x, w) => maxPool1d(x, w.size[1], moves1d(w)), largest, true, {
    errors: [notSequences('maxPool1d', (x) => maxPool1d(x))],
  }),
  adaptiveAveragePool: entry({
    dtypes: wide,
    cases: (dtype) =>
      fc.tuple(image(dtype), spatial(1, 4)).map(([x, size]) => ({
        inputs: [x],
        build: (t) => adaptiveAveragePool(one(t), either(size)),
        oracle: (x) => adaptive(x, size),
      })),
    ...means,
    errors: [
      notImages('adaptiveAveragePool', (x) => adaptiveAveragePool(x, 1)),
      badShape(/^adaptiveAveragePool: \[1,0,4,2\] has no pixels$/, ['f32[1,0,4,2]'], (x) =>
        adaptiveAveragePool(one(x), 1),
      ),
    ],
  }),
  adaptiveAveragePool1d: entry({
    dtypes: wide,
    cases: (dtype) =>
      fc
        .tuple(length(0, 2), length(1, 7), length(1, 2), length(1, 4))
        .chain(([n, l, c, parts]) => fc.tuple(arrays([n, l, c], dtype), fc.constant(parts)))
        .map(([x, parts]) => ({
          inputs: [x],
          build: (t) => adaptiveAveragePool1d(one(t), parts),
          oracle: (x) => {
            const [n = 0, l = 0, c = 0] = x.shape
            return { ...adaptive({ ...x, shape: [n, 1, l, c] }, [1, parts]), shape: [n, parts, c] }
          },
        })),
    ...means,
    errors: [notSequences('adaptiveAveragePool1d', (x) => adaptiveAveragePool1d(x, 1))],
  }),
  globalAveragePool: entry({
    dtypes: wide,
    cases: (dtype) =>
      image(dtype).map((x) => ({
        inputs: [x],
        build: (t) => globalAveragePool(one(t)),
        oracle: (x) => {
          const [n = 0, , , c = 0] = x.shape
          return { ...adaptive(x, [1, 1]), shape: [n, c] }
        },
      })),
    ...means,
    errors: [notImages('globalAveragePool', (x) => globalAveragePool(x))],
  }),
  padWith: padEntry,
}
