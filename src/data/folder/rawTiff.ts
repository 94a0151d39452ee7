/**
 * Decoded samples as a TIFF file in memory: the form in which the decoder takes samples *and* their colour profile.
 *
 * Source: TIFF 6.0, sections 2, 6 and 18; ICC.1, annex B.5 (tag 34675).
 */

/** Rows of pixels with their channels side by side. */
export interface RawPicture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
  readonly samples: Uint8Array | Uint16Array
  /** The colours were multiplied by their opacity. */
  readonly premultiplied: boolean
}

type Tag = readonly [number: number, type: 'short' | 'long' | 'bytes', values: readonly number[] | Uint8Array]

const widths = { short: 2, long: 4, bytes: 1 } as const
const types = { short: 3, long: 4, bytes: 7 } as const

const valueBytes = ([, type, values]: Tag): Uint8Array => {
  const view = new DataView(new ArrayBuffer(values.length * widths[type]))
  values.forEach((value, i) => {
    if (type === 'short') view.setUint16(2 * i, value, true)
    else if (type === 'long') view.setUint32(4 * i, value, true)
    else view.setUint8(i, value)
  })
  return new Uint8Array(view.buffer)
}

/** Header, one directory, the values that do not fit into it, the samples as one strip. */
const assemble = (tagsAt: (samplesAt: number) => readonly Tag[], samples: Uint8Array): Buffer => {
  const valuesAt = 8 + 2 + 12 * tagsAt(0).length + 4
  const outside = (tags: readonly Tag[]): readonly Uint8Array[] => tags.map(valueBytes).filter((v) => v.length > 4)
  const samplesAt = valuesAt + outside(tagsAt(0)).reduce((sum, v) => sum + v.length, 0)
  const start = samplesAt + (samplesAt % 2)
  const tags = tagsAt(start)
  const head = Buffer.alloc(start)
  head.set([0x49, 0x49, 42, 0, 8, 0, 0, 0, tags.length, 0])
  let next = valuesAt
  tags.forEach((tag, i) => {
    const [number, type, values] = tag
    const bytes = valueBytes(tag)
    const at = 10 + 12 * i
    head.writeUInt16LE(number, at)
    head.writeUInt16LE(types[type], at + 2)
    head.writeUInt32LE(values.length, at + 4)
    if (bytes.length <= 4) head.set(bytes, at + 8)
    else {
      head.writeUInt32LE(next, at + 8)
      head.set(bytes, next)
      next += bytes.length
    }
  })
  return Buffer.concat([head, samples])
}

/** A picture and its ICC profile as a TIFF file. */
export const rawTiff = (picture: RawPicture, icc: Uint8Array | undefined): Uint8Array => {
  const { width, height, channels, samples, premultiplied } = picture
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const alpha = channels === 2 || channels === 4
  const tagsAt = (samplesAt: number): readonly Tag[] => [
    [256, 'long', [width]],
    [257, 'long', [height]],
    [258, 'short', Array.from({ length: channels }, () => 8 * samples.BYTES_PER_ELEMENT)],
    [259, 'short', [1]],
    [262, 'short', [channels < 3 ? 1 : 2]],
    [273, 'long', [samplesAt]],
    [277, 'short', [channels]],
    [278, 'long', [height]],
    [279, 'long', [bytes.length]],
    ...(alpha ? [[338, 'short', [premultiplied ? 1 : 2]] as const] : []),
    ...(icc === undefined ? [] : [[34675, 'bytes', icc] as const]),
  ]
  return assemble(tagsAt, bytes)
}
