/** Noises that a network is trained with, other than one that is drawn for each picture by itself. */
import { at, product, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { argmax, gather } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * Noise with an offset of its own for each image and channel, so that a network also learns to move the mean light of a picture (Guttenberg 2023):
 * ε + strength·o.
 *
 * @param epsilon [N, …, C], standard normal
 * @param offset [N, C], standard normal
 * @throws ShapeError for an offset of another shape
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { offsetNoise } from 'fathom/diffusion'
 *
 * offsetNoise(zeros([1, 2, 2]), tensor([[1, -1]]), 0.1) // => [[[0.1, -0.1], [0.1, -0.1]]]
 * ```
 */
export const offsetNoise = (epsilon: Tensor, offset: Tensor, strength: number): Tensor => {
  if (epsilon.rank < 2)
    throw new ShapeError(`offsetNoise: the noise is ${showShape(epsilon.shape)}; it must be of images, [N, …, C]`)
  if (!Number.isFinite(strength)) throw new RangeError(`offsetNoise: the strength is ${strength}; it must be finite`)
  const [n, channels] = [at(epsilon.shape, 0), at(epsilon.shape, epsilon.rank - 1)]
  if (offset.rank !== 2 || offset.shape[0] !== n || offset.shape[1] !== channels)
    throw new ShapeError(
      `offsetNoise: the offset is ${showShape(offset.shape)}, and the noise ${showShape(epsilon.shape)}; give one number for each image and channel, [${n}, ${channels}]`,
    )
  const between = range(epsilon.rank - 2).map(() => 1)
  return epsilon.add(offset.mul(strength).reshape([n, ...between, channels]))
}

/** Numbers of candidates, and of samples. */
const countsOf = (who: string, candidates: Tensor, x0: Tensor): readonly [number, number] => {
  const [k, n] = [at(candidates.shape, 0), at(x0.shape, 0)]
  if (k === 0 || candidates.rank !== x0.rank + 1 || candidates.shape.slice(1).some((size, i) => size !== x0.shape[i]))
    throw new ShapeError(
      `${who}: the candidates are ${showShape(candidates.shape)} for images ${showShape(x0.shape)}; give K noises like the images, [K, ${x0.shape.join(', ')}]`,
    )
  return [k, n]
}

/**
 * The chosen candidate of each sample.
 *
 * @param candidates [K, N, …]
 * @param choice [N], i32: which of the K
 * @returns [N, …]
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { chosenNoise } from 'fathom/diffusion'
 *
 * chosenNoise(tensor([[[1], [2]], [[3], [4]]]), tensor(Int32Array.of(1, 0))) // => [[3], [2]]
 * ```
 */
export const chosenNoise = (candidates: Tensor, choice: Tensor): Tensor => {
  const [k, n, ...rest] = candidates.shape
  if (k === undefined || n === undefined || choice.rank !== 1 || choice.shape[0] !== n)
    throw new ShapeError(
      `chosenNoise: the choice is ${showShape(choice.shape)} of candidates ${showShape(candidates.shape)}; give one for each sample of [K, N, …]`,
    )
  const places = constant(Int32Array.from(range(n)))
  return gather(candidates.reshape([k * n, ...rest]), choice.mul(n).add(places))
}

/**
 * Of K noises for each image that which is nearest to it. Where an image may be mixed with any noise, the ways from noise to images cross, and
 * what a network should say on them is a blur of all; where each is mixed with one that lies near, they cross less (Li et al. 2024, "Immiscible diffusion",
 * whose assignment within a batch this does without; the nearest of K is that of Li et al. 2025).
 *
 * @param x0 [N, …]
 * @param candidates [K, N, …], standard normal
 * @returns [N, …]
 * @throws ShapeError for candidates that are not K noises like the images
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { nearestNoise } from 'fathom/diffusion'
 *
 * nearestNoise(tensor([[1, 1], [-1, 0]]), tensor([[[0, 1], [1, 1]], [[-2, 0], [-1, 1]]])) // => [[0, 1], [-1, 1]]
 * ```
 */
export const nearestNoise = (x0: Tensor, candidates: Tensor): Tensor => {
  const [k, n] = countsOf('nearestNoise', candidates, x0)
  // −‖x₀ − ε‖² = 2 x₀·ε − ‖ε‖² − ‖x₀‖², of which the last is the same for all.
  const away = candidates
    .sub(x0.expandDims(0))
    .square()
    .reshape([k, n, product(x0.shape.slice(1))])
    .sum(2)
  return chosenNoise(candidates, argmax(away.neg(), 0))
}
