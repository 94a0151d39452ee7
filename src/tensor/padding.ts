/** Padding by a number, or by what is in the tensor already: mirrored, repeated at its edges, or continued around. */
import { requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { concatenate } from './combine.ts'
import { full } from './create.ts'
import { expectTensor } from './expect.ts'
import { sliceAlong } from './sliceAlong.ts'
import type { Tensor } from './tensor.ts'

/** What the new elements are: a number; the tensor mirrored at its first and last element; these elements again; or its other end. */
export type PaddingMode = 'constant' | 'reflect' | 'replicate' | 'circular'

/** How many elements come before and after an axis; one number for both. */
export type PadWidth = number | readonly [before: number, after: number]

/** How {@link padWith} fills in. */
export interface PadOptions {
  /** Default `constant`. */
  readonly mode?: PaddingMode
  /** The constant, default 0. */
  readonly value?: number
}

const bothOf = (w: PadWidth): readonly [number, number] => (typeof w === 'number' ? [w, w] : w)

/** `count` elements before (side 0) or after (side 1) an axis. */
type Fill = (x: Tensor, axis: number, count: number, side: 0 | 1, value: number) => Tensor

const withLength = (x: Tensor, axis: number, length: number): readonly number[] =>
  x.shape.map((n, a) => (a === axis ? length : n))

/** Mode → the elements that come in. */
const fills: { readonly [K in PaddingMode]: Fill } = {
  constant: (x, axis, count, _, value) => full(withLength(x, axis, count), value, x.dtype),
  reflect: (x, axis, count, side) => {
    const n = at(x.shape, axis)
    return (side === 0 ? sliceAlong(x, axis, 1, count + 1) : sliceAlong(x, axis, n - 1 - count, n - 1)).reverse(axis)
  },
  replicate: (x, axis, count, side) => {
    const edge = side === 0 ? 0 : at(x.shape, axis) - 1
    return sliceAlong(x, axis, edge, edge + 1).broadcastTo(withLength(x, axis, count))
  },
  circular: (x, axis, count, side) => {
    const n = at(x.shape, axis)
    return side === 0 ? sliceAlong(x, axis, n - count, n) : sliceAlong(x, axis, 0, count)
  },
}

/** How many elements a mode can add on one side of an axis of n. */
const most: { readonly [K in PaddingMode]: (n: number) => number } = {
  constant: () => Infinity,
  reflect: (n) => Math.max(0, n - 1),
  replicate: (n) => (n === 0 ? 0 : Infinity),
  circular: (n) => n,
}

const requireWidths = (x: Tensor, widths: readonly (readonly [number, number])[], mode: PaddingMode): void => {
  const shape = showShape(x.shape)
  if (!Object.hasOwn(fills, mode))
    throw new RangeError(`padWith: the mode is '${mode}'; it must be ${Object.keys(fills).join(', ')}`)
  if (widths.length !== x.rank)
    throw new ShapeError(
      `padWith: ${widths.length} widths for ${shape}; give one for each axis, 0 where nothing is added`,
    )
  for (const [axis, both] of widths.entries()) {
    const limit = most[mode](at(x.shape, axis))
    for (const count of both) {
      if (!(Number.isInteger(count) && count >= 0))
        throw new ShapeError(`padWith: the width ${count} of axis ${axis} must be a whole number ≥ 0; slice takes away`)
      if (count > limit)
        throw new ShapeError(
          `padWith: ${mode} can add at most ${limit} elements on a side of axis ${axis} of ${shape}, got ${count}`,
        )
    }
  }
}

/**
 * The tensor with elements before and after each axis, as NumPy's `pad`; axis by axis, so that corners are filled from the filled sides.
 *
 * @param widths for each axis how many elements come before and after it
 * @throws ShapeError for widths that the mode cannot fill; RangeError for another mode
 * @example
 * ```ts
 * import { padWith, tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3])
 * padWith(x, [[1, 2]], { value: 9 }) // => [9, 1, 2, 3, 9, 9]
 * padWith(x, [2], { mode: 'reflect' }) // => [3, 2, 1, 2, 3, 2, 1]
 * padWith(x, [2], { mode: 'replicate' }) // => [1, 1, 1, 2, 3, 3, 3]
 * padWith(x, [2], { mode: 'circular' }) // => [2, 3, 1, 2, 3, 1, 2]
 * padWith(x, [3], { mode: 'reflect' }) // throws ShapeError: padWith: reflect can add at most 2 elements on a side of axis 0 of [3], got 3
 * ```
 */
export const padWith = (x: Tensor, widths: readonly PadWidth[], options: PadOptions = {}): Tensor => {
  requireKnown('padWith', options, ['mode', 'value'])
  const { mode = 'constant', value = 0 } = options
  expectTensor('padWith', x)
  const both = widths.map(bothOf)
  requireWidths(x, both, mode)
  if (mode === 'constant' && Object.is(value, 0))
    return x.pad(
      both.map(([before]) => before),
      both.map(([, after]) => after),
    )
  return both.reduce((y, [before, after], axis) => {
    const side = (count: number, which: 0 | 1): readonly Tensor[] =>
      count === 0 ? [] : [fills[mode](y, axis, count, which, value)]
    const parts = [...side(before, 0), y, ...side(after, 1)]
    return parts.length === 1 ? y : concatenate(parts, axis)
  }, x)
}
