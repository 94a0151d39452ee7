/** The sky: gradient, sun or moon with its glow, clouds in perspective, stars, and a far coast. */
import { at } from '../../prelude/array.ts'
import { addLight, lerp, mix, saturate, scaled, smoothstep, type Rgb } from './colour.ts'
import type { SeaFactors } from './factors.ts'
import type { Light } from './light.ts'
import { fbm, latticeHash, valueNoise } from './noise.ts'
import { across, type View } from './view.ts'

/** A sky that can be looked at, and one that water mirrors. */
export type Sky = {
  /** The sky at u to the right of the middle and `rise` ≥ 0 above the horizon. */
  readonly seen: (u: number, rise: number) => Rgb
  /** The same without what waves would blur away: disc, stars, the clouds' edges. */
  readonly mirrored: (u: number, rise: number) => Rgb
  /** The sun's or moon's place on the picture plane. */
  readonly body: { readonly u: number; readonly rise: number }
}

const discRadius = { sun: 0.042, moon: 0.036 } as const

/** Steps of the gradient's table, and the height that they cover: what is higher has the zenith's colour. */
const gradientSteps = 512
const gradientHeight = 1.2

/**
 * Sky without clouds: two blends, quick near the horizon where the air is thick. A table, because every sample asks
 * for it.
 */
const gradientOf = (light: Light): ((rise: number) => Rgb) => {
  const table = Array.from({ length: gradientSteps + 1 }, (_, i) => {
    const rise = (i / gradientSteps) * gradientHeight
    return mix(mix(light.middle, light.zenith, smoothstep(0.08, 0.62, rise)), light.horizon, Math.exp(-rise * 7.5))
  })
  return (rise) => at(table, Math.min(gradientSteps, Math.round((rise / gradientHeight) * gradientSteps)))
}

/** Light scattered around the body: a tight halo and a wide one that lies along the horizon; squared Lorentzians. */
const glowAt = (du: number, dr: number, strength: number): number => {
  const near = 1 + 55 * (du * du + dr * dr)
  const wide = 1 + 3.4 * du * du + 14 * dr * dr
  return strength * (0.44 / (near * near) + 0.36 / (wide * wide))
}

/** Stars: at most one in each cell of a grid, soft enough to survive a small picture. */
const starAt = (u: number, rise: number, seed: number): number => {
  const grid = 22
  const x = Math.floor(u * grid)
  const y = Math.floor(rise * grid)
  const h = latticeHash(x, y, seed)
  if ((h & 255) > 70) return 0
  const cx = (x + 0.2 + 0.6 * (((h >>> 8) & 255) / 255)) / grid
  const cy = (y + 0.2 + 0.6 * (((h >>> 16) & 255) / 255)) / grid
  const d2 = (u - cx) * (u - cx) + (rise - cy) * (rise - cy)
  return (0.25 + 0.75 * ((h >>> 24) / 255)) * Math.exp(-d2 * 26000)
}

/** The moon's dark patches. */
const maria = (x: number, y: number): number =>
  1 - 0.22 * smoothstep(0.45, 0.7, valueNoise(x * 2.6 + 3, y * 2.6 + 7, 99))

/** Density of the clouds overhead; the sheet of clouds is a plane, so that they flatten towards the horizon. */
const cloudDensity = (u: number, rise: number, cover: number, seed: number, octaves: number): number => {
  const depth = 1 / (rise + 0.16)
  const n = fbm(u * depth * 1.35, depth * 2.6, octaves, seed)
  const threshold = lerp(0.72, 0.22, cover)
  return smoothstep(threshold, threshold + 0.16, n)
}

const withClouds = (factors: SeaFactors, light: Light, body: Sky['body'], clear: Rgb, u: number, rise: number): Rgb => {
  const cover = factors.clouds
  if (cover < 0.03) return clear
  const seed = factors.texture
  const density = cloudDensity(u, rise, cover, seed, 4)
  if (density <= 0) return clear
  // One step towards the light: what is dense there shades us (a single-scattering march of one step).
  const [tu, tr] = [body.u - u, Math.max(0.25, body.rise) - rise + 0.35]
  const step = 0.055 / Math.sqrt(tu * tu + tr * tr)
  const shade = cloudDensity(u + tu * step, rise + Math.abs(tr) * step, cover, seed, 2)
  const glow = glowAt(u - body.u, rise - body.rise, light.glow)
  const cloud = addLight(
    mix(light.cloudLit, light.cloudShade, saturate(0.8 * shade * density)),
    light.body,
    glow * (0.9 - 0.5 * shade),
  )
  // Clouds thin out into the haze of the horizon.
  return mix(clear, cloud, density * 0.94 * smoothstep(-0.01, 0.1, rise))
}

/** Height of the far coast above the horizon, in units. */
const coastAt = (u: number, height: number, seed: number): number =>
  Math.max(0, fbm(u * 1.9 + 40, 3.3, 4, seed) * 1.9 - 0.72) * height

/** The sky of a scene. */
export const skyOf = (factors: SeaFactors, light: Light, view: View): Sky => {
  const { sun, texture } = factors
  const body = { u: across(view, sun.x), rise: sun.altitude * view.sky }
  const radius = discRadius[sun.body]
  const coastHeight = factors.coast * view.sky
  // Coast colour: the shade of the land seen through much air.
  const land = mix(scaled(light.deep, 0.8), light.horizon, factors.weather === 'fog' ? 0.82 : 0.4)
  const gradient = gradientOf(light)
  const clearSky = (u: number, rise: number): Rgb =>
    addLight(gradient(rise), light.body, glowAt(u - body.u, rise - body.rise, light.glow))
  const disc = (u: number, rise: number, under: Rgb): Rgb => {
    const [dx, dy] = [u - body.u, rise - body.rise]
    const cover = smoothstep(radius * 1.06, radius * 0.94, Math.sqrt(dx * dx + dy * dy)) * light.disc
    if (cover <= 0) return under
    const face =
      sun.body === 'moon' ? scaled(light.body, maria(dx / radius, dy / radius)) : mix(light.body, [1, 1, 0.92], 0.65)
    return mix(under, face, cover)
  }
  const coast = (u: number, rise: number, sky: Rgb): Rgb => {
    if (coastHeight <= 0 || rise > coastHeight * 1.2) return sky
    const top = coastAt(u, coastHeight, texture)
    return rise < top ? mix(light.horizon, land, 0.55 + 0.45 * (rise / (top + 1e-6))) : sky
  }
  return {
    body,
    seen: (u, rise) => {
      const star = light.stars > 0 ? starAt(u, rise, texture) * light.stars * smoothstep(0.04, 0.25, rise) : 0
      const clear = disc(u, rise, addLight(clearSky(u, rise), [0.95, 0.97, 1], star))
      return coast(u, rise, withClouds(factors, light, body, clear, u, rise))
    },
    mirrored: (u, rise) => {
      const cloudy = mix(
        clearSky(u, rise),
        mix(light.cloudLit, light.cloudShade, 0.5),
        factors.clouds * 0.45 * saturate(rise * 6),
      )
      return coast(u, rise, cloudy)
    },
  }
}
