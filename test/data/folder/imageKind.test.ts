import { describe, expect, it } from 'vitest'
import { imageKind } from '../../../src/data/folder/imageKind.ts'
import { encoded, formats, ftyp } from './samplePictures.ts'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const reasonOf = (bytes: Uint8Array): string => {
  const kind = imageKind(bytes)
  return kind._tag === 'Other' ? `${kind.reason}: ${kind.kind}` : kind.format
}

/** A little-endian TIFF head with one directory of one-value SHORT entries. */
const tiffHead = (entries: readonly (readonly [tag: number, value: number])[]): Uint8Array => {
  const bytes = Buffer.alloc(14 + 12 * entries.length)
  bytes.write('II*\0\x08\0\0\0', 'latin1')
  bytes.writeUInt16LE(entries.length, 8)
  entries.forEach(([tag, value], i) => {
    bytes.writeUInt16LE(tag, 10 + 12 * i)
    bytes.writeUInt16LE(3, 12 + 12 * i)
    bytes.writeUInt32LE(1, 14 + 12 * i)
    bytes.writeUInt16LE(value, 18 + 12 * i)
  })
  return bytes
}

describe('imageKind', () => {
  it('knows every format that is decoded from what an encoder writes', async () => {
    for (const format of formats) expect(reasonOf(await encoded(format))).toBe(format)
  })

  it('tells HEIC from AVIF by the brands, also where the major brand is only the container', () => {
    expect(reasonOf(ftyp('heic', 'mif1', 'heic'))).toBe('heic')
    expect(reasonOf(ftyp('mif1', 'mif1', 'heic'))).toBe('heic')
    expect(reasonOf(ftyp('mif1', 'mif1', 'avif', 'miaf'))).toBe('avif')
    expect(reasonOf(ftyp('avis', 'avif'))).toBe('avif')
  })

  it('tells videos and camera raw from pictures', () => {
    expect(reasonOf(ftyp('qt  '))).toBe('video: QuickTime')
    expect(reasonOf(ftyp('isom', 'mp42'))).toBe('video: MP4')
    expect(reasonOf(ftyp('crx ', 'crx '))).toBe('camera-raw: Canon raw')
    expect(reasonOf(latin1('II*\0\x10\0\0\0CR\x02\0'))).toBe('camera-raw: Canon raw')
    expect(reasonOf(latin1('FUJIFILMCCD-RAW 0201'))).toBe('camera-raw: Fujifilm raw')
  })

  it('takes a TIFF whose first directory is a thumbnail, or that names a DNG version, for camera raw', () => {
    expect(reasonOf(tiffHead([[254, 1]]))).toBe('camera-raw: camera raw')
    expect(reasonOf(tiffHead([[50706, 1]]))).toBe('camera-raw: camera raw')
    expect(
      reasonOf(
        tiffHead([
          [254, 0],
          [256, 10],
        ]),
      ),
    ).toBe('tiff')
  })

  it('names pictures that it cannot decode', () => {
    expect(reasonOf(latin1('8BPS\0\x01'))).toBe('unsupported-image: Photoshop')
    expect(reasonOf(latin1('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBe(
      'unsupported-image: SVG',
    )
    expect(reasonOf(latin1('BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0'))).toBe('unsupported-image: BMP')
    expect(reasonOf(latin1('\xff\x0a\0\0'))).toBe('unsupported-image: JPEG XL')
  })

  it('tells text, web pages and Git LFS pointers apart, in UTF-8 and UTF-16', () => {
    expect(reasonOf(latin1('hello'))).toBe('text: text')
    expect(reasonOf(latin1('BMW drove by'))).toBe('text: text')
    expect(reasonOf(Buffer.from('Grüße an die See 🌊'))).toBe('text: text')
    expect(reasonOf(latin1('\xff\xfeh\0i\0'))).toBe('text: text')
    expect(reasonOf(latin1('\n<!DOCTYPE html><html>404'))).toBe('web-page: web page')
    expect(reasonOf(latin1('version https://git-lfs.github.com/spec/v1\noid sha256:00'))).toBe(
      'git-lfs-pointer: Git LFS pointer',
    )
  })

  it('forgives a character that the end of the head cuts in two', () => {
    expect(reasonOf(Buffer.from('the sea 🌊').subarray(0, -2))).toBe('text: text')
  })

  it('calls anything else unknown data, down to a single byte', () => {
    expect(reasonOf(Uint8Array.of(0))).toBe('not-an-image: unknown data')
    expect(reasonOf(Uint8Array.of(0x89, 0x50))).toBe('not-an-image: unknown data')
    expect(reasonOf(new Uint8Array(300).fill(0xfe))).toBe('not-an-image: unknown data')
  })
})
