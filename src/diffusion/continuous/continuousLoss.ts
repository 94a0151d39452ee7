/** The loss of training at any time in [0, 1], of no schedule with steps (Kingma et al. 2021; Hoogeboom et al. 2023). */
import { equalNumbers } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { requireKnown, requirePositive } from '../../prelude/options.ts'
import { showShape } from '../../graph/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { meanOfEach } from '../each.ts'
import type { Denoise } from '../loss.ts'
import { parameterizations, type Prediction } from '../prediction.ts'
import { levelOfLogSnr, type LogSnr } from './logSnr.ts'

/** What {@link continuousLoss} takes. */
export interface ContinuousLossOptions {
  readonly logSnr: Pick<LogSnr, 'of'>
  readonly prediction: Exclude<Prediction, 'flow'>
  /** γ: the error of the image counts snr, but no more than this (Hang et al. 2023). Absent: the plain error of what is predicted. */
  readonly minSnrGamma?: number
}

/** The weight of a prediction's error at a signal-to-noise ratio, of which no more than γ counts: finite at 0 and at ∞. */
const weights: { readonly [K in ContinuousLossOptions['prediction']]: (snr: Tensor, gamma: number) => Tensor } = {
  epsilon: (snr, gamma) => snr.pow(-1).mul(gamma).minimum(1),
  x0: (snr, gamma) => snr.minimum(gamma),
  v: (snr, gamma) => snr.minimum(gamma).div(snr.add(1)),
}

/**
 * The mean squared error of what the network predicts at x_t = a·x₀ + s·ε, weighted by γ where there is one.
 *
 * @returns `(denoise, x0 [N, …] in [−1, 1], t [N] f32 in [0, 1], epsilon like x0, standard normal) → []`
 * @throws ShapeError where the network's output or the noise is not like the images, or a time is missing
 * @example
 * ```ts
 * import { ones, tensor, zeros, type Tensor } from 'fathom'
 * import { continuousLoss, cosineLogSnr } from 'fathom/diffusion'
 *
 * const loss = continuousLoss({ logSnr: cosineLogSnr(), prediction: 'v' })
 * const denoise = (x: Tensor): Tensor => x.mul(0) // sees nothing
 * loss(denoise, zeros([1, 2]), tensor([0.5]), ones([1, 2])) // => 0.5
 * ```
 */
export const continuousLoss = (options: ContinuousLossOptions) => {
  requireKnown('continuousLoss', options, ['logSnr', 'prediction', 'minSnrGamma'])
  const { logSnr, prediction, minSnrGamma } = options
  if (!Object.hasOwn(weights, prediction))
    throw new RangeError(
      `continuousLoss: the prediction is '${prediction}'; it must be ${Object.keys(weights).join(', ')}`,
    )
  if (minSnrGamma !== undefined) requirePositive('continuousLoss', 'minSnrGamma', minSnrGamma)
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => {
    const [samples = 1] = x0.shape
    if (!equalNumbers(t.shape, [samples]) || !equalNumbers(x0.shape, epsilon.shape))
      throw new ShapeError(
        `continuousLoss: images ${showShape(x0.shape)}, noise ${showShape(epsilon.shape)} and times ${showShape(t.shape)}; noise must be like the images, and times [${samples}]`,
      )
    const lambda = logSnr.of(t)
    const level = levelOfLogSnr(lambda, x0)
    const output = denoise(x0.mul(level.signal).add(epsilon.mul(level.noise)), t)
    const target = parameterizations[prediction].target(level, x0, epsilon)
    if (!equalNumbers(output.shape, target.shape))
      throw new ShapeError(
        `continuousLoss: the network's output is ${showShape(output.shape)} and its target ${showShape(target.shape)}; they must be of one shape`,
      )
    const error = meanOfEach(output.sub(target).square(), x0)
    if (minSnrGamma === undefined) return error.mean()
    return error.mul(weights[prediction](lambda.exp(), minSnrGamma)).mean()
  }
}
