/** An optimizer that sits out the steps whose gradients are not finite, inside a compiled step. */
import { full, zeros } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { allFinite, selectTree } from './lossScale.ts'
import type { Transform } from './transform.ts'

/** The optimizer's own state, and how many steps it sat out. */
export interface IfFiniteState<S> {
  readonly inner: S
  /** u32 []. */
  readonly skipped: Tensor
}

/** What changes no number, not even −0, when it is added. */
export const nothing = (u: Tensor): Tensor => full(u.shape, -0, u.dtype)

/**
 * The optimizer, where all gradients are finite; where one is NaN or ∞ parameters and state stay, bit for bit, and the step is counted.
 *
 * A loss that is never finite again is skipped for ever: look at `skipped` now and then.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { applyIfFinite, sgd } from 'fathom/optim'
 *
 * const optimizer = applyIfFinite(sgd({ learningRate: 1 }))
 * const w = tensor([1, 2])
 * const [updates, state] = optimizer.update(tensor([NaN, 5]), optimizer.init(w), w)
 * w.add(updates) // => [1, 2]
 * state.skipped // => 1
 * ```
 */
export const applyIfFinite = <S>(optimizer: Transform<S>): Transform<IfFiniteState<S>> => ({
  init: (params) => ({ inner: optimizer.init(params), skipped: zeros([], 'u32') }),
  update: (gradients, { inner, skipped }, params, given) => {
    const finite = allFinite(gradients)
    const [updates, next] = optimizer.update(gradients, inner, params, given)
    return [
      selectTree(finite, updates, mapTree(updates, nothing)),
      { inner: selectTree(finite, next, inner), skipped: skipped.add(finite.select(0, skipped.operand(1))) },
    ]
  },
})
