/** The estimators against the factors that the generator painted with. */
import { beforeAll, describe, expect, it } from 'vitest'
import { estimate, type Estimate, type FactorName } from '../../../src/evaluation/scenes/factors.ts'
import { horizonOf } from '../../../src/evaluation/scenes/horizon.ts'
import { labOf, type Lab } from '../../../src/evaluation/scenes/lab.ts'
import { deviation, mean, median, quantile } from '../../../src/evaluation/statistics.ts'
import { pixelAt, type Picture } from '../../../src/evaluation/scenes/picture.ts'
import type { Rgb } from '../../../src/data/seas/colour.ts'
import type { SeaFactors } from '../../../src/data/seas/factors.ts'
import { renderSea, seas } from '../../../src/data/seas/index.ts'
import { lightOf } from '../../../src/data/seas/light.ts'
import { at, range } from '../../../src/prelude/array.ts'

const size = { height: 32, width: 32 }
const count = 300

const pictureOf = (scene: SeaFactors): Picture => ({ ...size, pixels: renderSea(scene, size) })

/** Pearson's correlation. */
const correlation = (xs: readonly number[], ys: readonly number[]): number => {
  const [mx, my] = [mean(xs), mean(ys)]
  return mean(xs.map((x, i) => (x - mx) * (at(ys, i) - my))) / (deviation(xs) * deviation(ys))
}

/** The mean colour above the true horizon of the scene without coast and objects. */
const trueSky = (scene: SeaFactors): Lab => {
  const picture = pictureOf({ ...scene, objects: [], coast: 0 })
  const sky = range(Math.floor(scene.horizon * size.height) * size.width).map((p) => labOf(...pixelAt(picture, p)))
  return { L: mean(sky.map(({ L }) => L)), a: mean(sky.map(({ a }) => a)), b: mean(sky.map(({ b }) => b)) }
}

const labOfLight = ([r, g, b]: Rgb): Lab => {
  const byte = (x: number): number => Math.max(0, Math.min(255, Math.round(255 * x)))
  return labOf(byte(r), byte(g), byte(b))
}

const mirrored = ({ height, width, pixels }: Picture): Picture => ({
  height,
  width,
  pixels: Uint8Array.from(pixels, (_, i) => {
    const [p, c] = [Math.floor(i / 3), i % 3]
    const [y, x] = [Math.floor(p / width), p % width]
    return pixels[(y * width + (width - 1 - x)) * 3 + c] ?? 0
  }),
})

/** Sky of one colour over water of another, `rows` of sky. */
const twoColours = (sky: number, water: number, rows: number): Picture => ({
  ...size,
  pixels: Uint8Array.from({ length: 3 * 32 * 32 }, (_, i) => {
    const cover = Math.max(0, Math.min(1, rows - Math.floor(i / 96)))
    return Math.round(cover * sky + (1 - cover) * water)
  }),
})

let scenes: readonly SeaFactors[] = []
let pictures: readonly Picture[] = []
let estimates: readonly Estimate[] = []

beforeAll(() => {
  const data = seas({ seed: 7, size: 32 })
  scenes = range(count).map((i) => data.factors(i))
  pictures = scenes.map(pictureOf)
  estimates = pictures.map(estimate)
})

const estimated = (factor: FactorName, which: readonly number[] = range(count)): readonly number[] =>
  which.map((i) => at(estimates, i)[factor])

/** The scenes for which something holds. */
const where = (holds: (scene: SeaFactors) => boolean): readonly number[] =>
  range(count).filter((i) => holds(at(scenes, i)))

describe('labOf', () => {
  it('gives white, black and greys no colour, and red the published values', () => {
    expect(labOf(255, 255, 255).L).toBeCloseTo(100, 6)
    expect(labOf(0, 0, 0).L).toBeCloseTo(0, 6)
    for (const grey of [1, 30, 128, 255]) {
      expect(labOf(grey, grey, grey).a).toBeCloseTo(0, 1)
      expect(labOf(grey, grey, grey).b).toBeCloseTo(0, 1)
    }
    const { L, a, b } = labOf(255, 0, 0)
    expect([L, a, b].map((x) => Math.round(x))).toEqual([53, 80, 67])
  })
})

