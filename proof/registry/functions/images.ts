/** Convolutions, pooling and the rearrangements of pixels, over NHWC images. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { conv2d, convTranspose2d } from '../../../src/tensor/convolution.ts'
import { pixelShuffle, pixelUnshuffle, upsampleNearest } from '../../../src/tensor/resampling.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, indices, type NdArray } from '../../array.ts'
import {
  all,
  badDType,
  badShape,
  entry,
  floats,
  one,
  table,
  type Case,
  type Entry,
  type Expected,
  type Misuse,
} from '../entry.ts'
import { convolutionEnds, correlated } from '../primitives/contraction.ts'

type Spatial = readonly [number, number]

const length = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })

const spatial = (low: number, high: number): fc.Arbitrary<Spatial> => fc.tuple(length(low, high), length(low, high))

/** Height and width, or one number for both. */
const either = (p: Spatial): number | Spatial => (p[0] === p[1] ? p[0] : p)

const convolved = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .record({
      stride: spatial(1, 2),
      padding: spatial(0, 2),
      dilation: spatial(1, 2),
      groups: length(1, 2),
      kernel: spatial(1, 3),
      extra: spatial(0, 2),
      n: length(0, 2),
      c: length(1, 2),
      o: length(1, 2),
    })
    .map((a) => ({ ...a, size: [a.kernel[0] + a.extra[0], a.kernel[1] + a.extra[1]] as const }))
    .filter(
      ({ n, size, c, groups, kernel, o }) => count([n, ...size, c, groups]) + count([...kernel, c, o, groups]) <= 60,
    )
    .chain(({ stride, padding, dilation, groups, kernel, size, n, c, o }) =>
      fc.tuple(arrays([n, ...size, c * groups], dtype), arrays([...kernel, c, o * groups], dtype)).map(([x, w]) => ({
        inputs: [x, w],
        build: (s, t) =>
          conv2d(one(s), one(t), {
            stride: either(stride),
            padding: either(padding),
            dilation: either(dilation),
            groups,
          }),
        oracle: (x, w) =>
          correlated(x, w, {
            stride,
            padLow: padding,
            padHigh: padding,
            inputDilation: [1, 1],
            filterDilation: dilation,
            groups,
          }),
      })),
    )

/** How a transposed convolution moves, with everything said. */
interface Spreading {
  readonly stride: Spatial
  readonly padding: Spatial
  readonly outputPadding: Spatial
  readonly dilation?: Spatial
  readonly groups?: number
}

/** A transposed convolution: each pixel adds its multiple of the filter into the result, `stride` apart; groups of channels stay by themselves. */
export const spread = (
  x: NdArray,
  w: NdArray,
  { stride, padding, outputPadding, dilation = [1, 1], groups = 1 }: Spreading,
): Expected => {
  const axis = (of: NdArray, i: number): number => of.shape[i] ?? 0
  const size = (i: 0 | 1): number =>
    (axis(x, i + 1) - 1) * stride[i] - 2 * padding[i] + dilation[i] * (axis(w, i) - 1) + 1 + outputPadding[i]
  const shape = [axis(x, 0), size(0), size(1), axis(w, 3)]
  const placeOf = (
    [b = 0, y = 0, z = 0]: readonly number[],
    [ky = 0, kx = 0, , out = 0]: readonly number[],
  ): string => {
    const row = y * stride[0] + ky * dilation[0] - padding[0]
    return [b, row, z * stride[1] + kx * dilation[1] - padding[1], out].join()
  }
  const sums = new Map<string, number>()
  for (const pixel of indices(x.shape))
    for (const tap of indices(w.shape)) {
      const group = Math.floor((tap[3] ?? 0) / (axis(w, 3) / groups))
      if (pixel[3] !== group * axis(w, 2) + (tap[2] ?? 0)) continue
      const at = placeOf(pixel, tap)
      sums.set(at, (sums.get(at) ?? 0) + elementAt(x, pixel) * elementAt(w, tap))
    }
  return table(shape, (index) => sums.get(index.join()) ?? 0)
}

const transposed = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .record({
      stride: spatial(1, 3),
      padding: spatial(0, 1),
      output: spatial(0, 2),
      kernel: spatial(2, 3),
      dilation: spatial(1, 2),
      groups: length(1, 2),
      size: spatial(1, 3),
      n: length(0, 2),
      c: length(1, 2),
      o: length(1, 2),
    })
    .filter(
      ({ n, size, c, groups, kernel, o }) => count([n, ...size, c, groups]) + count([...kernel, c, o, groups]) <= 40,
    )
    .chain(({ stride, padding, output, kernel, dilation, groups, size, n, c, o }) => {
      const outputPadding = [Math.min(output[0], stride[0] - 1), Math.min(output[1], stride[1] - 1)] as const
      return fc
        .tuple(arrays([n, ...size, c * groups], dtype), arrays([...kernel, c, o * groups], dtype))
        .map(([x, w]) => ({
          inputs: [x, w],
          build: (s: Tensor | undefined, t: Tensor | undefined) =>
            convTranspose2d(one(s), one(t), {
              stride: either(stride),
              padding: either(padding),
              outputPadding: either(outputPadding),
              dilation: either(dilation),
              groups,
            }),
          oracle: (s: NdArray, t: NdArray) => spread(s, t, { stride, padding, outputPadding, dilation, groups }),
        }))
    })
    .filter(
      ({ inputs: [x, w], oracle }) => x !== undefined && w !== undefined && oracle(x, w).shape.every((n) => n >= 0),
    )

const doesNotTile = (name: string, f: (x: Tensor) => Tensor): Misuse =>
  badShape(new RegExp(`^${name}: windows of \\[3,3\\] do not tile \\[1,4,4,2\\]$`), ['f32[1,4,4,2]'], (x) => f(one(x)))

