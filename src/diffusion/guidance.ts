/**
 * Guidance: at every step a second denoiser, the guide, says what a worse network would do, and the prediction moves away from it.
 *
 * The guide is the same network that is told nothing (classifier-free guidance, Ho & Salimans 2022), or a smaller or less trained one
 * (autoguidance, Karras et al. 2024), which also helps a network that has no conditions. What is combined are the networks' outputs. At
 * one x_t and t the image that an output stands for is affine in it, whatever is predicted, so that this is the same as combining images.
 */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { requireKnown, requireShare } from '../prelude/options.ts'
import { concatenate } from '../tensor/combine.ts'
import { zerosLike } from '../tensor/create.ts'
import { variance } from '../tensor/variance.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { forEach } from './each.ts'

/** A network: parameters, x_t [N, …] and times [N], and what was thought of the images before, if it reads that, to a prediction like x_t. */
export type Denoiser<P> = (params: P, xt: Tensor, t: Tensor, estimate?: Tensor) => Tensor

/** A denoiser and its guide, which share their parameters' tree. */
export interface Guided<P> {
  /** The denoiser alone. */
  readonly own: Denoiser<P>
  /** Both predictions for the same x_t and times. */
  readonly both: (params: P, xt: Tensor, t: Tensor, estimate?: Tensor) => readonly [own: Tensor, guide: Tensor]
}

/** How far the prediction moves from the guide's. */
export interface GuidanceOptions {
  /** w; at 1 there is no guidance, and the network's own bits. A tensor [] can vary from call to call. */
  readonly weight: number | Tensor
  /** The least and the greatest time at which there is guidance, in the network's times; default all (Kynkäänniemi et al. 2024). */
  readonly interval?: readonly [from: number, to: number]
  /** φ, the share in which the spread of each prediction is made that of the network's own; default 0 (Lin et al. 2024, section 3.4). */
  readonly rescale?: number
  /**
   * The share that is kept of what is parallel to the network's own prediction in each image, in the difference from the guide; default 1. That part makes colours
   * stronger, and the rest the picture better (Sadat et al. 2024, η, there of images; lucidrains' `keep_parallel_frac`, of predictions as here).
   */
  readonly parallel?: number
}

/** The network that is told its condition, and the same one that is told nothing. */
export interface ConditionedParams<P> {
  readonly params: P
  /** [N, K], for each image of the batch. */
  readonly condition: Tensor
}

/**
 * A network against itself without its condition, which is zeros then: classifier-free guidance. Both predictions come from one forward pass of
 * twice the batch.
 *
 * @param denoise the network: parameters, x_t, times, and a condition [N, K] for each
 * @example
 * ```ts
 * import { scalar, tensor, type Tensor } from 'fathom'
 * import { classifierFree, guided } from 'fathom/diffusion'
 *
 * const network = (_: object, xt: Tensor, __: Tensor, condition: Tensor): Tensor => xt.add(condition) // of images with one pixel
 * const denoise = guided(classifierFree(network), { weight: 3 })
 * denoise({ params: {}, condition: tensor([[1], [2]]) }, tensor([[10], [20]]), tensor([5, 5])) // => [[13], [26]]
 * ```
 */
export const classifierFree = <P>(
  denoise: (params: P, xt: Tensor, t: Tensor, condition: Tensor, estimate?: Tensor) => Tensor,
): Guided<ConditionedParams<P>> => ({
  own: ({ params, condition }, xt, t, estimate) => denoise(params, xt, t, condition, estimate),
  both: ({ params, condition }, xt, t, estimate) => {
    const n = at(xt.shape, 0)
    if (condition.rank !== 2 || at(condition.shape, 0) !== n)
      throw new ShapeError(
        `classifierFree: the condition is ${showShape(condition.shape)} for ${n} images; it must be [${n}, K], a vector for each`,
      )
    const twice = (x: Tensor): Tensor => concatenate([x, x], 0)
    const told = concatenate([condition, zerosLike(condition)], 0)
    const output = denoise(params, twice(xt), twice(t), told, estimate && twice(estimate))
    return [output.slice([0, n]), output.slice([n, 2 * n])]
  },
})

/** Parameters of a network and of its guide. */
export interface AutoguidedParams<P, G> {
  readonly params: P
  readonly guide: G
}

/**
 * A network against a worse one, as an earlier checkpoint or a smaller network: autoguidance. Each is a forward pass of its own.
 *
 * @example
 * ```ts
 * import { tensor, type Tensor } from 'fathom'
 * import { autoguidance, guided } from 'fathom/diffusion'
 *
 * const network = (scale: Tensor, xt: Tensor): Tensor => xt.mul(scale)
 * const denoise = guided(autoguidance(network, network), { weight: 2 })
 * denoise({ params: tensor(0.9), guide: tensor(0.5) }, tensor([[10]]), tensor([0])) // => [[13]]
 * ```
 */
