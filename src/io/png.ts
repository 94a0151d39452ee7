/** PNG from pixels and back, by pngjs: 8 bits a channel, grey, RGB or RGBA. */
import { PNG } from 'pngjs'
import { ShapeError } from '../prelude/errors.ts'

/**
 * A picture: rows from the top, channels interleaved (grey, RGB or RGBA), 0 … 255. `pixels` is [height, width,
 * channels].
 */
export type PixelImage = {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  readonly pixels: Uint8Array
}

/** PNG colour types (PNG specification, 11.2.2): grey, truecolour, truecolour with alpha. */
const colorTypes = { 1: 0, 3: 2, 4: 6 } as const

/**
 * Encodes a picture as a PNG file.
 *
 * @throws ShapeError when `pixels` does not hold height × width × channels bytes, or a side is 0 (which PNG cannot say)
 * @example
 * ```ts
 * import { encodePng } from 'fathom/io'
 *
 * const file = encodePng({ width: 2, height: 1, channels: 1, pixels: Uint8Array.of(0, 255) })
 * new TextDecoder().decode(file.subarray(1, 4)) // => 'PNG'
 * ```
 */
export const encodePng = ({ width, height, channels, pixels }: PixelImage): Uint8Array => {
  if (!(width > 0 && height > 0) || pixels.length !== width * height * channels) {
    throw new ShapeError(
      `encodePng: ${pixels.length} bytes are not a picture of ${height}×${width}×${channels} (height, width, channels)`,
    )
  }
  const png = new PNG({ width, height })
  // 4 bytes a pixel are there; with input and output of one colour type pngjs reads only the first
  // height × width × channels
  png.data.set(pixels)
  const colorType = colorTypes[channels]
  return PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: channels === 4, bitDepth: 8 })
}

/**
 * Decodes a PNG file of any kind to RGBA.
 *
 * @throws Error from pngjs for bytes that are not a PNG: this is for files that fathom wrote; photographs go through
 *   `sharp`
 * @example
 * ```ts
 * import { decodePng, encodePng } from 'fathom/io'
 *
 * const file = encodePng({ width: 1, height: 1, channels: 3, pixels: Uint8Array.of(11, 110, 153) })
 * decodePng(file) // => { width: 1, height: 1, channels: 4, pixels: [11, 110, 153, 255] }
 * ```
 */
export const decodePng = (bytes: Uint8Array): PixelImage => {
  // A Buffer of pngjs's own making: browsers have no global one.
  const copy = new PNG({ width: Math.max(1, Math.ceil(bytes.length / 4)), height: 1 }).data
  copy.set(bytes)
  const { width, height, data } = PNG.sync.read(copy.subarray(0, bytes.length))
  return { width, height, channels: 4, pixels: new Uint8Array(data) }
}