const rearranging = (
  shapes: fc.Arbitrary<readonly [shape: readonly number[], factor: number]>,
  f: (x: Tensor, factor: number) => Tensor,
  oracle: (x: NdArray, factor: number) => Expected,
  errors: readonly Misuse[],
): Entry =>
  entry({
    dtypes: all,
    cases: (dtype) =>
      shapes
        .filter(([shape]) => count(shape) <= 36)
        .chain(([shape, factor]) =>
          arrays(shape, dtype).map((x) => ({
            inputs: [x],
            build: (t: Tensor | undefined) => f(one(t), factor),
            oracle: (x) => oracle(x, factor),
          })),
        ),
    differentiableIn: [0],
    linearIn: [0],
    lacks: ['scalar'],
    errors,
  })

const images = fc.tuple(length(0, 2), length(1, 2), length(1, 3), length(1, 2), length(1, 3))

/** Depth to space: channel c·f² + dy·f + dx of a pixel becomes channel c of its pixel (dy, dx). */
const shuffled = (x: NdArray, f: number): Expected => {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  return table([n, h * f, w * f, c / (f * f)], ([b = 0, y = 0, z = 0, k = 0]) =>
    elementAt(x, [b, Math.floor(y / f), Math.floor(z / f), k * f * f + (y % f) * f + (z % f)]),
  )
}

/** Space to depth, the inverse of the above. */
export const unshuffled = (x: NdArray, f: number): Expected => {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  return table([n, h / f, w / f, c * f * f], ([b = 0, y = 0, z = 0, k = 0]) => {
    const place = k % (f * f)
    return elementAt(x, [b, y * f + Math.floor(place / f), z * f + (place % f), Math.floor(k / (f * f))])
  })
}

/** Each pixel f times in both directions. */
export const repeated = (x: NdArray, f: number): Expected => {
  const [n = 0, h = 0, w = 0, c = 0] = x.shape
  return table([n, h * f, w * f, c], ([b = 0, y = 0, z = 0, k = 0]) =>
    elementAt(x, [b, Math.floor(y / f), Math.floor(z / f), k]),
  )
}

type ImageFunction = 'conv2d' | 'convTranspose2d' | 'upsampleNearest' | 'pixelUnshuffle' | 'pixelShuffle'

const convolution = (cases: Entry['cases'], errors: readonly Misuse[]): Entry =>
  entry({
    dtypes: floats,
    cases,
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    lacks: ['scalar'],
    elements: 60,
    ends: convolutionEnds,
    errors,
  })

/** A row for each. */
export const imageFunctions: { readonly [K in ImageFunction]: Entry } = {
  conv2d: convolution(convolved, [
    badShape(/^conv2d: input has 3 channels, filter expects 4/, ['f32[1,4,4,3]', 'f32[3,3,4,2]'], (x, w) =>
      conv2d(one(x), one(w)),
    ),
    badShape(/^conv2d: strides, dilations and groups/, ['f32[1,4,4,3]', 'f32[3,3,3,2]'], (x, w) =>
      conv2d(one(x), one(w), { stride: 0 }),
    ),
    badShape(/^conv2d: padding \[0\.5,0\.5\] must be whole numbers ≥ 0$/, ['f32[1,4,4,3]', 'f32[3,3,3,2]'], (x, w) =>
      conv2d(one(x), one(w), { padding: 0.5 }),
    ),
    badShape(/^conv2d: padding \[0,-1\] must be whole numbers ≥ 0$/, ['f32[1,4,4,3]', 'f32[3,3,3,2]'], (x, w) =>
      conv2d(one(x), one(w), { padding: [0, -1] }),
    ),
    badDType(/^conv2d: input is f32 and filter is f16/, ['f32[1,4,4,3]', 'f16[3,3,3,2]'], (x, w) =>
      conv2d(one(x), one(w)),
    ),
  ]),
  convTranspose2d: convolution(transposed, [
    badShape(/^conv2d: input has 3 channels, filter expects 4/, ['f32[1,4,4,3]', 'f32[3,3,4,2]'], (x, w) =>
      convTranspose2d(one(x), one(w)),
    ),
    badShape(/^convTranspose2d: padding \[0\.5,0\.5\]/, ['f32[1,4,4,3]', 'f32[3,3,3,2]'], (x, w) =>
      convTranspose2d(one(x), one(w), { padding: 0.5 }),
    ),
    badShape(/^convTranspose2d: output padding \[0\.5,0\.5\]/, ['f32[1,4,4,3]', 'f32[3,3,3,2]'], (x, w) =>
      convTranspose2d(one(x), one(w), { outputPadding: 0.5 }),
    ),
  ]),
  upsampleNearest: rearranging(
    images.map(([n, h, w, c, f]) => [[n, h, w, c], f]),
    upsampleNearest,
    repeated,
    [
      badShape(/^upsampleNearest: factor \[1\.5,1\.5\] must be whole numbers ≥ 1$/, ['f32[1,4,4,2]'], (x) =>
        upsampleNearest(one(x), 1.5),
      ),
    ],
  ),
  pixelUnshuffle: rearranging(
    images.map(([n, h, w, c, f]) => [[n, h * f, w * f, c], f]),
    pixelUnshuffle,
    unshuffled,
    [doesNotTile('pixelUnshuffle', (x) => pixelUnshuffle(x, 3))],
  ),
  pixelShuffle: rearranging(
    images.map(([n, h, w, c, f]) => [[n, h, w, c * f * f], f]),
    pixelShuffle,
    shuffled,
    [badShape(/^pixelShuffle: 3 channels do not divide by 4$/, ['f32[1,4,4,3]'], (x) => pixelShuffle(one(x)))],
  ),
}
