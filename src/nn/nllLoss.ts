/** The negative log-likelihood of labels under log-probabilities. */
import { equalNumbers } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { inSingle } from '../tensor/precision.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { classLosses, requireClassOptions, weightIn, type ClassOptions } from './classLosses.ts'
import { reductionOf, requireFloat } from './lossShapes.ts'

/**
 * −log p[label], of log-probabilities such as those of `logSoftmax`; of logits, `crossEntropy` is the loss.
 *
 * @param logProbabilities [..., classes]
 * @param labels [...] of an integer dtype, each in [0, classes)
 * @param options weight and ignoreIndex, as those of `crossEntropy`
 * @returns a scalar, or [...] without reduction
 * @throws ShapeError or DTypeError for other labels; RangeError for a label outside [0, classes) whose value is known at the call
 * @example
 * ```ts
 * import { logSoftmax, tensor, zeros } from 'fathom'
 * import { nllLoss } from 'fathom/nn'
 *
 * nllLoss(logSoftmax(zeros([1, 10])), tensor(Int32Array.of(3))) // => 2.302585
 * ```
 */
export const nllLoss = (logProbabilities: Tensor, labels: Tensor, options: ClassOptions = {}): Tensor => {
  reductionOf('nllLoss', options, ['weight', 'ignoreIndex'])
  requireFloat('nllLoss', 'log-probabilities', logProbabilities)
  const where = `nllLoss: the log-probabilities are ${showShape(logProbabilities.shape)} and the labels ${labels.dtype}${showShape(labels.shape)}`
  if (isDifferentiable(labels) || labels.dtype === 'bool')
    throw new DTypeError(`${where}; labels are integers: labels.cast('i32')`)
  const rows = logProbabilities.shape.slice(0, -1)
  if (logProbabilities.rank === 0 || !equalNumbers(labels.shape, rows))
    throw new ShapeError(`${where}; there is a label for each row of the classes: ${showShape(rows)}`)
  requireClassOptions('nllLoss', logProbabilities, options)
  return inSingle(logProbabilities, (wide) => classLosses('nllLoss', wide, labels, weightIn(wide.dtype, options)))
}
