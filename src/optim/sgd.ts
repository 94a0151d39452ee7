/**
 * Stochastic gradient descent with Polyak's or Nesterov's momentum, in PyTorch's form (Sutskever et al. 2013, section
 * 2).
 */
import { requireKnown } from '../prelude/options.ts'
import { zerosLike } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { descent } from './descent.ts'
import { followedBy, zipState, type Transform, type Tree } from './transform.ts'

/** What {@link sgd} takes. */
export interface SgdOptions {
  /** Leave it out where each `update` is given one. */
  readonly learningRate?: number
  /** μ in [0, 1); default 0, which keeps no state. */
  readonly momentum?: number
  /** Look ahead along the velocity before stepping; default false. */
  readonly nesterov?: boolean
}

/** The running sum of gradients (f32 for f16 ones); absent without momentum. */
export interface SgdState {
  readonly velocity?: Tree
}

const optionNames: readonly (keyof SgdOptions)[] = ['learningRate', 'momentum', 'nesterov']

const withMomentum = (momentum: number, nesterov: boolean): Transform<SgdState> => ({
  init: (params) => ({ velocity: mapTree(params, (p) => zerosLike(widened(p))) }),
  update: (gradients, state) => {
    const onward = (g: Tensor, v: Tensor): Tensor => v.mul(momentum).add(widened(g))
    const velocity = zipState('sgd', gradients, state.velocity, onward) // v ← μv + g
    return [nesterov ? zipState('sgd', gradients, velocity, onward) : velocity, { velocity }]
  },
})

/**
 * p ← p − η·v with v ← μv + g; with Nesterov's momentum p ← p − η·(g + μv).
 *
 * @throws RangeError for a momentum outside [0, 1), or Nesterov's without any
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { sgd } from 'fathom/optim'
 *
 * const optimizer = sgd({ learningRate: 0.1, momentum: 0.9 })
 * const g = tensor([1])
 * const [first, state] = optimizer.update(g, optimizer.init(g), g)
 * const [second] = optimizer.update(g, state, g)
 * first // => [-0.1]
 * second // => [-0.19]
 * ```
 */
export const sgd = (options: SgdOptions = {}): Transform<SgdState> => {
  requireKnown('sgd', options, optionNames)
  const { learningRate, momentum = 0, nesterov = false } = options
  if (!(momentum >= 0 && momentum < 1)) throw new RangeError(`sgd: the momentum is ${momentum}; it must be in [0, 1)`)
  if (nesterov && momentum === 0)
    throw new RangeError("sgd: Nesterov's momentum needs a momentum above 0, for instance 0.9")
  return momentum === 0 ? descent(learningRate) : followedBy(withMomentum(momentum, nesterov), descent(learningRate))
}
