/** Sets of pictures of one size, which is what is judged, and how they become numbers. */
import { at } from '../prelude/array.ts'

/** Pictures of one size. */
export interface Pictures {
  readonly height: number
  readonly width: number
  /** 1 (grey), 3 (sRGB) or 4 (sRGB and opacity). */
  readonly channels: number
  /** Each bytes [height, width, channels]. */
  readonly pictures: readonly Uint8Array[]
  /** The group of each, as `nearDuplicates` finds them: pictures of one group show the same photograph. Absent: each is alone. */
  readonly groups?: readonly number[]
}

/** What is wrong with a set, for its error. */
const faultOf = ({ height, width, channels, pictures, groups }: Pictures): string | undefined => {
  const each = height * width * channels
  const other = pictures.find(({ length }) => length !== each)
  if (![1, 3, 4].includes(channels)) return `pictures have 1, 3 or 4 channels, and not ${channels}`
  if (groups !== undefined && groups.length !== pictures.length)
    return `there are ${groups.length} groups for ${pictures.length} pictures: give the group of each`
  return other === undefined
    ? undefined
    : `a picture of ${other.length} bytes is not ${height}×${width}×${channels} (height, width, channels): cut and resize all pictures alike`
}

/** One picture as RGB: grey is repeated, and opacity is laid over white. */
const rgbOf = (pixels: Uint8Array, channels: number): Uint8Array => {
  if (channels === 3) return pixels
  const rgb = new Uint8Array((pixels.length / channels) * 3)
  for (let p = 0; p * channels < pixels.length; p++) {
    const alpha = channels === 4 ? byteAt(pixels, 4 * p + 3) / 255 : 1
    for (let c = 0; c < 3; c++) {
      const byte = byteAt(pixels, channels === 1 ? p : 4 * p + c)
      rgb[3 * p + c] = Math.round(alpha * byte + (1 - alpha) * 255)
    }
  }
  return rgb
}

const byteAt = (pixels: Uint8Array, i: number): number => pixels[i] ?? 0

/**
 * The set as RGB bytes, which all scores look at: grey is repeated, opacity is laid over white.
 *
 * @throws RangeError for a set whose pictures are not of its size, or whose groups are not those of its pictures
 * @example
 * ```ts
 * import { asRgb } from 'fathom/evaluation'
 *
 * const grey = { height: 1, width: 2, channels: 1, pictures: [Uint8Array.of(0, 255)] }
 * asRgb(grey).pictures[0] // => [0, 0, 0, 255, 255, 255]
 * asRgb({ ...grey, width: 3 }) // throws RangeError: a picture of 2 bytes is not 1×3×1 (height, width, channels): …
 * ```
 */
export const asRgb = (set: Pictures): Pictures => {
  const fault = faultOf(set)
  if (fault !== undefined) throw new RangeError(fault)
  return set.channels === 3
    ? set
    : { ...set, channels: 3, pictures: set.pictures.map((pixels) => rgbOf(pixels, set.channels)) }
}

/** The set with the pictures at some places. */
export const pick = (set: Pictures, places: readonly number[]): Pictures => ({
  ...set,
  pictures: places.map((i) => at(set.pictures, i)),
  ...groupsAt(set, places),
})

const groupsAt = ({ groups }: Pictures, places: readonly number[]): Pick<Pictures, 'groups'> =>
  groups === undefined ? {} : { groups: places.map((i) => at(groups, i)) }

/** A picture by a function of a pixel's place and channel; what falls outside the bytes is cut off. */
export const painted = (
  { height, width }: Pick<Pictures, 'height' | 'width'>,
  value: (y: number, x: number, c: number) => number,
): Uint8Array => {
  const pixels = new Uint8ClampedArray(height * width * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) pixels[(y * width + x) * 3 + c] = value(y, x, c)
  return new Uint8Array(pixels.buffer)
}
