/**
 * Parts of pictures that are larger than what training sees: another place and another scale each time, so that a few photographs show more
 * than a few pictures.
 */
import { hostUniform, type HostKey } from '../prelude/threefry.ts'
import { bytesOf, resampleArea, type PictureShape } from './resample.ts'

/** The size of a picture that training sees. */
export interface CropSize {
  readonly height: number
  readonly width: number
}

/**
 * The size at which a folder is to be opened, so that parts of its pictures can be taken: each side by `margin`, rounded up. Memory grows by
 * the square of it.
 *
 * @param margin at least 1; 1.25 is a good one
 * @throws RangeError for a margin that is below 1 or not finite
 * @example
 * ```ts
 * import { withMargin } from 'fathom/data'
 *
 * withMargin({ height: 64, width: 96 }, 1.25) // => { height: 80, width: 120 }
 * withMargin({ height: 64, width: 96 }, 0.5) // throws RangeError: withMargin: margin is 0.5; it must be a finite number ≥ 1
 * ```
 */
export const withMargin = ({ height, width }: CropSize, margin: number): CropSize => {
  if (!(margin >= 1 && Number.isFinite(margin)))
    throw new RangeError(`withMargin: margin is ${margin}; it must be a finite number ≥ 1`)
  return { height: Math.ceil(height * margin), width: Math.ceil(width * margin) }
}

/** Refuses a size that pictures of a set do not have room for. */
export const requireCrop = (who: string, set: PictureShape & { readonly name: string }, crop: CropSize): void => {
  const fits = (side: number, of: number): boolean => Number.isInteger(side) && side >= 1 && side <= of
  if (!fits(crop.height, set.height) || !fits(crop.width, set.width))
    throw new RangeError(
      `${who}: parts of ${crop.height}×${crop.width} cannot be taken from the pictures of ${set.name}, which are ${set.height}×${set.width}: ` +
        'open it at a larger size (withMargin), or take smaller parts',
    )
}

/** The whole picture at the size: what is held out, the same pictures as without a margin but for their resampling. */
export const wholeAt = (pixels: Uint8Array, shape: PictureShape, { height, width }: CropSize): Uint8Array =>
  bytesOf(resampleArea(pixels, shape, height, width))

/**
 * A part of the picture at the size. Its scale is uniform between the whole picture and that at which nothing is shrunk, its place uniform
 * among those within. It is never enlarged.
 */
export const cropAt = (
  pixels: Uint8Array,
  shape: PictureShape,
  { height, width }: CropSize,
  key: HostKey,
): Uint8Array => {
  const least = Math.max(height / shape.height, width / shape.width)
  const part = least + (1 - least) * hostUniform(key, 0)
  const within = { height: part * shape.height, width: part * shape.width }
  const top = (shape.height - within.height) * hostUniform(key, 1)
  const left = (shape.width - within.width) * hostUniform(key, 2)
  return bytesOf(resampleArea(pixels, shape, height, width, { top, left, ...within }))
}
