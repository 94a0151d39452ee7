import sharp from 'sharp'
import type { Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import type { DecodeOptions, DecodedImage } from '../../../src/data/folder/decodeOptions.ts'
import { decodeImage } from '../../../src/data/folder/decodeImage.node.ts'
import { loadImage } from '../../../src/data/folder/loadImage.node.ts'
import { loadSharp } from '../../../src/data/folder/sharp.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { bomb, encoded, formats, picture, plain, rawPng } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()
const small: DecodeOptions = { height: 8, width: 8, channels: 3 }

const decode = async (bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Promise<DecodedImage> => {
  const result = await decodeImage(sharp, bytes, { ...small, ...options })
  if (E.isLeft(result)) throw new Error(result.left.detail)
  return result.right
}
const faultOf = async (bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Promise<string> => {
  const result = await decodeImage(sharp, bytes, { ...small, ...options })
  return E.isLeft(result) ? result.left.reason : 'none'
}
const first = async (bytes: Uint8Array, options?: Partial<DecodeOptions>): Promise<readonly number[]> => {
  const { pixels, channels } = await decode(bytes, options)
  return [...pixels.subarray(0, channels)]
}
const expectNear = (got: readonly number[], want: readonly number[], tolerance: number): void => {
  expect(got).toHaveLength(want.length)
  got.forEach((value, i) =>
    expect(Math.abs(value - (want[i] ?? NaN)), `${got.join(', ')} against ${want.join(', ')}`).toBeLessThanOrEqual(
      tolerance,
    ),
  )
}
const grey16 = (values: readonly number[]): Uint8Array =>
  rawPng(
    { width: values.length, height: 1, depth: 16, colour: 0 },
    Uint8Array.from([0, ...values.flatMap((v) => [v >> 8, v & 255])]),
  )

describe('decodeImage: shape', () => {
  it('gives height×width×channels bytes of every format', async () => {
    for (const format of formats)
      for (const channels of [1, 3, 4] as const) {
        const image = await decode(await encoded(format), { height: 10, width: 14, channels })
        expect(image.pixels).toHaveLength(10 * 14 * channels)
      }
  })

  it('is exact for a PNG that already has the size', async () => {
    const { pixels } = await decode(await encoded('png', 32, 16), { height: 16, width: 32 })
    expect(Buffer.compare(pixels, await picture(32, 16).raw().toBuffer())).toBe(0)
  })

  it('cuts the middle: a picture of three stripes shows only the second', async () => {
    const stripes = new Uint8Array(90 * 30 * 3).map((_, i) => [10, 120, 230][Math.floor(((i / 3) % 90) / 30)] ?? 0)
    const png = await sharp(stripes, { raw: { width: 90, height: 30, channels: 3 } })
      .png()
      .toBuffer()
    const { pixels } = await decode(png, { height: 30, width: 30 })
    expect(new Set(pixels)).toEqual(new Set([120]))
  })
})

describe('decodeImage: orientation', () => {
  it('all eight EXIF orientations come out upright', async () => {
    const corners = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]) // red green / blue white
    const upright = await sharp(corners, { raw: { width: 2, height: 2, channels: 3 } })
      .resize(32, 32, { kernel: 'nearest' })
      .png()
      .toBuffer()
    // What a camera stores when the tag says how to turn it back: the inverse of each orientation.
    const stored = [
      (s: Sharp) => s,
      (s: Sharp) => s.flop(),
      (s: Sharp) => s.rotate(180),
      (s: Sharp) => s.flip(),
      async (s: Sharp) => sharp(await s.rotate(90).png().toBuffer()).flop(),
      (s: Sharp) => s.rotate(270),
      async (s: Sharp) => sharp(await s.rotate(270).png().toBuffer()).flop(),
      (s: Sharp) => s.rotate(90),
    ]
    const want = (await decode(upright, { height: 32, width: 32 })).pixels
    for (const [i, turn] of stored.entries()) {
      const turned = await (await turn(sharp(upright))).png().toBuffer()
      const tagged = await sharp(turned)
        .withMetadata({ orientation: i + 1 })
        .png()
        .toBuffer()
      expect(
        Buffer.compare((await decode(tagged, { height: 32, width: 32 })).pixels, want),
        `orientation ${i + 1}`,
      ).toBe(0)
      const jpeg = await sharp(turned)
        .withMetadata({ orientation: i + 1 })
        .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
        .toBuffer()
      expectNear([...(await decode(jpeg, { height: 32, width: 32 })).pixels], [...want], 3)
    }
  })
})

describe('decodeImage: colour', () => {
  const colour = [200, 50, 50] as const

  it('converts Display P3 to sRGB, in 8 and in 16 bits', async () => {
    const p3 = await plain(...colour)
      .withIccProfile('p3')
      .png()
      .toBuffer()
    expectNear([...(await sharp(p3, { ignoreIcc: true }).raw().toBuffer())].slice(0, 3), [184, 63, 57], 1)
    expectNear(await first(p3), colour, 2)
    const deep = await plain(...colour)
      .toColourspace('rgb16')
      .withIccProfile('p3')
      .png()
      .toBuffer()
    expectNear(await first(deep), colour, 2)
  })

  // Encoding to ink already moves colours by up to 30 (grey 128 is stored as 59 % black), so this cannot test the
  // profile's accuracy.
  it('converts CMYK with and without a profile: white stays white, and no ink is inverted or lost', async () => {
    const near = async (from: readonly [number, number, number], tolerance: number): Promise<void> => {
      const cmyk = plain(...from).toColourspace('cmyk')
      for (const pipeline of [cmyk.clone(), cmyk.clone().withIccProfile('cmyk')])
        expectNear(await first(await pipeline.jpeg({ quality: 100 }).toBuffer()), from, tolerance)
    }
    await near([255, 255, 255], 0)
    for (const from of [
      [200, 50, 50],
      [0, 160, 220],
      [128, 128, 128],
      [0, 0, 0],
    ] as const)
      await near([...from], 45)
  })

  it('grey becomes three equal channels, colour becomes luminance in one, alike in 8 and 16 bits and P3', async () => {
    expect(await first(await plain(90, 90, 90).greyscale().png().toBuffer())).toEqual([90, 90, 90])
    expect(await first(await plain(90, 90, 90).png().toBuffer(), { channels: 1 })).toEqual([90])
    const want = await first(
      await plain(...colour)
        .png()
        .toBuffer(),
      { channels: 1 },
    )
    expectNear(
      await first(
        await plain(...colour)
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
        { channels: 1 },
      ),
      want,
      1,
    )
    expectNear(
      await first(
        await plain(...colour)
          .toColourspace('rgb16')
          .withIccProfile('p3')
          .png()
          .toBuffer(),
        { channels: 1 },
      ),
      want,
      1,
    )
  })

  it('lays alpha over mid-grey or another matte, and keeps it with four channels, in 8 and 16 bits', async () => {
    const half = await plain(255, 0, 0, 0.5).png().toBuffer()
    const deep = await sharp(half).toColourspace('rgb16').png().toBuffer()
    for (const bytes of [half, deep]) {
      expectNear(await first(bytes), [191, 64, 64], 1)
      expectNear(await first(bytes, { matte: 0 }), [128, 0, 0], 1)
      expectNear(await first(bytes, { channels: 4 }), [255, 0, 0, 128], 1)
    }
    expect(await first(await plain(1, 2, 3).png().toBuffer(), { channels: 4 })).toEqual([1, 2, 3, 255])
  })

  it('palette pictures with transparency are laid over the matte too', async () => {
    const palette = await plain(0, 0, 255, 0).png({ palette: true }).toBuffer()
    expect(await first(palette)).toEqual([128, 128, 128])
  })

  it('rounds 16 bits to the nearest of 8: round(v / 257)', async () => {
    const values = [0, 127, 128, 129, 255, 256, 385, 386, 32767, 33023, 65407, 65535]
    const { pixels } = await decode(grey16(values), { height: 1, width: values.length, channels: 3 })
    expect([...pixels].filter((_, i) => i % 3 === 0)).toEqual(values.map((v) => Math.round(v / 257)))
  })
})

describe('decodeImage: faults', () => {
  it('a file cut at any sixteenth is an error, never a picture that ends in grey', async () => {
    for (const format of formats) {
      const bytes = await encoded(format, 48, 400) // tall: the centre crop does not need the last rows
      for (let i = 1; i < 16; i++)
        expect(await faultOf(bytes.subarray(0, Math.floor((bytes.length * i) / 16)))).toBe('truncated')
    }
  })

  it('a PNG with a wrong byte in its pixels is corrupt', async () => {
    const bytes = Buffer.from(await encoded('png'))
    bytes.writeUInt8(bytes.readUInt8(3000) ^ 0xff, 3000)
    expect(await faultOf(bytes)).toBe('corrupt')
  })

  it('a PNG whose data hold fewer rows than its header claims is an error', async () => {
    const png = rawPng({ width: 64, height: 64, depth: 8, colour: 2 }, new Uint8Array(193 * 20))
    expect(['truncated', 'corrupt']).toContain(await faultOf(png))
  })

  it('refuses 30,000×30,000 pixels before it decodes', async () => {
    expect(await faultOf(bomb())).toBe('too-many-pixels')
  })
})

describe('loadImage', () => {
  it('reads a file by its path, with brackets and newlines in it', async () => {
    const folder = folderWith({ 'a\n[page=3].png': await plain(9, 8, 7).png().toBuffer() })
    const result = await loadImage(`${folder}/a\n[page=3].png`, small)()
    expect(E.isRight(result) && [...result.right.pixels.subarray(0, 3)]).toEqual([9, 8, 7])
  })

  it('is DATA-FILE with the fault for text, a missing file and a folder given as file', async () => {
    const folder = folderWith({ 'a.jpg': 'text' })
    expect(await loadImage(`${folder}/a.jpg`, small)()).toMatchObject({
      left: { _tag: 'DataError', code: 'DATA-FILE', fault: { reason: 'text' } },
    })
    expect(await loadImage(`${folder}/b.jpg`, small)()).toMatchObject({ left: { fault: { reason: 'missing' } } })
    expect(await loadImage(folder, small)()).toMatchObject({ left: { fault: { reason: 'special-file' } } })
  })

  it('is DATA-OPTION for a size or a matte without meaning', async () => {
    for (const wrong of [{ height: 0 }, { width: 1.5 }, { matte: 300 }, { matte: NaN }])
      expect(await loadImage('x', { ...small, ...wrong })()).toMatchObject({ left: { code: 'DATA-OPTION' } })
  })
})

describe('loadSharp', () => {
  it('says what to do when sharp is not installed', async () => {
    const result = await loadSharp(() => Promise.reject(new Error("Cannot find package 'sharp'")))()
    expect(result).toMatchObject({
      left: { code: 'DATA-SHARP', message: expect.stringContaining('npm install sharp') },
    })
  })
})
