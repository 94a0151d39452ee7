/**
 * CIELAB, in which equal distances look about equally far apart (CIE 15:2018, section 8.2.1), of sRGB bytes
 * (IEC 61966-2-1), under the white D65.
 */
import { range } from '../../prelude/array.ts'

/** Lightness 0 … 100; a from green to red; b from blue (cold) to yellow (warm). Greys have a = b = 0. */
export interface Lab {
  readonly L: number
  readonly a: number
  readonly b: number
}

/** Linear light of each byte (IEC 61966-2-1, section 5.2). */
const linear = Float64Array.from(range(256), (byte) => {
  const c = byte / 255
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
})

/** The cube root, with a straight piece near black (CIE 15:2018, eq. 8.6–8.11). */
const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : (t * (29 / 6) ** 2) / 3 + 4 / 29)

/** The colour of three bytes. */
export const labOf = (red: number, green: number, blue: number): Lab => {
  const [r, g, b] = [linear[red] ?? 0, linear[green] ?? 0, linear[blue] ?? 0]
  // XYZ of sRGB's primaries, each over that of white (IEC 61966-2-1, annex F).
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505)
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b)
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
  return { L: 116 * y - 16, a: 500 * (x - y), b: 200 * (y - z) }
}
