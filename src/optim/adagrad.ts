/** Adagrad (Duchi et al. 2011, section 1.3, diagonal) and Adadelta (Zeiler 2012, algorithm 1), with PyTorch's updates. */
import { requireKnown, requireNotNegative } from '../prelude/options.ts'
import { full } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { descent } from './descent.ts'
import { average, requireFraction, zerosFor } from './moments.ts'
import { followedBy, zipState, type Transform, type Tree } from './transform.ts'

/** What {@link adagrad} takes; the defaults are PyTorch's. */
export interface AdagradOptions {
  /** η; leave it out where each `update` is given one. */
  readonly learningRate?: number
  /** What the sum of squares begins with; default 0. */
  readonly initial?: number
  /** ε, added to the root; default 1e-10. */
  readonly epsilon?: number
}

/** The sum of squared gradients, in the structure of the parameters (f32 for f16 ones). */
export interface AdagradState {
  readonly sum: Tree
}

/**
 * Adagrad: p ← p − η·g / (√s + ε) with s ← s + g².
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { adagrad } from 'fathom/optim'
 *
 * const optimizer = adagrad({ learningRate: 0.1 })
 * const g = tensor([4])
 * const [first, state] = optimizer.update(g, optimizer.init(g), g)
 * const [second] = optimizer.update(tensor([3]), state, g)
 * first // => [-0.1]
 * second // => [-0.06]
 * ```
 */
export const adagrad = (options: AdagradOptions = {}): Transform<AdagradState> => {
  requireKnown('adagrad', options, ['learningRate', 'initial', 'epsilon'])
  const { learningRate, initial = 0, epsilon = 1e-10 } = options
  requireNotNegative('adagrad', 'initial', initial)
  requireNotNegative('adagrad', 'epsilon', epsilon)
  const scaled: Transform<AdagradState> = {
    init: (params) => ({ sum: mapTree(params, (p) => full(p.shape, initial, widened(p).dtype)) }),
    update: (gradients, state) => {
      const sum = zipState('adagrad', gradients, state.sum, (g, s) => s.add(widened(g).square()))
      return [zipState('adagrad', gradients, sum, (g, s) => widened(g).div(s.sqrt().add(epsilon))), { sum }]
    },
  }
  return followedBy(scaled, descent(learningRate))
}

/** What {@link adadelta} takes; the defaults are PyTorch's. */
export interface AdadeltaOptions {
  /** η; default 1, the paper's; another may be given with each `update`. */
  readonly learningRate?: number
  /** ρ, the decay of both mean squares; default 0.9. */
  readonly decay?: number
  /** ε, added to both under the root; default 1e-6. */
  readonly epsilon?: number
}

/** The mean squares of gradients and of updates, in the structure of the parameters (f32 for f16 ones). */
export interface AdadeltaState {
  readonly square: Tree
  readonly moved: Tree
}

/**
 * Adadelta: p ← p − η·d with d = g·√(u + ε) / √(v + ε), v ← ρv + (1 − ρ)g², and then u ← ρu + (1 − ρ)d².
 *
 * @throws RangeError for a decay outside [0, 1)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { adadelta } from 'fathom/optim'
 *
 * const optimizer = adadelta({ decay: 0.75, epsilon: 1 })
 * const g = tensor([Math.sqrt(12)])
 * optimizer.update(g, optimizer.init(g), g)[0] // => [-1.7321]
 * ```
 */
export const adadelta = (options: AdadeltaOptions = {}): Transform<AdadeltaState> => {
  const who = 'adadelta'
  requireKnown(who, options, ['learningRate', 'decay', 'epsilon'])
  const { learningRate = 1, decay = 0.9, epsilon = 1e-6 } = options
  requireFraction(who, 'decay', decay)
  requireNotNegative(who, 'epsilon', epsilon)
  const scaled: Transform<AdadeltaState> = {
    init: (params) => ({ square: mapTree(params, zerosFor), moved: mapTree(params, zerosFor) }),
    update: (gradients, state) => {
      const square = zipState(who, gradients, state.square, (g, v) => average(decay, v, widened(g).square()))
      const root = (x: Tensor): Tensor => x.add(epsilon).sqrt()
      const factors = zipState(who, square, state.moved, (v, u) => root(u).div(root(v)))
      const direction = zipState(who, gradients, factors, (g, f) => widened(g).mul(f))
      const moved = zipState(who, direction, state.moved, (d, u) => average(decay, u, d.square()))
      return [direction, { square, moved }]
    },
  }
  return followedBy(scaled, descent(learningRate))
}
