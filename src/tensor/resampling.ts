/** More or fewer pixels of an NHWC image, each of which keeps its value: nearest neighbours, and pixels moved to channels and back. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { expectImages } from './expect.ts'
import { wholePair } from './pair.ts'
import type { Tensor } from './tensor.ts'
import { windows } from './windows.ts'

/**
 * Each pixel repeated `factor` times in both directions: `[N, H, W, C] → [N, factor·H, factor·W, C]`.
 *
 * @example
 * ```ts
 * import { tensor, upsampleNearest } from 'fathom'
 *
 * const x = tensor([1, 2], { shape: [1, 1, 2, 1] })
 * upsampleNearest(x).reshape([2, 4]) // => [[1, 1, 2, 2], [1, 1, 2, 2]]
 * ```
 */
export const upsampleNearest = (x: Tensor, factor = 2): Tensor => {
  expectImages('upsampleNearest', x)
  wholePair('upsampleNearest', 'factor', factor, 1)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  return x
    .reshape([n, h, 1, w, 1, c])
    .broadcastTo([n, h, factor, w, factor, c])
    .reshape([n, h * factor, w * factor, c])
}

/**
 * Space to depth, with PyTorch's channel order: output channel `c·factor² + dy·factor + dx`.
 *
 * `[N, H, W, C] → [N, H / factor, W / factor, C·factor²]`
 *
 * @example
 * ```ts
 * import { pixelUnshuffle, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * pixelUnshuffle(x).reshape([2, 4]) // => [[1, 2, 3, 4], [5, 6, 7, 8]]
 * ```
 */
export const pixelUnshuffle = (x: Tensor, factor = 2): Tensor => {
  expectImages('pixelUnshuffle', x)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  return windows('pixelUnshuffle', x, factor)
    .transpose([0, 1, 3, 5, 2, 4])
    .reshape([n, h / factor, w / factor, c * factor * factor])
}

/**
 * Depth to space, the inverse of {@link pixelUnshuffle}: `[N, H, W, C·factor²] → [N, factor·H, factor·W, C]`.
 *
 * @example
 * ```ts
 * import { pixelShuffle, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 3, 4], [5, 6, 7, 8]]).reshape([1, 1, 2, 4])
 * pixelShuffle(x).reshape([2, 4]) // => [[1, 2, 5, 6], [3, 4, 7, 8]]
 * ```
 */
export const pixelShuffle = (x: Tensor, factor = 2): Tensor => {
  expectImages('pixelShuffle', x)
  wholePair('pixelShuffle', 'factor', factor, 1)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3) / (factor * factor)]
  if (!Number.isInteger(c))
    throw new ShapeError(`pixelShuffle: ${at(x.shape, 3)} channels do not divide by ${factor * factor}`)
  return x
    .reshape([n, h, w, c, factor, factor])
    .transpose([0, 1, 4, 2, 5, 3])
    .reshape([n, h * factor, w * factor, c])
}
