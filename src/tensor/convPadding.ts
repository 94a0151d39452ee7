/** How much stands around an image that is convolved, and what. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import type { Node } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { expectImages } from './expect.ts'
import { padWith } from './padding.ts'
import { wholePair, type Pair } from './pair.ts'
import type { Tensor } from './tensor.ts'

type Two = readonly [number, number]

/**
 * Pixels around an image: as many on all sides, a number for the height and one for the width, or both sides of each; `valid` is 0, and `same`
 * gives ⌈H / stride⌉ pixels, of what is needed the smaller half before the image.
 */
export type ConvPadding = Pair | 'same' | 'valid' | readonly [height: Two, width: Two]

/** What stands there: zeros, or the image mirrored, repeated at its edges, or continued around. */
export type ConvPaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

/** Pixels before and after, of height and width. */
interface Around {
  readonly low: Two
  readonly high: Two
}

/** Nothing around. */
export const noPadding: Around = { low: [0, 0], high: [0, 0] }

const hasSides = (p: ConvPadding): p is readonly [Two, Two] =>
  Array.isArray(p) && p.every((side) => Array.isArray(side))

/** Of one axis: (⌈n / s⌉ − 1)·s + d·(k − 1) + 1 − n pixels are missing. */
const missing = (n: number, k: number, s: number, d: number): number =>
  Math.max(0, (Math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n)

/** The padding of a convolution, with everything said. */
export const paddingOf = (
  who: string,
  x: Tensor,
  filter: Node,
  { stride, padding, dilation }: { readonly stride: Pair; readonly padding: ConvPadding; readonly dilation: Pair },
): Around => {
  if (padding === 'valid') return noPadding
  if (padding === 'same') {
    expectImages(who, x)
    const [s, d] = [wholePair(who, 'stride', stride, 1), wholePair(who, 'dilation', dilation, 1)]
    const total = ([0, 1] as const).map((i) => missing(at(x.shape, i + 1), filter.shape[i] ?? 1, s[i], d[i]))
    const [h, w] = [at(total, 0), at(total, 1)]
    const low = [Math.floor(h / 2), Math.floor(w / 2)] as const
    return { low, high: [h - low[0], w - low[1]] }
  }
  if (typeof padding === 'string')
    throw new RangeError(`${who}: padding is '${String(padding)}'; it must be same, valid or numbers of pixels`)
  if (!hasSides(padding)) {
    const both = wholePair(who, 'padding', padding, 0)
    return { low: both, high: both }
  }
  const [height, width] = padding
  const sides = [...height, ...width]
  if (!sides.every((n) => Number.isInteger(n) && n >= 0))
    throw new ShapeError(`${who}: padding ${showShape(sides)} must be whole numbers ≥ 0`)
  return { low: [height[0], width[0]], high: [height[1], width[1]] }
}

/** The image with its surroundings. */
export const filledAround = (who: string, x: Tensor, { low, high }: Around, mode: ConvPaddingMode): Tensor => {
  expectImages(who, x)
  if (mode !== 'reflect' && mode !== 'replicate' && mode !== 'circular')
    throw new RangeError(`${who}: paddingMode is '${mode}'; it must be zeros, reflect, replicate or circular`)
  return padWith(x, [0, [low[0], high[0]], [low[1], high[1]], 0], { mode })
}
