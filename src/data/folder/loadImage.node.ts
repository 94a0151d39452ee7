/**
 * One picture file → bytes of one size: upright, sRGB, 8 bits, cut to the middle.
 *
 * Measured with sharp 0.35.5, and the reason for the detours below: it drops the low byte of 16-bit samples (0x00ff →
 * 0), and it leaves a
 * 16-bit picture with an embedded profile in Display P3 unless asked for sRGB by name.
 */
import { E, TE, pipe } from '../../prelude/fp.ts'
import type { DataError } from './dataError.ts'
import { dataError, fileError } from './dataError.ts'
import type { FileSystem } from './fileSystem.node.ts'
import { errnoOf, nodeFileSystem } from './fileSystem.node.ts'
import type { DecodedImage, DecodeOptions, ImageShape } from './decodeOptions.ts'
import type { Header } from './imageHeader.node.ts'
import { readHeader, vipsMessage } from './imageHeader.node.ts'
import { decodeHeic } from './heic.node.ts'
import type { ImageFormat } from './imageKind.ts'
import { defaultLimits } from './limits.ts'
import { isHarmlessOddity, mendJpeg } from './mendJpeg.ts'
import { displayP3, p3Profile } from './p3Profile.node.ts'
import { rawTiff } from './rawTiff.ts'
import type { Sharp } from './sharp.node.ts'
import { loadSharp } from './sharp.node.ts'
import type { Fault } from './skipReason.ts'
import { webpToDoubt, zerosInHeic } from './zeroFill.ts'

/** Seconds that decoding one picture may take, unless told. */
const defaultTimeout = 10

/** 65535 → 255 and everything between to the nearest: `round(v / 257)`. */
const to8Bits = (samples: Uint16Array): Uint8Array => {
  const bytes = new Uint8Array(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = Math.floor(((samples[i] as number) + 128) / 257)
  return bytes
}

/** What a failed decoding says of its file. `seconds`: how long it took, because the messages of a stopped decoder vary. */
const decodeFault = ({ kind }: Header, error: unknown, seconds: number, timeout: number): Fault => {
  const all = error instanceof Error ? error.message : String(error)
  const message = vipsMessage(error)
  if (/timeout|killed for image/i.test(all) || seconds >= timeout)
    return {
      reason: 'too-slow',
      kind,
      detail: `It was not decoded in ${timeout} s.`,
    }
  if (/out of memory|cannot allocate|allocation fail|bad_alloc|memory_allocation|resource temporarily/i.test(all))
    return { reason: 'out-of-memory', kind, detail: `The memory was not enough to decode it (${message}).` }
  if (/premature|truncated|unexpected end|end of (file|stream)|not enough/i.test(all))
    return { reason: 'truncated', kind, detail: `The ${kind} data end too early (${message}).` }
  return { reason: 'corrupt', kind, detail: `The ${kind} data are damaged (${message}).` }
}

/**
 * How strict the decoder is. JPEG, GIF and TIFF decoders draw grey or noise in the place of what is damaged and only
 * warn; PNG and AVIF fail of themselves, and PNG's warnings are about profiles.
 */
const strictness: { readonly [F in ImageFormat]: 'warning' | 'error' } = {
  jpeg: 'warning',
  gif: 'warning',
  tiff: 'warning',
  png: 'error',
  avif: 'error',
  webp: 'error',
  heic: 'error',
}

/**
 * JPEG of more rows than this is decoded at a half to an eighth of its size when that suffices, in less than half the
 * time; but then damage in the last 8 rows of the smaller picture, 64 of its own, goes unseen. An extract of the whole
 * keeps sharp from it: smaller pictures, of which 64 rows are much, are decoded in full.
 */
const shrunkRows = 2048

/**
 * The chain of operations; see sharp's pipeline.cc for its fixed order: orient, profile → sRGB, flatten, resize, crop,
 * output.
 */
const pipeline = (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
  failOn: 'warning' | 'error',
): ReturnType<Sharp> => {
  const { height, width, channels, matte = 128, timeoutSeconds = defaultTimeout } = options
  const { maxPixels = defaultLimits.maxPixels } = options
  const base = sharp(bytes, { autoOrient: true, failOn, limitInputPixels: maxPixels }).timeout({
    seconds: timeoutSeconds,
  })
  // All of it: see `shrunkRows`.
  const all = { left: 0, top: 0, width: header.width, height: header.height }
  const whole = header.format === 'jpeg' && header.height <= shrunkRows ? base.extract(all) : base
  const opaque = channels === 4 ? whole.ensureAlpha() : whole.flatten({ background: { r: matte, g: matte, b: matte } })
  const sized = opaque.resize(width, height, {
    fit: 'cover',
    position: 'centre',
    kernel: 'lanczos3',
    fastShrinkOnLoad: false,
  })
  if (header.deep)
    return (header.profile ? sized.withIccProfile('srgb') : sized).toColourspace('rgb16').raw({ depth: 'ushort' })
  const coloured = channels === 1 ? sized.greyscale().toColourspace('b-w') : sized.toColourspace('srgb')
  return coloured.raw({ depth: 'uchar' })
}

/**
 * 16-bit sRGB → 16-bit luminance, in a second pass: in one, sharp takes the luminance before it converts the profile.
 */
const greyOf = (sharp: Sharp, samples: Uint16Array, { height, width }: ImageShape): Promise<Buffer> =>
  sharp(samples, { raw: { width, height, channels: 3 } })
    .greyscale()
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer()

const samplesOf = (data: Buffer): Uint16Array => new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)

