/**
 * A picture's bytes → pixels of one size: upright, sRGB, 8 bits, cut to the middle; strictly, so that damage is an error.
 *
 * Measured with sharp 0.35.5, and the reason for the detours below: it drops the low byte of 16-bit samples (0x00ff →
 * 0), and it leaves a
 * 16-bit picture with an embedded profile in Display P3 unless asked for sRGB by name.
 */
import { decodeHeic } from './heic.node.ts'
import { defaultTimeout, type DecodeOptions, type ImageShape } from './decodeOptions.ts'
import type { Header } from './imageHeader.node.ts'
import type { ImageFormat } from './imageKind.ts'
import { defaultLimits } from './limits.ts'
import { isHarmlessOddity, mendJpeg } from './mendJpeg.ts'
import { displayP3, p3Profile } from './p3Profile.node.ts'
import { rawTiff } from './rawTiff.ts'
import type { Sharp } from './sharp.node.ts'
import { webpToDoubt, zerosInHeic } from './zeroFill.ts'

/** 65535 → 255 and everything between to the nearest: `round(v / 257)`. */
const to8Bits = (samples: Uint16Array): Uint8Array => {
  const bytes = new Uint8Array(samples.length)
  for (let i = 0; i < samples.length; i++) bytes[i] = Math.floor(((samples[i] ?? 0) + 128) / 257)
  return bytes
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
  options: DecodeOptions,
): Promise<Readable> => {
  const { maxPixels = defaultLimits.maxPixels, timeoutSeconds = defaultTimeout } = options
  const { format, deep, idleChannel } = header
  const inP3 = header.icc === undefined && header.primaries === displayP3
  const icc = inP3 ? await p3Profile(sharp) : header.icc
  if (format === 'heic')
    return { bytes: rawTiff(await decodeHeic(bytes, maxPixels, timeoutSeconds), icc), profile: icc !== undefined }
  if (!inP3 && !idleChannel) return { bytes, profile: header.profile }
  const whole = sharp(bytes, { autoOrient: true, failOn: strictness[format], limitInputPixels: maxPixels })
    .timeout({ seconds: timeoutSeconds })
    .toColourspace(deep ? 'rgb16' : 'srgb')
  const colours = idleChannel ? whole.removeAlpha() : whole // in sRGB, unless numbers said otherwise
  return { bytes: await asRawTiff(colours, deep, inP3 ? icc : undefined), profile: inP3 }
}

/** The pixels of a picture of this header; rejects with the decoder's error. */
export const decodePixels = async (
  sharp: Sharp,
  bytes: Uint8Array,
  header: Header,
  options: DecodeOptions,
): Promise<Uint8Array> => {
  const readable = await readableBySharp(sharp, bytes, header, options)
  return decodeStrictly(sharp, readable.bytes, { ...header, profile: readable.profile }, options)
}

/** Whether zeros stand where coded data should, and the decoder does not notice. */
export const isZeroFilled = async (
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
