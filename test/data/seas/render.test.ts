/** Pictures of seas: determinism, sizes, agreement of resolutions, and that what is labelled is what is seen. */
import { describe, expect, it } from 'vitest'
import type { SeaFactors, SeaObject } from '../../../src/data/seas/factors.ts'
import { objectBoxes, renderSea, seas, seaScene, type Size } from '../../../src/data/seas/index.ts'
import { hostFold, hostKey } from '../../../src/prelude/threefry.ts'

const scene = (i: number): SeaFactors => seaScene(hostFold(hostKey(23), i))

/** A clear noon with nothing on the water. */
const noon: SeaFactors = {
  hour: 12,
  dayPart: 'day',
  weather: 'clear',
  sun: { body: 'sun', x: 0.2, altitude: 0.8 },
  hue: 0,
  horizon: 0.5,
  clouds: 0,
  waves: { frequency: 1, amplitude: 0.4, direction: 0.2 },
  foam: 0,
  coast: 0,
  cast: 'empty',
  objects: [],
  texture: 12345,
}

const boat = {
  kind: 'boat',
  x: 0.6,
  depth: 0.3,
  size: 0.4,
  heading: 1,
  heel: 0.05,
  hull: 'red',
  sail: 'white',
} as const
const bridge = { kind: 'bridge', x: 0.5, depth: 0.15, size: 0.25, span: 1.5, recede: 0.2 } as const
const buoy = { kind: 'buoy', x: 0.6, depth: 0.5, size: 0.35, tilt: 0.2 } as const
const everyObject: readonly SeaObject[] = [
  { ...boat, rig: 'sloop' },
  { ...boat, rig: 'trawler' },
  { ...boat, rig: 'freighter', size: 0.2 },
  { ...bridge, style: 'arch' },
  { ...bridge, style: 'suspension' },
  { ...bridge, style: 'girder' },
  { kind: 'stone', x: 0.6, depth: 0.5, size: 0.2, aspect: 1.2, shape: 99 },
  { ...buoy, mark: 'port' },
  { ...buoy, mark: 'starboard' },
  { ...buoy, mark: 'safeWater' },
  { ...buoy, mark: 'cardinal' },
]

const square = (size: number): Size => ({ width: size, height: size })

const pixelDifference = (a: Uint8Array, b: Uint8Array, pixel: number): number =>
  [0, 1, 2].reduce((sum, c) => sum + Math.abs((a[pixel * 3 + c] ?? 0) - (b[pixel * 3 + c] ?? 0)), 0)

const mean = (bytes: Uint8Array): number => bytes.reduce((a, b) => a + b, 0) / bytes.length

/** The picture at half its size: the mean of every 2×2 pixels. */
const halved = (bytes: Uint8Array, { width }: Size): Uint8Array => {
  const at = (x: number, y: number, c: number): number => bytes[(y * width + x) * 3 + c] ?? 0
  return Uint8Array.from({ length: bytes.length / 4 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % (width / 2), Math.floor(i / 3 / (width / 2))]
    const sum = at(2 * x, 2 * y, c) + at(2 * x + 1, 2 * y, c) + at(2 * x, 2 * y + 1, c) + at(2 * x + 1, 2 * y + 1, c)
    return Math.round(sum / 4)
  })
}

const meanDifference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, x, i) => sum + Math.abs(x - (b[i] ?? 0)), 0) / a.length

describe('renderSea', () => {
  it('gives the same bytes for the same factors', () => {
    for (let i = 0; i < 10; i++) expect(renderSea(scene(i), square(32))).toEqual(renderSea(scene(i), square(32)))
  })

  it.each([
    [1, 1],
    [16, 16],
    [48, 20],
    [20, 48],
    [96, 16],
  ])('honours the size %d×%d', (width, height) => {
    for (let i = 0; i < 6; i++) {
      const bytes = renderSea(scene(i), { width, height })
      expect(bytes.length).toBe(width * height * 3)
    }
  })

  it.each([0, -4, 2.5, NaN, 10000])('refuses the width %d and says what is allowed', (width) => {
    expect(() => renderSea(noon, { width, height: 16 })).toThrow(/renderSea: size .* in \[1, 8192\]/)
  })

  it.each([
    [64, 32],
    [32, 16],
  ])('shows one scene at all sizes: %d pixels averaged are close to %d', (large) => {
    for (let i = 0; i < 30; i++) {
      const half = halved(renderSea(scene(i), square(large)), square(large))
      const small = renderSea(scene(i), square(large / 2))
      expect(meanDifference(half, small)).toBeLessThan(5)
      expect(Math.abs(mean(half) - mean(small))).toBeLessThan(1)
    }
  })

  it('never gives a flat picture', () => {
    for (let i = 0; i < 100; i++) {
      const bytes = renderSea(scene(i), square(16))
      const m = mean(bytes)
      expect(Math.sqrt(bytes.reduce((sum, x) => sum + (x - m) ** 2, 0) / bytes.length)).toBeGreaterThan(3)
    }
  })

  it('is bright at noon and dark at midnight', () => {
    const midnight = { ...noon, hour: 0, dayPart: 'night', sun: { body: 'moon', x: 0.2, altitude: 0.8 } } as const
    expect(mean(renderSea(noon, square(32)))).toBeGreaterThan(2 * mean(renderSea(midnight, square(32))))
  })

  it('puts the sun where it is labelled', () => {
    const size = square(64)
    const bytes = renderSea(noon, size)
    const light = (x: number, y: number): number => pixelDifference(bytes, new Uint8Array(bytes.length), y * 64 + x)
    const [x, y] = [Math.floor(noon.sun.x * 64), Math.round(noon.horizon * 64 * (1 - noon.sun.altitude))]
    const row = Array.from({ length: 64 }, (_, i) => light(i, y))
    expect(light(x, y)).toBe(Math.max(...row))
  })

  it('greys the sky under clouds and takes contrast from what is far in fog', () => {
    const far: SeaObject = { ...boat, rig: 'sloop', depth: 0.06, size: 0.3 }
    const change = (weather: SeaFactors['weather']): number => {
      const base = { ...noon, weather }
      return meanDifference(renderSea({ ...base, objects: [far] }, square(32)), renderSea(base, square(32)))
    }
    expect(change('fog')).toBeLessThan(0.6 * change('clear'))
  })

  it('makes waves finer towards the horizon', () => {
    const size = { width: 32, height: 256 }
    const rough = { ...noon, waves: { frequency: 1, amplitude: 1.2, direction: 0 } }
    const bytes = renderSea(rough, size)
    const turns = (from: number, to: number): number => {
      const column = Array.from({ length: to - from }, (_, i) => bytes[((from + i) * 32 + 28) * 3 + 1] ?? 0)
      return column.filter(
        (x, i) => i > 0 && i < column.length - 1 && (x - (column[i - 1] ?? 0)) * ((column[i + 1] ?? 0) - x) < 0,
      ).length
    }
    expect(turns(150, 185)).toBeGreaterThan(turns(221, 256))
  })
})

