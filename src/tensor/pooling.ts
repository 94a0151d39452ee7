/** Pooling: one number for each window of an NHWC image. */
import type { Pair } from './pair.ts'
import type { Tensor } from './tensor.ts'
import { windows } from './windows.ts'

/**
 * The mean of each window of `size`: `[N, H, W, C] → [N, H / size, W / size, C]`.
 *
 * @example
 * ```ts
 * import { averagePool, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * averagePool(x).reshape([2]) // => [2.5, 6.5]
 * ```
 */
export const averagePool = (x: Tensor, size: Pair = 2): Tensor => windows('averagePool', x, size).mean([2, 4])

/**
 * The largest of each window of `size`: `[N, H, W, C] → [N, H / size, W / size, C]`.
 *
 * @example
 * ```ts
 * import { maxPool, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 5, 6], [3, 4, 7, 8]]).reshape([1, 2, 4, 1])
 * maxPool(x).reshape([2]) // => [4, 8]
 * maxPool(x, 3) // throws ShapeError: maxPool: windows of [3,3] do not tile [1,2,4,1]
 * ```
 */
export const maxPool = (x: Tensor, size: Pair = 2): Tensor => windows('maxPool', x, size).max([2, 4])
