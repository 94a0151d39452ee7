/** Pictures as the estimators see them: the luma of each row. */
import { luma } from '../../data/seas/colour.ts'
import { range } from '../../prelude/array.ts'

/** RGB bytes [height, width, 3], row by row from the top. */
export interface Picture {
  readonly height: number
  readonly width: number
  readonly pixels: Uint8Array
}

/** The three bytes of the p-th pixel. */
export const pixelAt = ({ pixels }: Picture, p: number): readonly [number, number, number] => [
  pixels[3 * p] ?? 0,
  pixels[3 * p + 1] ?? 0,
  pixels[3 * p + 2] ?? 0,
]

/** The luma of each pixel, 0 … 255: [height][width]. */
export const lumaRows = (picture: Picture): readonly (readonly number[])[] =>
  range(picture.height).map((y) => range(picture.width).map((x) => luma(pixelAt(picture, y * picture.width + x))))
