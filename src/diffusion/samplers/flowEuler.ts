/**
 * Euler's method along a rectified flow, Liu et al. 2023, algorithm 1: x follows its velocity u = ε − x₀ from noise at
 * t = 1 to the image at t = 0.
 */
import { at } from '../../prelude/array.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { difference, sum } from './form.ts'
import { oneStep } from './multistep.ts'

const requireStraight = ({ signal, noise }: Levels): void =>
  signal.forEach((a, i) => {
    const s = noise[i] ?? NaN
    if (Math.abs(a + s - 1) > 1e-9)
      throw new RangeError(
        `flowEuler: level ${i} is a = ${a}, s = ${s}, which is not on the straight path (1 − t, t); take flowLevels, or a sampler for any levels: heun, dpmSolver`,
      )
  })

/**
 * Euler's steps between levels (1 − t, t). The state is x. The network may predict u itself (`prediction: 'flow'`) or
 * anything else that it follows from.
 *
 * @throws RangeError for levels that are not of the form (1 − t, t)
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { flowEuler, flowLevels } from 'fathom/diffusion'
 *
 * const { step } = flowEuler(flowLevels(4))
 * const knows = () => ({ x0: tensor([1]), epsilon: tensor([3]) }) // u = 2: x moves by −2/4
 * step(tensor([3]), knows, scalar(0, 'u32'), () => tensor([0])) // => [2.5]
 * ```
 */
export const flowEuler = (levels: Levels): Sampler<Tensor> => {
  expectLevels('flowEuler', levels)
  requireStraight(levels)
  const time = Array.from(levels.noise)
  return oneStep('flowEuler', levels, (i, { x0, epsilon, x }) => {
    const duration = at(time, i + 1) - at(time, i) // t′ − t, below 0
    return sum([1, x], [duration, difference(epsilon, x0)]) // x′ = x + (t′ − t)·u, u = ε − x₀
  })
}
