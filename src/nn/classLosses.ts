/** Losses of log-probabilities whose labels are numbers of classes: weights of classes, rows that are left out, smoothed labels. */
import { at, equalNumbers } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import type { DType } from '../graph/dtype.ts'
import { showShape } from '../graph/shape.ts'
import { full, iota } from '../tensor/create.ts'
import { expectTensor } from '../tensor/expect.ts'
import { requireLabels } from '../tensor/labels.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { reductionOf, type ReductionOptions } from './lossShapes.ts'

/** How classes and labels count. */
export interface ClassOptions extends ReductionOptions {
  /** [classes], the factor of each class's losses; the mean divides by the sum of those of the labels. */
  readonly weight?: Tensor
  /** The label of rows that are left out, of loss and mean. */
  readonly ignoreIndex?: number
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

/** Refuses weights that are not of the classes, and an ignored label that is no whole number. */
export const requireClassOptions = (who: string, logits: Tensor, { weight, ignoreIndex }: ClassOptions): void => {
  const classes = at(logits.shape, logits.rank - 1)
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex))
    throw new RangeError(`${who}: ignoreIndex is ${ignoreIndex}; it must be a whole number`)
  if (weight === undefined) return
  expectTensor(`${who}, weight`, weight)
  if (!equalNumbers(weight.shape, [classes]))
    throw new ShapeError(`${who}: the weight ${showShape(weight.shape)} is one number for each class, [${classes}]`)
  if (weight.dtype !== logits.dtype)
    throw new DTypeError(`${who}: the weight is ${weight.dtype} and the logits are ${logits.dtype}; cast one of them`)
}

/** The options with their weights in a dtype: those of halves go with logarithms in f32. */
export const weightIn = <O extends ClassOptions>(dtype: DType, options: O): O =>
  options.weight === undefined ? options : { ...options, weight: options.weight.cast(dtype) }

/** Each class by its weight, where there are weights. */
export const weightedBy = (x: Tensor, weight: Tensor | undefined): Tensor => (weight === undefined ? x : x.mul(weight))

/** What counts of each row: everything, or 0 where it is left out. */
const kept = (rows: Tensor | undefined, x: Tensor): Tensor => (rows === undefined ? x : rows.select(x, 0))

/** The weights of the labels' classes; 1 without weights. */
const weightsOf = (logProbabilities: Tensor, labels: Tensor, weight: Tensor | undefined): Tensor => {
  if (weight === undefined) return full(labels.shape, 1, logProbabilities.dtype)
  const isLabel = labels.cast('i32').expandDims(-1).equal(iota(logProbabilities.shape, labels.rank))
  return isLabel.select(weight, 0).sum(-1)
}

/** ε of each label spread over all classes: (1 − ε)·loss − ε / classes · Σ w·log p. */
const smoothed = (losses: Tensor, logProbabilities: Tensor, weight: Tensor | undefined, epsilon: number): Tensor => {
  const share = epsilon / at(logProbabilities.shape, losses.rank)
  return losses.mul(1 - epsilon).sub(weightedBy(logProbabilities, weight).sum(-1).mul(share))
}

/**
 * −w_y·log p_y of each row, reduced; the mean is that by the weights w_y of the rows that are kept.
 *
 * @param epsilon of smoothed labels
 */
export const classLosses = (
  who: string,
  logProbabilities: Tensor,
  labels: Tensor,
  options: ClassOptions,
  epsilon = 0,
): Tensor => {
  const { weight, ignoreIndex, reduction = 'mean' } = options
  requireLabels(who, 'label', labels, at(logProbabilities.shape, labels.rank), ignoreIndex)
  const rows = ignoreIndex === undefined ? undefined : labels.cast('i32').equal(ignoreIndex).not()
  const known = rows === undefined ? labels : rows.select(labels, 0) // some class for the rows without one, whose losses are not taken
  const plain = likelihoodOf(logProbabilities, known).neg()
  const weights = rows === undefined && weight === undefined ? undefined : weightsOf(logProbabilities, known, weight)
  const weighted = weights === undefined ? plain : plain.mul(weights)
  const losses = kept(rows, epsilon === 0 ? weighted : smoothed(weighted, logProbabilities, weight, epsilon))
  if (weights !== undefined && reduction === 'mean') return losses.sum().div(kept(rows, weights).sum())
  return reductionOf(who, { reduction })(losses)
}
