/**
 * The training loss: the weighted squared error of what the network predicts.
 *
 * Source: L_simple of Ho et al. 2020, eq. 14; the min-SNR weights of Hang et al. 2023, eq. 10, as lucidrains has them; the SNR + 1 weights of
 * Salimans & Ho 2022, section 4.
 */
import { equalNumbers, product } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSchedule } from './expect.ts'
import { qSample } from './forward.ts'
import { noiseLevel, parameterizations, type Prediction } from './prediction.ts'
import type { Schedule } from './schedule.ts'
import { gatherTable } from './table.ts'

/** The network as diffusion sees it: x_t [N, …] and t [N] to a prediction like x_t. */
export type Denoise = (xt: Tensor, t: Tensor) => Tensor

/** How the error of the image is weighted, see {@link LossOptions}. */
type Weighting = 'snr' | 'snr+1'

/** What {@link diffusionLoss} takes. */
export interface LossOptions {
  readonly schedule: Schedule
  /** What the network predicts. */
  readonly prediction: Prediction
  /** γ: times with a higher signal-to-noise ratio count no more than this; 5 in the paper. Absent: no bound. */
  readonly minSnrGamma?: number
  /**
   * What the image's error counts at a signal-to-noise ratio: the ratio, which vanishes in noise, or the ratio plus 1, the plain error of v, in
   * which noisy times count as well. They decide what a picture is as a whole, such as its light.
   */
  readonly weighting?: Weighting
}

/** What is added to the ratio in each weighting. */
const offsets: { readonly [W in Weighting]: number } = { snr: 0, 'snr+1': 1 }

/**
 * The weight of a prediction's error from what the image's error counts, c = min(snr + offset, γ), and the ratio itself: all weight the
 * image's error by c. For ε it is c / snr, without an offset 1 at most. An error of x₀ is one of u = ε − x₀ that is a/s + 1 times as large.
 */
const weights: { readonly [K in Prediction]: (snr: number, offset: number, gamma: number) => number } = {
  epsilon: (snr, offset, gamma) => (offset === 0 ? Math.min(1, gamma / snr) : Math.min(snr + offset, gamma) / snr),
  x0: (snr, offset, gamma) => Math.min(snr + offset, gamma),
  v: (snr, offset, gamma) => Math.min(snr + offset, gamma) / (snr + 1),
  flow: (snr, offset, gamma) => Math.min(snr + offset, gamma) / (Math.sqrt(snr) + 1) ** 2,
}

const optionNames: readonly (keyof LossOptions)[] = ['schedule', 'prediction', 'minSnrGamma', 'weighting']

/**
 * weight[t], in f64. Without γ it is 1 for ε, snr for x₀ and ᾱ for v; in the weighting `snr+1` 1/ᾱ, 1/(1 − ᾱ) and 1.
 *
 * @example
 * ```ts
 * import { lossWeights, scheduleFromBetas } from 'fathom/diffusion'
 *
 * const schedule = scheduleFromBetas(Float64Array.of(0.2, 0.75)) // ᾱ = 0.8, 0.2
 * lossWeights({ schedule, prediction: 'epsilon' }) // => [1, 1]
 * lossWeights({ schedule, prediction: 'x0' }) // => [4, 0.25]
 * lossWeights({ schedule, prediction: 'x0', minSnrGamma: 2 }) // => [2, 0.25]
 * lossWeights({ schedule, prediction: 'v' }) // => [0.8, 0.2]
 * lossWeights({ schedule, prediction: 'v', weighting: 'snr+1' }) // => [1, 1]
 * ```
 */
