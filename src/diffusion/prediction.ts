/**
 * What a network may predict (ε, x₀, v or a flow's velocity), and the conversions between them at any noise level.
 *
 * At a level of signal a and noise s, x_t = a·x₀ + s·ε. With v = a·ε − s·x₀, (x_t, v) is (x₀, ε) rotated and scaled by
 * √(a² + s²); on the levels of a schedule a = √ᾱ and s = √(1 − ᾱ), and it is rotated only (Salimans & Ho 2022, appendix D).
 */
import type { Tensor } from '../tensor/tensor.ts'
import { expectSchedule } from './expect.ts'
import { isChain, type NoiseSchedule } from './schedule.ts'
import { powersOf } from './schedules/tables.ts'
import { gatherTable } from './table.ts'

/**
 * What the network is trained to predict: the noise, the image, the velocity v between them on a circle, or the
 * velocity ε − x₀ of a flow, which is along a straight line.
 */
export type Prediction = 'epsilon' | 'x0' | 'v' | 'flow'

/** The factors a of the image and s of the noise in x, shaped to meet a batch. */
export interface NoiseLevel {
  readonly signal: Tensor
  readonly noise: Tensor
  /** a² + s²; absent where it is 1, on variance-preserving levels such as those of a schedule. */
  readonly power?: Tensor
}

/**
 * The noise level of each sample: the schedule's a and s at its time.
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
export const noiseLevel = (schedule: NoiseSchedule, t: Tensor, batch: Tensor): NoiseLevel => {
  expectSchedule('noiseLevel', schedule, 'noiseLevel(schedule, t, batch)')
  return {
    signal: gatherTable(schedule.signal, t, batch),
    noise: gatherTable(schedule.noise, t, batch),
    ...(!isChain(schedule) && { power: gatherTable(powersOf(schedule), t, batch) }),
  }
}

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

/** A sum over a² + s², which is not divided by where it is 1. */
const overPower = (x: Tensor, { power }: NoiseLevel): Tensor => (power === undefined ? x : x.div(power))

/**
 * x₀ = (a·x_t − s·v) / (a² + s²).
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
export const x0FromV = (level: NoiseLevel, xt: Tensor, v: Tensor): Tensor =>
  overPower(xt.mul(level.signal).sub(v.mul(level.noise)), level)

/**
 * ε = (s·x_t + a·v) / (a² + s²).
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
export const epsilonFromV = (level: NoiseLevel, xt: Tensor, v: Tensor): Tensor =>
  overPower(xt.mul(level.noise).add(v.mul(level.signal)), level)

/**
 * The velocity of a flow, u = ε − x₀: on levels (1 − t, t) it is dx/dt (Liu et al. 2023, eq. 1).
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { flowFrom } from 'fathom/diffusion'
 *
 * flowFrom(scalar(1), scalar(3)) // => 2
 * ```
 */
export const flowFrom = (x0: Tensor, epsilon: Tensor): Tensor => epsilon.sub(x0)

/**
 * x₀ = (x_t − s·u) / (a + s).
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { x0FromFlow } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.75), noise: scalar(0.25) }
 * x0FromFlow(level, scalar(1.5), scalar(2)) // => 1
 * ```
 */
export const x0FromFlow = ({ signal, noise }: NoiseLevel, xt: Tensor, u: Tensor): Tensor =>
  xt.sub(u.mul(noise)).div(signal.add(noise))

/**
 * ε = (x_t + a·u) / (a + s).
 *
 * @example
 * ```ts
 * import { scalar } from 'fathom'
 * import { epsilonFromFlow } from 'fathom/diffusion'
 *
 * const level = { signal: scalar(0.75), noise: scalar(0.25) }
 * epsilonFromFlow(level, scalar(1.5), scalar(2)) // => 3
 * ```
 */
export const epsilonFromFlow = ({ signal, noise }: NoiseLevel, xt: Tensor, u: Tensor): Tensor =>
  xt.add(u.mul(signal)).div(signal.add(noise))

/** The image and the noise that a prediction implies. */
export interface Estimate {
  readonly x0: Tensor
  readonly epsilon: Tensor
  /** Of a network that learns variances: the share of the greatest in the logarithm of the step's (`splitVariance`). */
  readonly fraction?: Tensor
}

/** For each prediction: its training target, and the estimate that its prediction implies. */
interface Parameterization {
  readonly target: (level: NoiseLevel, x0: Tensor, epsilon: Tensor) => Tensor
  readonly estimate: (level: NoiseLevel, xt: Tensor, output: Tensor) => Estimate
}

/**
 * The parameterizations, at any level.
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
export const parameterizations: { readonly [K in Prediction]: Parameterization } = {
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
  flow: {
    target: (_, x0, epsilon) => flowFrom(x0, epsilon),
    estimate: (level, xt, output) => ({
      x0: x0FromFlow(level, xt, output),
      epsilon: epsilonFromFlow(level, xt, output),
    }),
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
