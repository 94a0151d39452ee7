/** How good reconstructions are, over many pictures. */
import { decibels, meanSquaredError } from './psnr.ts'
import { ssim, type PictureSize } from './ssim.ts'

/** What {@link reconstructionQuality} finds. */
export interface ReconstructionQuality {
  /** How many pictures were compared. */
  readonly count: number
  /** PSNR of the mean squared error over all pictures, in dB: what hard pictures cost counts in full. */
  readonly psnr: number
  /** The mean of each picture's PSNR, in dB: what papers print, and higher, since easy pictures count as much. */
  readonly meanPsnr: number
  /** The mean structural similarity; absent for pictures smaller than its window of 11×11. */
  readonly ssim?: number
}

/**
 * Compares reconstructions with what they are of.
 *
 * @param pairs pictures [height, width, channels] in 0 … peak, each with its reconstruction
 * @param peak the largest number that a pixel can have, the smallest being 0: 255 for bytes (default), 1 for [0, 1]
 * @throws RangeError where there are none, or a pair is not of this size
 * @example
 * ```ts
 * import { reconstructionQuality } from 'fathom/data'
 *
 * const grey = Uint8Array.of(100, 100)
 * const size = { height: 1, width: 2, channels: 1 }
 * const found = reconstructionQuality([[grey, Uint8Array.of(101, 99)], [grey, Uint8Array.of(110, 90)]], size)
 * found.psnr // => 31.0979
 * found.meanPsnr // => 38.1308
 * ```
 */
export const reconstructionQuality = (
  pairs: Iterable<readonly [picture: ArrayLike<number>, reconstruction: ArrayLike<number>]>,
  size: PictureSize,
  peak = 255,
): ReconstructionQuality => {
  let [count, errors, ratios, similarities] = [0, 0, 0, 0]
  const large = Math.min(size.height, size.width) >= 11
  for (const [picture, reconstruction] of pairs) {
    const error = meanSquaredError(picture, reconstruction)
    count++
    errors += error
    ratios += decibels(error, peak)
    if (large) similarities += ssim(picture, reconstruction, size, peak)
  }
  if (count === 0) throw new RangeError('reconstructionQuality: there are no pictures to compare')
  return {
    count,
    psnr: decibels(errors / count, peak),
    meanPsnr: ratios / count,
    ...(large ? { ssim: similarities / count } : {}),
  }
}
