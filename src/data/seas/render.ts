/**
 * Renders a sea: from factors to bytes. Each pixel is the mean of a grid of samples, and every sample is a function
 * of its
 * place on the picture plane alone, so one scene looks the same at every size.
 */
import { mix, type Rgb } from './colour.ts'
import type { SeaFactors } from './factors.ts'
import { lightOf } from './light.ts'
import { paintObject } from './objects/index.ts'
import type { Painted } from './objects/object.ts'
import { skyOf } from './sky.ts'
import { hazeAt, waterOf } from './water.ts'
import { viewOf, type Size, type View } from './view.ts'

/** A rectangle of a picture in pixels: [left, right) × [top, bottom), cut to the picture. */
export type PixelBox = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }

const requireSize = ({ width, height }: Size): void => {
  const valid = (n: number): boolean => Number.isSafeInteger(n) && n >= 1 && n <= 8192
  if (!valid(width) || !valid(height)) {
    throw new RangeError(`renderSea: size ${width}×${height} is not two integers in [1, 8192]`)
  }
}

/** The colour of a scene at each point of the picture plane. */
const sceneOf = (factors: SeaFactors, view: View): ((u: number, v: number) => Rgb) => {
  const light = lightOf(factors)
  const sky = skyOf(factors, light, view)
  const setting = { light, view, sunU: sky.body.u }
  const nearToFar = factors.objects.map((object) => paintObject(object, setting)).toReversed()
  const hit = ({ box, paint }: Painted, u: number, v: number): Rgb | undefined =>
    u >= box.left && u <= box.right && v >= box.top && v <= box.bottom ? paint(u, v) : undefined
  const mirrored = (u: number, v: number): Rgb | undefined => {
    for (const object of nearToFar) {
      const base = object.base(u)
      const image = v > base ? hit(object, u, 2 * base - v) : undefined
      if (image !== undefined) return image
    }
    return undefined
  }
  const water = waterOf(factors, light, sky, mirrored)
  return (u, v) => {
    for (const object of nearToFar) {
      const colour = hit(object, u, v)
      if (colour !== undefined) return mix(colour, light.horizon, hazeAt(light, object.base(u)))
    }
    return v > 0 ? water(u, v) : sky.seen(u, -v)
  }
}

/**
 * Samples of a pixel, across and down, never fewer than two: the sea lies flat, so its detail is finer up and down
 * than across.
 */
const samplesOf = (unit: number): readonly [number, number] => [
  Math.max(2, Math.ceil(64 / unit)),
  Math.max(2, Math.ceil(96 / unit)),
]

/** A channel as a byte; highlights above 0.8 are rolled off, so that glitter keeps its colour instead of clipping. */
const toByte = (x: number): number => {
  const rolled = x <= 0.8 ? x : 1 - 0.2 * Math.exp(-(x - 0.8) / 0.2)
  return Math.max(0, Math.round(rolled * 255))
}

/**
 * Renders a sea.
 *
 * @param factors of `seaScene`, or written by hand
 * @param size width and height in pixels, each in [1, 8192]
 * @returns RGB bytes [height, width, 3], row by row from the top
 * @throws RangeError for any other size
 * @example
 * ```ts
 * import { renderSea, seaScene } from 'fathom/data'
 *
 * const scene = seaScene([0, 7])
 * renderSea(scene, { width: 4, height: 2 }).length // => 24
 * renderSea(scene, { width: 0, height: 2 }) // throws RangeError: renderSea: size 0×2 is not …
 * ```
 */
export const renderSea = (factors: SeaFactors, size: Size): Uint8Array => {
  requireSize(size)
  const view = viewOf(factors.horizon, size)
  const scene = sceneOf(factors, view)
  const [nx, ny] = samplesOf(view.unit)
  const pixels = new Uint8Array(size.width * size.height * 3)
  const weight = 1 / (nx * ny)
  for (let y = 0, at = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, at += 3) {
      let [r, g, b] = [0, 0, 0]
      for (let j = 0; j < ny; j++) {
        const v = (y + (j + 0.5) / ny - view.horizon) / view.unit
        for (let i = 0; i < nx; i++) {
          const colour = scene((x + (i + 0.5) / nx - view.centre) / view.unit, v)
          r += colour[0]
          g += colour[1]
          b += colour[2]
        }
      }
      pixels[at] = toByte(r * weight)
      pixels[at + 1] = toByte(g * weight)
      pixels[at + 2] = toByte(b * weight)
    }
  }
  return pixels
}

/**
 * Where each object of a scene stands in a picture of the given size: labels for detection, in the order of
 * `factors.objects`.
 *
 * @returns pixel boxes of what is above the waterline, cut to the picture (an object outside has an empty box)
 * @example
 * ```ts
 * import { objectBoxes, seaScene } from 'fathom/data'
 *
 * const scene = seaScene([0, 7])
 * objectBoxes(scene, { width: 64, height: 64 }) // => [{ left: 7, right: 22, top: 17, bottom: 31 }, { … }]
 * ```
 */
export const objectBoxes = (factors: SeaFactors, size: Size): readonly PixelBox[] => {
  requireSize(size)
  const view = viewOf(factors.horizon, size)
  const setting = { light: lightOf(factors), view, sunU: 0 }
  const cut = (n: number, limit: number): number => Math.max(0, Math.min(limit, n))
  return factors.objects.map((object) => {
    const { box } = paintObject(object, setting)
    return {
      left: cut(Math.floor(box.left * view.unit + view.centre), size.width),
      right: cut(Math.ceil(box.right * view.unit + view.centre), size.width),
      top: cut(Math.floor(box.top * view.unit + view.horizon), size.height),
      bottom: cut(Math.ceil(box.bottom * view.unit + view.horizon), size.height),
    }
  })
}
