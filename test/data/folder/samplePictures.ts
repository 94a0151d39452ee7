/**
 * Pictures that tests make for themselves: gradients with noise in every format, and PNG files put together by hand.
 */
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import type { ImageFormat } from '../../../src/data/folder/imageKind.ts'

/** The formats that sharp also writes: all but HEIC. */
type WrittenFormat = Exclude<ImageFormat, 'heic'>

/** Every format that is decoded, but HEIC. */
export const formats: readonly WrittenFormat[] = ['png', 'jpeg', 'webp', 'tiff', 'avif', 'gif']

/** RGB bytes of a gradient with a little noise, so that no format compresses it to nothing. */
const gradient = (width: number, height: number): Uint8Array => {
  const pixels = new Uint8Array(width * height * 3)
  let seed = 1
  for (let i = 0; i < pixels.length; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    const at = Math.floor(i / 3)
    pixels[i] = ((at % width) / width) * 120 + (Math.floor(at / width) / height) * 90 + (seed >>> 24) / 6
  }
  return pixels
}

/** The gradient as a sharp pipeline. */
export const picture = (width = 96, height = 64): Sharp =>
  sharp(gradient(width, height), { raw: { width, height, channels: 3 } })

/** The gradient as a file. */
export const encoded = (format: WrittenFormat, width = 96, height = 64): Promise<Uint8Array> =>
  picture(width, height)
    .toFormat(format, format === 'avif' ? { effort: 0 } : {})
    .toBuffer()

/** A picture of one colour, as a pipeline. */
export const plain = (r: number, g: number, b: number, alpha?: number): Sharp =>
  sharp({
    create: {
      width: 16,
      height: 16,
      channels: alpha === undefined ? 3 : 4,
      background: { r, g, b, ...(alpha === undefined ? {} : { alpha }) },
    },
  })

/** A chunk of a PNG. */
export const pngChunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, crc])
}

/**
 * A PNG by hand: valid signature, chunks and CRCs around whatever the header claims. `scanlines` are stored deflated.
 */
export const rawPng = (
  header: { readonly width: number; readonly height: number; readonly depth: number; readonly colour: number },
  scanlines: Uint8Array,
): Uint8Array => {
  const ihdr = Buffer.alloc(13)
  ihdr.writeUInt32BE(header.width, 0)
  ihdr.writeUInt32BE(header.height, 4)
  ihdr.set([header.depth, header.colour], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', ihdr),
    pngChunk('IDAT', deflateSync(scanlines)),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}

/** 30,000×30,000 pixels in a few hundred bytes. */
export const bomb = (): Uint8Array =>
  rawPng({ width: 30000, height: 30000, depth: 8, colour: 2 }, new Uint8Array(90001))

/** The first bytes of an ISO media file with these brands. */
export const ftyp = (...brands: readonly string[]): Uint8Array => {
  const [major = '', ...compatible] = brands
  const box = Buffer.alloc(16 + 4 * compatible.length)
  box.writeUInt32BE(box.length)
  box.write(`ftyp${major}\0\0\0\0${compatible.join('')}`, 4, 'latin1')
  return Buffer.concat([box, Buffer.alloc(64)])
}
