/** TIFF files by hand, of samples that no encoder of the test writes. Source: TIFF 6.0. */

/** What a file holds: 4×4 pixels unless told, every pixel the same samples. */
export interface HandmadeTiff {
  /** One pixel's samples, or for less than 8 bits a byte of several. */
  readonly pixel: ArrayBufferView
  readonly bits: readonly number[]
  /** 1 unsigned, 2 signed, 3 floating point, 6 complex. */
  readonly sampleFormat?: number
  /** 0 white is zero, 1 black is zero, 2 RGB, 3 palette, 5 inks, 6 YCbCr, 8 Lab. */
  readonly photometric?: number
  /** 0 unknown, 1 multiplied opacity, 2 opacity. */
  readonly extraSamples?: readonly number[]
  readonly more?: readonly (readonly [tag: number, values: readonly number[]])[]
}

const side = 4

const pixelsOf = ({ pixel, bits }: HandmadeTiff): Buffer => {
  const one = Buffer.from(pixel.buffer, pixel.byteOffset, pixel.byteLength)
  const rowBytes = Math.ceil((side * bits.reduce((a, b) => a + b, 0)) / 8)
  return Buffer.concat(Array.from({ length: Math.ceil((side * rowBytes) / one.length) }, () => one))
}

/** The file: header, directory of 16-bit values (32-bit where they must be), values that do not fit, pixels. */
export const handmadeTiff = (what: HandmadeTiff): Uint8Array => {
  const { bits, sampleFormat = 1, photometric = 1, extraSamples = [], more = [] } = what
  const pixels = pixelsOf(what)
  const tags: readonly (readonly [number, readonly number[]])[] = [
    [256, [side]],
    [257, [side]],
    [258, bits],
    [259, [1]],
    [262, [photometric]],
    [273, [0]],
    [277, [bits.length]],
    [278, [side]],
    [279, [pixels.length]],
    ...(extraSamples.length > 0 ? [[338, extraSamples] as const] : []),
    [339, bits.map(() => sampleFormat)],
    ...more,
  ]
  const sorted = tags.toSorted((a, b) => a[0] - b[0])
  const head = Buffer.alloc(8 + 2 + 12 * sorted.length + 4)
  const outside: Buffer[] = []
  const bytesOf = (values: readonly number[]): Buffer => Buffer.from(Uint16Array.from(values).buffer)
  const start = head.length + sorted.reduce((sum, [, v]) => sum + (v.length > 2 ? 2 * v.length : 0), 0)
  head.write('II*\0', 0, 'latin1')
  head.writeUInt32LE(8, 4)
  head.writeUInt16LE(sorted.length, 8)
  let next = head.length
  sorted.forEach(([tag, given], i) => {
    const at = 10 + 12 * i
    const values = tag === 273 ? [start] : given
    head.writeUInt16LE(tag, at)
    head.writeUInt16LE(3, at + 2)
    head.writeUInt32LE(values.length, at + 4)
    if (values.length <= 2) head.set(bytesOf(values), at + 8)
    else {
      head.writeUInt32LE(next, at + 8)
      outside.push(bytesOf(values))
      next += 2 * values.length
    }
  })
  return Buffer.concat([head, ...outside, pixels])
}
