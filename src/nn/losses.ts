/** Losses: how far a prediction is from its target, element by element. */
import { customVjp } from '../tensor/annotate.ts'
import { knownValues } from '../tensor/known.ts'
import { allInSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { reductionOf, requireAlike, type ReductionOptions } from './lossShapes.ts'

/**
 * (prediction − target)².
 *
 * @throws ShapeError where the two are not of one shape
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { mse } from 'fathom/nn'
 *
 * mse(tensor([1, 2]), tensor([3, 4])) // => 4
 * ```
 */
export const mse = (prediction: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor => {
  const reduce = reductionOf('mse', options)
  requireAlike('mse', ['prediction', prediction], ['target', target])
  return allInSingle([prediction, target], (p: Tensor, y: Tensor) => reduce(p.sub(y).square()))
}

/**
 * |prediction − target|.
 *
 * @throws ShapeError where the two are not of one shape
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { l1 } from 'fathom/nn'
 *
 * l1(tensor([1, 2]), tensor([3, 3]), { reduction: 'sum' }) // => 3
 * ```
 */
export const l1 = (prediction: Tensor, target: Tensor, options: ReductionOptions = {}): Tensor => {
  const reduce = reductionOf('l1', options)
  requireAlike('l1', ['prediction', prediction], ['target', target])
  return allInSingle([prediction, target], (p: Tensor, y: Tensor) => reduce(p.sub(y).abs()))
}

/**
 * Huber's loss (1964): d²/2 for |d| ≤ δ, and the tangent δ·(|d| − δ/2) beyond, so that outliers pull with a bounded force.
 *
 * @param options delta: δ > 0, default 1
 * @throws ShapeError where the two are not of one shape; RangeError for another δ
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
  options: ReductionOptions & { readonly delta?: number } = {},
): Tensor => {
  const reduce = reductionOf('huber', options, ['delta'])
  const { delta = 1 } = options
  if (!(delta > 0)) throw new RangeError(`huber: delta is ${delta}; it must be above 0`)
  requireAlike('huber', ['prediction', prediction], ['target', target])
  return allInSingle([prediction, target], (p: Tensor, y: Tensor) => reduce(huberLosses(p.sub(y).abs(), delta)))
}

/** Of |d|. */
const huberLosses = (distance: Tensor, delta: number): Tensor => {
  // q·(|d| − q/2) with q = min(|d|, δ) is both pieces, and never squares what is beyond δ: the force at ∞ is δ, not 0 · ∞.
  const q = distance.greater(delta).select(delta, distance)
  return q.mul(distance.sub(q.mul(0.5)))
}

/**
 * √(d² + ε²) = m·√(1 + q²) with m the larger of |d| and ε, and q the smaller over the larger: nothing is squared that could overflow. Its
 * derivative d/√(d² + ε²) is d/m over the same root, ±1 at ±∞.
 */
const charbonnierLosses = (epsilon: number): ((d: Tensor) => Tensor) => {
  const parts = (d: Tensor) => {
    const distance = d.abs()
    const far = distance.greater(epsilon)
    const [larger, smaller] = [far.select(distance, epsilon), far.select(epsilon, distance)]
    return { far, larger, root: smaller.div(larger).square().add(1).sqrt() }
  }
  return customVjp(
    (d: Tensor): Tensor => {
      const { larger, root } = parts(d)
      return larger.mul(root)
    },
    ([d], g): [Tensor] => {
      const { far, root } = parts(d)
      const direction = far.select(d.greater(0).select(1, d.operand(-1)), d.div(epsilon))
      return [g.mul(direction.div(root))]
    },
  )
}

/**
 * Charbonnier's loss (1994), √(d² + ε²): |d| with a round bottom of width ε, so that it has a second derivative, and pixels that are nearly
 * right stop pulling. It is ε where nothing is wrong.
 *
 * @param options epsilon: ε > 0, default 10⁻³, as Lai et al. 2017 have it for pictures
 * @throws ShapeError where the two are not of one shape; RangeError for another ε
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { charbonnier } from 'fathom/nn'
 *
 * charbonnier(tensor([0, 3]), zeros([2]), { epsilon: 4, reduction: 'none' }) // => [4, 5]
 * charbonnier(tensor([1, -3]), zeros([2])) // => 2.00000
 * charbonnier(tensor([1]), zeros([1]), { epsilon: 0 }) // throws RangeError: charbonnier: epsilon is 0; it must be above 0: l1 is the loss without it
 * ```
 */
export const charbonnier = (
  prediction: Tensor,
  target: Tensor,
  options: ReductionOptions & { readonly epsilon?: number } = {},
): Tensor => {
  const reduce = reductionOf('charbonnier', options, ['epsilon'])
  const { epsilon = 1e-3 } = options
  if (!(epsilon > 0 && epsilon < Infinity))
    throw new RangeError(`charbonnier: epsilon is ${epsilon}; it must be above 0: l1 is the loss without it`)
  requireAlike('charbonnier', ['prediction', prediction], ['target', target])
  return allInSingle([prediction, target], (p: Tensor, y: Tensor) => reduce(charbonnierLosses(epsilon)(p.sub(y))))
}

/**
 * |z|·r + log(1 + e^−|z|) with r = y for z ≤ 0 and 1 − y for z > 0, the part that is on the wrong side; and its derivatives σ(z) − y and
 * −z, which have no kinks.
 */
const binaryLosses = customVjp(
  (z: Tensor, y: Tensor): Tensor => {
    const wrong = z.greater(0).select(y.neg().add(1), y)
    const distance = z.abs()
    const loss = wrong.equal(0).select(0, wrong.mul(distance)) // an infinite logit on the right side is no loss
    return loss.add(distance.neg().exp().add(1).log())
  },
  ([z, y], g): [Tensor, Tensor] => [g.mul(z.sigmoid().sub(y)), g.mul(z.neg())],
)

/**
 * Binary cross-entropy −y·log σ(z) − (1 − y)·log(1 − σ(z)) = log(1 + eᶻ) − y·z, without overflow.
 *
 * @param logits z, any shape
 * @param targets y in [0, 1], the same shape
 * @throws ShapeError where the two are not of one shape; RangeError for a target outside [0, 1] whose value is known at the call
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { binaryCrossEntropy } from 'fathom/nn'
 *
 * const losses = binaryCrossEntropy(tensor([0, 1000]), tensor([1, 0]), { reduction: 'none' })
 * losses // => [0.693147, 1000]
 * ```
 */
export const binaryCrossEntropy = (logits: Tensor, targets: Tensor, options: ReductionOptions = {}): Tensor => {
  const reduce = reductionOf('binaryCrossEntropy', options)
  requireAlike('binaryCrossEntropy', ['logits', logits], ['targets', targets])
  const outside = knownValues(targets)?.find((y) => y < 0 || y > 1)
  if (outside !== undefined)
    throw new RangeError(`binaryCrossEntropy: the target ${outside} is outside [0, 1]; it is the probability of 1`)
  return allInSingle([logits, targets], (z: Tensor, y: Tensor) => reduce(binaryLosses(z, y)))
}
