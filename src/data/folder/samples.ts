/**
 * Which samples are decoded to what a person sees: unsigned, 8 or 16 bits, grey, RGB, palette or CMYK.
 *
 * The decoder reads more than it converts well. Measured with sharp 0.35.5: grey floats of 0.5 and NaN both come out
 * black, 32-bit integers black or white, signed 16 bits half as bright, uncompressed YCbCr as if it were RGB, and a
 * fourth channel of which nothing is known makes the picture invisible. None of these says a word, so what is not known
 * to be right is refused here.
 *
 * Sources: TIFF 6.0 sections 3–8, 16 (inks), 18 (alpha), 19 (sample format), 21 (YCbCr); T.81 B.2.2; PNG (W3C) 11.3.2;
 * ITU-T H.273 table 3.
 */
import type { ImageFormat } from './imageKind.ts'
import { latin1 } from './imageKind.ts'
import type { IsoPicture } from './isoPicture.ts'
import { tiffValues } from './tiff.ts'

/** What the decoder says of a header's samples. */
export interface DecoderSamples {
  /** libvips' name of a band's format: `uchar`, `ushort`, `float` … */
  readonly depth: string
  /** libvips' name of the interpretation: `srgb`, `b-w` … */
  readonly space: string
  readonly channels: number
}

const decodedDepths = new Set(['uchar', 'ushort'])
const decodedSpaces = new Set(['srgb', 'b-w', 'rgb16', 'grey16', 'cmyk'])

/** Why the samples that the decoder reports, of any format, are not decoded; `undefined` when they are. */
export const decoderObjection = ({ depth, space, channels }: DecoderSamples): string | undefined => {
  if (!decodedDepths.has(depth)) return `Its samples are ${depth}, not unsigned integers of 8 or 16 bits.`
  if (!decodedSpaces.has(space)) return `Its colours are ${space}, not grey, RGB or CMYK.`
  const colours = space === 'cmyk' ? 4 : space === 'b-w' || space === 'grey16' ? 1 : 3
  return channels > colours + 1
    ? `It has ${channels} channels, ${channels - colours} more than its colours.`
    : undefined
}

/** TIFF's `PhotometricInterpretation` → colour channels, and the bits that each may have. */
const photometric: Readonly<Record<number, { readonly colours: number; readonly bits: readonly number[] }>> = {
  0: { colours: 1, bits: [1, 2, 4, 8, 16] }, // white is zero
  1: { colours: 1, bits: [1, 2, 4, 8, 16] }, // black is zero
  2: { colours: 3, bits: [8, 16] }, // RGB
  3: { colours: 1, bits: [1, 2, 4, 8] }, // palette
  5: { colours: 4, bits: [8, 16] }, // inks
  6: { colours: 3, bits: [8] }, // YCbCr
}

const sampleFormats: Readonly<Record<number, string>> = { 2: 'signed', 3: 'floating point', 5: 'complex', 6: 'complex' }

/** What a TIFF says of its samples. */
interface TiffSamples {
  readonly interpretation: number
  readonly channels: number
  readonly bits: readonly number[]
  readonly formats: readonly number[]
  readonly compression: number
  readonly inkSet: number
}

const tiffSamples = (bytes: Uint8Array): TiffSamples => {
  const valuesOf = tiffValues(bytes)
  const one = (tag: number, otherwise: number): number => valuesOf(tag)?.[0] ?? otherwise
  return {
    interpretation: one(262, 1),
    channels: one(277, 1),
    bits: valuesOf(258) ?? [1],
    formats: valuesOf(339) ?? [],
    compression: one(259, 1),
    inkSet: one(332, 1),
  }
}

const channelObjection = ({ channels, bits }: TiffSamples, colours: number): string | undefined => {
  if (channels < colours || channels > colours + 1)
    return `It has ${channels} channels where ${colours} are its colours.`
  return channels > 1 && (bits[0] ?? 1) < 8 ? `It has ${channels} channels of ${bits[0] ?? 1} bits.` : undefined
}

