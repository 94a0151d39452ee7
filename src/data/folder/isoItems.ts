/**
 * Where the coded data of a HEIC file lie: the extents of its items, in the file or in `idat`.
 *
 * Sources: ISO/IEC 14496-12, 8.11.3 (`iloc`) and 8.11.6 (`iinf`, `infe`).
 */
import { latin1 } from './imageKind.ts'
import { bodyOf, boxesOf, metaBoxes, viewOf } from './isoBoxes.ts'

/** The numbers of the items whose type is HEVC. */
const hevcItems = (iinf: Uint8Array): ReadonlySet<number> => {
  const entries = boxesOf(iinf.subarray(iinf[0] === 0 ? 6 : 8))
  const numbers = entries.flatMap(({ type, body }) => {
    const wide = body[0] === 3
    if (type !== 'infe' || (body[0] ?? 0) < 2 || body.length < (wide ? 14 : 12)) return []
    const number = wide ? viewOf(body).getUint32(4) : viewOf(body).getUint16(4)
    return latin1(body, wide ? 10 : 8, 4) === 'hvc1' ? [number] : []
  })
  return new Set(numbers)
}

/** Reads numbers of given widths one after the other; 0 beyond the end. */
const reader = (bytes: Uint8Array, start: number): ((width: number) => number) => {
  let at = start
  return (width) => {
    let value = 0
    for (let i = 0; i < width; i++) value = value * 256 + (bytes[at++] ?? 0)
    return value
  }
}

interface Extent {
  readonly item: number
  /** 0: of the file; 1: of `idat`; 2: of another item. */
  readonly method: number
  readonly offset: number
  readonly length: number
}

const extentsOf = (iloc: Uint8Array): readonly Extent[] => {
  const version = iloc[0] ?? 0
  const [offsetBytes, lengthBytes] = [(iloc[4] ?? 0) >> 4, (iloc[4] ?? 0) & 15]
  const [baseBytes, indexBytes] = [(iloc[5] ?? 0) >> 4, version === 0 ? 0 : (iloc[5] ?? 0) & 15]
  const next = reader(iloc, 6)
  const extents: Extent[] = []
  const items = Math.min(next(version < 2 ? 2 : 4), iloc.length) // every item takes more than a byte
  for (let i = 0; i < items; i++) {
    const item = next(version < 2 ? 2 : 4)
    const method = version === 0 ? 0 : next(2) & 15
    next(2) // data reference
    const base = next(baseBytes)
    for (let left = Math.min(next(2), iloc.length); left > 0; left--) {
      next(indexBytes)
      extents.push({ item, method, offset: base + next(offsetBytes), length: next(lengthBytes) })
    }
  }
  return extents
}

/** The coded data of all HEVC items; those that reach beyond the end of the file are shorter than they say. */
const located = (file: Uint8Array): readonly { readonly extent: Extent; readonly data: Uint8Array }[] => {
  const meta = metaBoxes(file) ?? []
  const [iloc, iinf] = [bodyOf(meta, 'iloc'), bodyOf(meta, 'iinf')]
  if (iloc === undefined || iinf === undefined) return []
  const [hevc, idat] = [hevcItems(iinf), bodyOf(meta, 'idat') ?? new Uint8Array()]
  return extentsOf(iloc)
    .filter(({ item, method }) => hevc.has(item) && method < 2)
    .map((extent) => {
      const home = extent.method === 0 ? file : idat
      return { extent, data: home.subarray(extent.offset, extent.offset + extent.length) }
    })
}

/** The coded data of a HEIC file, one array an extent. */
export const codedExtents = (file: Uint8Array): readonly Uint8Array[] => located(file).map(({ data }) => data)

/** Whether any coded data of a HEIC file reach beyond its end. */
export const extentsReachBeyond = (file: Uint8Array): boolean =>
  located(file).some(({ extent, data }) => data.length < extent.length)
