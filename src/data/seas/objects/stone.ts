/** Stones: an irregular outline from noise, facets in light and shade, a wet foot and a collar of foam. */
import { mix, saturate, scaled, smoothstep, type Rgb } from '../colour.ts'
import type { Stone } from '../factors.ts'
import { fbm, valueNoise } from '../noise.ts'
import { lit, placed, sunSide, type Painted, type Setting } from './object.ts'

const granite: Rgb = [0.54, 0.5, 0.47]
const basalt: Rgb = [0.36, 0.35, 0.37]
const weed: Rgb = [0.2, 0.22, 0.14]

/** A stone in its place. */
export const paintStone = (stone: Stone, setting: Setting): Painted => {
  const seed = stone.shape
  const side = sunSide(setting, stone)
  const rock = mix(granite, basalt, ((seed >>> 8) & 255) / 255)
  // The outline's radius along the half circle, in two octaves of noise, with a shoulder on one side.
  const radius = (angle: number): number =>
    0.7 + 0.3 * valueNoise(angle * 1.5 + 5, 0.5, seed) + 0.12 * (valueNoise(angle * 4.3, 2.5, seed) - 0.5)
  return placed(stone, setting.view, 0, {
    halfWidth: stone.aspect * 1.12,
    height: 1.08,
    paint: (x, y) => {
      const [px, py] = [x / stone.aspect, y]
      const r = Math.sqrt(px * px + py * py) / radius(Math.atan2(py, px))
      if (r > 1) return undefined
      const collar = 0.05 + 0.06 * valueNoise(x * 7, 1.5, seed)
      if (y < collar) return lit(setting.light, [0.9, 0.95, 0.96], 0.2)
      // The surface as a dome broken into facets: noise bends the normal.
      const facetX = (fbm(px * 2.3 + 9, py * 2.3, 2, seed + 3) - 0.5) * 2.6
      const facetY = (fbm(px * 2.3 + 31, py * 2.3, 2, seed + 4) - 0.5) * 2
      const facing = (px + facetX) * side * 0.8 + (py - 0.35 + facetY) * 0.95
      const grain = 0.88 + 0.24 * valueNoise(x * 13, y * 13, seed + 9)
      const wet = smoothstep(0.34, 0.16, y)
      const colour = mix(rock, weed, wet * 0.75)
      return scaled(
        lit(setting.light, colour, facing * 1.3),
        grain * (0.68 + 0.5 * saturate(0.5 + facing * 0.6)) * (1 - 0.25 * wet),
      )
    },
  })
}
