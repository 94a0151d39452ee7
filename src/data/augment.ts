/**
 * Pictures mirrored, scaled, turned and moved at random, with numbers that say what was done: training sees more than a small set holds, and
 * a network that is told so does not draw it. Karras et al., "Elucidating the design space of diffusion-based generative models", 2022,
 * appendix F.2, of which these are the geometric ones that leave a sea a sea.
 *
 * A turn is a rational point of the circle, so that nothing but sums and products is computed: the same bytes on every machine.
 */
import { requireKnown, requireShare } from '../prelude/options.ts'
import { hostFold, hostKey, hostUniform } from '../prelude/threefry.ts'
import type { TrainingData } from './batches.ts'
import type { PictureShape } from './resample.ts'

/**
 * What the numbers of a condition say, in their order. Each is 0 where nothing was done, and in [−1, 1]: 1 is mirrored, the largest scale,
 * the largest turn (clockwise), the largest way to the right or down.
 *
 * @example
 * ```ts
 * import { augmentationNames } from 'fathom/data'
 *
 * augmentationNames // => ['mirrored', 'scaled', 'turned', 'right', 'down']
 * ```
 */
export const augmentationNames = ['mirrored', 'scaled', 'turned', 'right', 'down'] as const

/** The largest change of each kind. */
const largest = {
  /** (1 + v)/(1 − v): between 1/1.22 and 1.22 times as large. */
  scaled: 0.1,
  /** The tangent of half the angle: 8 degrees. A horizon that leans more is seen as one that does. */
  turned: 0.07,
  /** A part of the side. */
  moved: 0.125,
} as const

/** What may be told to {@link augmented}. */
export interface AugmentOptions {
  /** How probable each kind of change is, in [0, 1]. Default 0.12. */
  readonly probability?: number
}

/** A picture, and what was done to it. */
export interface Augmented {
  /** Bytes of the shape of the picture; the picture itself where nothing was done. */
  readonly pixels: Uint8Array
  /** As {@link augmentationNames} says. */
  readonly condition: Float32Array
}

/** The numbers of the i-th picture: two draws a kind, whether and how much. */
const conditionAt = (seed: number, i: number, probability: number): Float32Array => {
  const key = hostFold(hostKey(seed), i)
  return Float32Array.from(augmentationNames, (name, k) => {
    if (hostUniform(key, 2 * k) >= probability) return 0
    return name === 'mirrored' ? 1 : 2 * hostUniform(key, 2 * k + 1) - 1
  })
}

/** The probability that is meant; refuses what is none. */
const probabilityOf = (who: string, options: AugmentOptions): number => {
  requireKnown(who, options, ['probability'])
  const { probability = 0.12 } = options
  requireShare(who, 'probability', probability)
  return probability
}

/** Where a pixel comes from: y = yy·y' + yx·x' + y0, and x alike, from the middle of the picture. */
interface Affine {
  readonly yy: number
  readonly yx: number
  readonly y0: number
  readonly xy: number
  readonly xx: number
  readonly x0: number
}

/** The inverse of: mirror, then scale and turn about the middle, then move. */
const affineOf = (condition: Float32Array, { height, width }: PictureShape): Affine => {
  const [mirrored = 0, scaled = 0, turned = 0, right = 0, down = 0] = condition
  const v = largest.scaled * scaled
  const shrink = (1 - v) / (1 + v)
  const t = largest.turned * turned
  const [cos, sin] = [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)]
  const sign = 1 - 2 * mirrored
  const [dy, dx] = [largest.moved * down * height, largest.moved * right * width]
  const [yy, yx, xy, xx] = [cos * shrink, -sin * shrink, sign * sin * shrink, sign * cos * shrink]
  return { yy, yx, y0: -yy * dy - yx * dx, xy, xx, x0: -xy * dy - xx * dx }
}

/** A place beyond an edge is the one that lies as far within. */
const reflected = (i: number, size: number): number => {
  const turn = ((i % (2 * size)) + 2 * size) % (2 * size)
  return turn < size ? turn : 2 * size - 1 - turn
}

