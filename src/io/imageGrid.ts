/** Many small pictures in one: the sheet of samples that training writes. */
import { requireKnown } from '../prelude/options.ts'
import { range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import type { PixelImage } from './png.ts'

/** The size of each picture and how the sheet looks. */
export type ImageGridOptions = {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  /** Pictures in a row; by default as many as make the sheet nearly square. */
  readonly columns?: number
  /** Pixels between pictures and around them, default 2. */
  readonly gap?: number
  /** Each pixel becomes scale × scale; by default the longer side of a picture reaches 64. */
  readonly scale?: number
}

/** The sheet's colour in the gaps: deep water, #0d1520. */
const background: { readonly [C in 1 | 3 | 4]: readonly number[] } = {
  1: [20],
  3: [13, 21, 32],
  4: [13, 21, 32, 255],
}

/** Copies one picture into the sheet, each pixel scale × scale times. */
const blit = (
  sheet: PixelImage,
  image: Uint8Array,
  top: number,
  left: number,
  scale: number,
  { height, width }: ImageGridOptions,
): void => {
  const c = sheet.channels
  const row = new Uint8Array(width * scale * c)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (y * width + Math.floor(x / scale)) * c
      for (let k = 0; k < c; k++) row[x * c + k] = image[from + k] as number
    }
    for (let copy = 0; copy < scale; copy++) sheet.pixels.set(row, ((top + y * scale + copy) * sheet.width + left) * c)
  }
}

const requireWhole = (what: string, value: number, least: number): number => {
  if (Number.isInteger(value) && value >= least) return value
  throw new ShapeError(`imageGrid: ${what} is ${value}, and must be an integer of at least ${least}`)
}

/**
 * Lays pictures out row by row on a dark sheet.
 *
 * @param images each [height, width, channels], 0 … 255; at least one
 * @throws ShapeError when there is none, or one has another size
 * @example
 * ```ts
 * import { imageGrid } from 'fathom/io'
 *
 * const white = new Uint8Array(8 * 8).fill(255)
 * const sheet = imageGrid([white, white, white], { height: 8, width: 8, channels: 1, gap: 1, scale: 1 })
 * sheet.width // => 19
 * sheet.height // => 19
 * sheet.pixels.subarray(19, 30) // => [20, 255, 255, 255, 255, 255, 255, 255, 255, 20, 255]
 * ```
 */
export const imageGrid = (images: readonly Uint8Array[], options: ImageGridOptions): PixelImage => {
  requireKnown('imageGrid', options, ['height', 'width', 'channels', 'columns', 'gap', 'scale'])
  const { height, width, channels } = options
  const n = requireWhole('the number of pictures', images.length, 1)
  const wrong = images.find((image) => image.length !== height * width * channels)
  if (wrong)
    throw new ShapeError(
      `imageGrid: a picture has ${wrong.length} bytes, ` +
        `expected ${height}×${width}×${channels} (height, width, channels)`,
    )
  const gap = requireWhole('gap', options.gap ?? 2, 0)
  const scale = requireWhole('scale', options.scale ?? Math.max(1, Math.ceil(64 / Math.max(height, width))), 1)
  const columns = requireWhole(
    'columns',
    options.columns ?? Math.min(n, Math.max(1, Math.ceil(Math.sqrt((n * height) / width)))),
    1,
  )
  const rows = Math.ceil(n / columns)
  const sheetWidth = columns * (width * scale + gap) + gap
  const sheetHeight = rows * (height * scale + gap) + gap
  const pixels = new Uint8Array(sheetWidth * sheetHeight * channels)
  for (const k of range(channels))
    for (let i = k; i < pixels.length; i += channels) pixels[i] = background[channels][k] ?? 0
  const sheet: PixelImage = { width: sheetWidth, height: sheetHeight, channels, pixels }
  images.forEach((image, i) => {
    const top = gap + Math.floor(i / columns) * (height * scale + gap)
    const left = gap + (i % columns) * (width * scale + gap)
    blit(sheet, image, top, left, scale, options)
  })
  return sheet
}
