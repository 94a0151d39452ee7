/** Walks of samplers with what they are told of: for tests which hold every x on the way against something. */
import { levelAt, stepsOf, timeAt, type Levels } from '../../src/diffusion/levels.ts'
import { parameterizations, type Estimate, type NoiseLevel, type Prediction } from '../../src/diffusion/prediction.ts'
import type { Estimator, Sampler } from '../../src/diffusion/sampler.ts'
import { range } from '../../src/prelude/array.ts'
import { scalar } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

/** What becomes of an estimate before the sampler sees it. */
export type Bounds = (level: NoiseLevel, x: Tensor, estimate: Estimate) => Estimate

/** A network (x, t) → prediction as what it says of image and noise on levels. */
export const estimating =
  (
    levels: Levels,
    prediction: Prediction,
    network: (x: Tensor, t: Tensor) => Tensor,
    bounds: Bounds = (_, __, estimate) => estimate,
  ): Estimator =>
  (x, index) => {
    const level = levelAt(levels, index, x)
    const output = network(x, timeAt(levels, index, x).cast(x.dtype))
    return bounds(level, x, parameterizations[prediction].estimate(level, x, output))
  }

/** x after each entry of a walk that begins before entry `first`. Noise is read entry by entry, and must be there where it is asked for. */
export const walk = async <S>(
  { levels, init, step, image }: Sampler<S>,
  x: Tensor,
  estimate: Estimator,
  { noises = [], first = 0 }: { readonly noises?: readonly Tensor[]; readonly first?: number } = {},
): Promise<readonly (readonly number[])[]> => {
  const device = cpuDevice()
  const advance = device.compile((state: S, index: Tensor, z: Tensor) => step(state, estimate, index, () => z))
  const silent = device.compile((state: S, index: Tensor) =>
    step(state, estimate, index, () => {
      throw new Error('noise was drawn')
    }),
  )
  let state = init(x)
  const found: (readonly number[])[] = []
  for (const i of range(stepsOf(levels) - first)) {
    const index = scalar(first + i, 'u32')
    const z = noises[i]
    state = z === undefined ? await silent(state, index) : await advance(state, index, z)
    found.push(await values(image(state), device))
  }
  return found
}
