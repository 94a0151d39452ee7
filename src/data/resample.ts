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

/** Which old pixels a new one covers, and how much of each: `weights[i]` belongs to `first + i`; they sum to one. */
interface Cover {
  readonly first: number
  readonly weights: readonly number[]
}

/** The covers of a side of `size` pixels that stand for `length` old ones from `from` on. */
const coversOf = (from: number, length: number, size: number): readonly Cover[] => {
  const step = length / size
  return Array.from({ length: size }, (_, i) => {
    const [low, high] = [from + i * step, from + (i + 1) * step]
    const first = Math.floor(low)
    const last = Math.max(first, Math.ceil(high) - 1)
    const lengths = Array.from(
      { length: last - first + 1 },
      (_unused, j) => Math.min(high, first + j + 1) - Math.max(low, first + j),
    )
    return { first, weights: lengths.map((covered) => covered / (high - low)) }
  })
}

/** A rectangle of a picture, in its pixels; it lies inside, and its ends may be fractions. */
export interface Rectangle {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** Means along the rows: `[rows, width, channels]` of the rows that `within` touches. */
const alongRows = (
  pixels: ArrayLike<number>,
  { width, channels }: PictureShape,
  rows: { readonly first: number; readonly count: number },
  covers: readonly Cover[],
): Float64Array => {
  const out = new Float64Array(rows.count * covers.length * channels)
  for (let y = 0; y < rows.count; y++)
    for (let x = 0; x < covers.length; x++) {
      const { first, weights } = covers[x] ?? { first: 0, weights: [] }
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let j = 0; j < weights.length; j++)
          sum += (weights[j] ?? 0) * (pixels[((rows.first + y) * width + first + j) * channels + c] ?? 0)
        out[(y * covers.length + x) * channels + c] = sum
      }
    }
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
  const { channels } = shape
  const down = coversOf(within.top, within.height, height)
  const firstRow = Math.floor(within.top)
  const count = Math.min(shape.height, Math.ceil(within.top + within.height)) - firstRow
  const wide = alongRows(pixels, shape, { first: firstRow, count }, coversOf(within.left, within.width, width))
  const out = new Float64Array(height * width * channels)
  const row = width * channels
  down.forEach(({ first, weights }, y) => {
    weights.forEach((weight, j) => {
      const from = (first + j - firstRow) * row
      for (let x = 0; x < row; x++) out[y * row + x] = (out[y * row + x] ?? 0) + weight * (wide[from + x] ?? 0)
    })
  })
  return out
}
