/** Cross-entropy of logits: with the number of a class for each row, or with probabilities of all classes. */
import { at, equalNumbers } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { inSingle } from '../tensor/precision.ts'
import { logSoftmax } from '../tensor/softmax.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { classLosses, requireClassOptions, weightIn, weightedBy, type ClassOptions } from './classLosses.ts'
import { reductionOf, requireFloat } from './lossShapes.ts'

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

/** Σ p·log q over the classes, with 0·log 0 = 0. */
const expectedLikelihood = (logProbabilities: Tensor, probabilities: Tensor): Tensor => {
  const isNothing = probabilities.equal(0).and(logProbabilities.equal(-Infinity))
  return isNothing.select(0, logProbabilities).mul(probabilities).sum(-1)
}

/** How the labels of {@link crossEntropy} are taken. */
export interface CrossEntropyOptions extends ClassOptions {
  /** ε in [0, 1], default 0: the label's class gets 1 − ε + ε / classes, and every other one ε / classes (Szegedy et al. 2016, section 7). */
  readonly labelSmoothing?: number
}

const smoothingOf = ({ labelSmoothing = 0 }: CrossEntropyOptions): number => {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new RangeError(`crossEntropy: labelSmoothing is ${labelSmoothing}; it must be in [0, 1]`)
  return labelSmoothing
}

/** −Σ w·p·log q with p the probabilities, of which ε is shared by all classes. */
const softLosses = (logProbabilities: Tensor, probabilities: Tensor, options: CrossEntropyOptions): Tensor => {
  const epsilon = smoothingOf(options)
  if (options.ignoreIndex !== undefined)
    throw new RangeError(
      'crossEntropy: ignoreIndex is of integer labels; rows of probabilities are left out by a weight of the loss',
    )
  const classes = at(logProbabilities.shape, logProbabilities.rank - 1)
  const smoothed = epsilon === 0 ? probabilities : probabilities.mul(1 - epsilon).add(epsilon / classes)
  return expectedLikelihood(logProbabilities, weightedBy(smoothed, options.weight)).neg()
}

/**
 * −log softmax(logits)[label], the negative log-likelihood of the label; or −Σ p·log softmax(logits) for probabilities p of the classes.
 *
 * @param logits [..., classes]
 * @param labels [...] of an integer dtype, each in [0, classes); or probabilities, of the shape and dtype of the logits, each row of sum 1.
 *   A label outside is an error where the host knows it; else its loss and gradient are NaN.
 * @param options weight [classes]: each class's factor, by whose sum over the labels the mean divides; ignoreIndex: the label of rows that are left
 *   out; labelSmoothing. All as PyTorch's
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
 * const [logits, labels] = [tensor([[0, 2], [0, 0]]), tensor(Int32Array.of(1, -1))]
 * crossEntropy(logits, labels, { ignoreIndex: -1 }) // => 0.126928
 * crossEntropy(logits, labels, { ignoreIndex: -1, labelSmoothing: 0.1 }) // => 0.226928
 * crossEntropy(zeros([1, 2]), tensor(Int32Array.of(2))) // throws RangeError: crossEntropy: the label 2 is outside 0 … 1; they are counted from 0
 * ```
 */
export const crossEntropy = (logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor => {
  const reduce = reductionOf('crossEntropy', options, ['weight', 'ignoreIndex', 'labelSmoothing'])
  requireFloat('crossEntropy', 'logits', logits)
  if (logits.rank === 0)
    throw new ShapeError('crossEntropy: the logits are a scalar; their last axis is that of the classes')
  requireShapes(logits, labels)
  requireClassOptions('crossEntropy', logits, options)
  return inSingle(logits, (wide) => {
    const logProbabilities = logSoftmax(wide)
    const all = weightIn(wide.dtype, options)
    if (isDifferentiable(labels)) return reduce(softLosses(logProbabilities, labels.cast(wide.dtype), all))
    return classLosses('crossEntropy', logProbabilities, labels, all, smoothingOf(options))
  })
}