/** The picture under a change, each pixel from the four around where it comes from. */
const warped = (pixels: Uint8Array, shape: PictureShape, affine: Affine): Uint8Array => {
  const { height, width, channels } = shape
  const { yy, yx, y0, xy, xx, x0 } = affine
  const [midY, midX] = [(height - 1) / 2, (width - 1) / 2]
  const out = new Uint8Array(pixels.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const fromY = midY + yy * (y - midY) + yx * (x - midX) + y0
      const fromX = midX + xy * (y - midY) + xx * (x - midX) + x0
      const [top, left] = [Math.floor(fromY), Math.floor(fromX)]
      const [low, far] = [fromY - top, fromX - left]
      const [above, below] = [reflected(top, height) * width, reflected(top + 1, height) * width]
      const [before, after] = [reflected(left, width), reflected(left + 1, width)]
      for (let c = 0; c < channels; c++) {
        const upper =
          (1 - far) * (pixels[(above + before) * channels + c] ?? 0) +
          far * (pixels[(above + after) * channels + c] ?? 0)
        const lower =
          (1 - far) * (pixels[(below + before) * channels + c] ?? 0) +
          far * (pixels[(below + after) * channels + c] ?? 0)
        out[(y * width + x) * channels + c] = Math.round((1 - low) * upper + low * lower)
      }
    }
  return out
}

/**
 * The i-th picture of a stream, changed at random: each kind of change with the same probability. A function of (seed, i).
 *
 * @param pixels bytes of the shape, which are not written to
 * @example
 * ```ts
 * import { augmented, seas } from 'fathom/data'
 *
 * const picture = seas({ seed: 1, size: 16 }).image(0)
 * const shape = { height: 16, width: 16, channels: 3 }
 * const { pixels, condition } = augmented(picture, shape, 7, 4, { probability: 1 })
 * pixels.length // => 768
 * condition[0] // => 1
 * augmented(picture, shape, 7, 4, { probability: 0 }).condition // => [0, 0, 0, 0, 0]
 * augmented(picture, shape, 7, 4, { probability: 2 }) // throws RangeError: augmented: probability is 2; it must be in [0, 1]
 * ```
 */
export const augmented = (
  pixels: Uint8Array,
  shape: PictureShape,
  seed: number,
  i: number,
  options: AugmentOptions = {},
): Augmented => {
  const condition = conditionAt(seed, i, probabilityOf('augmented', options))
  const same = condition.every((value) => value === 0)
  return { pixels: same ? pixels : warped(pixels, shape, affineOf(condition, shape)), condition }
}

/** Numbers one list after the other. */
const joined = (a: Float32Array, b: Float32Array): Float32Array => {
  const both = new Float32Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/**
 * A stream whose pictures are changed at random. Its conditions are those that it had, and then what was done ({@link augmentationNames});
 * what is held out stays as it is.
 *
 * @example
 * ```ts
 * import { dataOfSeas, withAugmentation } from 'fathom/data'
 *
 * const data = withAugmentation(dataOfSeas({ seed: 1, size: 8 }), 3, { probability: 0.15 })
 * data.conditions // => 5
 * data.heldOutCondition?.(0) // => [0, 0, 0, 0, 0]
 * ```
 */
export const withAugmentation = (data: TrainingData, seed: number, options: AugmentOptions = {}): TrainingData => {
  const probability = probabilityOf('withAugmentation', options)
  const nothing = new Float32Array()
  const { conditionNames = [], condition = () => nothing, heldOutCondition = () => nothing } = data
  const names = [...conditionNames, ...augmentationNames]
  const unchanged = new Float32Array(augmentationNames.length)
  return {
    ...data,
    picture: (i) => augmented(data.picture(i), data, seed, i, { probability }).pixels,
    conditionNames: names,
    conditions: names.length,
    condition: (i) => joined(condition(i), conditionAt(seed, i, probability)),
    heldOutCondition: (i) => joined(heldOutCondition(i), unchanged),
  }
}
