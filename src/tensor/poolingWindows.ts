/** How the windows of pooling lie in an image, as PyTorch counts them, and the pixels at one place of all windows. */
import { requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { expectImages } from './expect.ts'
import { wholePair, type Pair } from './pair.ts'
import type { Tensor } from './tensor.ts'

/** How windows move; PyTorch's meaning of each. */
export interface PoolOptions {
  /** From one window to the next, default the window's size: windows lie side by side, and what is left of the image is dropped. */
  readonly stride?: Pair
  /** On all sides, at most half a window, default 0. */
  readonly padding?: Pair
}

type Two = readonly [height: number, width: number]

/** Windows of an image, with everything said. */
export interface Windows {
  readonly size: Two
  readonly stride: Two
  readonly padding: Two
  /** Height and width of the image. */
  readonly image: Two
  /** Windows in each direction: ⌊(H + 2·padding − size) / stride⌋ + 1. */
  readonly count: Two
  /** Whether they lie side by side and nothing is added. */
  readonly tile: boolean
}

const both = (f: (axis: 0 | 1) => number): Two => [f(0), f(1)]

/**
 * The windows of a size over [N, H, W, C].
 *
 * @throws ShapeError for windows that are larger than the image with its padding, and a padding of more than half a window
 */
export const poolingWindows = (
  name: string,
  x: Tensor,
  given: Pair,
  options: PoolOptions,
  more: readonly string[] = [],
): Windows => {
  requireKnown(name, options, ['stride', 'padding', ...more])
  expectImages(name, x)
  const size = wholePair(name, 'size', given, 1)
  const stride = wholePair(name, 'stride', options.stride === undefined ? given : options.stride, 1)
  const padding = wholePair(name, 'padding', options.padding === undefined ? 0 : options.padding, 0)
  const image = [at(x.shape, 1), at(x.shape, 2)] as const
  if (padding.some((p, i) => p > at(size, i) / 2))
    throw new ShapeError(
      `${name}: padding ${showShape(padding)} is more than half of windows of ${showShape(size)}: some would see no pixel`,
    )
  const count = both((i) => Math.floor((image[i] + 2 * padding[i] - size[i]) / stride[i]) + 1)
  if (count.some((n) => n < 1))
    throw new ShapeError(
      `${name}: windows of ${showShape(size)} do not fit into ${showShape(x.shape)} with padding ${showShape(padding)}`,
    )
  const tile = padding.every((p) => p === 0) && stride.every((s, i) => s === size[i])
  return { size, stride, padding, image, count, tile }
}

/** Side by side: the image without what is left over, as its windows [N, H', size, W', size, C]. */
export const tiles = (x: Tensor, { size, count, image }: Windows): Tensor => {
  const [h, w] = both((i) => count[i] * size[i])
  const whole = h === image[0] && w === image[1]
  return (whole ? x : x.slice([], [0, h], [0, w])).reshape([
    at(x.shape, 0),
    count[0],
    size[0],
    count[1],
    size[1],
    at(x.shape, 3),
  ])
}

/** The pixels at place `offset` of all windows along the height (0) or width (1) of a padded image. */
export const placed = (padded: Tensor, { stride, count }: Windows, axis: 0 | 1, offset: number): Tensor => {
  const bounds = [offset, offset + (count[axis] - 1) * stride[axis] + 1, stride[axis]] as const
  return axis === 0 ? padded.slice([], bounds) : padded.slice([], [], bounds)
}

/** The transpose of {@link placed}: pixels put back, zeros everywhere else. */
export const putBack = (g: Tensor, { stride, count, image, padding }: Windows, axis: 0 | 1, offset: number): Tensor => {
  const after = image[axis] + 2 * padding[axis] - offset - (count[axis] - 1) * stride[axis] - 1
  const only = (n: number): readonly number[] => (axis === 0 ? [0, n, 0, 0] : [0, 0, n, 0])
  return g.pad(only(offset), only(after), only(stride[axis] - 1))
}
