/**
 * The light of a sea: which colours hour and weather give the sky, the sun and the water.
 *
 * Key frames over the day, painted by eye after photographs, interpolated linearly; the weather then greys and dims
 * them.
 */
import { at } from '../../prelude/array.ts'
import { luma, mix, saturate, saturated, scaled, turnHue, type Rgb } from './colour.ts'
import type { SeaFactors, Weather } from './factors.ts'

/** The colours that a scene is painted with. */
export type Light = {
  /** Sky overhead, half-way, and at the horizon. */
  readonly zenith: Rgb
  readonly middle: Rgb
  readonly horizon: Rgb
  /** Colour of the sun or moon, its glow and its glitter. */
  readonly body: Rgb
  /** Strength of the disc, of the glow around it, and of the glitter on the water; 0 hides them. */
  readonly disc: number
  readonly glow: number
  readonly glitter: number
  /** Water looked down into, and light that shines through crests. */
  readonly deep: Rgb
  readonly crest: Rgb
  /** Clouds in light and in shade. */
  readonly cloudLit: Rgb
  readonly cloudShade: Rgb
  /** Light that falls on objects from all around, and from the sun's side. */
  readonly ambient: Rgb
  readonly direct: Rgb
  /** Extinction a unit of distance: what is far takes the horizon's colour. */
  readonly haze: number
  /** Strength of the stars. */
  readonly stars: number
}

type KeyFrame = {
  readonly hour: number
  readonly zenith: Rgb
  readonly middle: Rgb
  readonly horizon: Rgb
  readonly body: Rgb
  readonly glow: number
  readonly deep: Rgb
  readonly ambient: Rgb
  readonly direct: Rgb
  readonly stars: number
}

const frame = (
  hour: number,
  [zenith, middle, horizon]: readonly [Rgb, Rgb, Rgb],
  [body, glow]: readonly [Rgb, number],
  deep: Rgb,
  [ambient, direct]: readonly [Rgb, Rgb],
  stars: number,
): KeyFrame => ({ hour, zenith, middle, horizon, body, glow, deep, ambient, direct, stars })

const moon: Rgb = [0.86, 0.9, 1]

const night = (hour: number): KeyFrame =>
  frame(
    hour,
    [
      [0.025, 0.045, 0.14],
      [0.06, 0.105, 0.25],
      [0.16, 0.23, 0.4],
    ],
    [moon, 0.32],
    [0.02, 0.06, 0.14],
    [
      [0.27, 0.32, 0.47],
      [0.24, 0.27, 0.34],
    ],
    1,
  )

/** The day in key frames, in order of their hours; the first and the last are the same night. */
const day: readonly KeyFrame[] = [
  night(0),
  night(3.8),
  frame(
    4.7,
    [
      [0.1, 0.13, 0.34],
      [0.36, 0.29, 0.5],
      [0.86, 0.5, 0.46],
    ],
    [[1, 0.6, 0.45], 0.55],
    [0.05, 0.08, 0.2],
    [
      [0.36, 0.34, 0.5],
      [0.28, 0.18, 0.16],
    ],
    0.35,
  ),
  frame(
    5.6,
    [
      [0.24, 0.34, 0.64],
      [0.66, 0.52, 0.66],
      [1, 0.68, 0.5],
    ],
    [[1, 0.78, 0.5], 0.8],
    [0.07, 0.15, 0.29],
    [
      [0.5, 0.46, 0.56],
      [0.5, 0.34, 0.22],
    ],
    0,
  ),
  frame(
    7,
    [
      [0.28, 0.5, 0.83],
      [0.62, 0.75, 0.9],
      [1, 0.86, 0.7],
    ],
    [[1, 0.92, 0.72], 0.6],
    [0.05, 0.22, 0.37],
    [
      [0.6, 0.62, 0.68],
      [0.48, 0.4, 0.3],
    ],
    0,
  ),
  frame(
    9.5,
    [
      [0.16, 0.44, 0.84],
      [0.42, 0.68, 0.93],
      [0.78, 0.9, 0.96],
    ],
    [[1, 0.98, 0.88], 0.55],
    [0.02, 0.25, 0.42],
    [
      [0.66, 0.7, 0.74],
      [0.42, 0.4, 0.34],
    ],
    0,
  ),
  frame(
    13,
    [
      [0.1, 0.37, 0.8],
      [0.33, 0.62, 0.93],
      [0.72, 0.88, 0.97],
    ],
    [[1, 1, 0.93], 0.52],
    [0.01, 0.27, 0.45],
    [
      [0.68, 0.72, 0.76],
      [0.42, 0.4, 0.36],
    ],
    0,
  ),
  frame(
    16,
    [
      [0.17, 0.41, 0.78],
      [0.46, 0.66, 0.87],
      [0.9, 0.88, 0.8],
    ],
    [[1, 0.93, 0.74], 0.5],
    [0.03, 0.23, 0.38],
    [
      [0.64, 0.65, 0.67],
      [0.46, 0.4, 0.28],
    ],
    0,
  ),
  frame(
    17.6,
    [
      [0.23, 0.32, 0.62],
      [0.72, 0.55, 0.55],
      [1, 0.68, 0.36],
    ],
    [[1, 0.76, 0.4], 0.85],
    [0.06, 0.14, 0.26],
    [
      [0.5, 0.44, 0.48],
      [0.52, 0.32, 0.16],
    ],
    0,
  ),
  frame(
    18.7,
    [
      [0.17, 0.16, 0.42],
      [0.62, 0.32, 0.45],
      [1, 0.46, 0.2],
    ],
    [[1, 0.55, 0.24], 0.95],
    [0.05, 0.07, 0.18],
    [
      [0.4, 0.32, 0.42],
      [0.46, 0.22, 0.1],
    ],
    0,
  ),
  frame(
    19.6,
    [
      [0.08, 0.09, 0.28],
      [0.28, 0.2, 0.42],
      [0.72, 0.32, 0.34],
    ],
    [[1, 0.42, 0.3], 0.5],
    [0.03, 0.05, 0.14],
    [
      [0.3, 0.27, 0.42],
      [0.2, 0.12, 0.12],
    ],
    0.35,
  ),
  night(20.6),
  night(24),
]

