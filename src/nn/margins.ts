/** Losses with a margin or a bend: hinge, the smooth absolute difference, and the focal loss. */
import { requireKnown } from '../prelude/options.ts'
import { relu } from '../tensor/activations.ts'
import { knownValues } from '../tensor/known.ts'
import { allInSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { binaryCrossEntropy, huber, l1 } from './losses.ts'
import { reductionOf, requireAlike, type ReductionOptions } from './lossShapes.ts'

/**
 * max(0, 1 − y·ŷ) for targets y of −1 and 1: the loss of support vector machines (Cortes & Vapnik 1995).
 *
 * @throws ShapeError or DTypeError where the two are not alike
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { hinge } from 'fathom/nn'
 *
 * hinge(tensor([2, 0.5, -1]), tensor([1, 1, 1]), { reduction: 'none' }) // => [0, 0.5, 2]
 * ```
 */
export const hinge = (prediction: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor => {
  const reduce = reductionOf('hinge', options)
  requireAlike('hinge', ['prediction', prediction], ['target', target])
  return allInSingle([prediction, target], (p: Tensor, y: Tensor) => reduce(relu(p.mul(y).neg().add(1))))
}

/**
 * d² / 2β for |d| < β, |d| − β/2 beyond (Girshick 2015, eq. 3): `huber` divided by β. With β = 0 it is `l1`.
 *
 * @param options beta: β ≥ 0, default 1
 * @throws ShapeError or DTypeError where the two are not alike; RangeError for another β
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { smoothL1 } from 'fathom/nn'
 *
 * smoothL1(tensor([1, 10]), zeros([2]), { beta: 2, reduction: 'none' }) // => [0.25, 9]
 * ```
 */
export const smoothL1 = (
  prediction: Tensor,
  target: Tensor,
  options: ReductionOptions & { readonly beta?: number } = {},
): Tensor => {
  const reduce = reductionOf('smoothL1', options, ['beta'])
  const { beta = 1 } = options
  if (!(beta >= 0 && beta < Infinity)) throw new RangeError(`smoothL1: beta is ${beta}; it must be at least 0`)
  requireAlike('smoothL1', ['prediction', prediction], ['target', target])
  return allInSingle([prediction, target], (p: Tensor, y: Tensor) => {
    if (beta === 0) return reduce(l1(p, y, { reduction: 'none' }))
    return reduce(huber(p, y, { delta: beta, reduction: 'none' }).div(beta))
  })
}

/** What {@link focalLoss} takes besides a reduction. */
export interface FocalOptions extends ReductionOptions {
  /** γ ≥ 0: how much less counts what is nearly right, default 2. */
  readonly gamma?: number
  /** The weight α of the targets that are 1, and 1 − α of those that are 0; default ¼. Without one all count alike. */
  readonly alpha?: number | 'none'
}

/**
 * −α·(1 − p)^γ·log p, p = σ(z) for a target of 1 and 1 − σ(z) for 0 (Lin et al. 2017, eq. 5): binary cross-entropy in which what is nearly right
 * hardly counts.
 *
 * @param logits z, any shape
 * @param targets in [0, 1], the same shape; between 0 and 1 both sides count, as in torchvision
 * @throws ShapeError or DTypeError where the two are not alike; RangeError for a target outside [0, 1] whose value is known at the call
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { focalLoss } from 'fathom/nn'
 *
 * focalLoss(tensor([0, 0]), tensor([1, 0]), { reduction: 'none' }) // => [0.0433, 0.13]
 * focalLoss(tensor([0]), tensor([1]), { gamma: 0, alpha: 'none' }) // => 0.693147
 * ```
 */
export const focalLoss = (logits: Tensor, targets: Tensor, options: FocalOptions = {}): Tensor => {
  requireKnown('focalLoss', options, ['reduction', 'gamma', 'alpha'])
  const { gamma = 2, alpha = 0.25, ...rest } = options
  const reduce = reductionOf('focalLoss', rest)
  if (!(gamma >= 0)) throw new RangeError(`focalLoss: gamma is ${gamma}; it must be at least 0`)
  requireAlike('focalLoss', ['logits', logits], ['targets', targets])
  const outside = knownValues(targets)?.find((y) => y < 0 || y > 1)
  if (outside !== undefined)
    throw new RangeError(`focalLoss: the target ${outside} is outside [0, 1]; it is the probability of 1`)
  return allInSingle([logits, targets], (z: Tensor, y: Tensor) => {
    const p = z.sigmoid()
    const entropy = binaryCrossEntropy(z, y, { reduction: 'none' })
    const wrong = y.mul(p.neg().add(1)).add(y.neg().add(1).mul(p)) // 1 − p for 1, p for 0
    const losses = entropy.mul(wrong.pow(gamma))
    return reduce(alpha === 'none' ? losses : losses.mul(y.mul(2 * alpha - 1).add(1 - alpha)))
  })
}
