/**
 * Waves: a sum of trains of sharpened crests running about one wind, as height and slope of the surface.
 *
 * Sources: Tessendorf, "Simulating Ocean Water", SIGGRAPH course 2001 (sum of directed trains); the crest profile is
 * the usual
 * sharpening of a sine. A train that is finer than what a picture can show is faded, and its lost slope becomes
 * roughness: Toksvig, "Mipmapping normal maps", 2005; Bruneton, Neyret, Holzschuch, "Real-time realistic ocean
 * lighting", 2010.
 */
import type { SeaFactors } from './factors.ts'
import { latticeHash, valueNoise } from './noise.ts'
import { focal } from './view.ts'

/**
 * Surface at one point of the water: height, slope across (x) and away (z), and the variance of the slopes that were
 * faded.
 */
export type Surface = { height: number; slopeX: number; slopeZ: number; roughness: number }

/** Each train: wave number over the first's, slope over the first's, angle from the wind in radians. */
const trains = [
  { number: 1, steepness: 1, angle: 0.0 },
  { number: 1.83, steepness: 0.82, angle: 0.62 },
  { number: 3.1, steepness: 0.66, angle: -0.55 },
  { number: 5.3, steepness: 0.52, angle: 0.3 },
  { number: 9.1, steepness: 0.4, angle: -1.0 },
] as const

/**
 * The picture whose pixels decide which waves can be seen: 64 on its shorter side, whatever is rendered, so that all
 * sizes agree.
 */
const referencePixels = 64

/** Sine by table: 2048 steps a turn, wrong by less than 0.0016, and a quarter turn ahead it is the cosine. */
const turn = 2048
const sines = Float64Array.from({ length: turn }, (_, i) => Math.sin((2 * Math.PI * i) / turn))

/**
 * The surface of a scene: fills `out` (a reused record: this is the innermost loop) for the point that (u, v) sees, v
 * > 0.
 */
export const wavesOf = (factors: SeaFactors): ((u: number, v: number, out: Surface) => void) => {
  const { frequency, amplitude, direction } = factors.waves
  const seed = factors.texture
  const steep = 0.21 * amplitude
  const parts = trains.map((train, i) => {
    const angle = direction + train.angle
    const k = 2 * Math.PI * frequency * train.number
    // Turns (not radians) a unit of distance, for the table of sines.
    const turns = frequency * train.number
    return {
      turnsX: turns * Math.sin(angle),
      turnsZ: turns * Math.cos(angle),
      towardsX: Math.sin(angle),
      towardsZ: Math.cos(angle),
      k,
      slope: steep * train.steepness,
      wander: Math.sqrt(train.number) / (2 * Math.PI),
      phase: latticeHash(i, 1, seed) / 2 ** 32,
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
      const phase = x * part.turnsX + z * part.turnsZ + part.phase + wander * part.wander
      const step = Math.floor(phase * turn) & (turn - 1)
      const sin = sines[step] as number
      const cos = sines[(step + turn / 4) & (turn - 1)] as number
      // The sharpened profile ((sin + 1)/2)² has the shape of e^(sin − 1) and no exponential; its derivative is (sin
      // + 1)/2 · cos.
      const crest = (sin + 1) * 0.5
      const rise = crest * cos
      out.height += (slope / part.k) * (2 * crest * crest - 0.75) * fade
      const push = slope * 1.6 * rise * fade
      out.slopeX += push * part.towardsX
      out.slopeZ += push * part.towardsZ
    }
  }
}
