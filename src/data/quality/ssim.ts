/** Structural similarity (Wang et al. 2004): whether two pictures have the same light, contrast and pattern, window by window. */
import { range } from '../../prelude/array.ts'
import { requireSameLength } from './psnr.ts'

/** The size of a picture, [height, width, channels]. */
export interface PictureSize {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** The window: 11×11 pixels, weighted by a Gaussian of deviation 1.5 whose weights sum to 1 (section III.C). */
const side = 11
const deviation = 1.5
const weights: readonly number[] = (() => {
  const raw = range(side).map((i) => Math.exp(-((i - (side - 1) / 2) ** 2) / (2 * deviation ** 2)))
  const total = raw.reduce((a, b) => a + b)
  return raw.map((w) => w / total)
})()

/** Weighted means over all windows that lie inside, of a plane [h, w]: [h − 10, w − 10]. Rows and columns one after the other. */
const windowed = (plane: Float64Array, h: number, w: number): Float64Array => {
  const across = new Float64Array(h * (w - side + 1))
  const columns = w - side + 1
  for (let y = 0; y < h; y++)
    for (let x = 0; x < columns; x++)
      across[y * columns + x] = weights.reduce((sum, k, i) => sum + k * (plane[y * w + x + i] ?? NaN), 0)
  const rows = h - side + 1
  return Float64Array.from({ length: rows * columns }, (_, p) =>
    weights.reduce((sum, k, i) => sum + k * (across[p + i * columns] ?? NaN), 0),
  )
}

const channelOf = (picture: ArrayLike<number>, channel: number, channels: number): Float64Array =>
  Float64Array.from({ length: picture.length / channels }, (_, i) => picture[i * channels + channel] ?? NaN)

const productOf = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x * (b[i] ?? NaN))

/** The mean over the windows of one channel. */
const similarity = (a: Float64Array, b: Float64Array, { height: h, width: w }: PictureSize, peak: number): number => {
  const [c1, c2] = [(0.01 * peak) ** 2, (0.03 * peak) ** 2] // K₁ and K₂ of the paper
  const [meanA, meanB] = [windowed(a, h, w), windowed(b, h, w)]
  const [squareA, squareB] = [windowed(productOf(a, a), h, w), windowed(productOf(b, b), h, w)]
  const products = windowed(productOf(a, b), h, w)
  const sum = products.reduce((total, product, i) => {
    const [x, y] = [meanA[i] ?? NaN, meanB[i] ?? NaN]
    const [varianceA, varianceB, covariance] = [
      (squareA[i] ?? NaN) - x * x,
      (squareB[i] ?? NaN) - y * y,
      product - x * y,
    ]
    // SSIM = (2·μ_x·μ_y + c₁)(2·σ_xy + c₂) / ((μ_x² + μ_y² + c₁)(σ_x² + σ_y² + c₂))   (eq. 13)
    return total + ((2 * x * y + c1) * (2 * covariance + c2)) / ((x * x + y * y + c1) * (varianceA + varianceB + c2))
  }, 0)
  return sum / products.length
}

/**
 * The structural similarity of two pictures: the mean over all windows of 11×11 pixels inside, and over the channels. 1 for equal pictures, near 0
 * for unrelated ones, negative for a negative.
 *
 * @param size of both
 * @param peak the largest number that a pixel can have, the smallest being 0: 255 for bytes (default), 1 for [0, 1]
 * @throws RangeError where the two are not of this size, or smaller than a window
 * @example
 * ```ts
 * import { seas, ssim } from 'fathom/data'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const size = { height: 16, width: 16, channels: 3 }
 * ssim(data.image(0), data.image(0), size) // => 1.00000
 * const darker = data.image(0).map((byte) => byte * 0.9)
 * ssim(data.image(0), darker, size) > 0.95 // => true
 * ssim([1, 2, 3], [1, 2, 3], { height: 1, width: 1, channels: 3 }) // throws RangeError: ssim: pictures of 1×1 are smaller than the window of 11×11; use psnr
 * ```
 */
export const ssim = (a: ArrayLike<number>, b: ArrayLike<number>, size: PictureSize, peak = 255): number => {
  requireSameLength('ssim', a, b)
  const { height, width, channels } = size
  if (a.length !== height * width * channels)
    throw new RangeError(`ssim: ${a.length} numbers are no picture of ${height}×${width} with ${channels} channels`)
  if (Math.min(height, width) < side)
    throw new RangeError(`ssim: pictures of ${height}×${width} are smaller than the window of 11×11; use psnr`)
  const all = range(channels).map((c) => similarity(channelOf(a, c, channels), channelOf(b, c, channels), size, peak))
  return all.reduce((x, y) => x + y) / channels
}
