/** Images of another size: each new pixel a sum of neighbouring old ones, whose places and weights are PyTorch's. */
import { requireKnown } from '../prelude/options.ts'
import { at, range } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { gather } from './combine.ts'
import { constant } from './create.ts'
import { expectImages } from './expect.ts'
import { wholePair, type Pair } from './pair.ts'
import { inSingle } from './precision.ts'
import { isDifferentiable, type Tensor } from './tensor.ts'

/** Where the corners of an image lie. */
export interface ResizeOptions {
  /** Whether the middles of the corner pixels stay where they are, or (default) the corners of the image. */
  readonly alignCorners?: boolean
}

/** Where new pixel i of `to` lies among the `from` old ones, whose middles are at 0, 1, …. */
const placeOf = (i: number, from: number, to: number, alignCorners: boolean): number => {
  if (alignCorners) return to === 1 ? 0 : (i * (from - 1)) / (to - 1)
  return ((i + 0.5) * from) / to - 0.5
}

/** One term of each new pixel of an axis: which old pixel, and its weight. */
interface Tap {
  readonly index: readonly number[]
  readonly weight: readonly number[]
}

/** Σ over the terms of weight · old pixel, along one axis. */
const tapped = (x: Tensor, axis: number, taps: readonly Tap[]): Tensor => {
  const shape = x.shape.map((_, a) => (a === axis ? at(taps, 0).index.length : 1))
  return taps
    .map(({ index, weight }) =>
      gather(x, constant(index, { dtype: 'i32' }), axis).mul(constant(weight, { shape, dtype: x.dtype })),
    )
    .reduce((a, b) => a.add(b))
}

/** How the terms of an axis are found. */
type Method = (from: number, to: number, alignCorners: boolean) => readonly Tap[]

/** The two neighbours, each with the nearness of the other; before the first and after the last pixel that one alone. */
const linear: Method = (from, to, alignCorners) => {
  const places = range(to).map((i) => Math.max(0, placeOf(i, from, to, alignCorners)))
  const low = places.map((p) => Math.min(Math.floor(p), from - 1))
  const share = places.map((p, i) => p - at(low, i))
  return [
    { index: low, weight: share.map((s) => 1 - s) },
    { index: low.map((i) => Math.min(i + 1, from - 1)), weight: share },
  ]
}

/** Keys' kernel (1981) with a = −¾, as PyTorch has it, at distance d. */
const cubicWeight = (d: number): number => {
  const [a, t] = [-0.75, Math.abs(d)]
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0
}

/** The four neighbours, weighted by {@link cubicWeight}; outside, the pixel at the edge again. */
const cubic: Method = (from, to, alignCorners) => {
  const places = range(to).map((i) => placeOf(i, from, to, alignCorners))
  return [-1, 0, 1, 2].map((offset) => ({
    index: places.map((p) => Math.min(Math.max(Math.floor(p) + offset, 0), from - 1)),
    weight: places.map((p) => cubicWeight(p - Math.floor(p) - offset)),
  }))
}

const requirePixels = (name: string, x: Tensor, size: Pair): readonly [number, number] => {
  expectImages(name, x)
  const both = wholePair(name, 'size', size, 1)
  if (at(x.shape, 1) === 0 || at(x.shape, 2) === 0) throw new ShapeError(`${name}: ${showShape(x.shape)} has no pixels`)
  return both
}

const resized = (name: string, method: Method, x: Tensor, size: Pair, options: ResizeOptions): Tensor => {
  requireKnown(name, options, ['alignCorners'])
  const { alignCorners = false } = options
  const to = requirePixels(name, x, size)
  if (!isDifferentiable(x))
    throw new DTypeError(`${name}: weighs neighbours, and ${x.dtype} has whole numbers only: cast the images to f32`)
  return inSingle(x, (wide) =>
    to.reduce((y, length, i) => {
      const from = at(y.shape, i + 1)
      return from === length ? y : tapped(y, i + 1, method(from, length, alignCorners))
    }, wide),
  )
}

/**
 * The image in another size by nearest neighbours: new pixel i is old pixel ⌊i · old length / new length⌋, as PyTorch's `nearest`.
 * `[N, H, W, C] → [N, height, width, C]`, of any dtype.
 *
 * @throws ShapeError for images without pixels
 * @example
 * ```ts
 * import { resizeNearest, tensor } from 'fathom'
 *
 * resizeNearest(tensor([1, 2, 3]).reshape([1, 1, 3, 1]), [1, 5]).reshape([5]) // => [1, 1, 2, 2, 3]
 * ```
 */
export const resizeNearest = (x: Tensor, size: Pair): Tensor =>
  requirePixels('resizeNearest', x, size).reduce((y, length, i) => {
    const from = at(y.shape, i + 1)
    const index = range(length).map((k) => Math.floor((k * from) / length))
    return from === length ? y : gather(y, constant(index, { dtype: 'i32' }), i + 1)
  }, x)

/**
 * The image in another size, linear between neighbours in both directions: `[N, H, W, C] → [N, height, width, C]`. A smaller image takes the
 * pixels next to its own places and not the mean of all, as PyTorch without antialiasing.
 *
 * @throws ShapeError for images without pixels
 * @example
 * ```ts
 * import { resizeBilinear, tensor } from 'fathom'
 *
 * const x = tensor([0, 4]).reshape([1, 1, 2, 1])
 * resizeBilinear(x, [1, 4]).reshape([4]) // => [0, 1, 3, 4]
 * resizeBilinear(x, [1, 5], { alignCorners: true }).reshape([5]) // => [0, 1, 2, 3, 4]
 * ```
 */
export const resizeBilinear = (x: Tensor, size: Pair, options: ResizeOptions = {}): Tensor =>
  resized('resizeBilinear', linear, x, size, options)

/**
 * The image in another size by cubic convolution (Keys 1981) with a = −¾: `[N, H, W, C] → [N, height, width, C]`. Sharper than
 * {@link resizeBilinear}; it may exceed the range of the image.
 *
 * @throws ShapeError for images without pixels
 * @example
 * ```ts
 * import { resizeBicubic, tensor } from 'fathom'
 *
 * const x = tensor([0, 0, 1, 1]).reshape([1, 1, 4, 1])
 * resizeBicubic(x, [1, 8]).reshape([8]) // => [0, -0.035, -0.105, 0.227, 0.773, 1.105, 1.035, 1]
 * ```
 */
export const resizeBicubic = (x: Tensor, size: Pair, options: ResizeOptions = {}): Tensor =>
  resized('resizeBicubic', cubic, x, size, options)
