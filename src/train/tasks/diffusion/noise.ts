/** The noise that pictures of a step are mixed with. */
import { chosenNoise, nearestNoise, offsetNoise } from '../../../diffusion/index.ts'
import { product, range } from '../../../prelude/array.ts'
import { argmax, stack } from '../../../tensor/combine.ts'
import { foldIn, normal, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { DrawnNoise } from './noiseConfig.ts'
import type { Space } from './space.ts'

/** The noises of some pictures, each [N, h, w, c]. */
export interface Noises {
  readonly epsilon: Tensor
  /** More of them, where one is chosen for each picture. */
  readonly others?: readonly Tensor[]
}

/** Where one comes from. */
export interface NoiseSource {
  readonly noise?: DrawnNoise | undefined
  readonly space: Pick<Space, 'shape'>
}

/**
 * Draws the noises of `count` pictures.
 *
 * @param first u32 [], pictures of the step before these
 */
export const drawnNoises = (
  { noise: { offset, candidates = 1 } = {}, space: { shape } }: NoiseSource,
  key: Key,
  count: number,
  first?: Tensor,
): Noises => {
  const [channels, each] = [shape[2], product(shape)]
  const one = (own: Key): Tensor => {
    const epsilon = normal(own, [count, ...shape], 'f32', first?.mul(each))
    if (offset === undefined) return epsilon
    const light = normal(foldIn(own, 'offset'), [count, channels], 'f32', first?.mul(channels))
    return offsetNoise(epsilon, light, offset)
  }
  const others = range(candidates - 1).map((k) => one(foldIn(key, k)))
  return { epsilon: one(key), ...(others.length > 0 && { others }) }
}

/**
 * The noise of each picture, of those that were drawn for it.
 *
 * @param losses of a noise like the pictures, [N]: asked only where the best is chosen
 */
export const noiseFor = (
  { choice }: DrawnNoise,
  { epsilon, others = [] }: Noises,
  x0: Tensor,
  losses: (epsilon: Tensor) => Tensor,
): Tensor => {
  if (others.length === 0) return epsilon
  const candidates = stack([epsilon, ...others])
  if (choice === 'nearest') return nearestNoise(x0, candidates)
  const wrong = stack([epsilon, ...others].map((own) => losses(own)))
  return chosenNoise(candidates, argmax(wrong.neg(), 0))
}
