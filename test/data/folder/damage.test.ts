import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../src/data/folder/decodeImage.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { encoded, formats, picture } from './samplePictures.ts'

const reasonOf = async (bytes: Uint8Array): Promise<string> => {
  const result = await decodeImage(sharp, bytes, { height: 8, width: 8, channels: 3 })
  return E.isRight(result) ? 'whole' : result.left.reason
}
const lost = ['truncated', 'corrupt']
const zeroed = (bytes: Uint8Array, from: number, to = 1): Uint8Array =>
  Uint8Array.from(bytes).fill(0, Math.floor(bytes.length * from), Math.floor(bytes.length * to))

describe('a picture of which a part was never written is not taken for whole', () => {
  for (const format of formats)
    it(`${format}: zeros to the end, and a hole of zeros before a sound end`, async () => {
      const bytes = await encoded(format, 320, 240)
      for (const from of [0.3, 0.6, 0.9]) expect(lost).toContain(await reasonOf(zeroed(bytes, from)))
      expect(lost).toContain(await reasonOf(zeroed(bytes, 0.4, 0.6)))
    })

  it('progressive JPEG, lossless and animated WebP, TIFF in tiles', async () => {
    const frames = await sharp([await encoded('png', 160, 120), await encoded('png', 160, 120)], {
      join: { animated: true },
    })
      .webp()
      .toBuffer()
    const files = [
      await picture(320, 240).jpeg({ progressive: true }).toBuffer(),
      await picture(320, 240).webp({ lossless: true }).toBuffer(),
      await picture(320, 240).tiff({ tile: true, compression: 'lzw' }).toBuffer(),
    ]
    for (const bytes of files) {
      expect(await reasonOf(bytes)).toBe('whole')
      expect(lost).toContain(await reasonOf(zeroed(bytes, 0.4, 0.9)))
    }
    expect(await reasonOf(frames)).toBe('whole')
    expect(lost).toContain(await reasonOf(zeroed(frames, 0.2, 0.5)))
  })
})

describe('a picture that was cut and closed again is not taken for whole', () => {
  it('JPEG with an end marker, GIF with a trailer, WebP with the length of what is left', async () => {
    const [jpeg, gif, webp] = [
      await encoded('jpeg', 320, 240),
      await encoded('gif', 320, 240),
      await encoded('webp', 320, 240),
    ]
    for (const part of [0.3, 0.5, 0.9]) {
      const start = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.floor(bytes.length * part))
      expect(lost).toContain(await reasonOf(Buffer.concat([start(jpeg), Buffer.of(0xff, 0xd9)])))
      expect(lost).toContain(await reasonOf(Buffer.concat([start(gif), Buffer.of(0, 0x3b)])))
      const left = Buffer.from(start(webp))
      left.writeUInt32LE(left.length - 8, 4)
      expect(lost).toContain(await reasonOf(left))
      left.writeUInt32LE(left.length - 20, 16)
      expect(lost).toContain(await reasonOf(left))
    }
  })

  it('JPEG with noise in its middle', async () => {
    const jpeg = Buffer.from(await encoded('jpeg', 320, 240))
    for (let i = jpeg.length >> 1; i < jpeg.length * 0.6; i++) jpeg.writeUInt8((jpeg.readUInt8(i) * 7 + i) & 255, i)
    expect(lost).toContain(await reasonOf(jpeg))
  })
})

describe('sound pictures with oddities stay', () => {
  const scanStart = (jpeg: Buffer): number => jpeg.indexOf(Buffer.of(0xff, 0xda))

  it('bytes after the end, as of a phone’s film or a second picture', async () => {
    for (const format of formats)
      expect(await reasonOf(Buffer.concat([await encoded(format), new Uint8Array(3000)]))).toBe('whole')
    const jpeg = await encoded('jpeg')
    for (const more of [jpeg.subarray(0, 900), Buffer.from('\0\0\0\x10ftypmp42')])
      expect(await reasonOf(Buffer.concat([jpeg, more]))).toBe('whole')
  })

  it('JPEG: padding between segments, spectral limits of 0, an unknown Adobe transform; and damage beside them is found', async () => {
    const jpeg = Buffer.from(await encoded('jpeg', 320, 240))
    const scan = scanStart(jpeg)
    const limits = Buffer.from(jpeg)
    limits.writeUInt8(0, scan + 2 + limits.readUInt16BE(scan + 2) - 2)
    const adobe = Buffer.concat([Buffer.of(0xff, 0xee, 0, 14), Buffer.from('Adobe'), Buffer.of(0, 100, 0, 0, 0, 0, 9)])
    const odd = [
      Buffer.concat([jpeg.subarray(0, scan), Buffer.of(1, 2, 3), jpeg.subarray(scan)]),
      limits,
      Buffer.concat([jpeg.subarray(0, 2), adobe, jpeg.subarray(2)]),
    ]
    for (const bytes of odd) {
      expect(await reasonOf(bytes)).toBe('whole')
      expect(lost).toContain(await reasonOf(zeroed(bytes, 0.5, 0.9)))
    }
  })

  it('progressive JPEG with padding between its scans', async () => {
    const jpeg = await picture(320, 240).jpeg({ progressive: true }).toBuffer()
    const second = jpeg.indexOf(Buffer.of(0xff, 0xc4), scanStart(jpeg))
    expect(await reasonOf(Buffer.concat([jpeg.subarray(0, second), Buffer.of(9, 9), jpeg.subarray(second)]))).toBe(
      'whole',
    )
  })

  it('WebP with large areas of one colour, whose code is zeros too', async () => {
    const pixels = await picture(800, 600).raw().toBuffer()
    pixels.fill(0, 800 * 350 * 3)
    for (const options of [
      { effort: 0, quality: 95 },
      { effort: 4, quality: 1 },
      { effort: 0, lossless: true },
    ]) {
      const raw = { width: 800, height: 600, channels: 3 } as const
      expect(await reasonOf(await sharp(pixels, { raw }).webp(options).toBuffer())).toBe('whole')
    }
  })
})

describe('what is of the moment is no property of the picture', () => {
  /** A decoder that fails with a message as sharp's do. */
  const failing = (message: string): typeof sharp =>
    new Proxy(sharp, {
      apply: (target, self, args) => {
        const real = Reflect.apply(target, self, args)
        Object.assign(real, { toBuffer: () => Promise.reject(new Error(message)) })
        return real
      },
    })
  const faultOf = async (message: string): Promise<string> => {
    const result = await decodeImage(failing(message), await encoded('png'), { height: 8, width: 8, channels: 3 })
    return E.isLeft(result) ? result.left.reason : 'none'
  }

  it('a decoder that was stopped is too slow, whatever its last line says', async () => {
    expect(await faultOf('timeout: 12% complete\nvipspng: libpng read error')).toBe('too-slow')
    expect(await faultOf('VipsImage: killed for image "temp-1"\nVipsJpeg: premature end of JPEG image')).toBe(
      'too-slow',
    )
  })

  it('memory that is not there is not damage', async () => {
    expect(await faultOf('vips_tracked: out of memory --- size == 48MB')).toBe('out-of-memory')
    expect(await faultOf('vipspng: libpng read error')).toBe('corrupt')
  })
})
