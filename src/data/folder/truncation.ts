/**
 * Whether a picture file was cut off, found from its container and without decoding it.
 *
 * The decoder alone does not notice: with a centre crop it stops reading before the missing rows (a 200×4000 JPEG cut
 * to 60 % decodes
 * "well" with sharp's `failOn: 'error'`), and a PNG that lacks only its last chunk passes too.
 *
 * Sources: PNG (W3C) 5.3, T.81 B.1.1, GIF89a 15–27, RIFF, ISO/IEC 14496-12 4.2, TIFF 6.0.
 */
import type { ImageFormat } from './imageKind.ts'
import { latin1 } from './imageKind.ts'
import { viewOf } from './isoBoxes.ts'
import { extentsReachBeyond } from './isoItems.ts'
import { isTiffTruncated } from './tiff.ts'

/** Chunks are length, type, data, CRC; the last is IEND. */
const pngTruncated = (bytes: Uint8Array): boolean => {
  const view = viewOf(bytes)
  let at = 8
  while (at + 12 <= bytes.length) {
    const next = at + 12 + view.getUint32(at)
    const type = latin1(bytes, at + 4, 4)
    if (type === 'IEND') return next > bytes.length
    if (!/^[A-Za-z]{4}$/.test(type)) return true // no chunk: zeros where a download reserved its space
    at = next
  }
  return true
}

/** Markers that no length follows: stuffing, TEM, restarts and SOI. */
const standsAlone = (marker: number): boolean =>
  marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)

/** After the marker at `at`, and after its segment where it has one. */
const afterMarker = (bytes: Uint8Array, at: number): number => {
  const marker = bytes[at + 1] ?? 0
  if (marker === 0xff) return at + 1 // a fill byte
  return standsAlone(marker) ? at + 2 : at + 2 + (bytes[at + 2] ?? 0) * 256 + (bytes[at + 3] ?? 0)
}

/**
 * Segments with a length, except that entropy-coded data follows SOS until a marker that is neither stuffing nor a
 * restart.
 */
const jpegTruncated = (bytes: Uint8Array): boolean => {
  let at = 2
  while (at + 1 < bytes.length) {
    if (bytes[at] === 0xff) {
      if (bytes[at + 1] === 0xd9) return false
      at = afterMarker(bytes, at)
    } else {
      at = bytes.indexOf(0xff, at)
      if (at < 0) return true
    }
  }
  return true
}

/** After a run of sub-blocks (length, data, …, 0); beyond the end when cut. */
const afterSubBlocks = (bytes: Uint8Array, start: number): number => {
  let at = start
  while (at < bytes.length && bytes[at] !== 0) at += 1 + (bytes[at] as number)
  return at + 1
}

const colourTableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))

/** Header, global colours, then extensions (0x21) and images (0x2C) until the trailer (0x3B). */
const gifTruncated = (bytes: Uint8Array): boolean => {
  let at = 13 + colourTableBytes(bytes[10] ?? 0)
  while (at < bytes.length) {
    if (bytes[at] === 0x3b) return false
    else if (bytes[at] === 0x21) at = afterSubBlocks(bytes, at + 2)
    else if (bytes[at] === 0x2c) at = afterSubBlocks(bytes, at + 11 + colourTableBytes(bytes[at + 9] ?? 0))
    else return false // not a block: damage, which the decoder names better
  }
  return true
}

/** Boxes with their lengths; 0 means "to the end", 1 that 64 bits follow the type. */
const isoTruncated = (bytes: Uint8Array): boolean => {
  const view = viewOf(bytes)
  let at = 0
  while (at + 8 <= bytes.length) {
    const short = view.getUint32(at)
    if (short === 0) return false
    if (short === 1 && at + 16 > bytes.length) return true
    const length = short === 1 ? Number(view.getBigUint64(at + 8)) : short
    if (length < 8) return false // damage, which the decoder names better
    at += length
  }
  return at > bytes.length
}

/** The file, and in it the first chunk that reaches beyond the length that the file claims. */
const webpTruncated = (bytes: Uint8Array): boolean => {
  if (bytes.length < 20) return true
  const claimed = viewOf(bytes).getUint32(4, true) + 8
  return claimed > bytes.length || 20 + viewOf(bytes).getUint32(16, true) > claimed
}

const rules: { readonly [F in ImageFormat]: (bytes: Uint8Array) => boolean } = {
  png: pngTruncated,
  jpeg: jpegTruncated,
  gif: gifTruncated,
  heic: (bytes) => isoTruncated(bytes) || extentsReachBeyond(bytes),
  avif: isoTruncated,
  webp: webpTruncated,
  tiff: isTiffTruncated,
}

/** Whether the whole file `bytes`, which starts with the magic of `format`, ends too early. */
export const isTruncated = (format: ImageFormat, bytes: Uint8Array): boolean => rules[format](bytes)

const endings: { readonly [F in ImageFormat]?: string } = {
  png: '\0\0\0\0IEND\xaeB`\x82',
  jpeg: '\xff\xd9',
  gif: '\0;',
}

/**
 * Whether the last bytes of a file are the format's proper end, so that most files need not be read whole to be listed.
 * `false` says nothing:
 * a camera may have appended data, and {@link isTruncated} decides.
 *
 * @param tail the last 16 bytes or more
 */
export const endsProperly = (format: ImageFormat, tail: Uint8Array): boolean => {
  const ending = endings[format]
  return ending !== undefined && latin1(tail, tail.length - ending.length, ending.length) === ending
}
