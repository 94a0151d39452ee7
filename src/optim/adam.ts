/**
 * Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2), with PyTorch's update.
 *
 * The bias corrections c_t = 1 − βᵗ are running values of the state, c_{t+1} = β·c_t + (1 − β). They obey the recursion
 * of the moments themselves, and nothing cancels: 1 − 0.999ᵗ computed from the power loses four of the seven digits of
 * f32 at t = 1.
 */
import { zeros } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { decoupled, decoupledOptions, type DecoupledOptions } from './decoupled.ts'
import { descent } from './descent.ts'
import { adamSettings, average, correctionDType, zerosFor } from './moments.ts'
import { followedBy, zipState, type Transform, type Tree } from './transform.ts'

/** What {@link adam} takes; the defaults are PyTorch's. */
export interface AdamOptions {
  /** η; leave it out where each `update` is given one. */
  readonly learningRate?: number
  /** β₁, the decay of the mean gradient; default 0.9. */
  readonly beta1?: number
  /** β₂, the decay of the mean squared gradient; default 0.999. */
  readonly beta2?: number
  /** ε, added to the root of the second moment; default 1e-8. */
  readonly epsilon?: number
}

/** What {@link adamW} takes. */
export interface AdamWOptions extends AdamOptions, DecoupledOptions {
  /** λ: each step shrinks the weights by the factor 1 − ηλ; default 0.01. */
  readonly weightDecay?: number
}

/**
 * Moments in the structure of the parameters (f32 for f16 ones), and 1 − β₁ᵗ and 1 − β₂ᵗ as scalars (f64 when a
 * parameter is, else f32).
 */
export interface AdamState {
  readonly mean: Tree
  readonly variance: Tree
  readonly meanCorrection: Tensor
  readonly varianceCorrection: Tensor
}

/** {@link scaleByAdam} under the name of the optimizer that errors speak of. */
const scaled = (name: string, options: AdamOptions, more: readonly string[] = []): Transform<AdamState> => {
  const { beta1, beta2, epsilon } = adamSettings(name, options, more)
  return {
    init: (params) => ({
      mean: mapTree(params, zerosFor),
      variance: mapTree(params, zerosFor),
      meanCorrection: zeros([], correctionDType(params)),
      varianceCorrection: zeros([], correctionDType(params)),
    }),
    update: (gradients, state) => {
      const mean = zipState(name, gradients, state.mean, (g, m) => average(beta1, m, widened(g))) // m ← β₁m + (1 − β₁)g
      const squared = (g: Tensor): Tensor => widened(g).square()
      const variance = zipState(name, gradients, state.variance, (g, v) => average(beta2, v, squared(g))) // v ← β₂v + (1 − β₂)g²
      const meanCorrection = average(beta1, state.meanCorrection, 1)
      const varianceCorrection = average(beta2, state.varianceCorrection, 1)
      // Two scalars a step, so that the work per element is one root and one division.
      const [a, b] = [one(meanCorrection).div(meanCorrection), one(varianceCorrection).div(varianceCorrection.sqrt())]
      const direction = zipState(name, mean, variance, (m, v) =>
        m.mul(a.cast(m.dtype)).div(v.sqrt().mul(b.cast(v.dtype)).add(epsilon)),
      )
      return [direction, { mean, variance, meanCorrection, varianceCorrection }]
    },
  }
}

const one = (like: Tensor): Tensor => like.operand(1)

/**
 * g → m̂ / (√v̂ + ε): the direction of Adam, before the learning rate and with the sign of the gradient.
 *
 * @throws RangeError for a beta outside [0, 1)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { scaleByAdam } from 'fathom/optim'
 *
 * const gradients = tensor([0.01, -100])
 * const [direction] = scaleByAdam().update(gradients, scaleByAdam().init(gradients), gradients)
 * direction // => [1, -1]
 * ```
 */
export const scaleByAdam = (options: AdamOptions = {}): Transform<AdamState> => scaled('scaleByAdam', options)

/**
 * Adam: p ← p − η·m̂ / (√v̂ + ε). For an L2 penalty as PyTorch's `weight_decay` has it, put `addDecayedWeights` before
 * it.
 *
 * @example
 * ```ts
 * import { grad, tensor, type Tensor } from 'fathom'
 * import { adam, applyUpdates } from 'fathom/optim'
 *
 * const optimizer = adam({ learningRate: 0.1 })
 * const params = { w: tensor([5, -5]) }
 * const gradients = grad((p: { readonly w: Tensor }) => p.w.square().sum())(params)
 * const [updates, state] = optimizer.update(gradients, optimizer.init(params), params)
 * applyUpdates(params, updates).w // => [4.9, -4.9]
 * state.meanCorrection // => 0.1
 * ```
 */
export const adam = (options: AdamOptions = {}): Transform<AdamState> =>
  followedBy(scaled('adam', options), descent(options.learningRate))

/**
 * AdamW: p ← p − η·(m̂ / (√v̂ + ε) + λp), the decay kept out of the moments.
 *
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { adamW } from 'fathom/optim'
 *
 * const optimizer = adamW({ learningRate: 0.1, weightDecay: 0.5 })
 * const w = tensor([10, 20])
 * const [updates] = optimizer.update(zeros([2]), optimizer.init(w), w) // without a gradient only the decay is left
 * updates // => [-0.5, -1]
 * ```
 */
export const adamW = (options: AdamWOptions = {}): Transform<AdamState> =>
  decoupled(scaled('adamW', options, decoupledOptions), { ...options, weightDecay: options.weightDecay ?? 0.01 })
