import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageGrid } from '../../src/io/imageGrid.ts'
import { decodePng, encodePng } from '../../src/io/png.ts'

describe('encodePng', () => {
  it('round-trips grey, RGB and RGBA pixels through decodePng', () => {
    const image = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom<1 | 3 | 4>(1, 3, 4),
      fc.nat(),
    )
    fc.assert(
      fc.property(image, ([width, height, channels, seed]) => {
        const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => (seed + i * 73) % 256)
        const decoded = decodePng(encodePng({ width, height, channels, pixels }))
        const rgba = Array.from({ length: width * height }, (_, i) => {
          const p = [...pixels.subarray(i * channels, (i + 1) * channels)]
          return channels === 1 ? [p[0], p[0], p[0], 255] : channels === 3 ? [...p, 255] : p
        }).flat()
        expect(decoded).toEqual({ width, height, channels: 4, pixels: Uint8Array.from(rgba as number[]) })
      }),
    )
  })

  it('starts with the PNG signature, and gives the same bytes twice', () => {
    const png = encodePng({ width: 1, height: 1, channels: 3, pixels: new Uint8Array([1, 2, 3]) })
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    expect(encodePng({ width: 1, height: 1, channels: 3, pixels: new Uint8Array([1, 2, 3]) })).toEqual(png)
  })

  it('throws for bytes that do not fit, and for an empty side', () => {
    expect(() => encodePng({ width: 2, height: 2, channels: 3, pixels: new Uint8Array(11) })).toThrow(
      '11 bytes are not a picture of 2×2×3',
    )
    expect(() => encodePng({ width: 0, height: 2, channels: 3, pixels: new Uint8Array(0) })).toThrow('not a picture')
  })
})

describe('imageGrid', () => {
  it('lays pictures out row by row, magnified, on a dark sheet with gaps', () => {
    const grid = imageGrid(
      [1, 2, 3].map((v) => new Uint8Array([100 + v, 200 + v])),
      { height: 1, width: 2, channels: 1, columns: 2, gap: 1, scale: 2 },
    )
    expect([grid.width, grid.height]).toEqual([11, 7])
    const rows = Array.from({ length: 7 }, (_, y) => [...grid.pixels.subarray(y * 11, y * 11 + 11)])
    const dark = Array(11).fill(20)
    const first = [20, 101, 101, 201, 201, 20, 102, 102, 202, 202, 20]
    const second = [20, 103, 103, 203, 203, 20, 20, 20, 20, 20, 20]
    expect(rows).toEqual([dark, first, first, dark, second, second, dark])
  })

  it.each([
    [1, 1, 1],
    [4, 2, 2],
    [5, 3, 2],
    [16, 4, 4],
    [17, 5, 4],
  ])('puts %i square pictures into %i columns and %i rows', (n, columns, rows) => {
    const grid = imageGrid(
      Array.from({ length: n }, () => new Uint8Array(16 * 16 * 3)),
      { height: 16, width: 16, channels: 3 },
    )
    expect([grid.width, grid.height]).toEqual([columns * 66 + 2, rows * 66 + 2]) // 16 px become 64
  })

  it('throws for no pictures, a wrong size, and options that are not whole', () => {
    const options = { height: 2, width: 2, channels: 3 } as const
    expect(() => imageGrid([], options)).toThrow('number of pictures')
    expect(() => imageGrid([new Uint8Array(11)], options)).toThrow('11 bytes, expected 2×2×3')
    expect(() => imageGrid([new Uint8Array(12)], { ...options, scale: 1.5 })).toThrow('scale is 1.5')
  })
})