describe('horizonOf', () => {
  it.each([9, 10.5, 12.25, 16, 18.75, 20])(
    'finds the edge of two colours to a tenth of a row: %d rows of sky',
    (rows) => {
      expect(Math.abs(horizonOf(twoColours(200, 60, rows)) * 32 - rows)).toBeLessThan(0.1)
    },
  )

  it('errs by less than 1.5 rows in most seas, and by less than 1 where neither fog nor coast hides the horizon', () => {
    const errorOf = (i: number): number => 32 * Math.abs(at(estimates, i).horizon / 100 - at(scenes, i).horizon)
    expect(median(range(count).map(errorOf))).toBeLessThan(1.5)
    const plain = where(({ weather, coast }) => weather !== 'fog' && coast === 0).map(errorOf)
    expect(median(plain)).toBeLessThan(1)
    expect(quantile(plain, 0.9)).toBeLessThan(2.5)
  })

  it('follows the true horizon', () => {
    const truth = scenes.map(({ horizon }) => horizon)
    expect(correlation(estimated('horizon'), truth)).toBeGreaterThan(0.65)
    const seen = where(({ weather }) => weather !== 'fog')
    expect(
      correlation(
        estimated('horizon', seen),
        seen.map((i) => at(truth, i)),
      ),
    ).toBeGreaterThan(0.7)
  })
})

describe('estimate', () => {
  it('gives the sky the colour that it has above the true horizon, without coast and objects', () => {
    const truth = scenes.map(trueSky)
    for (const [factor, channel] of [
      ['skyLightness', 'L'],
      ['skyRed', 'a'],
      ['skyWarmth', 'b'],
    ] as const) {
      const expected = truth.map((colour) => colour[channel])
      expect(correlation(estimated(factor), expected)).toBeGreaterThan(0.97)
      expect(median(estimated(factor).map((x, i) => Math.abs(x - at(expected, i))))).toBeLessThan(1.5)
    }
  })

  it('follows the light that the hour and the weather give', () => {
    const lights = scenes.map(lightOf)
    const above = lights.map(({ middle, horizon }) => labOfLight(middle).L + labOfLight(horizon).L)
    expect(correlation(estimated('lightness'), above)).toBeGreaterThan(0.94)
    const contrast = lights.map(({ horizon, deep }) => labOfLight(horizon).L - labOfLight(deep).L)
    expect(correlation(estimated('contrast'), contrast)).toBeGreaterThan(0.65)
  })

  it('finds the column of the sun or moon: to a pixel where it is seen in a clear sky', () => {
    const truth = scenes.map(({ sun }) => 100 * sun.x)
    expect(correlation(estimated('sun'), truth)).toBeGreaterThan(0.8)
    const seen = where(({ weather, sun }) => weather === 'clear' && sun.altitude > 0.02)
    expect(median(seen.map((i) => Math.abs(at(estimates, i).sun - at(truth, i))))).toBeLessThan(100 / 32)
  })

  it('does not see left from right, but for the place of the light', () => {
    for (const picture of pictures.slice(0, 30)) {
      const [straight, other] = [estimate(picture), estimate(mirrored(picture))]
      const { sun, ...rest } = straight
      const { sun: sunOther, ...restOther } = other
      expect(sunOther).toBeCloseTo(100 - sun, 8)
      for (const [name, value] of Object.entries(rest))
        expect(Object.entries(restOther).find(([n]) => n === name)?.[1]).toBeCloseTo(value, 8)
    }
  })

  it('gives numbers for a picture of one colour and for the smallest pictures', () => {
    const flat = estimate(twoColours(90, 90, 16))
    const small = estimate({ height: 4, width: 1, pixels: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) })
    for (const value of [...Object.values(flat), ...Object.values(small)]) expect(Number.isFinite(value)).toBe(true)
    expect(flat.contrast).toBeCloseTo(0, 9)
    expect(flat.sun).toBe(50)
  })
})
