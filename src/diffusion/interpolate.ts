/** Between pictures: noises on the way from one to another, and walks that begin at a picture with some noise instead of at noise alone. */
import { at, equalNumbers } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectLevels } from './expect.ts'
import { stepsOf } from './levels.ts'
import type { Sampler } from './sampler.ts'

/** Coefficients of arccos(x) / √(1 − x) for x in [0, 1], lowest power first; error below 2·10⁻⁸ (Abramowitz & Stegun 1964, 4.4.46). */
const arccosine = [
  1.570796305, -0.2145988016, 0.0889789874, -0.0501743046, 0.030891881, -0.0170881256, 0.0066700901, -0.0012624911,
]

/** arccos of numbers in [−1, 1]. */
const arccos = (x: Tensor): Tensor => {
  const size = x.abs()
  const polynomial = arccosine.reduceRight((sum: Tensor, a) => sum.mul(size).add(a), size.mul(0))
  const angle = size.neg().add(1).sqrt().mul(polynomial)
  return x.less(0).select(angle.neg().add(Math.PI), angle)
}

const requireAlike = (
  who: string,
  [a, first]: readonly [string, Tensor],
  [b, second]: readonly [string, Tensor],
): void => {
  if (!equalNumbers(first.shape, second.shape))
    throw new ShapeError(
      `${who}: ${a} ${showShape(first.shape)} and ${b} ${showShape(second.shape)} must have one shape`,
    )
}

/** Below this sine two directions are one, or opposite: the way between them is a straight line then. */
const leastSine = 1e-4

/**
 * The point at a share of the way from one noise to another along a great circle, for each image of a batch (Shoemake 1985):
 * sin((1 − s)θ)/sin θ·a + sin(sθ)/sin θ·b, θ the angle between a and b. A straight line would pass through points too near to 0, which no
 * network has seen. Where a and b point in one direction, or in opposite ones, it is the straight line.
 *
 * @param a [N, …]
 * @param share s in [0, 1], 0 for a and 1 for b
 * @throws ShapeError for noises of two shapes; RangeError for a share outside [0, 1]
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { slerp } from 'fathom/diffusion'
 *
 * slerp(tensor([[1, 0]]), tensor([[0, 1]]), 0.5) // => [[0.707107, 0.707107]]
 * slerp(tensor([[1, 0]]), tensor([[0, 1]]), 0) // => [[1, 0]]
 * ```
 */
export const slerp = (a: Tensor, b: Tensor, share: number): Tensor => {
  requireAlike('slerp', ['a', a], ['b', b])
  if (!(share >= 0 && share <= 1)) throw new RangeError(`slerp: the share is ${share}; it must be from 0 to 1`)
  const axes = a.shape.slice(1).map((_, i) => i + 1)
  const length = (x: Tensor): Tensor => x.square().sum(axes, true).sqrt()
  const product = length(a).mul(length(b))
  const cosine = product.equal(0).select(1, a.mul(b).sum(axes, true).div(product)).minimum(1).maximum(-1)
  const angle = arccos(cosine)
  const sine = angle.sin()
  const isLine = sine.less(leastSine)
  const weight = (s: number): Tensor => isLine.select(s, angle.mul(s).sin().div(isLine.select(1, sine)))
  return a.mul(weight(1 - share)).add(b.mul(weight(share)))
}

/** Where a walk starts: what `from` of a walk takes. */
export interface Start<S> {
  readonly state: S
  readonly step: number
}

/**
 * Where a walk begins that is to change a picture (SDEdit, Meng et al. 2022): the picture with the noise of the level from which a share `strength` of
 * the steps is left. At 1 nothing of the picture is kept but what the first level holds; near 0 a little is painted over.
 *
 * @param picture [N, …] in [−1, 1], or latents as they are diffused
 * @param noise ε ~ N(0, 1) of the same shape
 * @param strength in (0, 1]; at least one step is made
 * @returns the state and the number of the step, for `from`: a state that is not realized is computed when the walk begins
 * @throws RangeError for a strength outside (0, 1]; ShapeError for noise of another shape
 * @example
 * ```ts
 * import { full, ones } from 'fathom'
 * import { flowLevels, heun, startFrom } from 'fathom/diffusion'
 *
 * const sampler = heun(flowLevels(10))
 * const { step, state } = startFrom(sampler, full([1, 2], 0.5), ones([1, 2]), 0.2)
 * step // => 8
 * sampler.image(state) // => [[0.6, 0.6]]
 * ```
 */
export const startFrom = <S>(sampler: Sampler<S>, picture: Tensor, noise: Tensor, strength: number): Start<S> => {
  const { levels, init } = sampler
  expectLevels('startFrom', levels)
  requireAlike('startFrom', ['the picture', picture], ['the noise', noise])
  if (!(strength > 0 && strength <= 1))
    throw new RangeError(`startFrom: the strength is ${strength}; it must be above 0 and at most 1, the share of steps`)
  const total = stepsOf(levels)
  const step = total - Math.max(1, Math.round(strength * total))
  const [signal, deviation] = [at(Array.from(levels.signal), step), at(Array.from(levels.noise), step)]
  return { state: init(picture.mul(signal).add(noise.mul(deviation))), step }
}