const runPipeline = async (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
  failOn: 'warning' | 'error',
): Promise<Uint8Array> => {
  const data = await pipeline(sharp, bytes, header, options, failOn).toBuffer()
  if (!header.deep) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const samples = samplesOf(data)
  return to8Bits(options.channels === 1 ? samplesOf(await greyOf(sharp, samples, options)) : samples)
}

/** Strictly; a JPEG whose header alone is odd once more with that put right, and if it stays odd, as it is. */
const decodeStrictly = async (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
): Promise<Uint8Array> => {
  const run = (from: Uint8Array, failOn: 'warning' | 'error'): Promise<Uint8Array> =>
    runPipeline(sharp, from, header, options, failOn)
  const oddOnly = (error: unknown): boolean =>
    error instanceof Error && header.format === 'jpeg' && isHarmlessOddity(error.message)
  try {
    return await run(bytes, strictness[header.format])
  } catch (error) {
    if (!oddOnly(error)) throw error
  }
  try {
    return await run(mendJpeg(bytes), 'warning')
  } catch (error) {
    if (!oddOnly(error)) throw error
    return run(bytes, 'error')
  }
}

/** All samples of a file, upright and in sRGB (or with the colours that its numbers name), as a file again. */
const asRawTiff = async (
  pipeline: ReturnType<Sharp>,
  deep: boolean,
  profile: Uint8Array | undefined,
): Promise<Uint8Array> => {
  const { data, info } = await pipeline.raw({ depth: deep ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true })
  const samples = deep ? samplesOf(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return rawTiff(
    { width: info.width, height: info.height, channels: info.channels, samples, premultiplied: false },
    profile,
  )
}

/** A file for sharp, and whether a profile is embedded in it. */
interface Readable {
  readonly bytes: Uint8Array
  readonly profile: boolean
}

/**
 * What sharp cannot take as it is, as a file that it can: HEIC; colours that are named by a number and no profile; a
 * channel that it would take for opacity.
 */
const readableBySharp = async (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  { maxPixels = defaultLimits.maxPixels, timeoutSeconds = defaultTimeout }: DecodeOptions,
): Promise<Readable> => {
  const { iso, format, deep, idleChannel } = header
  const inP3 = iso?.icc === undefined && iso?.nclx?.primaries === displayP3
  if (format === 'heic') {
    const picture = await decodeHeic(bytes, maxPixels, timeoutSeconds)
    const icc = inP3 ? await p3Profile(sharp) : iso?.icc
    return { bytes: rawTiff(picture, icc), profile: icc !== undefined }
  }
  if (!inP3 && !idleChannel) return { bytes, profile: header.profile }
  const failOn = strictness[format]
  const whole = sharp(bytes, { autoOrient: true, failOn, limitInputPixels: maxPixels })
    .timeout({ seconds: timeoutSeconds })
    .toColourspace(deep ? 'rgb16' : 'srgb')
  const icc = inP3 ? await p3Profile(sharp) : undefined
  return { bytes: await asRawTiff(idleChannel ? whole.removeAlpha() : whole, deep, icc), profile: inP3 }
}

const decodePixels = async (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
): Promise<Uint8Array> => {
  const readable = await readableBySharp(sharp, bytes, header, options)
  return decodeStrictly(sharp, readable.bytes, { ...header, profile: readable.profile }, options)
}

/** Whether zeros stand where coded data should, and the decoder does not notice. */
const isZeroFilled = async (
  sharp: Sharp,
  bytes: Uint8Array,
  format: ImageFormat,
  { maxPixels = defaultLimits.maxPixels, timeoutSeconds = defaultTimeout }: DecodeOptions,
): Promise<boolean> => {
  if (format === 'heic') return zerosInHeic(bytes) > 0
  const doubtful = format === 'webp' ? webpToDoubt(bytes) : undefined
  if (doubtful === undefined) return false
  const all = sharp(doubtful, { failOn: 'error', limitInputPixels: maxPixels }).timeout({ seconds: timeoutSeconds })
  try {
    await all.resize(1, 1, { fit: 'fill', fastShrinkOnLoad: false }).raw().toBuffer()
    return true
  } catch (error) {
    if (/timeout|killed for image/i.test(String(error))) throw error
    return false
  }
}

/**
 * Decodes a whole file in memory. Its faults are those of {@link readHeader}, `truncated`, `corrupt`, and of the moment
 * `too-slow` and `out-of-memory`.
 *
 * The shorter side is resized (Lanczos) to fit and the middle is cut out. Of several pages or frames the first is used.
 */
export const decodeImage = async (
  sharp: Sharp,
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<E.Either<Fault, DecodedImage>> => {
  const { height, width, channels, maxPixels = defaultLimits.maxPixels, maxBytes = defaultLimits.maxBytes } = options
  const source = { bytes: bytes.length, read: async (at: number, length: number) => bytes.subarray(at, at + length) }
  const header = await readHeader(sharp, source, { maxPixels, maxBytes })
  if (E.isLeft(header)) return header
  const { format, kind } = header.right
  const start = performance.now()
  try {
    if (await isZeroFilled(sharp, bytes, format, options))
      return E.left({ reason: 'truncated', kind, detail: `A part of its ${kind} data was never written: it is zeros.` })
    const pixels = await decodePixels(sharp, bytes, header.right, options)
    if (pixels.length !== height * width * channels)
      throw new Error(`the decoder gave ${pixels.length} bytes instead of ${height}×${width}×${channels}`)
    return E.right({ height, width, channels, pixels })
  } catch (error) {
    const seconds = (performance.now() - start) / 1000
    return E.left(decodeFault(header.right, error, seconds, options.timeoutSeconds ?? defaultTimeout))
  }
}

/** Why an option makes no sense, if so. What the decoder itself would refuse must not be taken for a damaged picture. */
const optionObjection = (options: DecodeOptions): string | undefined => {
  const { height, width, channels, matte = 128, timeoutSeconds = defaultTimeout } = options
  const { maxPixels = defaultLimits.maxPixels } = options
  if (![height, width].every((n) => Number.isInteger(n) && n >= 1 && n <= 16384))
    return `The size ${height}×${width} (height×width) is not two whole numbers in 1 … 16384.`
  if (![1, 3, 4].includes(channels))
    return `${String(channels)} channels do not exist: use 1 (grey), 3 (colour) or 4 (colour and alpha).`
  if (!(matte >= 0 && matte <= 255)) return `The matte ${matte} is not a grey in 0 … 255.`
  if (!(Number.isInteger(timeoutSeconds) && timeoutSeconds >= 1 && timeoutSeconds <= 3600))
    return `timeoutSeconds ${timeoutSeconds} is not a whole number in 1 … 3600.`
  if (!(Number.isInteger(maxPixels) && maxPixels >= 1)) return `maxPixels ${maxPixels} is not a whole number above 0.`
  return undefined
}

/** `DATA-OPTION` when a size, a channel count, the matte or a limit makes no sense. */
export const checkOptions = (options: DecodeOptions): E.Either<DataError, void> => {
  const objection = optionObjection(options)
  return objection === undefined ? E.right(undefined) : E.left(dataError('DATA-OPTION', objection))
}

/** All bytes of a file, or why not; reads no more than `maxBytes`. */
export const readWhole = async (
  fileSystem: FileSystem,
  path: string,
  maxBytes: number,
): Promise<E.Either<Fault, { readonly bytes: Uint8Array; readonly ctime: number }>> => {
  try {
    return await fileSystem.withFile(path, async (file) => {
      const { bytes: size, ctime, kind } = await file.status()
      if (kind !== 'file')
        return E.left<Fault>({ reason: 'special-file', kind, detail: `It is not a file but a ${kind}.` })
      if (size > maxBytes)
        return E.left<Fault>({
          reason: 'too-many-bytes',
          kind: 'file',
          detail: `It has ${size} bytes; the limit is ${maxBytes}.`,
        })
      const bytes = await file.read(0, size)
      const after = await file.status()
      if (bytes.length !== size || after.bytes !== size || after.ctime !== ctime)
        return E.left<Fault>({ reason: 'changed', kind: 'file', detail: 'It was written to while it was read.' })
      return E.right({ bytes, ctime })
    })
  } catch (error) {
    return E.left({ reason: 'unreadable', kind: 'file', detail: `The system refuses to read it: ${errnoOf(error)}.` })
  }
}

/**
 * Reads and decodes one file.
 *
 * @param path where it lies; links are followed
 * @returns the pixels; `DATA-FILE` with the fault when the file cannot be used, `DATA-OPTION`, `DATA-SHARP`
 */
export const loadImage = (
  path: string,
  options: DecodeOptions,
  fileSystem: FileSystem = nodeFileSystem,
): TE.TaskEither<DataError, DecodedImage> =>
  pipe(
    TE.fromEither(checkOptions(options)),
    TE.chain(() => loadSharp()),
    TE.chain((sharp) => async () => {
      const file = await readWhole(fileSystem, path, options.maxBytes ?? defaultLimits.maxBytes)
      const image = E.isLeft(file) ? file : await decodeImage(sharp, file.right.bytes, options)
      return pipe(
        image,
        E.mapLeft((fault) => fileError(path, fault)),
      )
    }),
  )
