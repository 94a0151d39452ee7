/** Losses between distributions: the Kullback–Leibler divergence, and the likelihood under a normal distribution. */
import { requireKnown } from '../prelude/options.ts'
import { ShapeError } from '../prelude/errors.ts'
import { knownValues } from '../tensor/known.ts'
import { customVjp } from '../tensor/annotate.ts'
import { allInSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { reductionOf, requireAlike, type ReductionOptions } from './lossShapes.ts'

/** p·log p with 0·log 0 = 0, and its derivative log p + 1. */
const negativeEntropy = customVjp(
  (p: Tensor): Tensor => p.equal(0).select(0, p.mul(p.log())),
  ([p], g): [Tensor] => [g.mul(p.log().add(1))],
)

/** p·(log p − log q) of every class. */
const divergences = (logProbabilities: Tensor, target: Tensor, logTarget: boolean): Tensor => {
  const probabilities = logTarget ? target.exp() : target
  const own = logTarget ? probabilities.mul(target) : negativeEntropy(target)
  return own.sub(probabilities.mul(logProbabilities))
}

/**
 * The Kullback–Leibler divergence Σ p·(log p − log q) of each row of the last axis, the classes: how much a code for q costs more than one
 * for p. The mean is over rows, which PyTorch calls `batchmean`.
 *
 * @param logProbabilities log q, [..., classes], such as `logSoftmax` of logits
 * @param target p, of the same shape
 * @param options logTarget: whether the target is log p
 * @returns a scalar, or [...] without reduction
 * @throws ShapeError or DTypeError where the two are not alike
 * @example
 * ```ts
 * import { logSoftmax, tensor, zeros } from 'fathom'
 * import { klDiv } from 'fathom/nn'
 *
 * klDiv(logSoftmax(zeros([1, 2])), tensor([[0.5, 0.5]])) // => 0
 * klDiv(logSoftmax(zeros([1, 2])), tensor([[1, 0]])) // => 0.693147
 * ```
 */
export const klDiv = (
  logProbabilities: Tensor,
  target: Tensor,
  options: ReductionOptions & { readonly logTarget?: boolean } = {},
): Tensor => {
  const reduce = reductionOf('klDiv', options, ['logTarget'])
  requireAlike('klDiv', ['logProbabilities', logProbabilities], ['target', target])
  if (logProbabilities.rank === 0)
    throw new ShapeError('klDiv: the log-probabilities are a scalar; their last axis is that of the classes')
  return allInSingle([logProbabilities, target], (q: Tensor, p: Tensor) =>
    reduce(divergences(q, p, options.logTarget ?? false).sum(-1)),
  )
}

/** How {@link gaussianNll} is computed. */
export interface GaussianNllOptions extends ReductionOptions {
  /** Whether ½·log 2π is added, default false. */
  readonly full?: boolean
  /** The least variance that counts, default 10⁻⁶; below it the gradient is that at it. */
  readonly epsilon?: number
}

/** The larger of x and ε, through which the gradient passes as if nothing were cut. */
const atLeast = (epsilon: number): ((x: Tensor) => Tensor) =>
  customVjp(
    (x: Tensor): Tensor => x.maximum(epsilon),
    (_, g): [Tensor] => [g],
  )

/**
 * −log of the normal density: ½·(log σ² + (target − mean)² / σ²), whose mean and variance a network predicts (Nix & Weigend 1994).
 *
 * @param mean any shape
 * @param target of the same shape
 * @param variance σ² ≥ 0, of the same shape
 * @throws ShapeError or DTypeError where the three are not alike; RangeError for a variance below 0 whose value is known at the call
 * @example
 * ```ts
 * import { ones, tensor, zeros } from 'fathom'
 * import { gaussianNll } from 'fathom/nn'
 *
 * gaussianNll(zeros([2]), tensor([0, 2]), ones([2]), { reduction: 'none' }) // => [0, 2]
 * ```
 */
export const gaussianNll = (
  mean: Tensor,
  target: Tensor,
  variance: Tensor,
  options: GaussianNllOptions = {},
): Tensor => {
  requireKnown('gaussianNll', options, ['reduction', 'full', 'epsilon'])
  const { full = false, epsilon = 1e-6, ...rest } = options
  const reduce = reductionOf('gaussianNll', rest)
  if (!(epsilon > 0)) throw new RangeError(`gaussianNll: epsilon is ${epsilon}; it must be above 0`)
  requireAlike('gaussianNll', ['mean', mean], ['target', target])
  requireAlike('gaussianNll', ['mean', mean], ['variance', variance])
  const below = knownValues(variance)?.find((v) => v < 0)
  if (below !== undefined)
    throw new RangeError(`gaussianNll: the variance ${below} is below 0; is it a logarithm? exp()`)
  return allInSingle([mean, target, variance], (m: Tensor, y: Tensor, given: Tensor) => {
    const v = atLeast(epsilon)(given)
    const losses = v.log().add(m.sub(y).square().div(v)).mul(0.5)
    return reduce(full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses)
  })
}
