/**
 * Sampling of consistency models: a network that says the image at once, which is noised again to the next level (Song et al. 2023, algorithm 1; Luo et al. 2023, algorithm
 * 3, LCM). With any other network it is sampling in few, very noisy steps.
 */
import { at } from '../../prelude/array.ts'
import { requireKnown, requirePositive } from '../../prelude/options.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import { pointsOf } from '../point.ts'
import type { Sampler } from '../sampler.ts'
import { sum } from './form.ts'
import { oneStep } from './multistep.ts'

/** What {@link consistency} takes. */
export interface ConsistencyOptions {
  /**
   * The scale of time in LCM's boundary condition c_skip·x + c_out·x̂₀, whose c_skip is ¼/(τ² + ¼) with τ = scale·t, and c_out = τ/√(τ² + ¼); diffusers has
   * 10. Default: none, x̂₀ alone.
   */
  readonly boundary?: number
}

/**
 * x′ = a′·f + s′·z, with f what the network says the image is. The state is x.
 *
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { consistency, flowLevels } from 'fathom/diffusion'
 *
 * const { step } = consistency(flowLevels(4))
 * const knows = () => ({ x0: tensor([2]), epsilon: tensor([9]) })
 * step(tensor([5]), knows, scalar(1, 'u32'), () => tensor([4])) // => [3]
 * ```
 */
export const consistency = (levels: Levels, options: ConsistencyOptions = {}): Sampler<Tensor> => {
  expectLevels('consistency', levels)
  requireKnown('consistency', options, ['boundary'])
  const { boundary } = options
  if (boundary !== undefined) requirePositive('consistency', 'boundary', boundary)
  const points = pointsOf(levels)
  return oneStep('consistency', levels, (i, { x0, x, z }) => {
    const to = at(points, i + 1)
    if (boundary === undefined) return sum([to.a, x0], [to.s, z])
    const tau = boundary * (levels.time[i] ?? NaN)
    const [skip, out] = [0.25 / (tau * tau + 0.25), tau / Math.sqrt(tau * tau + 0.25)]
    return sum([to.a * out, x0], [to.a * skip, x], [to.s, z])
  })
}
