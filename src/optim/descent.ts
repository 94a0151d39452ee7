/** The last step of every optimizer: against the gradient, as far as the learning rate says. */
import { ShapeError } from '../prelude/errors.ts'
import { requireNotNegative } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import { knownValues } from '../tensor/known.ts'
import { widened } from '../tensor/precision.ts'
import { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

/** A number, or a tensor of no axes, ready to meet a leaf of any float dtype. */
export const rateFor = (leaf: Tensor, rate: Tensor | number): Tensor | number =>
  rate instanceof Tensor ? rate.cast(leaf.dtype) : rate

/** Checks a number, or a tensor of no axes where the host knows its value. */
export const requireScalar = (
  who: string,
  name: string,
  value: Tensor | number,
  check: (who: string, name: string, value: number) => void,
): void => {
  if (!(value instanceof Tensor)) {
    check(who, name, value)
    return
  }
  if (value.rank !== 0)
    throw new ShapeError(`${who}: ${name} is a tensor of shape ${showShape(value.shape)}; give a number or a scalar`)
  knownValues(value)?.forEach((x) => {
    check(who, name, x)
  })
}

/**
 * u → −η·u.
 *
 * @param learningRate η > 0, part of the program; leave it out where each `update` is given one
 * @throws RangeError when neither is there, or for a number that is negative or not finite
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { descent } from 'fathom/optim'
 *
 * const g = tensor([1, -2])
 * descent(0.1).update(g, {}, g)[0] // => [-0.1, 0.2]
 * descent().update(g, {}, g, { learningRate: scalar(0.5) })[0] // => [-0.5, 1]
 * ```
 */
export const descent = (learningRate?: number): Transform<Stateless> => {
  if (learningRate !== undefined) requireNotNegative('descent', 'the learning rate', learningRate)
  return stateless((updates, _, given) => {
    const rate = given.learningRate ?? learningRate
    if (rate === undefined)
      throw new RangeError(
        'descent: no learning rate: name one when the optimizer is made, or give { learningRate } with each update, and a rate to trainStep',
      )
    requireScalar('descent', 'the learning rate', rate, requireNotNegative)
    return mapTree(updates, (update) => {
      const u = widened(update)
      return u.mul(rateFor(u, rate)).neg()
    })
  })
}
