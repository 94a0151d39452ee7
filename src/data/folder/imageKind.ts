/**
 * What a file is, by its first bytes and never by its name: a phone's `.jpg` may be HEIC, and a failed download is a
 * web page.
 *
 * Sources: PNG (W3C) 5.2, JPEG (T.81) B.1, WebP container, GIF89a, TIFF 6.0 section 2, ISO/IEC 14496-12 `ftyp`, and
 * file(1)'s magic.
 */
import { isCameraRaw } from './tiff.ts'
import type { SkipReason } from './skipReason.ts'

/** The formats that are decoded; HEIC where its decoder is installed. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'tiff' | 'avif' | 'gif' | 'heic'

/** A picture that can be decoded, or something else with the reason that it cannot. */
export type FileKind =
  | { readonly _tag: 'Image'; readonly format: ImageFormat; readonly kind: string }
  | { readonly _tag: 'Other'; readonly reason: SkipReason; readonly kind: string }

/** Bytes from the start of a file that {@link imageKind} wants to see; fewer only when the file has fewer. */
export const headBytes = 65536

const image = (format: ImageFormat): FileKind => ({ _tag: 'Image', format, kind: formatNames[format] })
const other = (reason: SkipReason, kind: string): FileKind => ({ _tag: 'Other', reason, kind })

/** How people write the formats. */
export const formatNames: { readonly [F in ImageFormat]: string } = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  tiff: 'TIFF',
  avif: 'AVIF',
  gif: 'GIF',
  heic: 'HEIC',
}

/** `length` bytes at `offset` as Latin-1; shorter at the end. */
export const latin1 = (bytes: Uint8Array, offset: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + length))

type Signature = readonly [offset: number, text: string, kind: FileKind]

const signatures: readonly Signature[] = [
  [0, '\x89PNG\r\n\x1a\n', image('png')],
  [0, '\xff\xd8\xff', image('jpeg')],
  [0, 'GIF87a', image('gif')],
  [0, 'GIF89a', image('gif')],
  [8, 'WEBP', image('webp')],
  [0, 'IIU\0', other('camera-raw', 'Panasonic raw')],
  [0, 'IIRO', other('camera-raw', 'Olympus raw')],
  [0, 'IIRS', other('camera-raw', 'Olympus raw')],
  [0, 'MMOR', other('camera-raw', 'Olympus raw')],
  [0, 'FUJIFILMCCD-RAW', other('camera-raw', 'Fujifilm raw')],
  [0, 'FOVb', other('camera-raw', 'Sigma raw')],
  [0, '\0\0\0\x0cJXL \r\n', other('unsupported-image', 'JPEG XL')],
  [0, '\xff\x0a', other('unsupported-image', 'JPEG XL')],
  [0, '\0\0\0\x0cjP  \r\n', other('unsupported-image', 'JPEG 2000')],
  [0, '\xff\x4f\xff\x51', other('unsupported-image', 'JPEG 2000')],
  [0, '8BPS', other('unsupported-image', 'Photoshop')],
  [0, 'v/1\x01', other('unsupported-image', 'OpenEXR')],
  [0, '#?RADIANCE', other('unsupported-image', 'Radiance HDR')],
  [0, 'DDS ', other('unsupported-image', 'DDS')],
  [0, '\0\0\x01\0', other('unsupported-image', 'icon')],
  [0, 'qoif', other('unsupported-image', 'QOI')],
  [0, '%PDF-', other('not-an-image', 'PDF')],
  [0, 'PK\x03\x04', other('not-an-image', 'ZIP')],
  [0, '\x1f\x8b', other('not-an-image', 'gzip')],
  [0, '\x1aE\xdf\xa3', other('video', 'Matroska')],
  [8, 'AVI ', other('video', 'AVI')],
  [4, 'moov', other('video', 'QuickTime')],
  [4, 'mdat', other('video', 'QuickTime')],
]

const heicBrands = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1', 'mif2'])

/** ISO media files: the major brand, then the compatible brands, say which codec is inside. */
const isoKind = (head: Uint8Array): FileKind => {
  const size = (head[2] ?? 0) * 256 + (head[3] ?? 0)
  const brands: readonly string[] = latin1(head, 8, Math.min(size, 256) - 8).match(/[^]{4}/g) ?? []
  const major = brands[0] ?? ''
  if (major === 'avif' || major === 'avis') return image('avif')
  if (major.startsWith('crx')) return other('camera-raw', 'Canon raw')
  if (!heicBrands.has(major)) return other('video', major.startsWith('qt') ? 'QuickTime' : 'MP4')
  // `mif1` names only the container; AVIF and HEIC both use it, and the compatible brands tell.
  return /^(mif|msf)/.test(major) && brands.includes('avif') ? image('avif') : image('heic')
}

const tiffKind = (head: Uint8Array): FileKind => {
  if (latin1(head, 8, 2) === 'CR') return other('camera-raw', 'Canon raw')
  return isCameraRaw(head) ? other('camera-raw', 'camera raw') : image('tiff')
}

/** BMP's two letters also start English text, so its reserved zeros and the header length must fit too. */
const isBmp = (head: Uint8Array): boolean =>
  latin1(head, 0, 2) === 'BM' &&
  latin1(head, 6, 4) === '\0\0\0\0' &&
  [12, 40, 52, 56, 64, 108, 124].includes(head[14] ?? 0)

/**
 * Whole UTF-8 without NUL and with few controls, or UTF-16 with its mark. A character cut at the end of the head is
 * forgiven.
 */
const isText = (head: Uint8Array): boolean => {
  if (/^(\xff\xfe|\xfe\xff)/.test(latin1(head, 0, 2))) return true
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return !/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text)
  } catch {
    return false
  }
}

const textKind = (head: Uint8Array): FileKind => {
  const start = latin1(head, 0, 512)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()
    .toLowerCase()
  if (start.startsWith('version https://git-lfs')) return other('git-lfs-pointer', 'Git LFS pointer')
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return other('web-page', 'web page')
  if (/^(<\?xml[^]*?)?(<!--[^]*?-->\s*)?(<!doctype svg[^]*?)?<svg[\s>]/.test(start))
    return other('unsupported-image', 'SVG')
  return other('text', 'text')
}

/**
 * What a file is.
 *
 * @param head the first {@link headBytes} bytes, or all of a shorter file; at least one byte
 */
export const imageKind = (head: Uint8Array): FileKind => {
  const known = signatures.find(([offset, text]) => latin1(head, offset, text.length) === text)
  if (known !== undefined) return known[2]
  if (latin1(head, 4, 4) === 'ftyp') return isoKind(head)
  if (/^(II[*+]\0|MM\0[*+])/.test(latin1(head, 0, 4))) return tiffKind(head)
  if (isBmp(head)) return other('unsupported-image', 'BMP')
  return isText(head) ? textKind(head) : other('not-an-image', 'unknown data')
}
