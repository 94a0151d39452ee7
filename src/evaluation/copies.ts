/**
 * Copies of training pictures among generated ones.
 *
 * A picture is a copy where its nearest training picture is far nearer than training pictures of its kind usually are: the ratio of the
 * nearest distance to that of the middle one of the fifty nearest (Carlini et al. 2023, "Extracting Training Data from Diffusion Models",
 * section 5.1, with the median for the mean). The usual d₁/d₂ < ⅓ (Yoon, Choi, Kwon and Ryu 2023) is blind where a folder holds several
 * pictures of one view: then the second nearest is as near as the first. Up to twenty-five of a view do not move the median.
 *
 * What is compared is not pixels but 16×16 means, each picture standardised, as it is and mirrored, and moved by a thirty-second of its
 * side: noise, light, contrast, a flip and a small shift do not hide a copy.
 */
import { at, range } from '../prelude/array.ts'
import { pickRows, rowsOf, squaredDistances, type Rows } from './rows.ts'
import type { Pictures } from './pictures.ts'
import { median } from './statistics.ts'

/** Rows and columns of a likeness. */
const grid = 16

/** The nearest pictures whose middle one says what is usual. */
const near = 50

/**
 * Below this a picture is a copy. Among 1,698 photographs of the sea of 64×64, 800 copies with noise, a flip, other light, blur or a shift of
 * two pixels were below 0.30, and of 200 photographs that were held out all but two above 0.50.
 */
export const copyRatio = 0.4

/** Deviations of less than this, in bytes, are not stretched: a fog without contrast stays one. */
const flatness = 6

/** How a picture is looked at. */
interface View {
  readonly flip: boolean
  /** Moved down and right, in pixels. */
  readonly down: number
  readonly right: number
}

/** A picture's likeness: grid×grid×3 numbers without brightness and contrast. */
const likeness = (
  { height, width }: Pick<Pictures, 'height' | 'width'>,
  pixels: Uint8Array,
  view: View,
): Float64Array => {
  const [rows, columns] = [Math.min(grid, height), Math.min(grid, width)]
  const sums = new Float64Array(rows * columns * 3)
  const counts = new Float64Array(rows * columns)
  for (let y = 0; y < height; y++) {
    const fromY = Math.min(height - 1, Math.max(0, y - view.down))
    const line = Math.floor((y * rows) / height)
    for (let x = 0; x < width; x++) {
      const moved = Math.min(width - 1, Math.max(0, x - view.right))
      const fromX = view.flip ? width - 1 - moved : moved
      const cell = line * columns + Math.floor((x * columns) / width)
      counts[cell] = (counts[cell] ?? 0) + 1
      for (let c = 0; c < 3; c++)
        sums[cell * 3 + c] = (sums[cell * 3 + c] ?? 0) + (pixels[(fromY * width + fromX) * 3 + c] ?? 0)
    }
  }
  const means = sums.map((sum, i) => sum / (counts[Math.floor(i / 3)] ?? 1))
  const middle = means.reduce((a, b) => a + b, 0) / means.length
  const spread = Math.sqrt(means.reduce((sum, x) => sum + (x - middle) ** 2, 0) / means.length)
  return means.map((x) => (x - middle) / (spread + flatness))
}

const upright: View = { flip: false, down: 0, right: 0 }

/** Pictures among which copies are sought. */
export interface Originals {
  readonly size: Pick<Pictures, 'height' | 'width'>
  readonly likenesses: Rows
}

/**
 * Prepares the pictures that may have been copied.
 *
 * @param pictures RGB
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { originalsOf } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const pictures = [data.image(0), data.image(1), data.image(2)]
 * originalsOf({ height: 16, width: 16, channels: 3, pictures }).likenesses.count // => 3
 * ```
 */
export const originalsOf = ({ height, width, pictures }: Pictures): Originals => ({
  size: { height, width },
  likenesses: rowsOf(pictures.map((pixels) => likeness({ height, width }, pixels, upright))),
})

