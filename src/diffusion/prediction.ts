/**
 * What a network may predict (ε, x₀ or v), and the conversions between them.
 *
 * With signal a = √ᾱ and noise s = √(1 − ᾱ), a² + s² = 1: (x_t, v) is (x₀, ε) rotated (Salimans & Ho 2022, appendix D),
 * so that x_t = a·x₀ + s·ε and v = a·ε − s·x₀.
 */
import type { Tensor } from '../tensor/tensor.ts'
import type { Schedule } from './schedule.ts'
import { gatherTable } from './table.ts'

/** What the network is trained to predict: the noise, the image, or the velocity between them. */
export type Objective = 'epsilon' | 'x0' | 'v'

/** a = √ᾱ_t and s = √(1 − ᾱ_t), shaped to meet a batch. */
export interface NoiseLevel {
  readonly signal: Tensor
  readonly noise: Tensor
}

/**
 * The noise level of each sample.
 *
 * @param t [N] or [], i32 or u32
 * @example
 * ```ts
 * import { tensor, zeros } from 'fathom'
 * import { noiseLevel, scheduleFromBetas } from 'fathom/diffusion'
 *
 * const { signal, noise } = noiseLevel(scheduleFromBetas(Float64Array.of(0.36)), tensor(Int32Array.of(0)), zeros([1, 8]))
 * signal // => [[0.8]]
 * noise // => [[0.6]]
 * ```
 */
export const noiseLevel = (schedule: Schedule, t: Tensor, batch: Tensor): NoiseLevel => ({
  signal: gatherTable(schedule.sqrtAlphaBar, t, batch),
  noise: gatherTable(schedule.sqrtOneMinusAlphaBar, t, batch),
})

/**
 * x₀ = (x_t − s·ε) / a.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { x0FromEpsilon } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * x0FromEpsilon(level, scalar(1.4), scalar(1)) // => 1
 * ```
 */
export const x0FromEpsilon = ({ signal, noise }: NoiseLevel, xt: Tensor, epsilon: Tensor): Tensor =>
  xt.sub(epsilon.mul(noise)).div(signal)

/**
 * ε = (x_t − a·x₀) / s.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { epsilonFromX0 } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * epsilonFromX0(level, scalar(1.4), scalar(1)) // => 1
 * ```
 */
export const epsilonFromX0 = ({ signal, noise }: NoiseLevel, xt: Tensor, x0: Tensor): Tensor =>
  xt.sub(x0.mul(signal)).div(noise)

/**
 * v = a·ε − s·x₀.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { vFrom } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * vFrom(level, scalar(1), scalar(1)) // => 0.2
 * ```
 */
export const vFrom = ({ signal, noise }: NoiseLevel, x0: Tensor, epsilon: Tensor): Tensor =>
  epsilon.mul(signal).sub(x0.mul(noise))

/**
 * x₀ = a·x_t − s·v.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { x0FromV } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * x0FromV(level, scalar(1.4), scalar(0.2)) // => 1
 * ```
 */
export const x0FromV = ({ signal, noise }: NoiseLevel, xt: Tensor, v: Tensor): Tensor =>
  xt.mul(signal).sub(v.mul(noise))

/**
 * ε = s·x_t + a·v.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { epsilonFromV } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * epsilonFromV(level, scalar(1.4), scalar(0.2)) // => 1
 * ```
 */
export const epsilonFromV = ({ signal, noise }: NoiseLevel, xt: Tensor, v: Tensor): Tensor =>
  xt.mul(noise).add(v.mul(signal))

/** The image and the noise that a prediction implies. */
export interface Estimate {
  readonly x0: Tensor
  readonly epsilon: Tensor
}

/** For each objective: its training target, and the estimate that its prediction implies. */
interface Parameterization {
  readonly target: (level: NoiseLevel, x0: Tensor, epsilon: Tensor) => Tensor
  readonly estimate: (level: NoiseLevel, xt: Tensor, output: Tensor) => Estimate
}

/**
 * The three parameterizations.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { parameterizations } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * const v = parameterizations.v.target(level, scalar(-1), scalar(2)) // of an image and noise that make up x_t = 0.4
 * const { x0, epsilon } = parameterizations.v.estimate(level, scalar(0.4), v)
 * x0 // => -1
 * epsilon // => 2
 * ```
 */
export const parameterizations: { readonly [O in Objective]: Parameterization } = {
  epsilon: {
    target: (_, __, epsilon) => epsilon,
    estimate: (level, xt, output) => ({ x0: x0FromEpsilon(level, xt, output), epsilon: output }),
  },
  x0: {
    target: (_, x0) => x0,
    estimate: (level, xt, output) => ({ x0: output, epsilon: epsilonFromX0(level, xt, output) }),
  },
  v: {
    target: vFrom,
    estimate: (level, xt, output) => ({ x0: x0FromV(level, xt, output), epsilon: epsilonFromV(level, xt, output) }),
  },
}

/**
 * The estimate with the image kept in [−1, 1] and the noise derived again from it, so that both still make up x_t.
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { clipEstimate } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.8), noise: scalar(0.6) }
 * const clipped = clipEstimate(level, scalar(2), { x0: scalar(2.5), epsilon: scalar(0) })
 * clipped.x0 // => 1
 * clipped.epsilon // => 2
 * ```
 */
export const clipEstimate = (level: NoiseLevel, xt: Tensor, { x0 }: Estimate): Estimate => {
  const clipped = x0.maximum(-1).minimum(1)
  return { x0: clipped, epsilon: epsilonFromX0(level, xt, clipped) }
}
