/**
 * The variational bound on the likelihood of images, Ho et al. 2020, eq. 5, in bits for each number of an image: what a network is trained by that learns
 * variances, and by which it is compared with others.
 */
import { requireKnown } from '../prelude/options.ts'
import { full, zerosLike } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { forEach, meanOfEach } from './each.ts'
import { expectChain } from './expect.ts'
import { qPosterior, qSample } from './forward.ts'
import { learnedLogVariance, splitVariance } from './learnedVariance.ts'
import { levelLogLikelihood, normalDivergence, type NormalLog } from './likelihood.ts'
import { diffusionLosses, type Denoise, type LossOptions } from './loss.ts'
import { noiseLevel, parameterizations, type Prediction } from './prediction.ts'
import type { Schedule } from './schedule.ts'

/** What the bound is of. */
export interface BoundOptions {
  readonly schedule: Schedule
  /** What the network predicts, in the first half of its channels. */
  readonly prediction: Prediction
}

/** The mean of each sample, in bits. */
const bitsOf = (nats: Tensor): Tensor => meanOfEach(nats, nats).div(Math.LN2)

/** The step back as the network has it: p(x_{t−1} | x_t). @param still whether the mean is held, so that only the variance has a gradient */
const stepBack = (
  { schedule, prediction }: BoundOptions,
  xt: Tensor,
  t: Tensor,
  output: Tensor,
  still: boolean,
): NormalLog => {
  const said = splitVariance(output, xt)
  const { x0 } = parameterizations[prediction].estimate(noiseLevel(schedule, t, xt), xt, said.prediction)
  const { mean } = qPosterior(schedule, x0, xt, t)
  return { mean: still ? mean.stopGradient() : mean, logVariance: learnedLogVariance(schedule, said.fraction, t) }
}

/** The term of the bound at each sample's time: KL(q ‖ p) of the step back, and at t = 0 −log p(x₀ | x₁) of the levels. */
const termsAt = ({ schedule }: BoundOptions, p: NormalLog, x0: Tensor, xt: Tensor, t: Tensor): Tensor => {
  const { mean, logVariance } = qPosterior(schedule, x0, xt, t)
  const first = t.equal(0)
  const each = forEach(first, x0).broadcastTo(x0.shape)
  // At t = 0 the posterior has no variance, and its divergence is not asked for: zeros keep what is not taken finite.
  const q = { mean, logVariance: each.select(0, logVariance.broadcastTo(x0.shape)) }
  const divergence = normalDivergence(q, { mean: p.mean, logVariance: each.select(0, p.logVariance) })
  return bitsOf(each.select(levelLogLikelihood(x0, p).neg(), divergence))
}

/**
 * The terms of the bound at each sample's time, [N], in bits for each number: L_{t−1} (Ho et al. 2020, eq. 5), and L₀ at t = 0.
 *
 * @returns `(denoise, x0 [N, …, C] of 256 levels in [−1, 1], t [N] i32, epsilon like x0) → [N]`; the network says [N, …, 2C]
 * @example
 * ```ts
 * import { concatenate, tensor, zerosLike } from 'fathom'
 * import { boundTerms, cosineSchedule } from 'fathom/diffusion'
 *
 * const [x0, t, epsilon] = [tensor([[0.2]]), tensor(Int32Array.of(600)), tensor([[1]])]
 * const knows = () => concatenate([epsilon, zerosLike(x0).sub(1)], -1) // the noise, and the least variance
 * boundTerms({ schedule: cosineSchedule(1000), prediction: 'epsilon' })(knows, x0, t, epsilon) // => [0]
 * ```
 */
export const boundTerms = (options: BoundOptions) => {
  requireKnown('boundTerms', options, ['schedule', 'prediction'])
  expectChain('boundTerms', options.schedule, 'boundTerms({ schedule, prediction })')
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => {
    const xt = qSample(options.schedule, x0, t, epsilon)
    return termsAt(options, stepBack(options, xt, t, denoise(xt, t), false), x0, xt, t)
  }
}

/** What {@link learnedVarianceLosses} takes. */
export interface LearnedVarianceOptions extends Omit<LossOptions, 'schedule'> {
  readonly schedule: Schedule
  /** λ, the weight of the bound, which is the sum over all times; default 0.001. */
  readonly boundWeight?: number
}

/**
 * The loss of a network that learns variances, for each sample, [N]:
 *
 *     L_hybrid = L_simple + λ·L_vlb                                 Nichol & Dhariwal 2021, eq. 16
 *
 * L_simple is that of `diffusionLosses`. L_vlb, in bits, is T times the term at the sample's time, and through it only the variance has a gradient.
 *
 * @returns as `diffusionLosses`, of a network that says [N, …, 2C]
 * @throws RangeError for a weight below 0
 * @example
 * ```ts
 * import { concatenate, tensor, zerosLike } from 'fathom'
 * import { cosineSchedule, learnedVarianceLosses } from 'fathom/diffusion'
 *
 * const losses = learnedVarianceLosses({ schedule: cosineSchedule(1000), prediction: 'epsilon', boundWeight: 0 })
 * const [x0, t, epsilon] = [tensor([[0.2]]), tensor(Int32Array.of(600)), tensor([[1]])]
 * losses((x) => concatenate([x, x], -1).mul(0), x0, t, epsilon) // => [1]
 * ```
 */
export const learnedVarianceLosses = (given: LearnedVarianceOptions) => {
  requireKnown('learnedVarianceLosses', given, ['boundWeight', 'schedule', 'prediction', 'minSnrGamma', 'weighting'])
  const { boundWeight = 0.001, ...options } = given
  if (!(boundWeight >= 0 && Number.isFinite(boundWeight)))
    throw new RangeError(`learnedVarianceLosses: boundWeight is ${boundWeight}; it must be a finite number ≥ 0`)
  expectChain('learnedVarianceLosses', options.schedule, 'learnedVarianceLosses({ schedule, prediction })')
  const simple = diffusionLosses(options)
  const weight = boundWeight * options.schedule.steps // a term stands for all T
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => {
    const xt = qSample(options.schedule, x0, t, epsilon)
    const output = denoise(xt, t)
    const bound = termsAt(options, stepBack(options, xt, t, output, true), x0, xt, t)
    return simple(() => splitVariance(output, xt).prediction, x0, t, epsilon).add(bound.mul(weight))
  }
}

/**
 * KL(q(x_T | x₀) ‖ N(0, 1)) of each sample, in bits for each number: what is left of the images where noise should be all (Ho et al. 2020, L_T).
 *
 * @returns [N]
 * @example
 * ```ts
 * import { ones } from 'fathom'
 * import { cosineSchedule, priorBits } from 'fathom/diffusion'
 *
 * priorBits(cosineSchedule(1000), ones([1, 8])) // => [0]
 * ```
 */
export const priorBits = (schedule: Schedule, x0: Tensor): Tensor => {
  expectChain('priorBits', schedule, 'priorBits(schedule, x0)')
  const t = full([x0.shape[0] ?? 1], schedule.steps - 1, 'i32')
  const { signal, noise } = noiseLevel(schedule, t, x0)
  const nothing = zerosLike(x0)
  const q = { mean: x0.mul(signal), logVariance: noise.log().mul(2).broadcastTo(x0.shape) }
  return bitsOf(normalDivergence(q, { mean: nothing, logVariance: nothing }))
}