/** What of the originals is nearest to a picture. */
export interface NearestOriginal {
  /** Its place among the originals. */
  readonly place: number
  /** Its distance over the middle one of the fifty nearest: near 1 for a picture of its own, 0 for a copy. */
  readonly ratio: number
}

/** All views of the flips and shifts. */
const viewsOf = ({ height, width }: Pick<Pictures, 'height' | 'width'>): readonly View[] => {
  const [down, right] = [Math.round(height / 32), Math.round(width / 32)]
  const shifts = new Map(
    [-1, 0, 1].flatMap((i) => [-1, 0, 1].map((j) => [`${i * down} ${j * right}`, [i * down, j * right] as const])),
  )
  return [false, true].flatMap((flip) => [...shifts.values()].map(([d, r]) => ({ flip, down: d, right: r })))
}

/** Distances of one picture to some originals, over all views the least. */
const leastDistances = (
  size: Originals['size'],
  originals: Rows,
  pixels: Uint8Array,
  views: readonly View[],
): Float64Array => {
  const seen = rowsOf(views.map((view) => likeness(size, pixels, view)))
  const { values } = squaredDistances(seen, originals)
  return Float64Array.from(range(originals.count), (j) =>
    Math.sqrt(range(seen.count).reduce((least, v) => Math.min(least, values[v * originals.count + j] ?? 0), Infinity)),
  )
}

/**
 * The nearest original of a picture.
 *
 * @param skip the place of an original that is left out: the picture itself, where it is one
 */
export const nearestOriginal = (originals: Originals, pixels: Uint8Array, skip = -1): NearestOriginal => {
  const { size, likenesses } = originals
  const rough = leastDistances(size, likenesses, pixels, [upright, { ...upright, flip: true }])
  const close = range(likenesses.count)
    .filter((i) => i !== skip)
    .toSorted((a, b) => (rough[a] ?? 0) - (rough[b] ?? 0))
    .slice(0, near)
  const distances = [...leastDistances(size, pickRows(likenesses, close), pixels, viewsOf(size))]
  const least = Math.min(...distances)
  const usual = median(distances)
  // All fifty are the same picture: nothing can be said, and it is not called a copy.
  return { place: at(close, distances.indexOf(least)), ratio: usual > 0 ? least / usual : 1 }
}

/** Distances of pictures, as they are and mirrored, to originals: [pictures, originals]. */
export const likenessDistances = (pictures: Pictures, { size, likenesses }: Originals): Rows =>
  rowsOf(
    pictures.pictures.map((pixels) => leastDistances(size, likenesses, pixels, [upright, { ...upright, flip: true }])),
  )

/** A picture, and whether it is a copy. */
export interface CopyFinding extends NearestOriginal {
  readonly copy: boolean
}

/**
 * Of each picture the nearest original, and whether it is a copy of it.
 *
 * @param pictures RGB, of the size of the originals
 * @throws RangeError for fewer than three originals, among which nothing is usual
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { copiesAmong, originalsOf } from 'fathom/evaluation'
 *
 * const data = seas({ seed: 1, size: 16 })
 * const of = (places: readonly number[]) => ({ height: 16, width: 16, channels: 3, pictures: places.map(data.image) })
 * const originals = originalsOf(of(Array.from({ length: 60 }, (_, i) => i)))
 * copiesAmong(originals, of([7, 1000])).map(({ place, copy }) => copy ? place : 'its own') // => [7, 'its own']
 * ```
 */
export const copiesAmong = (originals: Originals, { pictures }: Pictures): readonly CopyFinding[] => {
  if (originals.likenesses.count < 3)
    throw new RangeError(`copies are sought among at least three pictures, got ${originals.likenesses.count}`)
  return pictures.map((pixels) => {
    const found = nearestOriginal(originals, pixels)
    return { ...found, copy: found.ratio < copyRatio }
  })
}
