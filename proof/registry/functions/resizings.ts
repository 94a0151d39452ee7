/** Images in other sizes and at the places of a grid, in plain loops. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { gridSample, type GridSampleOptions } from '../../../src/tensor/gridSample.ts'
import { resizeBicubic, resizeBilinear, resizeNearest, type ResizeOptions } from '../../../src/tensor/resizing.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, numbers, stored, type NdArray } from '../../array.ts'
import {
  all,
  badDType,
  badRange,
  badShape,
  entry,
  isFloating,
  one,
  table,
  wide,
  type Entry,
  type Expected,
} from '../entry.ts'
import { sum } from '../primitives/reduction.ts'

type Spatial = readonly [number, number]

const length = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

const spatial = (low: number, high: number): fc.Arbitrary<Spatial> => fc.tuple(length(low, high), length(low, high))

const image = (dtype: DType): fc.Arbitrary<NdArray> =>
  fc
    .tuple(length(0, 2), length(1, 4), length(1, 4), length(1, 2))
    .filter((shape) => count(shape) <= 20)
    .chain((shape) => arrays(shape, dtype))

const clamp = (i: number, low: number, high: number): number => Math.min(Math.max(i, low), high)

const place = (i: number, from: number, to: number, alignCorners: boolean): number =>
  alignCorners ? (to === 1 ? 0 : (i * (from - 1)) / (to - 1)) : ((i + 0.5) * from) / to - 0.5

/** The weight of an old pixel at a distance. */
type Kernel = (distance: number) => number

const tent: Kernel = (d) => Math.max(0, 1 - Math.abs(d))

/** Keys' kernel by its two polynomials. */
const keys: Kernel = (d) => {
  const t = Math.abs(d)
  if (t <= 1) return 1.25 * t ** 3 - 2.25 * t ** 2 + 1
  return t < 2 ? -0.75 * (t ** 3 - 5 * t ** 2 + 8 * t - 4) : 0
}

/** Each new pixel: a sum over the 2·reach nearest old ones in both directions, those outside being the nearest at the edge. */
const resized = (x: NdArray, to: Spatial, alignCorners: boolean, kernel: Kernel, reach: number): Expected => {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  const terms = (i: number, from: number, length: number): readonly (readonly [number, number])[] => {
    if (from === length) return [[i, 1]]
    const exact = place(i, from, length, alignCorners)
    const at = reach === 1 ? Math.max(0, exact) : exact
    return Array.from({ length: 2 * reach }, (_, k) => {
      const old = Math.floor(at) - reach + 1 + k
      return [clamp(old, 0, from - 1), kernel(at - old)]
    })
  }
  return table([n, ...to, c], ([b = 0, y = 0, z = 0, k = 0]) =>
    sum(terms(y, h, to[0]).flatMap(([i, a]) => terms(z, w, to[1]).map(([j, e]) => a * e * elementAt(x, [b, i, j, k])))),
  )
}

const resizing = (
  name: string,
  f: (x: Tensor, size: number | Spatial, options: ResizeOptions) => Tensor,
  kernel: Kernel,
  reach: number,
): Entry =>
  entry({
    dtypes: wide,
    cases: (dtype) =>
      fc.tuple(image(dtype), spatial(1, 6), fc.boolean()).map(([x, size, alignCorners]) => ({
        inputs: [x],
        build: (t) => f(one(t), size, { alignCorners }),
        oracle: (x) => resized(x, size, alignCorners, kernel, reach),
      })),
    differentiableIn: [0],
    linearIn: [0],
    slack: 8,
    lacks: ['scalar'],
    ends: { infinities: '0 · ∞ where a neighbour has no weight, as in PyTorch', NaN: 'as with infinities' },
    errors: [
      badShape(new RegExp(`^${name}: \\[1,0,2,1\\] has no pixels$`), ['f32[1,0,2,1]'], (x) => f(one(x), 2, {})),
      badShape(new RegExp(`^${name}: size \\[0,0\\] must be whole numbers ≥ 1$`), ['f32[1,2,2,1]'], (x) =>
        f(one(x), 0, {}),
      ),
    ],
  })

type Options = Required<GridSampleOptions>

/** A place of the grid among the pixels of an axis. */
const among = (g: number, n: number, { alignCorners, padding }: Options): number => {
  const p = alignCorners ? ((g + 1) * (n - 1)) / 2 : ((g + 1) * n - 1) / 2
  return padding === 'border' ? clamp(p, 0, n - 1) : p
}

const nearestEven = (p: number): number => {
  const low = Math.floor(p)
  return p - low > 0.5 || (p - low === 0.5 && low % 2 !== 0) ? low + 1 : low
}

