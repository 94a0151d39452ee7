/**
 * What a picture's header says, read before anything is decoded: a file of 600 kB may claim 30,000×30,000 pixels, and
 * is refused here.
 */
import { E } from '../../prelude/fp.ts'
import type { ImageFormat } from './imageKind.ts'
import { headBytes, imageKind } from './imageKind.ts'
import type { Limits } from './limits.ts'
import type { Sharp } from './sharp.node.ts'
import type { Fault } from './skipReason.ts'
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
  /** More than 8 bits a sample. */
  readonly deep: boolean
  /** An ICC profile is embedded. */
  readonly profile: boolean
}

/** Formats whose header libvips reads from the head alone; it wants WebP and TIFF whole. */
const headSuffices: { readonly [F in ImageFormat]: boolean } = {
  png: true,
  jpeg: true,
  gif: true,
  avif: true,
  webp: false,
  tiff: false,
}

/** Without sharp's own limit on pixels: ours reports the size that was claimed. */
const metadataOf = async (
  sharp: Sharp,
  bytes: Uint8Array,
): Promise<E.Either<string, Omit<Header, 'format' | 'kind'>>> => {
  try {
    const m = await sharp(bytes, { failOn: 'none', limitInputPixels: false }).metadata()
    const { width, height } = m.autoOrient
    return E.right({ width, height, alpha: m.hasAlpha, deep: m.depth === 'ushort', profile: m.hasProfile })
  } catch (error) {
    return E.left(vipsMessage(error))
  }
}

/** libvips stacks messages; the last line is the cause. */
export const vipsMessage = (error: unknown): string => {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  return lines[lines.length - 1] ?? ''
}

const sizeText = (width: number, height: number): string => {
  const gigabytes = ((width * height * 3) / 1e9).toFixed(1)
  return `${width.toLocaleString('en-US')}×${height.toLocaleString('en-US')} pixels (${gigabytes} GB decoded)`
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
): Promise<E.Either<Fault, Header>> => {
  if (source.bytes === 0) return E.left({ reason: 'empty', kind: 'file', detail: 'It has 0 bytes.' })
  const head = await source.read(0, Math.min(headBytes, source.bytes))
  const what = imageKind(head)
  const { kind } = what
  if (what._tag === 'Other') return E.left({ reason: what.reason, kind, detail: `Its bytes are ${kind}.` })
  if (source.bytes > limits.maxBytes)
    return E.left({
      reason: 'too-many-bytes',
      kind,
      detail: `It has ${source.bytes} bytes; the limit is ${limits.maxBytes}.`,
    })

  const whole = once(() => source.read(0, source.bytes))
  const fromHead = headSuffices[what.format] ? await metadataOf(sharp, head) : E.left('')
  const metadata = E.isRight(fromHead) ? fromHead : await metadataOf(sharp, await whole())
  if (E.isRight(metadata) && metadata.right.width * metadata.right.height > limits.maxPixels) {
    const { width, height } = metadata.right
    const limit = limits.maxPixels.toLocaleString('en-US')
    return E.left({
      reason: 'too-many-pixels',
      kind,
      detail: `It says ${sizeText(width, height)}; the limit is ${limit} pixels.`,
    })
  }
  const tail = await source.read(Math.max(0, source.bytes - 16), Math.min(16, source.bytes))
  if (!endsProperly(what.format, tail) && isTruncated(what.format, await whole()))
    return E.left({ reason: 'truncated', kind, detail: `The ${kind} data end too early, after ${source.bytes} bytes.` })
  if (E.isLeft(metadata))
    return E.left({ reason: 'corrupt', kind, detail: `Its ${kind} header cannot be read: ${metadata.left}.` })
  return E.right({ format: what.format, kind, ...metadata.right })
}

const once = <A>(f: () => Promise<A>): (() => Promise<A>) => {
  let result: Promise<A> | undefined
  return () => (result ??= f())
}
