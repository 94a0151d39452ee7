/**
 * Pictures of whose data a part was never written: a download that reserved its space and was interrupted leaves zeros
 * there, and the file keeps its length. Most decoders find out; libwebp and libde265 (HEIC) draw grey and say nothing.
 *
 * Sources: RFC 9649 (WebP container), H.265 7.4.2 (emulation prevention: no three zero bytes in a row).
 */
import { latin1 } from './imageKind.ts'
import type { ImageFormat } from './imageKind.ts'
import { codedExtents } from './isoItems.ts'

/** The longest run of zero bytes, of runs of at least `least`; shorter ones count as 0. */
const longestZeroRun = (bytes: Uint8Array, least: number): number => {
  let longest = 0
  // A run of `least` covers a multiple of `least`: only these are looked at.
  for (let probe = least - 1; probe < bytes.length; probe += least) {
    if (bytes[probe] !== 0) continue
    let [first, last] = [probe, probe]
    while (first > 0 && bytes[first - 1] === 0) first--
    while (last + 1 < bytes.length && bytes[last + 1] === 0) last++
    if (last - first + 1 >= least) longest = Math.max(longest, last - first + 1)
    probe = Math.max(probe, last)
  }
  return longest
}

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
}

/** RIFF's chunks: type, length, data padded to an even length. */
const chunksOf = (bytes: Uint8Array, start: number): readonly Chunk[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks: Chunk[] = []
  for (let at = start; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true)
    const type = latin1(bytes, at, 4)
    if (!/^[\x20-\x7e]{4}$/.test(type)) break
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length % 2)
  }
  return chunks
}

/** The coded picture: `VP8 ` or `VP8L`, in an animation those of its first frame. */
const codedWebp = (bytes: Uint8Array): readonly Uint8Array[] => {
  const chunks = chunksOf(bytes, 12)
  const frame = chunks.find(({ type }) => type === 'ANMF')
  const all = frame === undefined ? chunks : chunksOf(frame.data, 16)
  return all.filter(({ type }) => type === 'VP8 ' || type === 'VP8L').map(({ data }) => data)
}

/**
 * Arithmetic and Huffman codes hold no long runs of zeros but for large areas without any detail, and those are short:
 * of 12 megapixels, libwebp codes at most 2 % of the blocks in such a way, 600 bytes in hundreds of thousands.
 */
const webpRun = (data: Uint8Array): number => longestZeroRun(data, Math.max(64, Math.ceil(data.length / 100)))

/** Three zeros in a row cannot be in HEVC; the length before a unit may add a few. */
const hevcRun = (data: Uint8Array): number => longestZeroRun(data, 8)

/** How many bytes of a picture's coded data are zeros that no encoder wrote; 0 when there are none. */
export const zeroFilledBytes = (format: ImageFormat, bytes: Uint8Array): number => {
  if (format === 'webp') return Math.max(0, ...codedWebp(bytes).map(webpRun))
  if (format === 'heic') return Math.max(0, ...codedExtents(bytes).map(hevcRun))
  return 0
}
