/** The peak signal-to-noise ratio: how far two pictures are apart, in decibels. */

/** Refuses pictures that cannot be compared element by element. */
export const requireSameLength = (who: string, a: ArrayLike<number>, b: ArrayLike<number>): void => {
  if (a.length !== b.length || a.length === 0)
    throw new RangeError(
      `${who}: ${a.length} numbers against ${b.length}; give two pictures of one size, [height, width, channels]`,
    )
}

/**
 * The mean squared difference of two pictures.
 *
 * @throws RangeError where they are not of one length, or empty
 * @example
 * ```ts
 * import { meanSquaredError } from 'fathom/data'
 *
 * meanSquaredError(Uint8Array.of(10, 20), Uint8Array.of(12, 20)) // => 2
 * ```
 */
export const meanSquaredError = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  requireSameLength('meanSquaredError', a, b)
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? NaN) - (b[i] ?? NaN)) ** 2
  return sum / a.length
}

/**
 * 10·log₁₀(peak² / error), in dB: 20 more are a tenth of the error in a pixel; ∞ for no error.
 *
 * @param error the mean squared difference
 * @param peak the largest minus the smallest number that a pixel can have: 255 for bytes (default), 1 for [0, 1], 2 for [−1, 1]
 * @example
 * ```ts
 * import { decibels } from 'fathom/data'
 *
 * decibels(0.01, 1) // => 20
 * decibels(0) // => Infinity
 * ```
 */
export const decibels = (error: number, peak = 255): number => 10 * Math.log10((peak * peak) / error)

/**
 * The peak signal-to-noise ratio of two pictures, in dB.
 *
 * @param peak the largest minus the smallest number that a pixel can have: 255 for bytes (default), 1 for [0, 1], 2 for [−1, 1]
 * @throws RangeError where they are not of one length, or empty
 * @example
 * ```ts
 * import { psnr } from 'fathom/data'
 *
 * psnr([0, 0.5, 1], [0.1, 0.4, 1.1], 1) // => 20.00000
 * psnr(Uint8Array.of(3), Uint8Array.of(3, 4)) // throws RangeError: meanSquaredError: 1 numbers against 2; give two pictures of one size, [height, width, channels]
 * ```
 */
export const psnr = (a: ArrayLike<number>, b: ArrayLike<number>, peak = 255): number =>
  decibels(meanSquaredError(a, b), peak)
