/**
 * What a picture's header says, read before anything is decoded: a file of 600 kB may claim 30,000×30,000 pixels, and
 * is refused here.
 */
import { E } from '../../prelude/fp.ts'
import { heicInstalled } from './heic.node.ts'
import type { ImageFormat } from './imageKind.ts'
import { headBytes, imageKind } from './imageKind.ts'
import { isoPicture, type IsoPicture } from './isoPicture.ts'
import type { Limits } from './limits.ts'
import { decoderObjection, sampleObjection, tiffHasOpacity } from './samples.ts'
import type { Sharp } from './sharp.node.ts'
import type { Fault, SkipReason } from './skipReason.ts'
import { endsProperly, isTruncated } from './truncation.ts'

/** Bytes that can be read at an offset: an open file, or a buffer. */
export interface ByteSource {
  readonly bytes: number
  readonly read: (offset: number, length: number) => Promise<Uint8Array>
}

/** A picture's header. */
export interface Header {
  readonly format: ImageFormat
  readonly kind: string
  /** Pixels, after the EXIF orientation. */
  readonly width: number
  readonly height: number
  readonly alpha: boolean
  /** There is a channel after the colours that is not opacity: it is no part of the picture. */
  readonly idleChannel: boolean
  /** More than 8 bits a sample. */
  readonly deep: boolean
  /** An ICC profile is embedded. */
  readonly profile: boolean
  /** Of AVIF and HEIC: the profile, and the number of the primaries (ITU-T H.273) where colours are named by number. */
  readonly icc?: Uint8Array
  readonly primaries?: number
}

/** Formats whose header is read from the head alone; libvips wants WebP and TIFF whole. */
const headSuffices: { readonly [F in ImageFormat]: boolean } = {
  png: true,
  jpeg: true,
  gif: true,
  avif: true,
  heic: true,
  webp: false,
  tiff: false,
}

type Metadata = Omit<Header, 'format' | 'kind' | 'icc' | 'primaries' | 'idleChannel'> & {
  /** Why its samples are not decoded, if so. */
  readonly objection: string | undefined
}

/** Without sharp's own limit on pixels: ours reports the size that was claimed. */
const sharpMetadata = async (sharp: Sharp, bytes: Uint8Array): Promise<E.Either<string, Metadata>> => {
  try {
    const m = await sharp(bytes, { failOn: 'none', limitInputPixels: false }).metadata()
    const { width, height } = m.autoOrient
    const objection = decoderObjection(m)
    return E.right({ width, height, alpha: m.hasAlpha, deep: m.depth === 'ushort', profile: m.hasProfile, objection })
  } catch (error) {
    return E.left(vipsMessage(error))
  }
}

/** sharp knows no HEIC: its boxes say all. */
const heicMetadata = (iso: IsoPicture | undefined): E.Either<string, Metadata> =>
  iso === undefined
    ? E.left('its boxes do not name a picture')
    : E.right({
        width: iso.width,
        height: iso.height,
        alpha: iso.alpha,
        deep: false,
        profile: iso.icc !== undefined,
        objection: undefined,
      })

/** libvips stacks messages; the last line is the cause. */
export const vipsMessage = (error: unknown): string => {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  return lines[lines.length - 1] ?? ''
}

const sizeText = (width: number, height: number): string => {
  const gigabytes = ((width * height * 3) / 1e9).toFixed(1)
  return `${width.toLocaleString('en-US')}×${height.toLocaleString('en-US')} pixels (${gigabytes} GB decoded)`
}

const hasBoxes = (format: ImageFormat): boolean => format === 'avif' || format === 'heic'

const fault = (reason: SkipReason, kind: string, detail: string): E.Either<Fault, never> =>
  E.left({ reason, kind, detail })

