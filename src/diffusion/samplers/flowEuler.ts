/**
 * Euler's method along a rectified flow, Liu et al. 2023, algorithm 1: x follows its velocity u = ε − x₀ from noise at
 * t = 1 to the image at t = 0.
 */
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import { flowFrom } from '../prediction.ts'
import type { Sampler } from '../sampler.ts'
import { gatherTable } from '../table.ts'

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
  const durations = levels.noise.slice(1).map((t, i) => t - (levels.noise[i] ?? NaN)) // t' − t, below 0
  return {
    levels,
    init: (x) => x,
    step: (x, estimate, index) => {
      const { x0, epsilon } = estimate(x, index)
      return x.add(flowFrom(x0, epsilon).mul(gatherTable(durations, index, x))) // x' = x + (t' − t)·u
    },
    image: (x) => x,
  }
}
