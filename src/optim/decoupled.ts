/** The end of optimizers whose weight decay stays out of their moments: + λp, then −η (Loshchilov & Hutter 2019). */
import type { Tensor } from '../tensor/tensor.ts'
import { descent } from './descent.ts'
import { followedBy, type Transform } from './transform.ts'
import { addDecayedWeights } from './weightDecay.ts'

/** What optimizers with decoupled weight decay take. */
export interface DecoupledOptions {
  /** η; leave it out where each `update` is given one. */
  readonly learningRate?: number
  /** λ: each step shrinks the weights by the factor 1 − ηλ; default 0. */
  readonly weightDecay?: number
  /** Which parameters decay, by path and value, or how many times λ each; default all, once. */
  readonly decays?: (path: string, parameter: Tensor) => boolean | number
}

/** The names of {@link DecoupledOptions}. */
export const decoupledOptions: readonly (keyof DecoupledOptions)[] = ['learningRate', 'weightDecay', 'decays']

/** p ← p − η·(u + λp), u being the updates of `scaled`. */
export const decoupled = <S>(
  scaled: Transform<S>,
  { learningRate, weightDecay = 0, decays }: DecoupledOptions,
): Transform<S> => followedBy(followedBy(scaled, addDecayedWeights(weightDecay, decays)), descent(learningRate))
