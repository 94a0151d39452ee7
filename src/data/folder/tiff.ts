/**
 * The first directory of a TIFF file: enough to tell a camera's raw file from a picture, and a cut file from a whole
 * one.
 *
 * Source: TIFF 6.0, section 2 (header, IFD, entries), sections 3 and 15 (strips, tiles); DNG 1.7 (`NewSubFileType`,
 * `DNGVersion`).
 */

interface Entry {
  readonly type: number
  readonly count: number
  /** Where the values lie: in the entry itself when they fit in four bytes. */
  readonly offset: number
}

interface Directory {
  readonly view: DataView
  readonly little: boolean
  readonly entries: ReadonlyMap<number, Entry>
}

/** Bytes of one value of each field type; only BYTE (1), SHORT (3), LONG (4) and LONG8 (16) are read here. */
const typeBytes: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
}
/** No picture has more strips or tiles: a row each of a hundred times more rows than a panorama. */
const maxValues = 2 ** 22

const tag = {
  newSubFileType: 254,
  stripOffsets: 273,
  stripByteCounts: 279,
  tileOffsets: 324,
  tileByteCounts: 325,
  dngVersion: 50706,
}

/** Where the first directory and its entries lie: TIFF has 32-bit offsets, BigTIFF 64-bit ones. */
interface Layout {
  readonly start: number
  readonly count: number
  readonly firstEntry: number
  readonly entryBytes: 12 | 20
}

const layoutOf = (view: DataView, little: boolean): Layout | undefined => {
  const wide = (at: number): number => Number(view.getBigUint64(at, little))
  const magic = view.getUint16(2, little)
  if (magic === 42) {
    const start = view.getUint32(4, little)
    if (start + 2 > view.byteLength) return undefined
    return { start, count: view.getUint16(start, little), firstEntry: start + 2, entryBytes: 12 }
  }
  if (magic !== 43 || view.byteLength < 16) return undefined
  const start = wide(8)
  if (start + 8 > view.byteLength) return undefined
  return { start, count: wide(start), firstEntry: start + 8, entryBytes: 20 }
}

/** `undefined` when the directory is not (wholly) inside `bytes`. */
const firstDirectory = (bytes: Uint8Array): Directory | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = bytes[0] === 0x49
  const layout = bytes.length < 8 ? undefined : layoutOf(view, little)
  if (layout === undefined) return undefined
  const { count, firstEntry, entryBytes } = layout
  if (count > 65535 || firstEntry + entryBytes * count > bytes.length) return undefined
  const big = entryBytes === 20
  const long = (at: number): number => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little))
  const entries = Array.from({ length: count }, (_, i): readonly [number, Entry] => {
    const at = firstEntry + entryBytes * i
    const type = view.getUint16(at + 2, little)
    const n = long(at + 4)
    const value = at + (big ? 12 : 8)
    const inline = n * (typeBytes[type] ?? 8) <= (big ? 8 : 4)
    return [view.getUint16(at, little), { type, count: n, offset: inline ? value : long(value) }]
  })
  return { view, little, entries: new Map(entries) }
}

/** The unsigned values of an entry; `undefined` when they are not inside the file. */
const values = ({ view, little }: Directory, entry: Entry): readonly number[] | undefined => {
  const width = typeBytes[entry.type]
  if (![1, 3, 4, 16].includes(entry.type) || width === undefined || entry.count > maxValues) return undefined
  if (entry.offset + entry.count * width > view.byteLength) return undefined
  return Array.from({ length: entry.count }, (_, i) => {
    const at = entry.offset + i * width
    if (width === 8) return Number(view.getBigUint64(at, little))
    return width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at, little) : view.getUint32(at, little)
  })
}

/**
 * Whether this is DNG, NEF, ARW or a relative: TIFF files whose first directory is a thumbnail (bit 0 of
 * `NewSubFileType`) of sensor data
 * that lies elsewhere. Decoding one as a picture would give the thumbnail.
 *
 * @param head the start of the file; `false` when the directory lies beyond it
 */
export const isCameraRaw = (head: Uint8Array): boolean => {
  const directory = firstDirectory(head)
  if (directory === undefined) return false
  const subFile = directory.entries.get(tag.newSubFileType)
  const reduced = subFile !== undefined && ((values(directory, subFile)?.[0] ?? 0) & 1) === 1
  return reduced || directory.entries.has(tag.dngVersion)
}

/** Whether the values of any entry lie beyond the end of the file. */
const entriesReachBeyond = ({ entries, view }: Directory): boolean =>
  [...entries.values()].some(({ type, count, offset }) => offset + count * (typeBytes[type] ?? 0) > view.byteLength)

/** Whether any strip or tile ends beyond the end of the file; `false` where the directory names none. */
const pixelsReachBeyond = (directory: Directory): boolean => {
  const { entries, view } = directory
  const offsets = entries.get(tag.stripOffsets) ?? entries.get(tag.tileOffsets)
  const counts = entries.get(tag.stripByteCounts) ?? entries.get(tag.tileByteCounts)
  if (offsets === undefined || counts === undefined) return false
  const starts = values(directory, offsets)
  const lengths = values(directory, counts)
  if (starts === undefined || lengths === undefined) return true
  return starts.some((start, i) => start + (lengths[i] ?? 0) > view.byteLength)
}

/** The values of a tag of the first directory by its number; `undefined` where it is not there or not in the file. */
export const tiffValues = (bytes: Uint8Array): ((tag: number) => readonly number[] | undefined) => {
  const directory = firstDirectory(bytes)
  return (number) => {
    const entry = directory?.entries.get(number)
    return directory === undefined || entry === undefined ? undefined : values(directory, entry)
  }
}

/** Whether the pixels of the first picture reach beyond the end of the file. */
export const isTiffTruncated = (bytes: Uint8Array): boolean => {
  if (bytes.length < 8) return true
  const directory = firstDirectory(bytes)
  if (directory === undefined) return true
  return entriesReachBeyond(directory) || pixelsReachBeyond(directory)
}
