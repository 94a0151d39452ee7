import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { DecodeOptions } from '../../../src/data/folder/decodeOptions.ts'
import { decodeHeic, heicInstalled } from '../../../src/data/folder/heic.node.ts'
import { decodeImage } from '../../../src/data/folder/decodeImage.node.ts'
import { scanFolder } from '../../../src/data/folder/scanFolder.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { heicFile, irot, nclx, prof, withProperty } from './heicFiles.ts'
import { plain } from './samplePictures.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()
const decode = async (bytes: Uint8Array, options: Partial<DecodeOptions> = {}): Promise<Uint8Array | string> => {
  const result = await decodeImage(sharp, bytes, { height: 64, width: 96, channels: 3, ...options })
  return E.isRight(result) ? result.right.pixels : result.left.reason
}
const [red, green, blue, white] = [
  [220, 40, 40],
  [40, 200, 60],
  [40, 60, 220],
  [230, 230, 230],
] as const

/** The middles of the four quarters: above left, above right, below left, below right. */
const quarters = (pixels: Uint8Array | string, height: number, width: number): readonly (readonly number[])[] =>
  [
    [1, 1],
    [1, 3],
    [3, 1],
    [3, 3],
  ].map(([y = 0, x = 0]) => {
    const at = 3 * (Math.floor((height * y) / 4) * width + Math.floor((width * x) / 4))
    return typeof pixels === 'string' ? [] : [...pixels.subarray(at, at + 3)]
  })
const expectQuarters = (got: readonly (readonly number[])[], want: readonly (readonly number[])[], by: number): void =>
  want.forEach((colour, i) =>
    colour.forEach((v, c) => expect(Math.abs((got[i]?.[c] ?? -99) - v), JSON.stringify(got)).toBeLessThanOrEqual(by)),
  )

describe('HEIC', () => {
  it('is read with the colours that were put into it', async () => {
    expect(heicInstalled()).toBe(true)
    expectQuarters(quarters(await decode(heicFile('quadrants')), 64, 96), [red, green, blue, white], 3)
  })

  it('is turned as its boxes say, and the scan gives the turned size', async () => {
    const turned = withProperty(heicFile('quadrants'), irot(1)) // against the clock
    const pixels = await decode(turned, { height: 96, width: 64 })
    expectQuarters(quarters(pixels, 96, 64), [green, white, red, blue], 3)
    const scan = await scanFolder(folderWith({ 'IMG_1.HEIC': turned, 'IMG_2.jpg': heicFile('quadrants') }))()
    expect(scan).toMatchObject({
      right: {
        countsByFormat: { heic: 2 },
        usable: [
          { format: 'heic', width: 64, height: 96 },
          { width: 96, height: 64 },
        ],
      },
    })
  })

  it('opacity is laid over the matte, or kept', async () => {
    const over = await decode(heicFile('alpha'), { height: 2, width: 2 })
    expectQuarters([[...over].slice(0, 3).map(Number)], [[164, 114, 89]], 3)
    const kept = await decode(heicFile('alpha'), { height: 2, width: 2, channels: 4 })
    expectQuarters([[...kept].slice(0, 4).map(Number)], [[200, 100, 50, 128]], 3)
  })

  it('a Display P3 profile is applied: what is stored in P3 comes out in sRGB', async () => {
    const p3 = await plain(200, 50, 50).withIccProfile('p3').png().toBuffer()
    const icc = (await sharp(p3).metadata()).icc ?? new Uint8Array()
    const pixels = quarters(await decode(withProperty(heicFile('quadrants'), prof(icc))), 64, 96)
    // The same stored numbers, by sharp, in a PNG with the same profile.
    const stored = sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 220, g: 40, b: 40 } } })
    const reference = await sharp(await stored.png().toBuffer())
      .raw()
      .toBuffer()
    expect([...reference.subarray(0, 3)]).toEqual([...red])
    expect(pixels[0]?.[0]).toBeGreaterThan(235) // P3's red 220 is beyond sRGB's
    expect(pixels[0]?.[1]).toBeLessThan(15)
    expectQuarters([pixels[3] ?? []], [white], 3) // whites are the same
  })

  it('colours by number: P3 is converted, high dynamic range and others are refused', async () => {
    const p3 = quarters(await decode(withProperty(heicFile('quadrants'), nclx(12, 13))), 64, 96)
    expect(p3[0]?.[0]).toBeGreaterThan(235)
    expect(await decode(withProperty(heicFile('quadrants'), nclx(9, 16)))).toBe('unsupported-samples')
    expect(await decode(withProperty(heicFile('quadrants'), nclx(9, 1)))).toBe('unsupported-samples')
  })

  it('cut anywhere it is truncated, and so it is when a part was never written', async () => {
    const bytes = heicFile('noise')
    for (let i = 3; i < 16; i++)
      expect(await decode(bytes.subarray(0, Math.floor((bytes.length * i) / 16)))).toBe('truncated')
    expect(await decode(bytes.subarray(0, -1))).toBe('truncated')
    for (const from of [0.4, 0.8]) {
      const zeros = Uint8Array.from(bytes).fill(0, Math.floor(bytes.length * from))
      expect(await decode(zeros)).toBe('truncated')
    }
    expect(typeof (await decode(bytes))).toBe('object')
  })

  it('too many pixels are refused before they are decoded', async () => {
    expect(await decode(heicFile('noise'), { maxPixels: 128 * 96 - 1 })).toBe('too-many-pixels')
    await expect(decodeHeic(heicFile('noise'), 100, 10)).rejects.toThrow('12288 pixels; the limit is 100')
  })

  it('is stopped when it takes too long, and the next picture is decoded all the same', async () => {
    await expect(decodeHeic(heicFile('noise'), 1e8, 0)).rejects.toThrow('timeout')
    const next = await decodeHeic(heicFile('quadrants'), 1e8, 60)
    expect([next.width, next.height, next.channels]).toEqual([96, 64, 3])
  }, 60_000) // two threads load the decoder

  it('without its decoder it is reported with the package to install', async () => {
    const scan = await scanFolder(folderWith({ 'a.heic': heicFile('noise') }), { heic: false })()
    expect(scan).toMatchObject({
      right: { skipped: [{ reason: 'heic', advice: expect.stringContaining('npm install libheif-js@') }] },
    })
  })
})
