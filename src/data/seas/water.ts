/**
 * Water: what is looked into, what is mirrored, glitter, and foam.
 *
 * Sources: Schlick, "An inexpensive BRDF model for physically-based rendering", 1994 (Fresnel); Bruneton, Neyret,
 * Holzschuch, "Real-time realistic ocean lighting", 2010 (mean Fresnel reflectance of a rough sea); Beer–Lambert for
 * haze.
 */
import { addLight, mix, saturate, smoothstep, under, type Rgb } from './colour.ts'
import type { SeaFactors } from './factors.ts'
import type { Light } from './light.ts'
import { fbm } from './noise.ts'
import type { Sky } from './sky.ts'
import { focal } from './view.ts'
import { wavesOf, type Surface } from './waves.ts'

/**
 * What stands in the water as its mirror image: the colour at a point of the water that waves have displaced, or
 * undefined.
 */
export type Mirrored = (u: number, v: number) => Rgb | undefined

/** Reflectance of water looked straight into: ((n − 1)/(n + 1))² for n = 1.33. */
const normalReflectance = 0.02

/** Distances of haze: (1 − e^(−σ Z)). */
export const hazeAt = (light: Light, v: number): number => 1 - Math.exp((-light.haze * focal) / Math.max(v, 1e-3))

/**
 * F = F₀ + (1 − F₀)(1 − cos θ)⁴ / (1 + 22.7 σ^1.5), σ² the variance of slopes that are too fine to see. Bruneton's
 * exponent 5 e^(−2.69 σ) is held at 4, its value for σ = 0.08; the exp and pow were 6 % of a picture's time.
 */
const fresnel = (cos: number, variance: number): number => {
  const sigma = Math.sqrt(variance)
  const x2 = (1 - cos) * (1 - cos)
  const grazing = (x2 * x2) / (1 + 22.7 * sigma * Math.sqrt(sigma))
  return normalReflectance + (1 - normalReflectance) * grazing
}

/** Foam at a crest or in its streaks; 0 none, 1 white. */
const foamAt = (factors: SeaFactors, surface: Surface, u: number, v: number): number => {
  if (factors.foam <= 0.02) return 0
  const [x, z] = [u / v, focal / v]
  const crest = (surface.height * factors.waves.frequency) / Math.max(0.02, 0.05 * factors.waves.amplitude)
  const threshold = 1.15 - 0.62 * factors.foam
  if (crest * 0.62 + 1 < threshold) return 0
  const lace = fbm(x * 4.2, z * 2.2, 3, factors.texture + 77)
  return smoothstep(threshold, threshold + 0.3 + 0.12 * factors.foam, crest * 0.62 + lace) * smoothstep(0.012, 0.12, v)
}

/** A painter of water at (u, v), v > 0 below the horizon. */
export const waterOf = (
  factors: SeaFactors,
  light: Light,
  sky: Sky,
  mirrored: Mirrored,
): ((u: number, v: number) => Rgb) => {
  const surfaceAt = wavesOf(factors)
  const surface: Surface = { height: 0, slopeX: 0, slopeZ: 0, roughness: 0 }
  // The ray to the body over its distance ahead; on the horizon it is lifted a little, or its glitter would not reach
  // the water.
  const sunAcross = sky.body.u / focal
  const sunAlong = Math.max(0.018, sky.body.rise / focal)
  const foamColour = under([0.98, 1, 1], mix(addLight(light.ambient, light.direct, 0.9), light.horizon, 0.25))
  return (u, v) => {
    surfaceAt(u, v, surface)
    // View ray d, normal n = (−∂h/∂x, 1, −∂h/∂z), mirrored ray r = d + 2 (−d·n) n.
    const dn = 1 / Math.sqrt(u * u + v * v + focal * focal)
    const nn = 1 / Math.sqrt(1 + surface.slopeX * surface.slopeX + surface.slopeZ * surface.slopeZ)
    const [nx, ny, nz] = [-surface.slopeX * nn, nn, -surface.slopeZ * nn]
    const cos = Math.max(0.005, -(u * nx - v * ny + focal * nz) * dn)
    const rx = u * dn + 2 * cos * nx
    const ry = Math.abs(-v * dn + 2 * cos * ny)
    const rz = Math.max(0.2, focal * dn + 2 * cos * nz)
    const reflectance = fresnel(Math.min(1, cos), surface.roughness)
    const image = mirrored(u + surface.slopeX * 0.22, v * (1 + surface.slopeZ * 0.5))
    // A lobe about the mirrored ray; slopes too fine to see widen it, mostly along the line of sight.
    const across = rx / rz - sunAcross
    const along = ry / rz - sunAlong
    const variance = 0.0008 + surface.roughness * 0.5
    const exponent = (across * across) / (2 * variance) + (along * along) / (11 * variance + 0.03)
    const lobe = exponent > 9 ? 0 : light.glitter * Math.exp(-exponent) * (0.75 + 0.5 * reflectance)
    // One chain without branches: the engine then keeps all colours between in registers (4.0 → 3.5 ms a picture of
    // 32×32).
    const body = mix(light.deep, light.crest, saturate(0.12 + surface.height * 4.5 * factors.waves.frequency + 0.1 * v))
    const clear = mix(body, sky.mirrored((rx / rz) * focal, (ry / rz) * focal), 0.1 + 0.9 * reflectance)
    const imaged = mix(clear, image ?? light.deep, image === undefined ? 0 : 0.36 + 0.44 * reflectance)
    const glittering = addLight(imaged, light.body, lobe)
    const foam = foamAt(factors, surface, u, v)
    return mix(mix(glittering, foamColour, foam * 0.85), light.horizon, hazeAt(light, v))
  }
}
