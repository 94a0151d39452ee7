/** RMSprop (Tieleman & Hinton 2012, lecture 6e), centred as in Graves 2013, section 3.2, with PyTorch's update. */
import { requireKnown, requireNotNegative } from '../prelude/options.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { descent } from './descent.ts'
import { average, requireFraction, zerosFor } from './moments.ts'
import { followedBy, zipState, type Transform, type Tree } from './transform.ts'

/** What {@link rmsProp} takes; the defaults are PyTorch's. */
export interface RmsPropOptions {
  /** η; leave it out where each `update` is given one. */
  readonly learningRate?: number
  /** α, the decay of the mean squared gradient; default 0.99. */
  readonly decay?: number
  /** ε, added to the root; default 1e-8. */
  readonly epsilon?: number
  /** μ in [0, 1); default 0, which keeps no velocity. */
  readonly momentum?: number
  /** Whether the mean is taken off the mean square, which is then a variance; default false. */
  readonly centred?: boolean
}

/** Moments in the structure of the parameters (f32 for f16 ones), those that the options need. */
export interface RmsPropState {
  readonly square: Tree
  readonly mean?: Tree
  readonly velocity?: Tree
}

const optionNames: readonly (keyof RmsPropOptions)[] = ['learningRate', 'decay', 'epsilon', 'momentum', 'centred']

const who = 'rmsProp'

/** g / (√v + ε), and the moments. */
const scaled = (decay: number, epsilon: number, centred: boolean): Transform<RmsPropState> => ({
  init: (params) => ({ square: mapTree(params, zerosFor), ...(centred && { mean: mapTree(params, zerosFor) }) }),
  update: (gradients, state) => {
    const square = zipState(who, gradients, state.square, (g, v) => average(decay, v, widened(g).square()))
    const divided = (g: Tensor, v: Tensor): Tensor => widened(g).div(v.sqrt().add(epsilon))
    if (!centred) return [zipState(who, gradients, square, divided), { square }]
    const mean = zipState(who, gradients, state.mean, (g, m) => average(decay, m, widened(g)))
    // v − m² ≥ 0 but for rounding, of which a root would be NaN
    const variance = zipState(who, square, mean, (v, m) => v.sub(m.square()).maximum(0))
    return [zipState(who, gradients, variance, divided), { square, mean }]
  },
})

const withVelocity = (first: Transform<RmsPropState>, momentum: number): Transform<RmsPropState> => ({
  init: (params) => ({ ...first.init(params), velocity: mapTree(params, zerosFor) }),
  update: (gradients, { velocity: before, ...state }, params) => {
    const [direction, after] = first.update(gradients, state, params)
    const velocity = zipState(who, direction, before, (d, u) => u.mul(momentum).add(d)) // u ← μu + d
    return [velocity, { ...after, velocity }]
  },
})

/**
 * RMSprop: p ← p − η·g / (√v + ε) with v ← αv + (1 − α)g²; centred, of v − m² with the mean m ← αm + (1 − α)g; with momentum
 * p ← p − η·u, u ← μu + g / (√v + ε).
 *
 * @throws RangeError for a decay or a momentum outside [0, 1)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { rmsProp } from 'fathom/optim'
 *
 * const optimizer = rmsProp({ learningRate: 0.01, decay: 0.75 })
 * const g = tensor([3, -0.1])
 * optimizer.update(g, optimizer.init(g), g)[0] // => [-0.02, 0.02]
 * ```
 */
export const rmsProp = (options: RmsPropOptions = {}): Transform<RmsPropState> => {
  requireKnown(who, options, optionNames)
  const { learningRate, decay = 0.99, epsilon = 1e-8, momentum = 0, centred = false } = options
  requireFraction(who, 'decay', decay)
  requireFraction(who, 'momentum', momentum)
  requireNotNegative(who, 'epsilon', epsilon)
  const first = scaled(decay, epsilon, centred)
  return followedBy(momentum === 0 ? first : withVelocity(first, momentum), descent(learningRate))
}
