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
import { defaultLimits } from './limits.ts'
import type { Sharp } from './sharp.node.ts'
import { loadSharp } from './sharp.node.ts'
import type { Fault } from './skipReason.ts'

/** 65535 → 255 and everything between to the nearest: `round(v / 257)`. */
const to8Bits = (samples: Uint16Array): Uint8Array => {
  const bytes = new Uint8Array(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = Math.floor(((samples[i] as number) + 128) / 257)
  return bytes
}

const decodeFault = (header: Header, error: unknown): Fault => {
  const message = vipsMessage(error)
  const { kind } = header
  if (/timeout/i.test(message)) return { reason: 'too-slow', kind, detail: `Decoding took too long (${message}).` }
  if (/premature|truncated|unexpected end|end of (file|stream)|not enough/i.test(message))
    return { reason: 'truncated', kind, detail: `The ${kind} data end too early (${message}).` }
  return { reason: 'corrupt', kind, detail: `The ${kind} data are damaged (${message}).` }
}

/**
 * The chain of operations; see sharp's pipeline.cc for its fixed order: orient, profile → sRGB, flatten, resize, crop,
 * output.
 */
const pipeline = (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
  maxPixels: number,
): ReturnType<Sharp> => {
  const { height, width, channels, matte = 128, timeoutSeconds = 10 } = options
  const base = sharp(bytes, { autoOrient: true, failOn: 'error', limitInputPixels: maxPixels }).timeout({
    seconds: timeoutSeconds,
  })
  const opaque = channels === 4 ? base.ensureAlpha() : base.flatten({ background: { r: matte, g: matte, b: matte } })
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

const decodePixels = async (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
  maxPixels: number,
): Promise<Uint8Array> => {
  const data = await pipeline(sharp, bytes, header, options, maxPixels).toBuffer()
  if (!header.deep) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const samples = samplesOf(data)
  return to8Bits(options.channels === 1 ? samplesOf(await greyOf(sharp, samples, options)) : samples)
}

/**
 * Decodes a whole file in memory. Its faults are those of {@link readHeader}, `truncated`, `corrupt` and `too-slow`.
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
  try {
    const pixels = await decodePixels(sharp, bytes, header.right, options, maxPixels)
    if (pixels.length !== height * width * channels)
      throw new Error(`the decoder gave ${pixels.length} bytes instead of ${height}×${width}×${channels}`)
    return E.right({ height, width, channels, pixels })
  } catch (error) {
    return E.left(decodeFault(header.right, error))
  }
}

/** `DATA-OPTION` when a size, a channel count or the matte makes no sense. */
export const checkOptions = ({ height, width, channels, matte = 128 }: DecodeOptions): E.Either<DataError, void> => {
  const size = [height, width].every((n) => Number.isInteger(n) && n >= 1 && n <= 16384)
  if (!size)
    return E.left(
      dataError('DATA-OPTION', `The size ${height}×${width} (height×width) is not two whole numbers in 1 … 16384.`),
    )
  if (![1, 3, 4].includes(channels))
    return E.left(
      dataError(
        'DATA-OPTION',
        `${String(channels)} channels do not exist: use 1 (grey), 3 (colour) or 4 (colour and alpha).`,
      ),
    )
  if (!(matte >= 0 && matte <= 255))
    return E.left(dataError('DATA-OPTION', `The matte ${matte} is not a grey in 0 … 255.`))
  return E.right(undefined)
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