/** The same for the head, or for all when the head was too little. */
const headerOf = async (
  sharp: Sharp,
  format: ImageFormat,
  bytes: Uint8Array,
): Promise<E.Either<string, Omit<Header, 'kind'> & Pick<Metadata, 'objection'>>> => {
  const iso = hasBoxes(format) ? isoPicture(bytes) : undefined
  const metadata = format === 'heic' ? heicMetadata(iso) : await sharpMetadata(sharp, bytes)
  const objection = sampleObjection(format, bytes, iso)
  if (E.isLeft(metadata)) return metadata
  const { width, height, alpha, deep, profile, objection: decoders } = metadata.right
  const idleChannel = format === 'tiff' && alpha && !tiffHasOpacity(bytes)
  return E.right({
    format,
    width,
    height,
    alpha: alpha && !idleChannel,
    idleChannel,
    deep,
    profile,
    objection: objection ?? decoders,
    ...(iso?.icc === undefined ? {} : { icc: iso.icc }),
    ...(iso?.nclx === undefined ? {} : { primaries: iso.nclx.primaries }),
  })
}

/** A header as far as it could be read, turned into what is used or why it is not. */
const judged = (
  format: ImageFormat,
  kind: string,
  header: E.Either<string, Omit<Header, 'kind'> & Pick<Metadata, 'objection'>>,
  bytes: Uint8Array,
): E.Either<Fault, Header> => {
  // Where the decoder does not read the header at all, the samples may be why.
  const objection = E.isRight(header) ? header.right.objection : sampleObjection(format, bytes, undefined)
  if (objection !== undefined) return fault('unsupported-samples', kind, objection)
  if (E.isLeft(header)) return fault('corrupt', kind, `Its ${kind} header cannot be read: ${header.left}.`)
  const { objection: _none, ...rest } = header.right
  return E.right({ kind, ...rest })
}

/** The header of what looks like a picture. */
const pictureHeader = async (
  sharp: Sharp,
  source: ByteSource,
  head: Uint8Array,
  { format, kind }: { readonly format: ImageFormat; readonly kind: string },
  { maxPixels }: Limits,
): Promise<E.Either<Fault, Header>> => {
  const whole = once(() => source.read(0, source.bytes))
  const fromHead = headSuffices[format] ? await headerOf(sharp, format, head) : E.left('')
  const header = E.isRight(fromHead) ? fromHead : await headerOf(sharp, format, await whole())
  if (E.isRight(header) && header.right.width * header.right.height > maxPixels) {
    const { width, height } = header.right
    const limit = maxPixels.toLocaleString('en-US')
    return fault('too-many-pixels', kind, `It says ${sizeText(width, height)}; the limit is ${limit} pixels.`)
  }
  const tail = await source.read(Math.max(0, source.bytes - 16), Math.min(16, source.bytes))
  if (!endsProperly(format, tail) && isTruncated(format, await whole()))
    return fault('truncated', kind, `The ${kind} data end too early, after ${source.bytes} bytes.`)
  return judged(format, kind, header, E.isRight(header) ? head : await whole())
}

/**
 * The header of a picture, or why it has none. Reads 64 KiB, and 16 bytes at the end; all of it for WebP, TIFF and
 * files with an odd end.
 * What `source.read` throws passes through.
 */
export const readHeader = async (
  sharp: Sharp,
  source: ByteSource,
  limits: Limits,
  heicReadable: boolean = heicInstalled(),
): Promise<E.Either<Fault, Header>> => {
  if (source.bytes === 0) return fault('empty', 'file', 'It has 0 bytes.')
  const head = await source.read(0, Math.min(headBytes, source.bytes))
  const what = imageKind(head)
  const { kind } = what
  if (what._tag === 'Other') return fault(what.reason, kind, `Its bytes are ${kind}.`)
  if (what.format === 'heic' && !heicReadable) return fault('heic', kind, 'Its bytes are HEIC.')
  if (source.bytes > limits.maxBytes)
    return fault('too-many-bytes', kind, `It has ${source.bytes} bytes; the limit is ${limits.maxBytes}.`)
  return pictureHeader(sharp, source, head, what, limits)
}

const once = <A>(f: () => Promise<A>): (() => Promise<A>) => {
  let result: Promise<A> | undefined
  return () => (result ??= f())
}
