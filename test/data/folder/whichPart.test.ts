/** Which part of a picture is kept, and of which picture: contents that say where they come from. */
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodeImage } from '../../../src/data/folder/decodeImage.node.ts'
import { scanFolder } from '../../../src/data/folder/scanFolder.node.ts'
import { E } from '../../../src/prelude/fp.ts'
import { temporaryFolders } from '../../support/temporaryFolder.ts'

const folderWith = temporaryFolders()

/** A grey picture of a function of its pixels, as PNG; turned by an EXIF orientation where one is given. */
const png = (width: number, height: number, grey: (x: number, y: number) => number, orientation = 1): Promise<Buffer> =>
  sharp(
    Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const p = Math.floor(i / 3)
      return grey(p % width, Math.floor(p / width))
    }),
    { raw: { width, height, channels: 3 } },
  )
    .withMetadata({ orientation })
    .png()
    .toBuffer()

/** The greys of a decoded picture, row by row. */
const rows = async (bytes: Uint8Array, height: number, width: number): Promise<readonly (readonly number[])[]> => {
  const result = await decodeImage(sharp, bytes, { height, width, channels: 1 })
  if (E.isLeft(result)) throw new Error(result.left.detail)
  return Array.from({ length: height }, (_, y) => [...result.right.pixels.subarray(y * width, (y + 1) * width)])
}

const repeated = (value: number, count: number): readonly number[] => Array.from({ length: count }, () => value)

describe('the part of a picture that is kept', () => {
  it('is the middle of its height where it is tall: rows 15 to 24 of 40', async () => {
    const found = await rows(await png(10, 40, (_, y) => 5 * y), 10, 10)
    expect(found).toEqual(Array.from({ length: 10 }, (_, y) => repeated(5 * (15 + y), 10)))
  })

  it('is the middle of its width where it is wide: columns 15 to 24 of 40', async () => {
    const found = await rows(await png(40, 10, (x) => 5 * x), 10, 10)
    expect(found).toEqual(repeated(0, 10).map(() => Array.from({ length: 10 }, (_, x) => 5 * (15 + x))))
  })

  it('is the middle whatever is to be seen beside it', async () => {
    const busy = (x: number, y: number): number => (y >= 15 && y < 25 ? 90 : (x * 89 + y * 53) % 256)
    expect(await rows(await png(10, 40, busy), 10, 10)).toEqual(repeated(0, 10).map(() => repeated(90, 10)))
  })

  it('is the middle of the picture as it is held upright: a phone stores it lying', async () => {
    const lying = await png(40, 10, (x) => 5 * x, 6) // its left edge is the top
    expect(await rows(lying, 10, 10)).toEqual(Array.from({ length: 10 }, (_, y) => repeated(5 * (15 + y), 10)))
  })

  it('is all of a picture of the same form, without a stretch: its quarters stay quarters', async () => {
    const quarters = await png(32, 64, (x, y) => 60 * ((x < 16 ? 0 : 1) + (y < 32 ? 0 : 2)))
    const found = await rows(quarters, 16, 8)
    expect([found[0]?.[0], found[0]?.[7], found[15]?.[0], found[15]?.[7]]).toEqual([0, 60, 120, 180])
  })

  it('is every pixel of it: fine stripes become their mean, not one of them', async () => {
    const stripes = await rows(await png(64, 64, (x) => 255 * (x % 2)), 8, 8)
    for (const grey of stripes.flat()) expect(Math.abs(grey - 127.5)).toBeLessThan(8)
  })
})

describe('the size that a scan tells', () => {
  it('is that of the picture as it is held upright', async () => {
    const folder = folderWith({ 'lying.png': await png(40, 10, () => 9, 6), 'plain.png': await png(40, 10, () => 9) })
    const scan = await scanFolder(folder)()
    if (E.isLeft(scan)) throw new Error(scan.left.message)
    expect(scan.right.usable).toMatchObject([
      { path: 'lying.png', width: 10, height: 40 },
      { path: 'plain.png', width: 40, height: 10 },
    ])
  })
})
