/** The last step of every optimizer: against the gradient, as far as the learning rate says. */
import { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

/** A number, or a tensor of no axes, ready to meet a leaf of any float dtype. */
export const rateFor = (leaf: Tensor, rate: Tensor | number): Tensor | number =>
  rate instanceof Tensor ? rate.cast(leaf.dtype) : rate

/**
 * u → −η·u.
 *
 * @param learningRate η > 0, part of the program; leave it out where each `update` is given one
 * @throws RangeError when neither is there, or for a negative or infinite number
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
  if (learningRate !== undefined && !(learningRate >= 0 && Number.isFinite(learningRate)))
    throw new RangeError(`descent: the learning rate is ${learningRate}; it must be a finite number ≥ 0`)
  return stateless((updates, _, given) => {
    const rate = given.learningRate ?? learningRate
    if (rate === undefined)
      throw new RangeError(
        'descent: no learning rate: name one when the optimizer is made, or give { learningRate } with each update',
      )
    return mapTree(updates, (u) => u.mul(rateFor(u, rate)).neg())
  })
}
