/**
 * Pictures by scale: the Laplacian pyramid, whose levels hold what a picture has of each octave of detail and no other (Burt and Adelson
 * 1983, "The Laplacian Pyramid as a Compact Image Code").
 */
import type { Pictures } from '../pictures.ts'

/** A picture of numbers, [height, width, 3]. */
export interface Plane {
  readonly height: number
  readonly width: number
  readonly values: Float32Array
}

/** The binomial filter of Burt and Adelson, in one dimension. */
const taps = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16]

/** An index outside is mirrored at the edge, which is not repeated. */
const mirrored = (i: number, n: number): number => {
  if (n === 1) return 0
  const turn = 2 * (n - 1)
  const inside = ((i % turn) + turn) % turn
  return inside < n ? inside : turn - inside
}

/** Σ taps · a line of numbers along one axis. */
const filtered = ({ height, width, values }: Plane, axis: 'rows' | 'columns'): Plane => {
  const result = new Float32Array(values.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = -2; k <= 2; k++) {
          const [yy, xx] = axis === 'rows' ? [mirrored(y + k, height), x] : [y, mirrored(x + k, width)]
          sum += (taps[k + 2] ?? 0) * (values[(yy * width + xx) * 3 + c] ?? 0)
        }
        result[(y * width + x) * 3 + c] = sum
      }
  return { height, width, values: result }
}

const smooth = (plane: Plane): Plane => filtered(filtered(plane, 'rows'), 'columns')

/** A new plane, value by value. */
const planeOf = (height: number, width: number, value: (y: number, x: number, c: number) => number): Plane => {
  const values = new Float32Array(height * width * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) values[(y * width + x) * 3 + c] = value(y, x, c)
  return { height, width, values }
}

const valueAt = ({ width, values }: Plane, y: number, x: number, c: number): number =>
  values[(y * width + x) * 3 + c] ?? 0

/** Every second row and column of the smoothed picture. */
const reduced = (plane: Plane): Plane => {
  const soft = smooth(plane)
  return planeOf(Math.ceil(plane.height / 2), Math.ceil(plane.width / 2), (y, x, c) => valueAt(soft, 2 * y, 2 * x, c))
}

/** Twice the size: zeros between, smoothed, times four. */
const expanded = (plane: Plane, { height, width }: Plane): Plane => {
  const sparse = planeOf(height, width, (y, x, c) =>
    y % 2 === 0 && x % 2 === 0 ? 4 * valueAt(plane, y / 2, x / 2, c) : 0,
  )
  return smooth(sparse)
}

/** The bytes of a picture as numbers in [−1, 1]. */
export const planeOfPicture = ({ height, width }: Pick<Pictures, 'height' | 'width'>, pixels: Uint8Array): Plane => ({
  height,
  width,
  values: Float32Array.from(pixels, (byte) => byte / 127.5 - 1),
})

/**
 * The levels of a picture, the finest first; the last holds what is left, the small smoothed picture itself. Together they hold the picture.
 *
 * @param levels at least 1
 */
export const pyramid = (plane: Plane, levels: number): readonly Plane[] => {
  if (levels === 1) return [plane]
  const smaller = reduced(plane)
  const soft = expanded(smaller, plane)
  const detail = { ...plane, values: plane.values.map((value, i) => value - (soft.values[i] ?? 0)) }
  return [detail, ...pyramid(smaller, levels - 1)]
}

/** Pictures of this size and below are not halved again (Karras et al. 2018 end at 16 pixels). */
const smallest = 16

/** How many levels there are of pictures of this size: two at least, because detail is hidden in what is not parted from it. */
export const levelsOf = ({ height, width }: Pick<Pictures, 'height' | 'width'>): number =>
  Math.max(2, 1 + Math.floor(Math.log2(Math.min(height, width) / smallest)))
