/**
 * A network that predicts noise and image both, and how much each is to be trusted: two numbers for each pixel, whose softmax weighs the two images that
 * are meant (lucidrains' `WeightedObjectiveGaussianDiffusion`). Where there is little noise the image is read off better from ε, and where there is
 * much, from x₀.
 */
import { at, equalNumbers } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import { softmax } from '../tensor/softmax.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { meanOfEach } from './each.ts'
import { expectSchedule } from './expect.ts'
import { qSample } from './forward.ts'
import type { Denoise } from './loss.ts'
import { noiseLevel, x0FromEpsilon, type NoiseLevel } from './prediction.ts'
import type { NoiseSchedule } from './schedule.ts'

/** What a network says of noise and image, and the image that is made of both; each like x. */
export interface WeightedEstimate {
  readonly epsilon: Tensor
  readonly x0: Tensor
  readonly weighted: Tensor
}

/** How far the image that ε means may lie from 0: where hardly anything of it is left in x_t it is a quotient of small numbers. */
const farthest = 2

/**
 * The parts of an output [N, …, 2C + 2], ε, x₀ and two weights, and x̂₀ = p₁·(x_t − s·ε)/a + p₂·x₀ with p their softmax.
 *
 * @param xt [N, …, C]
 * @throws ShapeError for an output of other channels
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { weightedEstimate } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * const { weighted } = weightedEstimate(level, tensor([[1.4]]), tensor([[1, 0.5, 7, 7]])) // ε = 1 means x₀ = 1
 * weighted // => [[0.75]]
 * ```
 */
export const weightedEstimate = (level: NoiseLevel, xt: Tensor, output: Tensor): WeightedEstimate => {
  const channels = at(xt.shape, xt.rank - 1)
  const expected = [...xt.shape.slice(0, -1), 2 * channels + 2]
  if (showShape(output.shape) !== showShape(expected))
    throw new ShapeError(
      `weightedEstimate: the network's output is ${showShape(output.shape)} for ${showShape(xt.shape)}; with both predictions and two weights it must be ${showShape(expected)}`,
    )
  const all = xt.shape.slice(1).map((): readonly [] => [])
  const part = (from: number, to: number): Tensor => output.slice(...all, [from, to])
  const [epsilon, x0] = [part(0, channels), part(channels, 2 * channels)]
  const weights = softmax(part(2 * channels, 2 * channels + 2), -1)
  const weight = (i: number): Tensor => weights.slice(...all, [i, i + 1])
  const meant = x0FromEpsilon(level, xt, epsilon).maximum(-farthest).minimum(farthest)
  return { epsilon, x0, weighted: meant.mul(weight(0)).add(x0.mul(weight(1))) }
}

/** What {@link weightedObjective} takes. */
export interface WeightedObjectiveOptions {
  readonly schedule: NoiseSchedule
  /** What the error of ε by itself counts, default 0.1. */
  readonly noiseWeight?: number
  /** What the error of x₀ by itself counts, default 0.1. */
  readonly imageWeight?: number
}

/** The weighted objective. */
export interface WeightedObjective {
  /** The loss of each sample, [N]; arguments as those of `diffusionLosses`, of a network that says [N, …, 2C + 2]. */
  readonly losses: (denoise: Denoise, x0: Tensor, t: Tensor, epsilon: Tensor) => Tensor
  /** The network as one that predicts x₀ alone: for `sampling` with `prediction: 'x0'`. */
  readonly predictsImage: (denoise: Denoise) => Denoise
}

/**
 * The loss and the prediction of such a network:
 *
 *     L = ‖x₀ − x̂₀‖² + 0.1·‖ε − ε̂‖² + 0.1·‖x₀ − x₀′‖²               means over the elements of a sample
 *
 * @throws RangeError for weights below 0
 * @example
 * ```ts
 * import { constant, tensor } from 'fathom'
 * import { scheduleFromBetas, weightedObjective } from 'fathom/diffusion'
 *
 * const { losses, predictsImage } = weightedObjective({ schedule: scheduleFromBetas(Float64Array.of(0.36)) })
 * const [x0, t, epsilon] = [tensor([[1]]), tensor(Int32Array.of(0)), tensor([[1]])]
 * const says = () => constant([[1, 0, 100, 0]]) // the right noise, no image, and trust in the noise
 * losses(says, x0, t, epsilon) // => [0.1]
 * predictsImage(says)(tensor([[1.4]]), t) // => [[1]]
 * ```
 */
export const weightedObjective = (options: WeightedObjectiveOptions): WeightedObjective => {
  requireKnown('weightedObjective', options, ['schedule', 'noiseWeight', 'imageWeight'])
  const { schedule, noiseWeight = 0.1, imageWeight = 0.1 } = options
  expectSchedule('weightedObjective', schedule, 'weightedObjective({ schedule })')
  for (const [name, weight] of Object.entries({ noiseWeight, imageWeight }))
    if (!(weight >= 0 && Number.isFinite(weight)))
      throw new RangeError(`weightedObjective: ${name} is ${weight}; it must be a finite number ≥ 0`)
  const estimateOf = (denoise: Denoise, xt: Tensor, t: Tensor): WeightedEstimate =>
    weightedEstimate(noiseLevel(schedule, t, xt), xt, denoise(xt, t))
  return {
    losses: (denoise, x0, t, epsilon) => {
      if (!equalNumbers(x0.shape, epsilon.shape))
        throw new ShapeError(
          `weightedObjective: the noise is ${showShape(epsilon.shape)} and the images are ${showShape(x0.shape)}; they must be of one shape`,
        )
      const error = (a: Tensor, b: Tensor): Tensor => meanOfEach(a.sub(b).square(), x0)
      const said = estimateOf(denoise, qSample(schedule, x0, t, epsilon), t)
      return error(said.weighted, x0)
        .add(error(said.epsilon, epsilon).mul(noiseWeight))
        .add(error(said.x0, x0).mul(imageWeight))
    },
    predictsImage: (denoise) => (xt, t) => estimateOf(denoise, xt, t).weighted,
  }
}
