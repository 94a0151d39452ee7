/** Losses of vectors that should be near one another, or far: cosines and triplets. */
import { equalNumbers } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { allInSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { relu } from '../tensor/activations.ts'
import { reductionOf, requireAlike, type ReductionOptions } from './lossShapes.ts'

/** The length of each vector, at least ε; the gradient at the least is 0. */
const lengthOf = (x: Tensor, axis: number, epsilon: number): Tensor => {
  const squares = x.square().sum(axis)
  const short = squares.less(epsilon ** 2)
  return short.select(epsilon, short.select(1, squares).sqrt())
}

/**
 * The cosine of the angle between vectors, x·y / (‖x‖·‖y‖), along `axis`.
 *
 * @param options axis (default the last); epsilon: the least length that counts, default 10⁻⁸
 * @returns the shape without the axis
 * @throws ShapeError or DTypeError where the two are not alike
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { cosineSimilarity } from 'fathom/nn'
 *
 * cosineSimilarity(tensor([[1, 0], [3, 4]]), tensor([[0, 2], [6, 8]])) // => [0, 1]
 * ```
 */
export const cosineSimilarity = (
  x: Tensor,
  y: Tensor,
  options: { readonly axis?: number; readonly epsilon?: number } = {},
): Tensor => {
  requireKnown('cosineSimilarity', options, ['axis', 'epsilon'])
  const { axis = -1, epsilon = 1e-8 } = options
  requireAlike('cosineSimilarity', ['x', x], ['y', y])
  const a = normalizeAxis('cosineSimilarity', axis, x.rank)
  return allInSingle([x, y], (v: Tensor, w: Tensor) =>
    v
      .mul(w)
      .sum(a)
      .div(lengthOf(v, a, epsilon).mul(lengthOf(w, a, epsilon))),
  )
}

/**
 * 1 − cos(x, y) for pairs that belong together (label 1), max(0, cos(x, y) − margin) for those that do not (label −1).
 *
 * @param x [..., C]
 * @param y the same shape
 * @param labels [...] of 1 and −1, of any dtype with a sign
 * @param options margin in [−1, 1], default 0
 * @throws ShapeError where the shapes do not go together
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { cosineEmbeddingLoss } from 'fathom/nn'
 *
 * const [x, y] = [tensor([[1, 0], [1, 0]]), tensor([[0, 1], [1, 0]])]
 * cosineEmbeddingLoss(x, y, tensor([1, -1]), { reduction: 'none' }) // => [1, 1]
 * ```
 */
export const cosineEmbeddingLoss = (
  x: Tensor,
  y: Tensor,
  labels: Tensor,
  options: ReductionOptions & { readonly margin?: number } = {},
): Tensor => {
  const reduce = reductionOf('cosineEmbeddingLoss', options, ['margin'])
  const cosine = cosineSimilarity(x, y)
  if (!equalNumbers(labels.shape, cosine.shape))
    throw new ShapeError(
      `cosineEmbeddingLoss: labels ${showShape(labels.shape)} for vectors ${showShape(x.shape)}; there is one for each pair, ${showShape(cosine.shape)}`,
    )
  const together = labels.greater(0)
  return reduce(together.select(cosine.neg().add(1), relu(cosine.sub(options.margin ?? 0))))
}

/** ‖x − y + ε‖₂ over the last axis, as PyTorch's `pairwise_distance`: ε keeps the root away from 0. */
const distance = (x: Tensor, y: Tensor): Tensor => x.sub(y).add(1e-6).square().sum(-1).sqrt()

/**
 * max(0, ‖a − p‖ − ‖a − n‖ + margin): an anchor is nearer to what is like it than to what is not, by a margin (Schroff et al. 2015, eq. 1, without
 * the squares, as PyTorch).
 *
 * @param anchor [..., C]
 * @param positive the same shape
 * @param negative the same shape
 * @param options margin, default 1
 * @returns a scalar, or [...] without reduction
 * @throws ShapeError or DTypeError where the three are not alike
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { tripletLoss } from 'fathom/nn'
 *
 * tripletLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 2]])) // => 4
 * ```
 */
export const tripletLoss = (
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: ReductionOptions & { readonly margin?: number } = {},
): Tensor => {
  const reduce = reductionOf('tripletLoss', options, ['margin'])
  requireAlike('tripletLoss', ['anchor', anchor], ['positive', positive])
  requireAlike('tripletLoss', ['anchor', anchor], ['negative', negative])
  if (anchor.rank === 0)
    throw new ShapeError('tripletLoss: the anchor is a scalar; the last axis is that of the vectors')
  return allInSingle([anchor, positive, negative], (a: Tensor, p: Tensor, n: Tensor) =>
    reduce(
      relu(
        distance(a, p)
          .sub(distance(a, n))
          .add(options.margin ?? 1),
      ),
    ),
  )
}
