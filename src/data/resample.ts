/**
 * Pictures at another size, by areas: each new pixel is the mean of what it covers, so that shrinking makes no patterns of its own.
 *
 * The two directions are done one after the other, since the area under a pixel is a product of two lengths. Sums and products alone,
 * in a fixed order: the same bytes on every machine.
 */

/** What the pixels of a picture are: `[height, width, channels]`. */
export interface PictureShape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Which old pixels each new one covers, and how much of each: weight `i·most + j` belongs to `first[i] + j`; those of an `i` sum to one. */
interface Covers {
  readonly size: number
  readonly most: number
  readonly first: Int32Array
  readonly weights: Float64Array
}

/** The covers of a side of `size` pixels that stand for `length` old ones from `from` on. */
const coversOf = (from: number, length: number, size: number): Covers => {
  const step = length / size
  const most = Math.ceil(step) + 1
  const first = new Int32Array(size)
  const weights = new Float64Array(size * most)
  for (let i = 0; i < size; i++) {
    const [low, high] = [from + i * step, from + (i + 1) * step]
    const begin = Math.floor(low)
    first[i] = begin
    for (let j = 0; j < most; j++)
      weights[i * most + j] = Math.max(0, Math.min(high, begin + j + 1) - Math.max(low, begin + j)) / (high - low)
  }
  return { size, most, first, weights }
}

/** A rectangle of a picture, in its pixels; it lies inside, and its ends may be fractions. */
export interface Rectangle {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** The mean that stands for pixel `x` of one row of one channel, which begins at `from`. */
const meanAt = (pixels: ArrayLike<number>, from: number, channels: number, covers: Covers, x: number): number => {
  const { most, first, weights } = covers
  const begin = from + (first[x] ?? 0) * channels
  let sum = 0
  for (let j = 0; j < most; j++) {
    const weight = weights[x * most + j] ?? 0
    if (weight > 0) sum += weight * (pixels[begin + j * channels] ?? 0)
  }
  return sum
}

/** Means along the rows: `[count, covers.size, channels]` of `count` rows from `firstRow` on. */
const alongRows = (
  pixels: ArrayLike<number>,
  { width, channels }: PictureShape,
  firstRow: number,
  count: number,
  covers: Covers,
): Float64Array => {
  const out = new Float64Array(count * covers.size * channels)
  let to = 0
  for (let y = firstRow; y < firstRow + count; y++)
    for (let x = 0; x < covers.size; x++)
      for (let c = 0; c < channels; c++) out[to++] = meanAt(pixels, y * width * channels + c, channels, covers, x)
  return out
}

/**
 * A rectangle of a picture at `[height, width]`, each pixel the mean of the area that it covers. Enlarging repeats pixels.
 *
 * @param pixels `[shape.height, shape.width, shape.channels]`
 * @param within the rectangle; the whole picture unless told
 * @returns means, not rounded: `[height, width, channels]`
 */
export const resampleArea = (
  pixels: ArrayLike<number>,
  shape: PictureShape,
  height: number,
  width: number,
  within: Rectangle = { top: 0, left: 0, height: shape.height, width: shape.width },
): Float64Array => {
  const { first, most, weights } = coversOf(within.top, within.height, height)
  const firstRow = Math.floor(within.top)
  const count = Math.min(shape.height, Math.ceil(within.top + within.height)) - firstRow
  const wide = alongRows(pixels, shape, firstRow, count, coversOf(within.left, within.width, width))
  const row = width * shape.channels
  const out = new Float64Array(height * row)
  for (let y = 0; y < height; y++)
    for (let j = 0; j < most; j++) {
      const weight = weights[y * most + j] ?? 0
      const from = ((first[y] ?? 0) + j - firstRow) * row
      if (weight > 0)
        for (let x = 0; x < row; x++) out[y * row + x] = (out[y * row + x] ?? 0) + weight * (wide[from + x] ?? 0)
    }
  return out
}

/** Numbers as bytes, each rounded: they lie in 0 … 255. */
export const bytesOf = (values: Float64Array): Uint8Array => {
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(values[i] ?? 0)
  return bytes
}
