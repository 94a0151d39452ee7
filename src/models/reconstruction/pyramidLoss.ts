/** L1 between the details of two pictures at several sizes: what the mean over pixels alone would let blur. */
import { requireKnown } from '../../prelude/options.ts'
import { at, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { requireAlike } from '../../nn/lossShapes.ts'
import { concatenate } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** A picture of half the size, and the details that it lacks: three numbers for each 2×2 square and channel. */
interface HaarLevel {
  readonly half: Tensor
  readonly details: Tensor
}

/**
 * One step of Haar's transform (1910) in units of pixels. Of the square a b / c d, half is (a + b + c + d)/4, and the details are the
 * differences of its columns, (a − b + c − d)/4, of its rows, (a + b − c − d)/4, and of its diagonals, (a − b − c + d)/4.
 */
const haar = (x: Tensor): HaarLevel => {
  const quarter = x.mul(0.25)
  const corner = (row: 0 | 1, column: 0 | 1): Tensor =>
    quarter.slice([], [row, at(x.shape, 1), 2], [column, at(x.shape, 2), 2])
  const [a, b, c, d] = [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)]
  const [top, bottom] = [a.add(b), c.add(d)]
  const [topDifference, bottomDifference] = [a.sub(b), c.sub(d)]
  return {
    half: top.add(bottom),
    details: concatenate(
      [topDifference.add(bottomDifference), top.sub(bottom), topDifference.sub(bottomDifference)],
      3,
    ),
  }
}

const requireLevels = (prediction: Tensor, levels: number): void => {
  if (!(Number.isInteger(levels) && levels >= 1))
    throw new RangeError(`pyramidLoss: levels is ${levels}; it must be a whole number above 0`)
  const [rank, h, w] = [prediction.rank, prediction.shape[1] ?? 0, prediction.shape[2] ?? 0]
  const factor = 2 ** levels
  if (rank !== 4 || h % factor !== 0 || w % factor !== 0)
    throw new ShapeError(
      `pyramidLoss: takes pictures [N, H, W, C] whose height and width are divisible by ${factor} (${levels} halvings), got ${showShape(prediction.shape)}; crop them, or ask for fewer levels`,
    )
}

/**
 * The mean absolute difference of the details of two pictures: of their Haar coefficients at full size, half, a quarter …, averaged over each
 * level and then over the levels. Pictures of the sea are smooth, so most details are small; a picture that blurs them is nearly right in
 * every pixel, and wrong in this.
 *
 * Haar's transform and not a Laplacian pyramid: squares of 2×2 tile a picture exactly, so that there is no rule at the border and what is cut
 * from a picture has the loss that it had in it; and a square has three details where a Laplacian pyramid has four that depend on each other.
 *
 * @param prediction pictures [N, H, W, C], H and W divisible by 2^levels
 * @param target pictures of the same shape
 * @param options levels: how many sizes count, default 3
 * @returns a scalar
 * @throws ShapeError for other shapes; RangeError for another number of levels
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { pyramidLoss } from 'fathom/models'
 *
 * const nothing = zeros([1, 2, 2, 1])
 * const stripes = tensor([1, -1, 1, -1]).reshape([1, 2, 2, 1]) // one of three details: the difference of the columns
 * pyramidLoss(stripes, nothing, { levels: 1 }) // => 0.3333
 * pyramidLoss(nothing.add(1), nothing, { levels: 1 }) // => 0
 * pyramidLoss(stripes, nothing) // throws ShapeError: pyramidLoss: takes pictures [N, H, W, C] whose height and width are divisible by 8 (3 halvings), got [1,2,2,1]; …
 * ```
 */
export const pyramidLoss = (prediction: Tensor, target: Tensor, options: { readonly levels?: number } = {}): Tensor => {
  requireKnown('pyramidLoss', options, ['levels'])
  const { levels = 3 } = options
  requireLevels(prediction, levels)
  requireAlike('pyramidLoss', ['prediction', prediction], ['target', target])
  // The transform is linear: the details of the difference are the differences of the details.
  let rest = prediction.sub(target)
  const losses = range(levels).map(() => {
    const { half, details } = haar(rest)
    rest = half
    return details.abs().mean()
  })
  return losses.reduce((a, b) => a.add(b)).div(levels)
}