export const autoguidance = <P, G>(denoise: Denoiser<P>, guide: Denoiser<G>): Guided<AutoguidedParams<P, G>> => ({
  own: ({ params }, xt, t, estimate) => denoise(params, xt, t, estimate),
  both: ({ params, guide: worse }, xt, t, estimate) => [
    denoise(params, xt, t, estimate),
    guide(worse, xt, t, estimate),
  ],
})

const requireOptions = (options: GuidanceOptions): void => {
  requireKnown('guided', options, ['weight', 'interval', 'rescale', 'parallel'])
  const { weight, interval, rescale = 0, parallel = 1 } = options
  if (typeof weight === 'number' && !Number.isFinite(weight))
    throw new RangeError(`guided: the weight is ${weight}; it must be finite, and 1 for no guidance`)
  if (interval !== undefined && !(interval[0] <= interval[1]))
    throw new RangeError(`guided: the interval is [${interval.join(', ')}]; it must be the least time and the greatest`)
  if (!(rescale >= 0 && rescale <= 1))
    throw new RangeError(`guided: rescale is ${rescale}; it must be a share from 0 to 1`)
  requireShare('guided', 'parallel', parallel)
}

/** x + s·d, and x where d is 0: −0 + 0 would be another zero. */
const moved = (x: Tensor, difference: Tensor, strength: number | Tensor): Tensor =>
  difference.equal(0).select(x, x.add(difference.mul(strength)))

/** d without what is parallel to x in each image, of which a share is kept: d − (1 − η)·⟨d, x⟩/⟨x, x⟩·x. */
const turned = (d: Tensor, x: Tensor, kept: number): Tensor => {
  const axes = x.shape.slice(1).map((_, i) => i + 1)
  const inner = (y: Tensor): Tensor => y.mul(x).sum(axes, true)
  const own = inner(x)
  return d.sub(x.mul(own.equal(0).select(0, inner(d).div(own))).mul(1 - kept))
}

/** y with the standard deviation of `own` in each image, in the share φ. Where they are alike it is y, to the bit. */
const rescaled = (y: Tensor, own: Tensor, phi: number): Tensor => {
  const axes = y.shape.slice(1).map((_, i) => i + 1)
  const deviation = (x: Tensor): Tensor => variance(x, axes, true).sqrt()
  const spread = deviation(y)
  const ratio = spread.equal(0).select(1, deviation(own).div(spread))
  return moved(y, y.mul(ratio).sub(y), phi)
}

/**
 * The denoiser that moves away from its guide:
 *
 *     D_w = D + (w − 1)·(D − G)                                     Karras et al. 2024, where it is G + w·(D − G)
 *
 * With w = 1, where D and G are equal, and outside the interval it gives the bits of D. Its weight is written so that w means what it does in
 * autoguidance, and in classifier-free guidance as diffusers has it; Ho & Salimans' w is one less.
 *
 * @returns a network for `sampling`, whose parameters are those of the pair
 * @throws RangeError for a weight, an interval or a share that cannot be meant
 * @example
 * ```ts
 * import { tensor, type Tensor } from 'fathom'
 * import { autoguidance, guided } from 'fathom/diffusion'
 *
 * const network = (scale: Tensor, xt: Tensor): Tensor => xt.mul(scale)
 * const denoise = guided(autoguidance(network, network), { weight: 2, interval: [10, 20] })
 * const params = { params: tensor(0.9), guide: tensor(0.5) }
 * denoise(params, tensor([[10], [10]]), tensor([15, 30])) // => [[13], [9]]
 * ```
 */
export const guided = <P>({ own, both }: Guided<P>, options: GuidanceOptions): Denoiser<P> => {
  requireOptions(options)
  const { weight, interval, rescale = 0, parallel = 1 } = options
  if (weight === 1) return own // the guide is not even asked
  return (params, xt, t, estimate) => {
    const [mine, guides] = both(params, xt, t, estimate)
    const strength = typeof weight === 'number' ? weight - 1 : weight.sub(1).cast(mine.dtype)
    const difference = mine.sub(guides)
    const away = moved(mine, parallel === 1 ? difference : turned(difference, mine, parallel), strength)
    const result = rescale === 0 ? away : rescaled(away, mine, rescale)
    const acting = actsAt(t, interval, xt)
    const bounded = acting === undefined ? result : acting.select(result, mine)
    return typeof weight === 'number' ? bounded : weight.equal(1).broadcastTo(mine.shape).select(mine, bounded)
  }
}

/** Whether there is guidance, like xt. */
const actsAt = (t: Tensor, interval: readonly [number, number] | undefined, xt: Tensor): Tensor | undefined => {
  if (interval === undefined) return undefined
  const [from, to] = interval
  const time = t.cast('f32')
  return forEach(time.less(from).or(time.greater(to)).not(), xt).broadcastTo(xt.shape)
}
