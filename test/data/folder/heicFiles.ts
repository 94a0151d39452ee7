/**
 * HEIC files for tests. sharp writes none, so three small ones were made by libheif's `heif-enc` 1.15.1 with x265 3.5
 * from pictures of `sharp` (test/golden/heic); further properties are put into their boxes here.
 *
 * `quadrants.heic`: 96×64, red (220, 40, 40), green (40, 200, 60) / blue (40, 60, 220), white (230, 230, 230).
 * `noise.heic`: 128×96, a gradient with noise. `alpha.heic`: 64×64, (200, 100, 50) of opacity 0.5, without loss.
 */
import { readFileSync } from 'node:fs'

/** One of the files in test/golden/heic. */
export const heicFile = (name: 'quadrants' | 'noise' | 'alpha'): Uint8Array =>
  readFileSync(new URL(`../../golden/heic/${name}.heic`, import.meta.url))

const box = (type: string, body: Uint8Array): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(8 + body.length)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, body])
}

/** A turn by quarters, against the clock. */
export const irot = (quarters: number): Buffer => box('irot', Buffer.of(quarters))

/** Colours by number (H.273), with BT.709's matrix. */
export const nclx = (primaries: number, transfer: number): Buffer =>
  box('colr', Buffer.concat([Buffer.from('nclx'), Buffer.of(0, primaries, 0, transfer, 0, 1, 0x80)]))

/** An ICC profile. */
export const prof = (icc: Uint8Array): Buffer => box('colr', Buffer.concat([Buffer.from('prof'), icc]))

/** Gives the first (and only) item of a file one more property: into `ipco`, and its number into `ipma`. */
export const withProperty = (file: Uint8Array, property: Uint8Array): Uint8Array => {
  const bytes = Buffer.from(file)
  const at = (type: string): number => bytes.indexOf(type, 0, 'latin1') - 4
  const [meta, iloc, iprp, ipco, ipma] = [at('meta'), at('iloc'), at('iprp'), at('ipco'), at('ipma')]
  const count = (() => {
    let n = 0
    for (let p = ipco + 8; p < ipco + bytes.readUInt32BE(ipco); p += bytes.readUInt32BE(p)) n++
    return n
  })()
  const added = property.length + 1
  const grow = (start: number, by: number): number => bytes.writeUInt32BE(bytes.readUInt32BE(start) + by, start)
  const [ipcoEnd, firstItem] = [ipco + bytes.readUInt32BE(ipco), ipma + 16]
  const associationsEnd = firstItem + 3 + bytes.readUInt8(firstItem + 2)
  grow(meta, added)
  grow(iprp, added)
  grow(ipco, property.length)
  grow(ipma, 1)
  bytes.writeUInt8(bytes.readUInt8(firstItem + 2) + 1, firstItem + 2)
  grow(iloc + 8 + 4 + 2 + 2 + 2 + 2, added) // the base offset of the first item
  return Buffer.concat([
    bytes.subarray(0, ipcoEnd),
    property,
    bytes.subarray(ipcoEnd, associationsEnd),
    Buffer.of(count + 1),
    bytes.subarray(associationsEnd),
  ])
}
