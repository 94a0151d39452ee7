import { describe, expect, it } from 'vitest'
import { endsProperly, isTruncated } from '../../../src/data/folder/truncation.ts'
import { encoded, formats, picture } from './samplePictures.ts'

describe('isTruncated', () => {
  for (const format of formats) {
    it(`${format}: a whole file is whole, and a file cut after any sixteenth or by one byte is not`, async () => {
      const bytes = await encoded(format)
      expect(isTruncated(format, bytes)).toBe(false)
      for (let i = 1; i < 16; i++)
        expect(isTruncated(format, bytes.subarray(0, Math.floor((bytes.length * i) / 16)))).toBe(true)
      if (format !== 'tiff') expect(isTruncated(format, bytes.subarray(0, -1))).toBe(true)
    })

    it(`${format}: data that a camera appended do not matter`, async () => {
      const bytes = Buffer.concat([await encoded(format), new Uint8Array(7)])
      expect(isTruncated(format, bytes)).toBe(false)
    })
  }

  it('progressive JPEG, JPEG with restart markers, tiled TIFF and animated GIF are whole', async () => {
    expect(isTruncated('jpeg', await picture().jpeg({ progressive: true }).toBuffer())).toBe(false)
    expect(
      isTruncated(
        'jpeg',
        await picture()
          .withExif({ IFD0: { Copyright: 'sea' } })
          .jpeg({ mozjpeg: true })
          .toBuffer(),
      ),
    ).toBe(false)
    expect(isTruncated('tiff', await picture().tiff({ tile: true, compression: 'lzw' }).toBuffer())).toBe(false)
  })

  it('a JPEG whose EXIF thumbnail ends properly is still truncated when its own data do not', async () => {
    const whole = Buffer.from(await encoded('jpeg'))
    const thumbnail = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 8]), Buffer.from([0xff, 0xd8, 0, 0, 0xff, 0xd9])])
    const bytes = Buffer.concat([whole.subarray(0, 2), thumbnail, whole.subarray(2, -500)])
    expect(isTruncated('jpeg', bytes)).toBe(true)
  })
})

describe('endsProperly', () => {
  it('is true for whole PNG, JPEG and GIF files, and false for cut ones', async () => {
    for (const format of ['png', 'jpeg', 'gif'] as const) {
      const bytes = await encoded(format)
      expect(endsProperly(format, bytes.subarray(-16))).toBe(true)
      expect(endsProperly(format, bytes.subarray(-20, -4))).toBe(false)
    }
  })
})
