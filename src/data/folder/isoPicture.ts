/**
 * What the boxes of an AVIF or HEIC file say of its main picture: size, turning, colours. Read without a decoder, from
 * the head of the file.
 *
 * Sources: ISO/IEC 14496-12 (boxes, `meta`, `pitm`), 23008-12 (HEIF: `iprp`, `ipco`, `ipma`, `ispe`, `irot`, `colr`),
 * ITU-T H.273 (the numbers of `nclx`).
 */
import { latin1 } from './imageKind.ts'
import { bodyOf, boxesOf, metaBoxes, viewOf, type Box } from './isoBoxes.ts'

/** Colours by number: ITU-T H.273. */
export interface Nclx {
  /** 1 BT.709 as sRGB, 9 BT.2020, 12 Display P3, 2 unsaid … */
  readonly primaries: number
  /** 13 sRGB, 16 PQ, 18 HLG, 2 unsaid … */
  readonly transfer: number
}

/** The main picture of an ISO media file. */
export interface IsoPicture {
  /** As a person sees it, turned. */
  readonly width: number
  readonly height: number
  readonly alpha: boolean
  readonly nclx?: Nclx
  /** The ICC profile, where there is one. */
  readonly icc?: Uint8Array
}

/** `pitm`: the number of the main item. */
const primaryItem = (body: Uint8Array): number | undefined => {
  const wide = body[0] !== 0
  if (body.length < (wide ? 8 : 6)) return undefined
  return wide ? viewOf(body).getUint32(4) : viewOf(body).getUint16(4)
}

/** `ipma`: for each item, the places of its properties in `ipco`, counted from 1. */
const associations = (body: Uint8Array): ReadonlyMap<number, readonly number[]> => {
  const view = viewOf(body)
  const found = new Map<number, readonly number[]>()
  if (body.length < 8) return found
  const [wideItem, wideIndex] = [(body[0] ?? 0) > 0, ((body[3] ?? 0) & 1) === 1]
  let at = 8
  for (let left = view.getUint32(4); left > 0 && at + (wideItem ? 5 : 3) <= body.length; left--) {
    const item = wideItem ? view.getUint32(at) : view.getUint16(at)
    at += wideItem ? 4 : 2
    const count = body[at++] ?? 0
    const step = wideIndex ? 2 : 1
    if (at + count * step > body.length) break
    const indices = Array.from({ length: count }, (_, i) =>
      wideIndex ? view.getUint16(at + 2 * i) & 0x7fff : (body[at + i] ?? 0) & 0x7f,
    )
    found.set(item, indices)
    at += count * step
  }
  return found
}

const colours = (boxes: readonly Box[]): Pick<IsoPicture, 'nclx' | 'icc'> => {
  const bodies = boxes.filter((box) => box.type === 'colr').map((box) => box.body)
  const icc = bodies.find((body) => ['prof', 'rICC'].includes(latin1(body, 0, 4)))?.subarray(4)
  const nclx = bodies.find((body) => latin1(body, 0, 4) === 'nclx' && body.length >= 8)
  return {
    ...(icc === undefined ? {} : { icc }),
    ...(nclx === undefined
      ? {}
      : { nclx: { primaries: viewOf(nclx).getUint16(4), transfer: viewOf(nclx).getUint16(6) } }),
  }
}

/** Whether an auxiliary picture of opacity is named anywhere: `auxC` with the URN of alpha. */
const hasAlpha = (properties: readonly Box[]): boolean =>
  properties.some(({ type, body }) => type === 'auxC' && /alpha|hevc:2015:auxid:1/.test(latin1(body, 4, 64)))

/** Size as a person sees it: `ispe`, after the quarter turns of `irot`. */
const sizeOf = (own: readonly Box[]): Pick<IsoPicture, 'width' | 'height'> | undefined => {
  const extent = bodyOf(own, 'ispe')
  if (extent === undefined || extent.length < 12) return undefined
  const [width, height] = [viewOf(extent).getUint32(4), viewOf(extent).getUint32(8)]
  const turned = ((bodyOf(own, 'irot')?.[0] ?? 0) & 1) === 1
  return turned ? { width: height, height: width } : { width, height }
}

/** The main picture; `undefined` when the boxes that name it are not (wholly) in `bytes`. */
export const isoPicture = (bytes: Uint8Array): IsoPicture | undefined => {
  const meta = metaBoxes(bytes) ?? []
  const properties = boxesOf(bodyOf(meta, 'iprp') ?? new Uint8Array())
  const [pitm, ipco, ipma] = [bodyOf(meta, 'pitm'), bodyOf(properties, 'ipco'), bodyOf(properties, 'ipma')]
  const primary = pitm === undefined ? undefined : primaryItem(pitm)
  if (primary === undefined || ipco === undefined || ipma === undefined) return undefined
  const all = boxesOf(ipco)
  const own = (associations(ipma).get(primary) ?? []).flatMap((index) => all[index - 1] ?? [])
  const size = sizeOf(own)
  return size === undefined ? undefined : { ...size, alpha: hasAlpha(all), ...colours(own) }
}