/** The key frames before and after an hour, and how far it lies between them. */
const frameAt = (hour: number): KeyFrame => {
  const after = Math.max(
    1,
    day.findIndex((k) => k.hour > hour),
  )
  const [a, b] = [at(day, after - 1), at(day, after)]
  const t = saturate((hour - a.hour) / (b.hour - a.hour))
  const blend = (name: 'zenith' | 'middle' | 'horizon' | 'body' | 'deep' | 'ambient' | 'direct'): Rgb =>
    mix(a[name], b[name], t)
  return {
    hour,
    zenith: blend('zenith'),
    middle: blend('middle'),
    horizon: blend('horizon'),
    body: blend('body'),
    glow: a.glow + (b.glow - a.glow) * t,
    deep: blend('deep'),
    ambient: blend('ambient'),
    direct: blend('direct'),
    stars: a.stars + (b.stars - a.stars) * t,
  }
}

/** How a weather changes a clear sky: what is left of colour, light, sun; and what it adds of haze. */
type Veil = {
  readonly colour: number
  readonly brightness: number
  readonly sun: number
  readonly disc: number
  readonly haze: number
  /** Share of slate blue that the clouds' underside gives everything. */
  readonly slate: number
  /** How far the zenith takes on the horizon's colour. */
  readonly flatten: number
  /** Lightness of the shaded side of clouds. */
  readonly cloudShade: number
}

/** Slate blue of luma 1. */
const slate: Rgb = [0.72, 1.04, 1.5]

const veils: Readonly<Record<Weather, Veil>> = {
  clear: { colour: 1.08, brightness: 1, sun: 1, disc: 1, haze: 0.006, slate: 0, flatten: 0, cloudShade: 0.9 },
  fair: { colour: 1, brightness: 1, sun: 0.85, disc: 1, haze: 0.008, slate: 0, flatten: 0, cloudShade: 0.84 },
  overcast: {
    colour: 0.66,
    brightness: 0.92,
    sun: 0.25,
    disc: 0.1,
    haze: 0.014,
    slate: 0.3,
    flatten: 0.35,
    cloudShade: 0.74,
  },
  storm: {
    colour: 0.72,
    brightness: 0.72,
    sun: 0.16,
    disc: 0,
    haze: 0.014,
    slate: 0.45,
    flatten: 0.2,
    cloudShade: 0.5,
  },
  fog: {
    colour: 0.55,
    brightness: 0.95,
    sun: 0.3,
    disc: 0.45,
    haze: 0.075,
    slate: 0.08,
    flatten: 0.75,
    cloudShade: 0.9,
  },
}

/**
 * The light of a scene.
 *
 * @param factors hour, weather, hue and the sun's height are used
 */
export const lightOf = ({ hour, weather, hue, sun }: Pick<SeaFactors, 'hour' | 'weather' | 'hue' | 'sun'>): Light => {
  const base = frameAt(hour)
  const veil = veils[weather]
  // A dark night is not dimmed again by its weather.
  const brightness = 1 - (1 - veil.brightness) * saturate(luma(base.horizon) * 1.5)
  const tone = (c: Rgb): Rgb =>
    turnHue(scaled(mix(saturated(c, veil.colour), scaled(slate, luma(c)), veil.slate), brightness), hue)
  const seen = sun.altitude > 0 ? 1 : 0
  const horizon = tone(base.horizon)
  const low = mix(base.ambient, base.horizon, 0.5)
  const billow = mix(mix(low, base.body, 0.55), [1, 1, 1], 0.4 * luma(base.horizon))
  const cloudLit = tone(billow)
  return {
    zenith: mix(tone(base.zenith), horizon, veil.flatten),
    middle: mix(tone(base.middle), horizon, veil.flatten),
    horizon,
    body: turnHue(base.body, hue * 0.4),
    disc: veil.disc * seen,
    glow: base.glow * veil.sun,
    glitter: veil.sun * seen * (0.3 + 0.75 * base.glow),
    deep: turnHue(
      scaled(
        mix(saturated(base.deep, 0.4 + 0.6 * veil.colour), scaled(slate, luma(base.deep)), veil.slate),
        0.25 + 0.75 * brightness,
      ),
      hue * 1.6,
    ),
    crest: turnHue(
      mix(tone(base.deep), [0.16 * luma(base.ambient), 0.78 * luma(base.ambient), 0.72 * luma(base.ambient)], 0.55),
      hue,
    ),
    cloudLit: base.stars > 0.9 ? scaled(base.middle, 1.5) : cloudLit,
    cloudShade: scaled(mix(tone(base.middle), cloudLit, 0.5), veil.cloudShade),
    ambient: tone(base.ambient),
    direct: scaled(turnHue(base.direct, hue * 0.4), veil.sun),
    haze: veil.haze,
    stars: base.stars * (weather === 'clear' ? 1 : weather === 'fair' ? 0.6 : 0),
  }
}
