/** Losses: how far a prediction is from its target. */
import { at } from '../prelude/array.ts'
import { oneHot } from '../tensor/create.ts'
import { logSoftmax, softplus } from '../tensor/functions.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** What becomes of the losses of the elements: their mean (the default), their sum, or nothing. */
export type Reduction = 'mean' | 'sum' | 'none'

/** Options that every loss takes. */
export interface LossOptions {
  readonly reduction?: Reduction
}

const reductions: { readonly [K in Reduction]: (losses: Tensor) => Tensor } = {
  mean: (losses) => losses.mean(),
  sum: (losses) => losses.sum(),
  none: (losses) => losses,
}

/**
 * (prediction − target)².
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { mse } from 'fathom/nn'
 *
 * mse(tensor([1, 2]), tensor([3, 4])) // => 4
 * ```
 */
export const mse = (prediction: Tensor, target: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor =>
  reductions[reduction](prediction.sub(target).square())

/**
 * |prediction − target|.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { l1 } from 'fathom/nn'
 *
 * l1(tensor([1, 2]), tensor([3, 3]), { reduction: 'sum' }) // => 3
 * ```
 */
export const l1 = (prediction: Tensor, target: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor =>
  reductions[reduction](prediction.sub(target).abs())

/**
 * Huber's loss (1964): d²/2 for |d| ≤ δ, and the tangent δ·(|d| − δ/2) beyond, so that outliers pull with a bounded force.
 *
 * @param options delta: δ > 0, default 1
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { huber } from 'fathom/nn'
 *
 * huber(tensor([1, 10]), zeros([2]), { reduction: 'none' }) // => [0.5, 9.5]
 * ```
 */
export const huber = (
  prediction: Tensor,
  target: Tensor,
  { delta = 1, reduction = 'mean' }: LossOptions & { readonly delta?: number } = {},
): Tensor => {
  const difference = prediction.sub(target)
  const distance = difference.abs()
  const isFar = distance.greater(delta)
  const near = isFar.select(0, difference) // far away the square is not taken: its derivative, 0 · ∞, would be added
  return reductions[reduction](isFar.select(distance.sub(delta / 2).mul(delta), near.square().mul(0.5)))
}

/**
 * −log softmax(logits)[label], the negative log-likelihood of the label.
 *
 * @param logits [..., classes]
 * @param labels [...] of an integer dtype, each in [0, classes)
 * @returns a scalar, or [...] without reduction
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { crossEntropy } from 'fathom/nn'
 *
 * const loss = crossEntropy(zeros([1, 10]), tensor(Int32Array.of(3))) // equal logits: log 10
 * loss // => 2.302585
 * ```
 */
export const crossEntropy = (logits: Tensor, labels: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor => {
  const isLabel = oneHot(labels, at(logits.shape, logits.rank - 1), 'bool')
  return reductions[reduction](isLabel.select(logSoftmax(logits), 0).sum(-1).neg())
}

/**
 * Binary cross-entropy −y·log σ(z) − (1 − y)·log(1 − σ(z)) = log(1 + eᶻ) − y·z, without overflow.
 *
 * @param logits z, any shape
 * @param targets y in [0, 1], the same shape
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { binaryCrossEntropy } from 'fathom/nn'
 *
 * const losses = binaryCrossEntropy(tensor([0, 1000]), tensor([1, 0]), { reduction: 'none' })
 * losses // => [0.693147, 1000]
 * ```
 */
export const binaryCrossEntropy = (logits: Tensor, targets: Tensor, { reduction = 'mean' }: LossOptions = {}): Tensor =>
  reductions[reduction](targets.neg().add(1).mul(logits).add(softplus(logits.neg()))) // (1 − y)·z + log(1 + e⁻ᶻ)
