/**
 * Guidance by a classifier of noisy images: at every step the image moves to where the classifier sees more of what is asked for.
 *
 * Source: Dhariwal & Nichol 2021, eq. 14 (for DDIM), on any levels: −ε/s is the slope of log p(x), to which that of log p(y | x) is added.
 */
import { requireKnown } from '../prelude/options.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSchedule } from './expect.ts'
import type { Denoiser } from './guidance.ts'
import { noiseLevel, parameterizations, type Prediction } from './prediction.ts'
import type { NoiseSchedule } from './schedule.ts'

/** What guides, and what the network is that is guided. */
export interface ClassifierGuidanceOptions<C> {
  /** `grad` of fathom: an argument, because diffusion does not know autodiff. */
  readonly differentiate: (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor
  /** log p(y | x_t) of each image, [N], by a classifier that was trained on noisy images, for what is asked for. */
  readonly logProbability: (classifier: C, xt: Tensor, t: Tensor) => Tensor
  /** That the network was trained on. */
  readonly schedule: NoiseSchedule
  readonly prediction: Prediction
  /** w; 0 is no guidance, 1 is Bayes' rule, and more asks for more. */
  readonly weight: number
}

/** The network, and the classifier. */
export interface ClassifierGuidedParams<P, C> {
  readonly params: P
  readonly classifier: C
}

/**
 * A network that is guided by a classifier:
 *
 *     ε̂′ = ε̂ − w·s·∇ log p(y | x_t),  x̂₀′ = x̂₀ + w·(s²/a)·∇ log p(y | x_t)
 *
 * in whatever the network predicts. Where nothing of the image is left in x_t (a = 0) nothing is known of what it shows, and it is the network's own word.
 *
 * @returns a network for `sampling`, whose parameters are those of the pair
 * @throws RangeError for a weight that is not finite; ShapeError where the classifier does not say one number for each image
 * @example
 * ```ts
 * import { grad, tensor, type Tensor } from 'fathom'
 * import { classifierGuided, scheduleFromBetas } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.36)) // a = 0.8, s = 0.6
 * const network = (_: object, xt: Tensor): Tensor => xt.mul(0)
 * const brighter = (slope: Tensor, xt: Tensor): Tensor => xt.mul(slope).sum(1)
 * const options = { differentiate: grad, logProbability: brighter, schedule, prediction: 'epsilon', weight: 2 } as const
 * const denoise = classifierGuided(network, options)
 * denoise({ params: {}, classifier: tensor(1) }, tensor([[0, 5]]), tensor(Int32Array.of(0))) // => [[-1.2, -1.2]]
 * ```
 */
export const classifierGuided = <P, C>(
  denoise: Denoiser<P>,
  options: ClassifierGuidanceOptions<C>,
): Denoiser<ClassifierGuidedParams<P, C>> => {
  requireKnown('classifierGuided', options, ['differentiate', 'logProbability', 'schedule', 'prediction', 'weight'])
  const { differentiate, logProbability, schedule, prediction, weight } = options
  expectSchedule('classifierGuided', schedule, 'classifierGuided(denoise, { schedule, … })')
  if (!Number.isFinite(weight))
    throw new RangeError(`classifierGuided: the weight is ${weight}; it must be finite, and 0 for no guidance`)
  const { estimate, target } = parameterizations[prediction]
  return ({ params, classifier }, xt, t, before) => {
    const output = denoise(params, xt, t, before)
    if (weight === 0) return output // the classifier is not even asked
    const slope = differentiate((x) => {
      const said = logProbability(classifier, x, t)
      if (said.rank !== 1 || said.shape[0] !== x.shape[0])
        throw new ShapeError(
          `classifierGuided: the classifier says ${showShape(said.shape)} of images ${showShape(x.shape)}; it must be one number for each, [${x.shape[0]}]`,
        )
      return said.sum()
    })(xt).mul(weight)
    const level = noiseLevel(schedule, t, xt)
    const { signal, noise } = level
    const own = estimate(level, xt, output)
    const moved = target(level, own.x0.add(slope.mul(noise.square()).div(signal)), own.epsilon.sub(slope.mul(noise)))
    return signal.equal(0).broadcastTo(output.shape).select(output, moved)
  }
}
