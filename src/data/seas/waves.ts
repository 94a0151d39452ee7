/**
 * Waves: a sum of trains of sharpened crests running about one wind, as height and slope of the surface.
 *
 * Sources: Tessendorf, "Simulating Ocean Water", SIGGRAPH course 2001 (sum of directed trains); the crest profile exp(sin − 1) is
 * the usual sharpening of a sine. A train that is finer than what a picture can show is faded, and its lost slope becomes
 * roughness: Toksvig, "Mipmapping normal maps", 2005; Bruneton, Neyret, Holzschuch, "Real-time realistic ocean lighting", 2010.
 */
import type { SeaFactors } from './factors.ts'
import { latticeHash, valueNoise } from './noise.ts'
import { focal } from './view.ts'

/** Surface at one point of the water: height, slope across (x) and away (z), and the variance of the slopes that were faded. */
export type Surface = { height: number; slopeX: number; slopeZ: number; roughness: number }

/** Each train: wave number over the first's, slope over the first's, angle from the wind in radians. */
const trains = [
  { number: 1, steepness: 1, angle: 0.0 },
  { number: 1.83, steepness: 0.82, angle: 0.62 },
  { number: 3.1, steepness: 0.66, angle: -0.55 },
  { number: 5.3, steepness: 0.52, angle: 0.3 },
  { number: 9.1, steepness: 0.4, angle: -1.0 },
] as const

/** The picture whose pixels decide which waves can be seen: 64 on its shorter side, whatever is rendered, so that all sizes agree. */
const referencePixels = 64

/** The surface of a scene: fills `out` (a reused record: this is the innermost loop) for the point that (u, v) sees, v > 0. */
export const wavesOf = (factors: SeaFactors): ((u: number, v: number, out: Surface) => void) => {
  const { frequency, amplitude, direction } = factors.waves
  const seed = factors.texture
  const steep = 0.21 * amplitude
  const parts = trains.map((train, i) => {
    const angle = direction + train.angle
    const k = 2 * Math.PI * frequency * train.number
    return {
      kx: k * Math.sin(angle),
      kz: k * Math.cos(angle),
      k,
      slope: steep * train.steepness,
      wander: Math.sqrt(train.number),
      phase: ((latticeHash(i, 1, seed) >>> 0) / 2 ** 32) * 2 * Math.PI,
    }
  })
  return (u, v, out) => {
    const z = focal / v
    const x = u / v
    // One reference pixel covers dZ = f / v² · dv of water along the line of sight.
    const footprint = focal / (v * v * referencePixels)
    // Crests bend and break up: the phase wanders over a few wavelengths.
    const wander = 2.6 * (valueNoise(x * frequency * 0.55, z * frequency * 0.55, seed) - 0.5)
    const gust = 0.55 + 0.9 * valueNoise(x * 0.31 + 7, z * 0.22, seed + 5)
    out.height = 0
    out.slopeX = 0
    out.slopeZ = 0
    out.roughness = 0
    for (const part of parts) {
      const blur = part.k * footprint * 0.32
      const fade = 1 / (1 + blur * blur)
      const slope = part.slope * gust
      out.roughness += slope * slope * 0.5 * (1 - fade * fade)
      if (fade < 0.08) continue
      const phase = x * part.kx + z * part.kz + part.phase + wander * part.wander
      const s = Math.sin(phase)
      // h = a·e^(s − 1), dh/dphase = h·cos; e^(s−1) is close to ((s + 1)/2)² · 0.9 + 0.1 and has no exponential.
      const crest = (s + 1) * 0.5
      const rise = 2 * crest * Math.cos(phase) * 0.5
      out.height += (slope / part.k) * (2 * crest * crest - 0.75) * fade
      const push = slope * 1.6 * rise * fade
      out.slopeX += (push * part.kx) / part.k
      out.slopeZ += (push * part.kz) / part.k
    }
  }
}
