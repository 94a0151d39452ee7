/** Pictures of digits on one sheet, eight in a row. */
import { encodePng, imageGrid } from 'fathom/io'
import { side } from './digits.ts'

/** The bytes of a PNG of pictures u8 [N, 28, 28, 1]. */
export const sheetOf = (bytes: Uint8Array): Uint8Array => {
  const size = side * side
  const each = Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  return encodePng(imageGrid(each, { height: side, width: side, channels: 1, columns: 8, scale: 2 }))
}