describe('objects', () => {
  const size = square(64)

  it.each(everyObject.map((object) => [JSON.stringify(object), object] as const))(
    'changes a good part of its box and nothing above it: %s',
    (_name, object) => {
      const factors = { ...noon, objects: [object] }
      const [withObject, without] = [renderSea(factors, size), renderSea(noon, size)]
      const [box] = objectBoxes(factors, size)
      if (box === undefined) throw new Error('objectBoxes gave no box')
      const changed = (x: number, y: number): boolean => pixelDifference(withObject, without, y * 64 + x) > 12
      const pixels = Array.from({ length: 64 * 64 }, (_, i) => [i % 64, Math.floor(i / 64)] as const)
      const inside = pixels.filter(([x, y]) => x >= box.left && x < box.right && y >= box.top && y < box.bottom)
      expect(inside.filter(([x, y]) => changed(x, y)).length).toBeGreaterThan(0.18 * inside.length)
      expect(pixels.filter(([x, y]) => y < box.top && changed(x, y))).toEqual([])
    },
  )

  it('are mirrored below their waterline', () => {
    const factors: SeaFactors = { ...noon, objects: [{ ...boat, rig: 'sloop' }] }
    const [withObject, without] = [renderSea(factors, size), renderSea(noon, size)]
    const [box] = objectBoxes(factors, size)
    const below = Array.from({ length: 64 * 5 }, (_, i) => ((box?.bottom ?? 0) + Math.floor(i / 64)) * 64 + (i % 64))
    expect(below.filter((pixel) => pixelDifference(withObject, without, pixel) > 12).length).toBeGreaterThan(10)
  })

  it('hide what is behind them: the nearer of two decides', () => {
    const near: SeaObject = { kind: 'stone', x: 0.6, depth: 0.6, size: 0.5, aspect: 1, shape: 7 }
    const far: SeaObject = { ...boat, rig: 'trawler', depth: 0.2, size: 0.15 }
    const alone = renderSea({ ...noon, objects: [near] }, size)
    const both = renderSea({ ...noon, objects: [far, near] }, size)
    const pixel = Math.floor(64 * (0.5 + 0.5 * 0.2)) * 64 - 64 * 2 + Math.floor(64 * 0.6)
    expect(pixelDifference(alone, both, pixel)).toBe(0)
  })
})

describe('objectBoxes', () => {
  it('scale with the picture', () => {
    for (let i = 0; i < 50; i++) {
      const [small, large] = [objectBoxes(scene(i), square(64)), objectBoxes(scene(i), square(128))]
      small.forEach((box, k) => {
        for (const edge of ['left', 'right', 'top', 'bottom'] as const) {
          expect(Math.abs(2 * box[edge] - (large[k]?.[edge] ?? NaN))).toBeLessThanOrEqual(2)
        }
      })
    }
  })
})

describe('seas', () => {
  it('gives the picture of its labels, in any order of asking', () => {
    const [a, b] = [seas({ seed: 9, size: 16 }), seas({ seed: 9, width: 16, height: 16 })]
    const forwards = [0, 1, 2].map(a.image)
    expect([2, 1, 0].map(b.image).toReversed()).toEqual(forwards)
    expect(forwards).toEqual([0, 1, 2].map((i) => renderSea(a.factors(i), square(16))))
  })

  it('has labels that do not depend on the size, and other scenes for other seeds and indices', () => {
    expect(seas({ seed: 9, size: 16 }).factors(4)).toEqual(seas({ seed: 9, width: 100, height: 20 }).factors(4))
    const textures = [1, 2].flatMap((seed) =>
      Array.from({ length: 200 }, (_, i) => seas({ seed, size: 8 }).factors(i).texture),
    )
    expect(new Set(textures).size).toBe(400)
  })

  it('reaches a far index at once', () => {
    expect(seas({ seed: 9, size: 8 }).image(2 ** 40).length).toBe(192)
  })
})
