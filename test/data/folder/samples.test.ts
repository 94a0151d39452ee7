import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../src/data/folder/decodeImage.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { handmadeTiff, type HandmadeTiff } from './handmadeTiff.ts'
import { encoded, picture, plain, pngChunk } from './samplePictures.ts'

/** The first pixel, or the reason why there is none. */
const seen = async (bytes: Uint8Array, channels: 1 | 3 | 4 = 3): Promise<readonly number[] | string> => {
  const result = await decodeImage(sharp, bytes, { height: 2, width: 2, channels })
  return E.isRight(result) ? [...result.right.pixels.subarray(0, channels)] : result.left.reason
}
const seenTiff = (what: HandmadeTiff): Promise<readonly number[] | string> => seen(handmadeTiff(what))
const twice = (values: readonly number[]): Uint16Array => Uint16Array.from(values, (v) => v * 257)
const bits = (n: number, count = 1): readonly number[] => Array.from({ length: count }, () => n)
const near = (got: readonly number[] | string, want: readonly number[], by: number): void =>
  want.forEach((v, i) =>
    expect(Math.abs(Number(got[i]) - v), `${String(got)} is not near ${want.join()}`).toBeLessThanOrEqual(by),
  )

describe('TIFF samples that are unsigned, of 8 or 16 bits or fewer, come out as a person sees them', () => {
  it('grey, also where white is zero', async () => {
    expect(await seenTiff({ bits: [8], pixel: Uint8Array.of(100) })).toEqual([100, 100, 100])
    expect(await seenTiff({ bits: [16], pixel: twice([100]) })).toEqual([100, 100, 100])
    expect(await seenTiff({ bits: [8], photometric: 0, pixel: Uint8Array.of(100) })).toEqual([155, 155, 155])
    expect(await seenTiff({ bits: [16], photometric: 0, pixel: twice([100]) })).toEqual([155, 155, 155])
  })

  it('grey of 1, 2 and 4 bits, scaled to the full range', async () => {
    expect(await seenTiff({ bits: [1], pixel: Uint8Array.of(0xff) })).toEqual([255, 255, 255])
    expect(await seenTiff({ bits: [1], photometric: 0, pixel: Uint8Array.of(0xff) })).toEqual([0, 0, 0])
    expect(await seenTiff({ bits: [2], pixel: Uint8Array.of(0xaa) })).toEqual([170, 170, 170])
    expect(await seenTiff({ bits: [4], pixel: Uint8Array.of(0x33) })).toEqual([51, 51, 51])
  })

  it('RGB, and a palette of 8, 4 and 2 bits', async () => {
    expect(await seenTiff({ bits: bits(8, 3), photometric: 2, pixel: Uint8Array.of(200, 100, 50) })).toEqual([
      200, 100, 50,
    ])
    expect(await seenTiff({ bits: bits(16, 3), photometric: 2, pixel: twice([200, 100, 50]) })).toEqual([200, 100, 50])
    for (const depth of [8, 4, 2]) {
      const map = [200, 100, 50].flatMap((v) => Array.from({ length: 2 ** depth }, () => v * 257))
      expect(await seenTiff({ bits: [depth], photometric: 3, pixel: Uint8Array.of(0x55), more: [[320, map]] })).toEqual(
        [200, 100, 50],
      )
    }
  })

  it('opacity, multiplied or not, is laid over the matte', async () => {
    const rgba = { bits: bits(8, 4), photometric: 2 } as const
    near(await seenTiff({ ...rgba, extraSamples: [2], pixel: Uint8Array.of(200, 100, 50, 128) }), [164, 114, 89], 1)
    near(await seenTiff({ ...rgba, extraSamples: [1], pixel: Uint8Array.of(100, 50, 25, 128) }), [164, 114, 89], 1)
  })

  it('a fourth channel that is not opacity, such as infrared or a mask, does not make the picture invisible', async () => {
    const pixel = Uint8Array.of(200, 100, 50, 0)
    expect(await seenTiff({ bits: bits(8, 4), photometric: 2, extraSamples: [0], pixel })).toEqual([200, 100, 50])
    expect(await seenTiff({ bits: bits(8, 2), extraSamples: [0], pixel: Uint8Array.of(100, 0) })).toEqual([
      100, 100, 100,
    ])
    const deep = await seenTiff({
      bits: bits(16, 4),
      photometric: 2,
      extraSamples: [0],
      pixel: twice([200, 100, 50, 0]),
    })
    expect(deep).toEqual([200, 100, 50])
  })

  it('CMYK of 8 and 16 bits: no ink is white, all black ink is black', async () => {
    for (const [depth, make] of [
      [8, (v: number[]) => Uint8Array.from(v)],
      [16, twice],
    ] as const) {
      const ink = (...v: number[]): Promise<readonly number[] | string> =>
        seenTiff({ bits: bits(depth, 4), photometric: 5, pixel: make(v) })
      near(await ink(0, 0, 0, 0), [255, 255, 255], 1)
      near(await ink(0, 0, 0, 255), [20, 20, 20], 25)
      const orange = await ink(0, 128, 200, 0)
      near(orange, [245, 132, 60], 15)
    }
  })

  it('is the same in a BigTIFF', async () => {
    const whole = await picture(16, 16).tiff({ bigtiff: true, compression: 'lzw' }).toBuffer()
    expect(await seen(whole)).toEqual(await seen(await picture(16, 16).png().toBuffer()))
    expect(await seen(whole.subarray(0, whole.length >> 1))).toBe('truncated')
  })
})

