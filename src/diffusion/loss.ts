/**
 * The training loss: the weighted squared error of what the network predicts.
 *
 * Source: L_simple of Ho et al. 2020, eq. 14; the min-SNR weights of Hang et al. 2023, eq. 10, as lucidrains has them; other weights as named at their
 * lines.
 */
import { equalNumbers } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { keysOf } from '../prelude/record.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { meanOfEach } from './each.ts'
import { expectSchedule } from './expect.ts'
import { qSample } from './forward.ts'
import { noiseLevel, parameterizations, type Prediction } from './prediction.ts'
import { isChain, type NoiseSchedule } from './schedule.ts'
import { powersOf } from './schedules/tables.ts'
import { gatherTable } from './table.ts'

/** The network as diffusion sees it: x_t [N, …] and t [N] to a prediction like x_t. */
export type Denoise = (xt: Tensor, t: Tensor) => Tensor

/** What {@link diffusionLoss} takes. */
export interface LossOptions {
  readonly schedule: NoiseSchedule
  /** What the network predicts. */
  readonly prediction: Prediction
  /** γ: times with a higher signal-to-noise ratio count no more than this; 5 in the paper. Absent: no bound. */
  readonly minSnrGamma?: number
  /** What the error of the image counts at each signal-to-noise ratio; default `snr`. See {@link Weighting}. */
  readonly weighting?: Weighting
}

/**
 * What the error of the image counts at a signal-to-noise ratio: the ratio itself, which vanishes in noise and is the plain error of ε; the ratio
 * plus 1, the plain error of v, in which noisy times count as well (they decide what a picture is as a whole, such as its light); the ratio, but 1 at
 * least; bounded smoothly by 4; with what the eye does not see kept down (P2). With `plain` the error of what the network predicts counts 1 at
 * all times.
 */
export type Weighting = 'snr' | 'snr+1' | 'truncated-snr' | 'soft-min-snr' | 'p2' | 'plain'

/** The weight of the image's error, but for `plain`, where it is the prediction's that counts. */
const imageWeights: { readonly [W in Exclude<Weighting, 'plain'>]: (snr: number) => number } = {
  snr: (snr) => snr,
  'snr+1': (snr) => snr + 1, // Salimans & Ho 2022, section 4
  'truncated-snr': (snr) => Math.max(snr, 1), // the same
  'soft-min-snr': (snr) => (4 * snr) / (snr + 4), // Crowson et al. 2024, section 4.4: γ = 4
  p2: (snr) => snr / (1 + snr), // Choi et al. 2022, eq. 8, with k = γ = 1
}

/** The names of all weightings. */
export const weightings = [...keysOf(imageWeights), 'plain'] as const satisfies readonly Weighting[]

/**
 * How many times the squared error of the image that of the prediction is, at a signal-to-noise ratio and a power a² + s²: an error of x₀ is one of ε
 * that is a/s times as large, of v (a² + s²)/s, and of u = ε − x₀ a/s + 1.
 */
const errors: { readonly [K in Prediction]: (snr: number, power: number) => number } = {
  epsilon: (snr) => snr,
  x0: () => 1,
  v: (snr, power) => power * (snr + 1),
  flow: (snr) => (Math.sqrt(snr) + 1) ** 2,
}

const optionNames: readonly (keyof LossOptions)[] = ['schedule', 'prediction', 'minSnrGamma', 'weighting']

/** The weight of a prediction's error at each time. */
const weightAt = (
  { prediction, minSnrGamma = Infinity, weighting = 'snr' }: LossOptions,
  snr: number,
  power: number,
): number => {
  if (weighting === 'plain') return 1
  return Math.min(imageWeights[weighting](snr), minSnrGamma) / errors[prediction](snr, power)
}

/**
 * weight[t], in f64. Without γ it is 1 for ε, snr for x₀ and ᾱ for v; in the weighting `snr+1` 1/ᾱ, 1/(1 − ᾱ) and 1.
 *
 * @throws RangeError for γ with the weighting `plain`, and for ε where nothing of the image is left
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
 * lossWeights({ schedule, prediction: 'x0', weighting: 'soft-min-snr' }) // => [2, 0.235294]
 * ```
 */
export const lossWeights = (options: LossOptions): Float64Array => {
  requireKnown('lossWeights', options, optionNames)
  const { schedule, prediction, minSnrGamma, weighting = 'snr' } = options
  expectSchedule('lossWeights', schedule, 'diffusionLoss({ schedule, prediction })')
  requireOneOf('weighting', weighting, weightings)
  requireOneOf('prediction', prediction, keysOf(errors))
  if (minSnrGamma !== undefined && !(minSnrGamma > 0))
    throw new RangeError(`lossWeights: minSnrGamma is ${minSnrGamma}; it must be above 0`)
  if (minSnrGamma !== undefined && weighting === 'plain')
    throw new RangeError('lossWeights: the weighting plain has no bound; leave minSnrGamma out')
  if (prediction === 'epsilon' && schedule.snr.some((snr) => snr === 0))
    throw new RangeError(
      'lossWeights: at a time of this schedule nothing of the image is left, and a network that predicts the noise says nothing of it there: predict v, x0 or flow',
    )
  const power = isChain(schedule) ? undefined : powersOf(schedule)
  return schedule.snr.map((snr, t) => weightAt(options, snr, power?.[t] ?? 1))
}

const requireOneOf = (name: string, value: string, choices: readonly string[]): void => {
  if (!choices.includes(value))
    throw new RangeError(`lossWeights: the ${name} is '${value}'; it must be ${choices.join(', ')}`)
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
    const error = meanOfEach(output.sub(target).square(), x0)
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
