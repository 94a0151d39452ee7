/**
 * Pictures of whose data a part was never written: a download that reserved its space and was interrupted leaves zeros
 * there, and the file keeps its length. Most decoders find out; libwebp and libde265 (HEIC) draw grey and say nothing.
 *
 * Sources: RFC 9649 (WebP container), H.265 7.4.2 (emulation prevention: no three zero bytes in a row).
 */
import { latin1 } from './imageKind.ts'
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
const codedWebp = (bytes: Uint8Array): Chunk | undefined => {
  const chunks = chunksOf(bytes, 12)
  const frame = chunks.find(({ type }) => type === 'ANMF')
  const all = frame === undefined ? chunks : chunksOf(frame.data, 16)
  return all.find(({ type }) => type === 'VP8 ' || type === 'VP8L')
}

const hasZeroRun = (data: Uint8Array): boolean => longestZeroRun(data, 64) > 0

/** A picture's chunk without its last bytes, as a file. */
const shortened = ({ type, data }: Chunk): Uint8Array => {
  const rest = data.subarray(0, data.length - Math.max(32, Math.ceil(data.length / 100)))
  const padded = rest.length + (rest.length % 2)
  const file = Buffer.alloc(20 + padded)
  file.write(`RIFF\0\0\0\0WEBP${type}`, 0, 'latin1')
  file.writeUInt32LE(12 + padded, 4)
  file.writeUInt32LE(rest.length, 16)
  file.set(rest, 20)
  return file
}

/**
 * A WebP file to try when its coded data hold a long run of zeros: the same picture without its last bytes. An encoder
 * writes zeros too, for large areas without any detail; but it writes nothing that its decoder does not need, and so a
 * whole picture fails without them. In a picture with a hole the decoder has lost its place and arrives early.
 */
export const webpToDoubt = (bytes: Uint8Array): Uint8Array | undefined => {
  const coded = codedWebp(bytes)
  return coded !== undefined && hasZeroRun(coded.data) ? shortened(coded) : undefined
}

/** Three zeros in a row cannot be in HEVC; the length before a unit may add a few. */
const hevcRun = (data: Uint8Array): number => longestZeroRun(data, 8)

/** How many bytes of a HEIC picture's coded data are zeros that no encoder wrote; 0 when there are none. */
export const zerosInHeic = (bytes: Uint8Array): number => Math.max(0, ...codedExtents(bytes).map(hevcRun))
