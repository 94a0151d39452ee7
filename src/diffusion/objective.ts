/**
 * The training loss: the weighted squared error of what the network predicts.
 *
 * Source: L_simple of Ho et al. 2020, eq. 14, and the min-SNR weights of Hang et al. 2023, eq. 10, as lucidrains has
 * them.
 */
import type { Tensor } from '../tensor/tensor.ts'
import { qSample } from './forward.ts'
import { noiseLevel, parameterizations, type Objective } from './parameterization.ts'
import type { Schedule } from './schedule.ts'
import { gatherTable } from './table.ts'

/** The network as diffusion sees it: x_t [N, …] and t [N] to a prediction like x_t. */
export type Denoise = (xt: Tensor, t: Tensor) => Tensor

/** What {@link diffusionLoss} takes. */
export interface LossOptions {
  readonly schedule: Schedule
  readonly objective: Objective
  /** γ: times with a higher signal-to-noise ratio count no more than this; 5 in the paper. Absent: no bound. */
  readonly minSnrGamma?: number
}

/**
 * The weight of an objective's error from the bounded ratio c = min(snr, γ) and the ratio itself: all three weight the
 * image's error by c.
 */
const weights: { readonly [O in Objective]: (c: number, snr: number) => number } = {
  epsilon: (c, snr) => c / snr,
  x0: (c) => c,
  v: (c, snr) => c / (snr + 1),
}

/** weight[t], in f64. Without γ it is 1 for ε, snr for x₀ and ᾱ for v. */
export const lossWeights = ({ schedule, objective, minSnrGamma = Infinity }: LossOptions): Float64Array => {
  if (!(minSnrGamma > 0)) throw new RangeError(`lossWeights: minSnrGamma is ${minSnrGamma}; it must be above 0`)
  return schedule.snr.map((snr) => weights[objective](Math.min(snr, minSnrGamma), snr))
}

/**
 * The loss of each sample, [N]: weight[t] times the mean squared error over its elements. Arguments as {@link
 * diffusionLoss}.
 */
export const diffusionLosses = (options: LossOptions) => {
  const { schedule, objective } = options
  const table = lossWeights(options)
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => {
    const target = parameterizations[objective].target(noiseLevel(schedule, t, x0), x0, epsilon)
    const output = denoise(qSample(schedule, x0, t, epsilon), t)
    const error = output
      .sub(target)
      .square()
      .reshape([x0.shape[0] ?? 1, -1])
      .mean(1)
    return error.mul(gatherTable(table, t, error))
  }
}

/**
 * The mean over the batch of {@link diffusionLosses}, a scalar.
 *
 * @returns `(denoise, x0 [N, …] in [−1, 1], t [N] i32, epsilon like x0, standard normal) → []`
 * @example `valueAndGrad((params) => loss((x, t) => model.apply(params, { x, t }), x0, t, epsilon))`
 */
export const diffusionLoss = (options: LossOptions) => {
  const losses = diffusionLosses(options)
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => losses(denoise, x0, t, epsilon).mean()
}
