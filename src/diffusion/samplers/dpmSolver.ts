/**
 * DPM-Solver++ (2M), Lu et al. 2022b, algorithm 2: second order with one evaluation of the network a step, for the
 * estimate of the step before is kept.
 *
 * As in diffusers' `DPMSolverMultistepScheduler` with `algorithm_type='dpmsolver++'` and its defaults: the first step and the last, which
 * ends at the image, are of first order.
 */
import { range } from '../../prelude/array.ts'
import { ones, zeros, zerosLike } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { expectLevels } from '../expect.ts'
import type { Levels } from '../levels.ts'
import type { Sampler } from '../sampler.ts'
import { gatherTable } from '../table.ts'

/** The state of {@link dpmSolver}. */
export interface DpmSolverState {
  readonly x: Tensor
  /** The image that was estimated at the level before. */
  readonly before: Tensor
  /** [], 1 if there was a step before, else 0: then the step is of first order, wherever a walk begins. */
  readonly known: Tensor
}

/** The coefficients of each step, in f64. */
const coefficients = ({ signal, noise }: Levels) => {
  const [a, s] = [(i: number): number => signal[i] ?? NaN, (i: number): number => noise[i] ?? NaN]
  const lambda = (i: number): number => Math.log(a(i) / s(i)) // half the logarithm of the signal-to-noise ratio
  const steps = range(signal.length - 1)
  const ratio = (i: number): number => s(i + 1) / s(i)
  return {
    // σ_t / σ_s
    x: Float64Array.from(steps, ratio),
    // −α_t (e^(−h) − 1), with e^(−h) = α_s σ_t / (α_t σ_s)
    x0: Float64Array.from(steps, (i) => a(i + 1) - a(i) * ratio(i)),
    // 1 / 2r = h_i / (2 h_{i−1}); after a level without signal h_{i−1} = ∞, and it is 0.
    extrapolation: Float64Array.from(steps, (i) =>
      i === 0 || i === steps.length - 1 ? 0 : (lambda(i + 1) - lambda(i)) / (2 * (lambda(i) - lambda(i - 1))),
    ),
  }
}

/**
 * DPM-Solver++ (2M) between any levels.
 *
 * @example
 * ```ts
 * import { scalar, tensor } from 'fathom'
 * import { cosineSchedule, dpmSolver, scheduleLevels } from 'fathom/diffusion'
 *
 * const { init, step, image } = dpmSolver(scheduleLevels(cosineSchedule(1000), 20))
 * const knows = () => ({ x0: tensor([0.5]), epsilon: tensor([1]) })
 * const state = step(init(tensor([1])), knows, scalar(19, 'u32'), () => tensor([0])) // the last step, from a bare x
 * image(state) // => [0.5]
 * ```
 */
export const dpmSolver = (levels: Levels): Sampler<DpmSolverState> => {
  expectLevels('dpmSolver', levels)
  const c = coefficients(levels)
  return {
    levels,
    init: (x) => ({ x, before: zerosLike(x), known: zeros([], x.dtype) }),
    step: ({ x, before, known }, estimate, index) => {
      const { x0 } = estimate(x, index)
      // D = (1 + 1/2r) x₀ − (1/2r) x₀ of the step before
      const slope = gatherTable(c.extrapolation, index, x).mul(known)
      const data = x0.add(x0.sub(before).mul(slope))
      // x' = (σ_t / σ_s) x − α_t (e^(−h) − 1) D
      const next = x.mul(gatherTable(c.x, index, x)).add(data.mul(gatherTable(c.x0, index, x)))
      return { x: next, before: x0, known: ones([], x.dtype) }
    },
    image: ({ x }) => x,
  }
}
