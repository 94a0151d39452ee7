/** What a decoded picture is, and how to decode. Apart from the decoder, so that these types do without sharp's. */
import type { Limits } from './limits.ts'

/** The shape of the result. */
export interface ImageShape {
  readonly height: number
  readonly width: number
  /** 1 grey (luminance), 3 sRGB, 4 sRGB and alpha. */
  readonly channels: 1 | 3 | 4
}

/** How to decode; everything but the shape is optional. */
export interface DecodeOptions extends ImageShape, Partial<Limits> {
  /** The grey, 0 … 255, that transparent pixels are laid over; unused with 4 channels. Default 128. */
  readonly matte?: number
  /** Seconds that decoding may take. Default 10. */
  readonly timeoutSeconds?: number
}

/** The names of {@link DecodeOptions}. */
export const decodeOptions = [
  'height',
  'width',
  'channels',
  'maxPixels',
  'maxBytes',
  'matte',
  'timeoutSeconds',
] as const

/** Seconds that decoding one picture may take, unless told. */
export const defaultTimeout = 10

/** A decoded picture: U8, `[height, width, channels]`. */
export interface DecodedImage extends ImageShape {
  readonly pixels: Uint8Array
}
