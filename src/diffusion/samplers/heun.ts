/**
 * Heun's method of second order, Karras et al. 2022, algorithm 1 (algorithm 2 without churn): a step of Euler, and the
 * same step again with the mean of the estimates at both of its ends.
 *
 * The ODE of the paper, dx = ε dσ at a = 1, is dx = x₀ da + ε ds on any path of levels. In this form nothing is divided by the signal,
 * so that a path may begin at pure noise; on levels of `karrasLevels` it is algorithm 1 term by term.
 */
import { range } from '../../prelude/array.ts'
import { gather } from '../../tensor/combine.ts'
import { constant } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import { stepsOf, type Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { gatherTable } from '../table.ts'

/** Half the way from each level to the next. */
const halfWays = (table: Float64Array): Float64Array => table.slice(1).map((next, i) => (next - (table[i] ?? NaN)) / 2)

/**
 * Heun's method between any levels: the network is asked twice a step. The state is x.
 *
 * The last step is Euler's, as in the paper: at the image there is no noise to estimate. As one compiled plan serves all
 * steps, the network is asked twice there too, the second time for nothing.
 *
 * @example
 * ```ts
 * import { cosineSchedule, heun, karrasLevels, scheduleLevels, stepsOf } from 'fathom/diffusion'
 *
 * stepsOf(heun(scheduleLevels(cosineSchedule(1000), 25)).levels) // => 25
 * heun(karrasLevels({ steps: 3, sigmaMin: 0.5, rho: 1 })).levels.noise // => [80, 40.25, 0.5, 0]
 * ```
 */
export const heun = (levels: Levels): Sampler<Tensor> => {
  expectLevels('heun', levels)
  const last = stepsOf(levels) - 1
  const [signal, noise] = [levels.signal.slice(1), levels.noise.slice(1)]
  const [halfSignal, halfNoise] = [halfWays(levels.signal), halfWays(levels.noise)]
  const ends = constant(Uint32Array.from(range(last + 1), (i) => Math.min(i + 1, last))) // the image is no level to ask at
  return {
    levels,
    init: (x) => x,
    step: (x, estimate, index) => {
      const here = estimate(x, index)
      // a'·x₀ + s'·ε = x + (a' − a)·x₀ + (s' − s)·ε: algorithm 1, line 5.
      const euler = here.x0.mul(gatherTable(signal, index, x)).add(here.epsilon.mul(gatherTable(noise, index, x)))
      const there = estimate(euler, gather(ends, index))
      // x + ½ (a' − a) (x₀ + x₀') + ½ (s' − s) (ε + ε'): lines 7 and 8.
      const corrected = x
        .add(here.x0.add(there.x0).mul(gatherTable(halfSignal, index, x)))
        .add(here.epsilon.add(there.epsilon).mul(gatherTable(halfNoise, index, x)))
      return index.equal(last).select(euler, corrected)
    },
    image: (x) => x,
  }
}