export const lossWeights = (options: LossOptions): Float64Array => {
  requireKnown('lossWeights', options, optionNames)
  const { schedule, prediction, minSnrGamma = Infinity, weighting = 'snr' } = options
  expectSchedule('lossWeights', schedule, 'diffusionLoss({ schedule, prediction })')
  if (!(minSnrGamma > 0)) throw new RangeError(`lossWeights: minSnrGamma is ${minSnrGamma}; it must be above 0`)
  requireOneOf('weighting', weighting, offsets)
  requireOneOf('prediction', prediction, weights)
  return schedule.snr.map((snr) => weights[prediction](snr, offsets[weighting], minSnrGamma))
}

const requireOneOf = (name: string, value: string, choices: object): void => {
  if (!Object.hasOwn(choices, value))
    throw new RangeError(`lossWeights: the ${name} is '${value}'; it must be ${Object.keys(choices).join(', ')}`)
}

/** Refuses a prediction, or noise, that is not like what it is compared with: it would broadcast, and train without a word. */
const requireLike = (name: string, x: Tensor, like: string, y: Tensor): void => {
  if (!equalNumbers(x.shape, y.shape))
    throw new ShapeError(
      `diffusionLosses: ${name} is ${showShape(x.shape)} and ${like} ${showShape(y.shape)}; they must be of one shape, all its channels and samples`,
    )
  if (x.dtype !== y.dtype)
    throw new DTypeError(`diffusionLosses: ${name} is ${x.dtype} and ${like} ${y.dtype}; cast one of them`)
}

/**
 * The loss of each sample, [N]: weight[t] times the mean squared error over its elements. Arguments as {@link
 * diffusionLoss}.
 *
 * @throws ShapeError where the network's output or the noise is not like the images
 * @example
 * ```ts
 * import { tensor, zerosLike } from 'fathom'
 * import { cosineSchedule, diffusionLosses } from 'fathom/diffusion'
 *
 * const losses = diffusionLosses({ schedule: cosineSchedule(1000), prediction: 'epsilon' })
 * const [x0, t, epsilon] = [tensor([[0, 1], [0, 1]]), tensor(Int32Array.of(10, 900)), tensor([[1, 1], [0, 2]])]
 * losses((xt) => zerosLike(xt), x0, t, epsilon) // => [1, 2]
 * ```
 */
export const diffusionLosses = (options: LossOptions) => {
  const table = lossWeights(options)
  const { schedule, prediction } = options
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => {
    if (x0.rank === 0) throw new ShapeError('diffusionLosses: the images are a scalar; they are a batch, [N, …]')
    requireLike('the noise', epsilon, 'the images are', x0)
    const target = parameterizations[prediction].target(noiseLevel(schedule, t, x0), x0, epsilon)
    const output = denoise(qSample(schedule, x0, t, epsilon), t)
    requireLike("the network's output", output, 'its target is', target)
    const [samples = 1, ...rest] = x0.shape
    const error = output
      .sub(target)
      .square()
      .reshape([samples, product(rest)])
      .mean(1)
    return error.mul(gatherTable(table, t, error))
  }
}

/**
 * The mean over the batch of {@link diffusionLosses}, a scalar.
 *
 * @returns `(denoise, x0 [N, …] in [−1, 1], t [N] i32, epsilon like x0, standard normal) → []`
 * @example
 * ```ts
 * import { grad, tensor, type Tensor } from 'fathom'
 * import { cosineSchedule, diffusionLoss } from 'fathom/diffusion'
 *
 * const loss = diffusionLoss({ schedule: cosineSchedule(1000), prediction: 'epsilon' })
 * const [x0, t, epsilon] = [tensor([[5], [6]]), tensor(Int32Array.of(10, 900)), tensor([[2], [4]])]
 * const ofScale = (scale: Tensor): Tensor => loss(() => epsilon.mul(scale), x0, t, epsilon)
 * ofScale(tensor(0)) // => 10
 * grad(ofScale)(tensor(1)) // => 0
 * ```
 */
export const diffusionLoss = (options: LossOptions) => {
  const losses = diffusionLosses(options)
  return (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor): Tensor => losses(denoise, x0, t, epsilon).mean()
}
