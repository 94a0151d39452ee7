/** Colours of the seas: display-referred sRGB triples, mixed as a painter mixes them (not physical radiance). */

/** Red, green, blue; 0 is black, 1 is the display's full channel; highlights may pass 1 until they are stored. */
export type Rgb = readonly [number, number, number]

/** x limited to [0, 1]. */
export const saturate = (x: number): number => (x < 0 ? 0 : x > 1 ? 1 : x)

/** The linear blend (1 − t)·a + t·b. */
export const lerp = (a: number, b: number, t: number): number => a + (b - a) * t

/** Hermite's smooth step: 0 below `from`, 1 above `to`, 3t² − 2t³ between; `from` may exceed `to`. */
export const smoothstep = (from: number, to: number, x: number): number => {
  const t = saturate((x - from) / (to - from))
  return t * t * (3 - 2 * t)
}

/** The blend of two colours, a at t = 0 and b at t = 1. */
export const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
]

/** a + k·b: adds light. */
export const addLight = (a: Rgb, b: Rgb, k: number): Rgb => [a[0] + b[0] * k, a[1] + b[1] * k, a[2] + b[2] * k]

/** a ∘ b, channel by channel: a surface of colour a under a light of colour b. */
export const under = (a: Rgb, b: Rgb): Rgb => [a[0] * b[0], a[1] * b[1], a[2] * b[2]]

/** k·a. */
export const scaled = (a: Rgb, k: number): Rgb => [a[0] * k, a[1] * k, a[2] * k]

/** Rec. 601 luma: the lightness that the eye gives a colour, 0.299 R + 0.587 G + 0.114 B. */
export const luma = (c: Rgb): number => 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]

/** Moves a colour towards the grey of its luma: 1 keeps it, 0 takes all colour out. */
export const saturated = (c: Rgb, amount: number): Rgb => {
  const y = luma(c)
  return mix([y, y, y], c, amount)
}

/**
 * Turns the hue of a colour and keeps its luma: a rotation of the I–Q plane of YIQ (NTSC 1953).
 *
 * @param degrees positive turns blue towards violet, negative towards green
 */
export const turnHue = (c: Rgb, degrees: number): Rgb => {
  const y = luma(c)
  const i = 0.5959 * c[0] - 0.2746 * c[1] - 0.3213 * c[2]
  const q = 0.2115 * c[0] - 0.5227 * c[1] + 0.3112 * c[2]
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const [ti, tq] = [i * cos - q * sin, i * sin + q * cos]
  return [
    Math.max(0, y + 0.956 * ti + 0.619 * tq),
    Math.max(0, y - 0.272 * ti - 0.647 * tq),
    Math.max(0, y - 1.106 * ti + 1.703 * tq),
  ]
}
