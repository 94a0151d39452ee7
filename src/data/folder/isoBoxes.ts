/** Boxes, of which AVIF and HEIC files are made: length, type, contents. Source: ISO/IEC 14496-12, 4.2. */
import { latin1 } from './imageKind.ts'

/** One box. */
export interface Box {
  readonly type: string
  /** What follows length and type. */
  readonly body: Uint8Array
}

/** Bytes as numbers. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The boxes of a container, as far as they are whole. A length of 1 says that 64 bits follow, 0 that it is the last. */
export const boxesOf = (bytes: Uint8Array): readonly Box[] => {
  const view = viewOf(bytes)
  const boxes: Box[] = []
  for (let at = 0; at + 8 <= bytes.length;) {
    const short = view.getUint32(at)
    const wide = short === 1 && at + 16 <= bytes.length
    const size = wide ? Number(view.getBigUint64(at + 8)) : short === 0 ? bytes.length - at : short
    if (size < (wide ? 16 : 8) || at + size > bytes.length) break
    boxes.push({ type: latin1(bytes, at + 4, 4), body: bytes.subarray(at + (wide ? 16 : 8), at + size) })
    at += size
  }
  return boxes
}

/** The contents of the first box of a type. */
export const bodyOf = (boxes: readonly Box[], type: string): Uint8Array | undefined =>
  boxes.find((box) => box.type === type)?.body

/** The boxes of the file's `meta`, which stand after its version and flags. */
export const metaBoxes = (file: Uint8Array): readonly Box[] | undefined => {
  const meta = bodyOf(boxesOf(file), 'meta')
  return meta === undefined ? undefined : boxesOf(meta.subarray(4))
}
