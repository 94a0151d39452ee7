/** Buoys after the IALA Maritime Buoyage System (region A): body, cage and top mark, leaning in the swell. */
import { mix, scaled, type Rgb } from '../colour.ts'
import type { Buoy, BuoyMark } from '../factors.ts'
import { lit, placed, sunSide, type Painted, type Setting } from './object.ts'

const red: Rgb = [0.88, 0.12, 0.1]
const green: Rgb = [0.05, 0.56, 0.3]
const white: Rgb = [0.97, 0.97, 0.95]
const yellow: Rgb = [0.98, 0.82, 0.1]
const black: Rgb = [0.1, 0.1, 0.11]

/** The colour at height y in [0, 1] and across at x in [−1, 1] of the body, and the top mark's shape. */
type Scheme = {
  readonly colour: (x: number, y: number) => Rgb
  readonly top: 'can' | 'cone' | 'sphere' | 'cones'
  readonly topColour: Rgb
}

const schemes: Readonly<Record<BuoyMark, Scheme>> = {
  port: { colour: (_x, y) => (y > 0.3 && y < 0.42 ? white : red), top: 'can', topColour: red },
  starboard: { colour: (_x, y) => (y > 0.3 && y < 0.42 ? white : green), top: 'cone', topColour: green },
  safeWater: { colour: (x) => (Math.floor((x + 1.25) * 2) % 2 === 0 ? white : red), top: 'sphere', topColour: red },
  cardinal: { colour: (_x, y) => (y > 0.42 ? black : yellow), top: 'cones', topColour: black },
}

/** Whether (x, y) lies in the top mark, which takes the heights 0.84 to 1. */
const inTop = (shape: Scheme['top'], x: number, y: number): boolean => {
  const up = (y - 0.83) / 0.17
  if (up < 0 || up > 1) return false
  const halves: Readonly<Record<Scheme['top'], () => number>> = {
    can: () => 0.075,
    cone: () => 0.1 * (1 - up),
    sphere: () => 0.088 * Math.sqrt(Math.max(0, 1 - (2 * up - 1) ** 2)),
    cones: () => 0.1 * (1 - ((up * 2) % 1)),
  }
  return Math.abs(x) < halves[shape]()
}

/** Half the body's width at height y, or 0 above it: a float that swells at the waterline and a tapering tower. */
const bodyHalf = (y: number): number => {
  if (y < 0.2) return 0.3 * Math.sqrt(Math.max(0, 1 - ((y - 0.06) / 0.19) ** 2)) + 0.02
  return y < 0.72 ? 0.17 - 0.13 * ((y - 0.2) / 0.52) : 0
}

/** A buoy in its place. */
export const paintBuoy = (buoy: Buoy, setting: Setting): Painted => {
  const scheme = schemes[buoy.mark]
  const side = sunSide(setting, buoy)
  return placed(buoy, setting.view, buoy.tilt, {
    halfWidth: 0.34,
    height: 1,
    paint: (x, y) => {
      const half = bodyHalf(y)
      if (Math.abs(x) < half) {
        // A cylinder in side light: the normal turns with x, the rim is darker, and a streak shines towards the sun.
        const turn = x / half
        const facing = turn * side + 0.25 * Math.sqrt(1 - turn * turn)
        const streak = Math.exp(-((turn - 0.45 * side) ** 2) * 14)
        const body = y < 0.035 ? scaled(black, 1.6) : scheme.colour(y < 0.2 ? turn : turn * 0.9, y)
        return mix(lit(setting.light, scaled(body, 1 - 0.38 * turn * turn), facing), setting.light.body, 0.2 * streak)
      }
      if (inTop(scheme.top, x, y)) return lit(setting.light, scheme.topColour, x * 9 * side)
      return Math.abs(x) < 0.02 && y > 0.6 && y < 0.84 ? lit(setting.light, black, 0) : undefined
    },
  })
}