const tiffObjection = (samples: TiffSamples): string | undefined => {
  const { interpretation, bits, formats, compression, inkSet } = samples
  const odd = formats.map((format) => sampleFormats[format]).find((format) => format !== undefined)
  if (odd !== undefined) return `Its samples are ${odd}, not unsigned integers.`
  const known = photometric[interpretation]
  if (known === undefined) return `Its colours are of TIFF's kind ${interpretation}, not grey, RGB, palette or CMYK.`
  if (bits.some((n) => n !== bits[0] || !known.bits.includes(n)))
    return `Its samples have ${bits.join(', ')} bits; ${known.bits.join(', ')} are decoded.`
  if (interpretation === 5 && inkSet !== 1) return 'Its inks are not cyan, magenta, yellow and black.'
  // JPEG inside TIFF is converted by its decoder; all other YCbCr would be taken for RGB.
  if (interpretation === 6 && compression !== 7) return 'Its YCbCr samples are not compressed as JPEG.'
  return channelObjection(samples, known.colours)
}

/** Whether the channel after the colours is opacity (`ExtraSamples` 1 or 2) and not a mask, infrared or nothing. */
export const tiffHasOpacity = (bytes: Uint8Array): boolean => [1, 2].includes(tiffValues(bytes)(338)?.[0] ?? 0)

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)

/** Frames of lossless coding (SOF3, 7, 11, 15) and hierarchies (5, 6, 13, 14). */
const oddFrames = new Set([0xc3, 0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf])

const jpegObjection = (bytes: Uint8Array): string | undefined => {
  for (let at = 2; at + 5 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xda) return undefined
    if (marker === 0xff) {
      at++
      continue
    }
    if (oddFrames.has(marker)) return 'It is coded without loss or in a hierarchy.'
    if (marker >= 0xc0 && marker <= 0xc2 && bytes[at + 4] !== 8) return `Its samples have ${bytes[at + 4] ?? 0} bits.`
    at += 2 + u16(bytes, at + 2)
  }
  return undefined
}

/** 1/2.2 × 100,000: what nearly every PNG says, or leaves unsaid. */
const usualGamma = 45455

const pngObjection = (bytes: Uint8Array): string | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let gamma = usualGamma
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = latin1(bytes, at + 4, 4)
    if (type === 'IDAT' || !/^[A-Za-z]{4}$/.test(type)) break
    if (type === 'cICP' && !isCommonTransfer(bytes[at + 9] ?? 0)) return 'Its brightness is of high dynamic range.'
    if (type === 'sRGB' || type === 'iCCP') return undefined
    if (type === 'gAMA') gamma = view.getUint32(at + 8)
  }
  const odd = Math.abs(gamma / usualGamma - 1) > 0.1
  return odd
    ? `Its samples have a gamma of ${(gamma / 1e5).toFixed(3)} instead of 0.455, which is not applied.`
    : undefined
}

/** H.273's transfer characteristics that are shown like sRGB: not linear light (8), PQ (16) or HLG (18). */
const isCommonTransfer = (transfer: number): boolean => [1, 2, 6, 13, 14, 15].includes(transfer)

/** H.273's colour primaries that are shown right: BT.709 and those of television close to it, and Display P3. */
const knownPrimaries = new Set([1, 2, 5, 6, 7, 12])

/** A profile says more than numbers, and is applied. */
const isoObjection = ({ nclx, icc }: IsoPicture): string | undefined => {
  if (nclx === undefined || icc !== undefined) return undefined
  if (!isCommonTransfer(nclx.transfer))
    return `Its brightness is of transfer characteristic ${nclx.transfer} (linear or of high dynamic range), not sRGB’s.`
  return knownPrimaries.has(nclx.primaries)
    ? undefined
    : `Its colours have the primaries ${nclx.primaries} of H.273, without a profile.`
}

/**
 * Why the samples of a picture are not decoded, as one sentence; `undefined` when they are.
 *
 * @param bytes all of a TIFF file; of the others the head is enough
 */
export const sampleObjection = (
  format: ImageFormat,
  bytes: Uint8Array,
  iso: IsoPicture | undefined,
): string | undefined => {
  if (format === 'tiff') return tiffObjection(tiffSamples(bytes))
  if (format === 'jpeg') return jpegObjection(bytes)
  if (format === 'png') return pngObjection(bytes)
  return iso === undefined ? undefined : isoObjection(iso)
}
