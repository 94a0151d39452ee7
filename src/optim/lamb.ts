/** LAMB (You et al. 2020, "Large Batch Optimization for Deep Learning", algorithm 2): AdamW, each layer's step as long as its weights. */
import { requireKnown } from '../prelude/options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { zipTrees } from '../tensor/tree.ts'
import { scaleByAdam, type AdamState } from './adam.ts'
import { decoupledOptions, type DecoupledOptions } from './decoupled.ts'
import { descent } from './descent.ts'
import { globalNorm } from './globalNorm.ts'
import { followedBy, stateless, type Stateless, type Transform } from './transform.ts'
import { addDecayedWeights } from './weightDecay.ts'

/** What {@link lamb} takes. */
export interface LambOptions extends DecoupledOptions {
  /** β₁; default 0.9. */
  readonly beta1?: number
  /** β₂; default 0.999. */
  readonly beta2?: number
  /** ε, added to the root; default 1e-6. */
  readonly epsilon?: number
}

/** u·‖p‖/‖u‖; where either is 0, u. */
const asLongAs = (u: Tensor, p: Tensor): Tensor => {
  const [length, step] = [globalNorm(p), globalNorm(u)]
  const isUsual = length.greater(0).and(step.greater(0))
  return u.mul(isUsual.select(length.div(step), 1).cast(u.dtype))
}

/**
 * u → u·‖p‖/‖u‖, leaf by leaf: each update is as long as its parameter, before the learning rate. Where either has no length, u stays.
 *
 * @throws ShapeError where the updates are of other parameters
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { scaleByTrustRatio } from 'fathom/optim'
 *
 * scaleByTrustRatio().update(tensor([3, 4]), {}, tensor([0, 10]))[0] // => [6, 8]
 * scaleByTrustRatio().update(tensor([3, 4]), {}, tensor([0, 0]))[0] // => [3, 4]
 * ```
 */
export const scaleByTrustRatio = (): Transform<Stateless> =>
  stateless((updates, params) =>
    zipTrees(updates, params, asLongAs, {
      operation: 'scaleByTrustRatio',
      first: 'the updates',
      second: 'the parameters',
    }),
  )

/**
 * LAMB: p ← p − η·r·‖p‖/‖r‖ with r = m̂ / (√v̂ + ε) + λp, leaf by leaf.
 *
 * @throws RangeError for a beta outside [0, 1)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { lamb } from 'fathom/optim'
 *
 * const optimizer = lamb({ learningRate: 0.1 })
 * const w = tensor([3, 4])
 * const g = tensor([1, 1])
 * optimizer.update(g, optimizer.init(w), w)[0] // => [-0.35355, -0.35355]
 * ```
 */
export const lamb = (options: LambOptions = {}): Transform<AdamState> => {
  requireKnown('lamb', options, [...decoupledOptions, 'beta1', 'beta2', 'epsilon'])
  const { learningRate, weightDecay = 0, decays, epsilon = 1e-6, ...betas } = options
  const decayed = followedBy(scaleByAdam({ ...betas, epsilon }), addDecayedWeights(weightDecay, decays))
  return followedBy(followedBy(decayed, scaleByTrustRatio()), descent(learningRate))
}