describe('samples that the decoder would show otherwise than a person sees them are refused', () => {
  const refused: Readonly<Record<string, HandmadeTiff>> = {
    'floats, 32 bits': { bits: [32], sampleFormat: 3, pixel: Float32Array.of(0.5) },
    'floats that are NaN': { bits: [32], sampleFormat: 3, pixel: Float32Array.of(NaN) },
    'floats, 16 bits': { bits: [16], sampleFormat: 3, pixel: Uint16Array.of(0x3800) },
    'floats, 64 bits': { bits: [64], sampleFormat: 3, pixel: Float64Array.of(0.5) },
    'floats as RGB': { bits: bits(32, 3), photometric: 2, sampleFormat: 3, pixel: Float32Array.of(0.5, 0.2, 0.1) },
    'unsigned, 32 bits': { bits: [32], pixel: Uint32Array.of(2 ** 31) },
    'signed, 8 bits': { bits: [8], sampleFormat: 2, pixel: Int8Array.of(100) },
    'signed, 16 bits': { bits: [16], sampleFormat: 2, pixel: Int16Array.of(32767) },
    'signed, 32 bits': { bits: [32], sampleFormat: 2, pixel: Int32Array.of(2 ** 30) },
    'complex numbers': { bits: [64], sampleFormat: 6, pixel: Float32Array.of(0.5, 0.5) },
    '12 bits': { bits: [12], pixel: Uint8Array.of(0x80, 0x08, 0x00) },
    '24 bits': { bits: [24], pixel: Uint8Array.of(0, 0, 128) },
    '5, 6 and 5 bits': { bits: [5, 6, 5], photometric: 2, pixel: Uint8Array.of(0x88, 0x88) },
    'YCbCr without JPEG': { bits: bits(8, 3), photometric: 6, pixel: Uint8Array.of(120, 128, 128) },
    'Lab, 8 bits': { bits: bits(8, 3), photometric: 8, pixel: Uint8Array.of(138, 60, 200) },
    'Lab, 16 bits': { bits: bits(16, 3), photometric: 8, pixel: Uint16Array.of(35000, 15000, 50000) },
    'a colour filter array': { bits: [8], photometric: 32803, pixel: Uint8Array.of(100) },
    'six inks': { bits: bits(8, 6), photometric: 5, pixel: Uint8Array.of(0, 128, 200, 0, 1, 2) },
    'five bands': { bits: bits(8, 5), extraSamples: [0, 0, 0, 0], pixel: Uint8Array.of(1, 2, 3, 4, 5) },
    'two channels beside RGB': {
      bits: bits(8, 5),
      photometric: 2,
      extraSamples: [2, 0],
      pixel: Uint8Array.of(9, 9, 9, 255, 7),
    },
  }
  for (const [name, what] of Object.entries(refused))
    it(`TIFF: ${name}`, async () => {
      expect(await seenTiff(what)).toBe('unsupported-samples')
    })

  it('JPEG of 12 bits, and JPEG without loss', async () => {
    const jpeg = Buffer.from(await encoded('jpeg'))
    const frame = jpeg.indexOf(Buffer.of(0xff, 0xc0))
    const withByte = (at: number, value: number): Uint8Array => {
      const copy = Buffer.from(jpeg)
      copy.writeUInt8(value, at)
      return copy
    }
    expect(await seen(withByte(frame + 4, 12))).toBe('unsupported-samples')
    expect(await seen(withByte(frame + 1, 0xc3))).toBe('unsupported-samples')
    expect(typeof (await seen(jpeg))).toBe('object')
  })

  it('PNG of linear light, unless a profile says what it is; the usual gamma is no matter', async () => {
    const png = await plain(100, 100, 100).png().toBuffer()
    const gamma = (n: number): Buffer => pngChunk('gAMA', Buffer.from(Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)))
    const withChunks = (...chunks: readonly Uint8Array[]): Uint8Array =>
      Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)])
    expect(await seen(withChunks(gamma(100_000)))).toBe('unsupported-samples')
    expect(await seen(withChunks(gamma(45_455)))).toEqual([100, 100, 100])
    expect(await seen(withChunks(pngChunk('sRGB', Buffer.of(0)), gamma(100_000)))).toEqual([100, 100, 100])
    expect(await seen(withChunks(pngChunk('cICP', Buffer.of(9, 16, 0, 1))))).toBe('unsupported-samples')
  })
})
