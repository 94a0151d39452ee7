/** How alike two pictures are, whatever is done to a copy: a flip, a shift, other light, a little noise, a blur. */
import type { PictureShape } from '../resample.ts'
import { allWindows, blockSums, middleWindow, mirrored, small } from './windows.ts'

/** Σ aᵢbᵢ, in two sums that do not wait for one another. */
export const dot = (a: Float32Array, b: Float32Array, from = 0): number => {
  let even = 0
  let odd = 0
  for (let i = 0; i + 1 < a.length; i += 2) {
    even += (a[i] ?? 0) * (b[from + i] ?? 0)
    odd += (a[i + 1] ?? 0) * (b[from + i + 1] ?? 0)
  }
  const last = a.length - 1
  return even + odd + (last % 2 === 0 ? (a[last] ?? 0) * (b[from + last] ?? 0) : 0)
}

/** A window and ‖w‖². */
interface Measured {
  readonly window: Float32Array
  readonly square: number
}

const measured = (window: Float32Array): Measured => ({ window, square: dot(window, window) })

/** A picture ready to be compared: its windows, and the middle one as it is and mirrored. */
export interface Compared {
  readonly middles: readonly [Measured, Measured]
  readonly windows: readonly Measured[]
}

/** Makes it of a picture of {@link small} size. */
export const comparedOf = (picture: Uint8Array): Compared => {
  const sums = blockSums(picture)
  const middle = middleWindow(sums)
  return { middles: [measured(middle), measured(mirrored(middle))], windows: allWindows(sums).map(measured) }
}

/** The least ‖w − m‖² over the windows w of one picture, m the middle of the other, as it is and mirrored. */
const oneWay = ({ windows }: Compared, { middles }: Compared): number => {
  let least = Infinity
  for (const m of middles)
    for (const w of windows) least = Math.min(least, w.square + m.square - 2 * dot(w.window, m.window))
  return Math.max(0, least)
}

/** {@link likeness} of two that are ready. */
export const distanceOf = (a: Compared, b: Compared): number => Math.sqrt(Math.min(oneWay(a, b), oneWay(b, a)))

/**
 * The distance of two pictures of one shape: 0 for the same, about 1 for pictures that have nothing in common but that they are of the
 * sea, at most 2. Symmetric. It does not see a mirror image, a shift by up to 4 pixels of 64, light that is stronger or brighter, and
 * sees little of noise and of a blur.
 *
 * It is the least of √(2 − 2ρ) over small shifts and mirror images, ρ being the correlation of the two at 7×7 means of blocks.
 *
 * @param a bytes of `[height, width, channels]`, and so is `b`
 * @throws RangeError where the bytes are not those of the shape
 * @example
 * ```ts
 * import { likeness, seas } from 'fathom/data'
 *
 * const sea = seas({ seed: 1, size: 32 })
 * const shape = { height: 32, width: 32, channels: 3 }
 * const darker = sea.image(0).map((byte) => 0.9 * byte)
 * likeness(sea.image(0), sea.image(0), shape) // => 0
 * likeness(sea.image(0), darker, shape) < 0.02 // => true
 * likeness(sea.image(0), sea.image(1), shape) > 0.5 // => true
 * likeness(sea.image(0), Uint8Array.of(1, 2), shape) // throws RangeError: likeness: a picture has 2 bytes where 32×32×3 are 3072
 * ```
 */
export const likeness = (a: Uint8Array, b: Uint8Array, shape: PictureShape): number =>
  distanceOf(comparedOf(small(a, shape)), comparedOf(small(b, shape)))
