/** What a loss refuses, and what becomes of the losses of the elements. */
import { expectTensor } from '../tensor/expect.ts'
import { equalNumbers } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'

/** What becomes of the losses of the elements: their mean (the default), their sum, or nothing. */
export type Reduction = 'mean' | 'sum' | 'none'

/** Options that every loss takes. Losses of halves are computed in f32, and what is left of them is rounded once. */
export interface ReductionOptions {
  readonly reduction?: Reduction
}

const reductions: { readonly [K in Reduction]: (losses: Tensor) => Tensor } = {
  mean: (losses) => losses.mean(),
  sum: (losses) => losses.sum(),
  none: (losses) => losses,
}

/** The reduction that the options name. @param more options besides `reduction` */
export const reductionOf = (
  loss: string,
  options: ReductionOptions,
  more: readonly string[] = [],
): ((losses: Tensor) => Tensor) => {
  requireKnown(loss, options, ['reduction', ...more])
  const { reduction = 'mean' } = options
  if (!Object.hasOwn(reductions, reduction))
    throw new RangeError(`${loss}: the reduction is '${reduction}'; it must be ${Object.keys(reductions).join(', ')}`)
  return reductions[reduction]
}

/** Refuses what is no float. */
export const requireFloat = (loss: string, name: string, x: Tensor): void => {
  expectTensor(`${loss}: ${name}`, x)
  if (!isDifferentiable(x))
    throw new DTypeError(`${loss}: ${name} of dtype ${x.dtype}; a loss takes floats, cast them first`)
}

/** How the second of two shapes could become the first. */
const remedy = (prediction: Shape, target: Shape, targetName: string): string => {
  const offset = prediction.length - target.length
  if (sizeOf(prediction) === sizeOf(target)) return `write ${targetName}.reshape(${showShape(prediction)})`
  return offset >= 0 && target.every((n, i) => n === 1 || n === prediction[i + offset])
    ? `where one is meant for all, write ${targetName}.broadcastTo(${showShape(prediction)})`
    : `let the model give what the ${targetName} has`
}

/**
 * Refuses a prediction and a target that are not of one shape and one float dtype: [4, 1] against [4] would compare each
 * with all.
 *
 * @throws ShapeError naming both shapes and what to do
 */
export const requireAlike = (
  loss: string,
  [predictionName, prediction]: readonly [string, Tensor],
  [targetName, target]: readonly [string, Tensor],
): void => {
  requireFloat(loss, predictionName, prediction)
  requireFloat(loss, targetName, target)
  if (!equalNumbers(prediction.shape, target.shape))
    throw new ShapeError(
      `${loss}: ${predictionName} ${showShape(prediction.shape)} against ${targetName} ${showShape(target.shape)}; a loss compares element by element: ${remedy(prediction.shape, target.shape, targetName)}`,
    )
  if (prediction.dtype !== target.dtype)
    throw new DTypeError(`${loss}: dtypes ${prediction.dtype} and ${target.dtype} differ; cast one of them`)
}
