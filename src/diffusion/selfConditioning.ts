/**
 * Self-conditioning, Chen et al. 2022 ("Analog bits", section 3 and algorithms 1 and 2): a network is told what it thought of the image before. In sampling
 * that is its estimate of the step before; in training, half of the time, its own estimate of the same x_t, and otherwise nothing.
 */
import { ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import { zerosLike } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { forEach } from './each.ts'
import type { Denoise } from './loss.ts'
import { predictionIn } from './learnedVariance.ts'
import { clipEstimate, noiseLevel, parameterizations, type Prediction } from './prediction.ts'
import type { Sampler } from './sampler.ts'
import type { NoiseSchedule } from './schedule.ts'

/** A network that reads an estimate of its images: x_t [N, …], t [N], and the estimate like x_t to a prediction like x_t. */
export type SelfConditionedDenoise = (xt: Tensor, t: Tensor, estimate: Tensor) => Tensor

/** What {@link selfConditionedDenoise} takes. */
export interface SelfConditioningOptions {
  readonly schedule: NoiseSchedule
  /** What the network predicts. */
  readonly prediction: Prediction
  /** Whether estimates are kept in [−1, 1] as in sampling, default true. */
  readonly clip?: boolean
}

const optionNames: readonly (keyof SelfConditioningOptions)[] = ['schedule', 'prediction', 'clip']

/**
 * The network in training: images that are `told` get their estimate of a first pass, which has no gradient, and the others zeros. lucidrains throws
 * one coin for a batch; here each image has its own, which has the same expectation and less variance, at the price of a first pass in every step.
 *
 * @param told bool [N]: which images; one of two at random, as `bernoulli(key, 0.5, [N])`
 * @returns a network for `diffusionLoss`
 * @throws ShapeError where `told` is not one for each image
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { scheduleFromBetas, selfConditionedDenoise } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.36))
 * const network = selfConditionedDenoise(
 *   (_, __, estimate) => estimate.add(0.5), // says half more than what it is told
 *   tensor([true, false]),
 *   { schedule, prediction: 'x0' },
 * )
 * network(tensor([[9], [9]]), tensor(Int32Array.of(0, 0))) // => [[1], [0.5]]
 * ```
 */
export const selfConditionedDenoise = (
  denoise: SelfConditionedDenoise,
  told: Tensor,
  options: SelfConditioningOptions,
): Denoise => {
  requireKnown('selfConditionedDenoise', options, optionNames)
  const { schedule, prediction, clip = true } = options
  return (xt, t) => {
    const nothing = zerosLike(xt)
    if (told.rank !== 1 || told.shape[0] !== xt.shape[0])
      throw new ShapeError(
        `selfConditionedDenoise: told is ${showShape(told.shape)} for images ${showShape(xt.shape)}; it must be one bool for each`,
      )
    const level = noiseLevel(schedule, t, xt)
    const raw = parameterizations[prediction].estimate(level, xt, predictionIn(denoise(xt, t, nothing), xt))
    const { x0 } = clip ? clipEstimate(level, xt, raw) : raw
    return denoise(xt, t, forEach(told, xt).broadcastTo(xt.shape).select(x0.stopGradient(), nothing))
  }
}

/** The state of a sampler, and what was thought of the images in the step before, zeros at first. */
export interface SelfConditioned<S> {
  readonly inner: S
  readonly estimate: Tensor
}

/**
 * A sampler whose every step is told the estimate of the step before: that of its first question, where it asks several times. The network is given it
 * as its fourth argument.
 *
 * @example
 * ```ts
 * import { key, zerosLike, type Tensor } from 'fathom'
 * import { cosineSchedule, ddim, sample, selfConditioned } from 'fathom/diffusion'
 *
 * const { x } = await sample({
 *   device,
 *   denoise: (_: object, xt: Tensor, __: Tensor, estimate = zerosLike(xt)) => estimate.add(0.25), // counts its steps
 *   prediction: 'x0',
 *   sampler: selfConditioned(ddim(cosineSchedule(100), { steps: 3 })),
 *   shape: [1, 2],
 *   params: {},
 *   key: key(0),
 * })
 * x // => [[0.75, 0.75]]
 * ```
 */
export const selfConditioned = <S>(sampler: Sampler<S>): Sampler<SelfConditioned<S>> => ({
  levels: sampler.levels,
  init: (x) => ({ inner: sampler.init(x), estimate: zerosLike(x) }),
  step: ({ inner, estimate }, ask, index, draw) => {
    const said: Tensor[] = [] // what this step was told, in the order of its questions
    const answer = (x: Tensor, level: Tensor) => {
      const found = ask(x, level, estimate)
      said.push(found.x0)
      return found
    }
    const next = sampler.step(inner, answer, index, draw)
    return { inner: next, estimate: said[0] ?? estimate }
  },
  image: ({ inner }) => sampler.image(inner),
  told: ({ estimate }) => estimate,
  ...(sampler.holds === true && { holds: true }),
})
