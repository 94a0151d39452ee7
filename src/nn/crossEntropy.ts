/** Cross-entropy of logits: with the number of a class for each row, or with probabilities of all classes. */
import { at, equalNumbers } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { iota } from '../tensor/create.ts'
import { logSoftmax } from '../tensor/softmax.ts'
import { requireLabels } from '../tensor/labels.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { reductionOf, requireFloat, type ReductionOptions } from './lossShapes.ts'

const requireShapes = (logits: Tensor, labels: Tensor): void => {
  const rows = logits.shape.slice(0, -1)
  const where = `crossEntropy: the logits are ${showShape(logits.shape)} and the labels ${labels.dtype}${showShape(labels.shape)}`
  if (isDifferentiable(labels)) {
    if (!equalNumbers(labels.shape, logits.shape))
      throw new DTypeError(
        `${where}; floats are probabilities of the logits' own shape: give integer labels of shape ${showShape(rows)} (labels.cast('i32')), or a probability for each class`,
      )
    if (labels.dtype !== logits.dtype)
      throw new DTypeError(`${where}; probabilities have the logits' dtype: cast one of them`)
    return
  }
  if (equalNumbers(labels.shape, rows) && labels.dtype !== 'bool') return
  if (equalNumbers(labels.shape, logits.shape))
    throw new ShapeError(
      `${where}; if they are one-hot, they are probabilities: labels.cast('${logits.dtype}'), or give the number of the class, ${showShape(rows)}`,
    )
  throw new ShapeError(
    `${where}; labels are integers of the logits' shape without its last axis, the classes: ${showShape(rows)}`,
  )
}

/** log p of the label's class; NaN, also as derivative, where there is no such class. */
const likelihoodOf = (logProbabilities: Tensor, labels: Tensor): Tensor => {
  const classes = at(logProbabilities.shape, logProbabilities.rank - 1)
  const label = labels.cast('i32') // large u32 become negative
  const known = label.less(classes).and(label.less(0).not()).expandDims(-1)
  const isLabel = label.expandDims(-1).equal(iota(logProbabilities.shape, labels.rank))
  // Rows without a class keep all their logarithms, so that NaN reaches every one of them backwards.
  const picked = isLabel.or(known.not()).select(logProbabilities, 0).sum(-1)
  return picked.mul(known.reshape(labels.shape).select(picked.operand(1), NaN))
}

/** Σ p·log q over the classes, with 0·log 0 = 0. */
const expectedLikelihood = (logProbabilities: Tensor, probabilities: Tensor): Tensor => {
  const isNothing = probabilities.equal(0).and(logProbabilities.equal(-Infinity))
  return isNothing.select(0, logProbabilities).mul(probabilities).sum(-1)
}

/**
 * −log softmax(logits)[label], the negative log-likelihood of the label; or −Σ p·log softmax(logits) for probabilities p of the classes.
 *
 * @param logits [..., classes]
 * @param labels [...] of an integer dtype, each in [0, classes); or probabilities, of the shape and dtype of the logits, each row of sum 1.
 *   A label outside is an error where the host knows it; else its loss and gradient are NaN.
 * @returns a scalar, or [...] without reduction
 * @throws ShapeError or DTypeError for other labels; RangeError for a label outside [0, classes) whose value is known at the call
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { crossEntropy } from 'fathom/nn'
 *
 * const loss = crossEntropy(zeros([1, 10]), tensor(Int32Array.of(3))) // equal logits: log 10
 * loss // => 2.302585
 * crossEntropy(zeros([1, 2]), tensor([[0.5, 0.5]])) // => 0.693147
 * crossEntropy(zeros([1, 2]), tensor(Int32Array.of(2))) // throws RangeError: crossEntropy: the label 2 is outside 0 … 1; they are counted from 0
 * ```
 */
export const crossEntropy = (logits: Tensor, labels: Tensor, options: ReductionOptions = {}): Tensor => {
  const reduce = reductionOf('crossEntropy', options)
  requireFloat('crossEntropy', 'logits', logits)
  if (logits.rank === 0)
    throw new ShapeError('crossEntropy: the logits are a scalar; their last axis is that of the classes')
  requireShapes(logits, labels)
  const logProbabilities = logSoftmax(logits)
  if (isDifferentiable(labels)) return reduce(expectedLikelihood(logProbabilities, labels).neg())
  requireLabels('crossEntropy', 'label', labels, at(logits.shape, logits.rank - 1))
  return reduce(likelihoodOf(logProbabilities, labels).neg())
}