const sampled = (x: NdArray, grid: NdArray, options: Options): Expected => {
  const [, h = 0, w = 0, c = 0] = x.shape
  return table([...grid.shape.slice(0, 3), c], (index) => {
    const [b = 0, channel = 0] = [index[0], index[3]]
    const px = among(elementAt(grid, [...index.slice(0, 3), 0]), w, options)
    const py = among(elementAt(grid, [...index.slice(0, 3), 1]), h, options)
    if (options.mode === 'nearest') return elementAt(x, [b, nearestEven(py), nearestEven(px), channel])
    const [left, top] = [Math.floor(px), Math.floor(py)]
    return sum(
      [0, 1].flatMap((down) =>
        [0, 1].map(
          (right) =>
            elementAt(x, [b, top + down, left + right, channel]) * tent(px - left - right) * tent(py - top - down),
        ),
      ),
    )
  })
}

/** Places that, for images of 1, 2 and 4 pixels, are neither pixels nor halfway between them. */
const places = (dtype: DType): fc.Arbitrary<number> =>
  isFloating(dtype) ? fc.integer({ min: -80, max: 79 }).map((k) => stored(dtype, (k + 0.37) / 60)) : numbers(dtype)

const optionsOf: fc.Arbitrary<Options> = fc.record({
  mode: fc.constantFrom('bilinear' as const, 'nearest' as const),
  padding: fc.constantFrom('zeros' as const, 'border' as const),
  alignCorners: fc.boolean(),
})

const sampling: Entry = entry({
  dtypes: wide,
  cases: (dtype) =>
    fc
      .tuple(fc.tuple(length(0, 2), length(1, 4), length(1, 4), length(1, 2)), spatial(1, 3), optionsOf)
      .filter(([shape, to]) => count(shape) + 2 * count([shape[0], ...to]) <= 36)
      .chain(([shape, to, options]) =>
        fc.tuple(arrays(shape, dtype), arrays([shape[0], ...to, 2], dtype, places(dtype)), fc.constant(options)),
      )
      .map(([x, grid, options]) => ({
        inputs: [x, grid],
        build: (t, g) => gridSample(one(t), one(g), options),
        oracle: (x, grid) => sampled(x, grid, options),
      })),
  differentiableIn: [0, 1],
  linearIn: [0],
  slack: 16,
  elements: 40,
  step: 1e-4,
  weight: 2,
  lacks: ['scalar'],
  ends: 'its places are in the table against PyTorch; a pixel of ∞ with weight 0 is NaN there and here',
  errors: [
    badShape(/^gridSample: .* the grid is \[N, H', W', 2\] of the same N/, ['f32[1,2,2,1]', 'f32[2,2,2,2]'], (x, g) =>
      gridSample(one(x), one(g)),
    ),
    badDType(/^gridSample: .* both are floats of one dtype/, ['f32[1,2,2,1]', 'f64[1,2,2,2]'], (x, g) =>
      gridSample(one(x), one(g)),
    ),
    badRange(
      /^gridSample: the mode is 'cubic'; it must be bilinear or nearest$/,
      ['f32[1,2,2,1]', 'f32[1,2,2,2]'],
      (x, g) => gridSample(one(x), one(g), JSON.parse('{"mode":"cubic"}')),
    ),
  ],
})

/** A row for each. */
export const resizings: {
  readonly [K in 'resizeNearest' | 'resizeBilinear' | 'resizeBicubic' | 'gridSample']: Entry
} = {
  resizeNearest: entry({
    dtypes: all,
    cases: (dtype) =>
      fc.tuple(image(dtype), spatial(1, 6)).map(([x, size]) => ({
        inputs: [x],
        build: (t) => resizeNearest(one(t), size),
        oracle: (x) => {
          const [n = 0, h = 0, w = 0, c = 0] = x.shape
          return table([n, ...size, c], ([b = 0, y = 0, z = 0, k = 0]) =>
            elementAt(x, [b, Math.floor((y * h) / size[0]), Math.floor((z * w) / size[1]), k]),
          )
        },
      })),
    differentiableIn: [0],
    linearIn: [0],
    slack: 0,
    lacks: ['scalar'],
    errors: [badShape(/^resizeNearest: takes images/, ['f32[2,2]'], (x) => resizeNearest(one(x), 2))],
  }),
  resizeBilinear: resizing('resizeBilinear', resizeBilinear, tent, 1),
  resizeBicubic: resizing('resizeBicubic', resizeBicubic, keys, 2),
  gridSample: sampling,
}
