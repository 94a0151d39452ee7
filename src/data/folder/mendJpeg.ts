/**
 * Oddities in the header of a JPEG that sound cameras and programs leave, put right, so that a strict decoder's
 * warnings are about the pixels alone.
 *
 * Padding between segments, spectral limits of a sequential scan that are not 0 … 63, an Adobe transform of no meaning.
 * Sources: T.81 B.1.1.2, B.2.3 and table B.3; Adobe technical note 5116, section 18.
 */

/** What a strict decoder says of these; whatever else it says is damage. */
const harmless =
  /extraneous bytes before marker|Invalid SOS parameters|Unknown Adobe color transform|unknown JFIF revision|progression sequence/i

/** Whether all lines of a decoder's message are about oddities that do not touch the pixels. */
export const isHarmlessOddity = (message: string): boolean =>
  message
    .trim()
    .split('\n')
    .every((line) => harmless.test(line))

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)

/** The spectral limits of a scan that is alone: all 64 coefficients, all their bits. */
const withWholeSpectrum = (scan: Uint8Array): Uint8Array => {
  const copy = scan.slice()
  copy.set([0, 63, 0], copy.length - 3)
  return copy
}

/** An Adobe segment whose transform is not 0 (RGB, CMYK), 1 (YCbCr) or 2 (YCCK). */
const isOddAdobe = (segment: Uint8Array): boolean =>
  segment[1] === 0xee &&
  segment.length === 16 &&
  String.fromCharCode(...segment.subarray(4, 9)) === 'Adobe' &&
  (segment[15] ?? 0) > 2

/** 0xFF and a marker; a second 0xFF is a fill byte, and 0 says that it was none. */
const isMarkerAt = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0xff && bytes[at + 1] !== 0xff && bytes[at + 1] !== 0

/** Copies a header's segments up to the first scan's data, then the rest as it is. */
export const mendJpeg = (bytes: Uint8Array): Uint8Array => {
  const parts: Uint8Array[] = [bytes.subarray(0, 2)]
  let sequential = false
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0
    if (!isMarkerAt(bytes, at)) {
      at++ // padding
      continue
    }
    const end = at + 2 + u16(bytes, at + 2)
    const segment = bytes.subarray(at, end)
    if (marker === 0xc0 || marker === 0xc1) sequential = true
    if (marker === 0xda) {
      parts.push(sequential ? withWholeSpectrum(segment) : segment, bytes.subarray(end))
      break
    }
    if (!isOddAdobe(segment)) parts.push(segment)
    at = end
  }
  return Buffer.concat(parts)
}
