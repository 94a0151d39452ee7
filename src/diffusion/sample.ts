/**
 * Sampling: the loop that walks a sampler's levels on a device.
 *
 * Two functions are compiled: one draws the noise to start from, one makes a step. Parameters, key and the number of
 * the step enter as buffers and the state is donated, so that one plan serves every step and every batch.
 */
import { requireKnown } from '../prelude/options.ts'
import { scalar } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, normal, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Shape } from '../graph/shape.ts'
import { range } from '../prelude/array.ts'
import type { SplitPrediction } from './cfgPlusPlus.ts'
import { levelAt, startingDeviation, stepsOf, timeAt } from './levels.ts'
import { splitVariance } from './learnedVariance.ts'
import { clipEstimate, parameterizations, type Estimate, type NoiseLevel, type Prediction } from './prediction.ts'
import type { Estimator, Sampler } from './sampler.ts'
import { thresholdEstimate, type ThresholdOptions } from './threshold.ts'

/** What {@link sampling} takes. */
export interface SamplingOptions<P, S> {
  readonly device: Pick<Device, 'compile'>
  /**
   * The network: its parameters (any tree of tensors, labels included), x [N, …] and the time [N] of the level to a
   * prediction like x, or to two where image and noise are seen by different ones (`cfgPlusPlus`). Times are i32 on the levels of a schedule and f32 on
   * others: t of a flow, σ of `karrasLevels`. A sampler that is `selfConditioned` also tells what was thought of the images before, like x.
   */
  readonly denoise: (params: P, xt: Tensor, t: Tensor, estimate?: Tensor) => Tensor | SplitPrediction
  /** What the network predicts. */
  readonly prediction: Prediction
  readonly sampler: Sampler<S>
  /** The batch, [N, …]. */
  readonly shape: Shape
  /** Whether estimates of the image are kept in [−1, 1], default true; or how each picture is scaled back into it, which is dynamic thresholding. */
  readonly clip?: boolean | ThresholdOptions
  /** Whether the network learns variances, and says [N, …, 2C]; default false. Only `ddpm` with the variance `learned` asks for them. */
  readonly learnedVariance?: boolean
  /** Whether every state and every estimate is kept; default false. */
  readonly trajectory?: boolean
}

/** A level on the way: x there, and the image that the network saw in it. */
export interface Moment<S> {
  readonly time: number
  readonly xt: Tensor
  readonly x0: Tensor
  /** From which a walk may start again. */
  readonly state: S
}

/** What sampling gives. */
export interface Sampled<S> {
  /** The images, [N, …]. */
  readonly x: Tensor
  /** From the noise on; empty unless asked for. */
  readonly trajectory: readonly Moment<S>[]
}

/** How one walk is run. */
export interface WalkOptions<S> {
  /**
   * Where to start instead of at pure noise: the state before step `step`, one of a trajectory, or `sampler.init(x)` of an x at that
   * level. Without a trajectory it is donated: it cannot be used again.
   */
  readonly from?: { readonly state: S; readonly step: number }
  /** Is told after each step how many of how many are done. */
  readonly onStep?: (done: number, total: number) => void
}

/** How far a walk has come. */
interface Walked<S> {
  readonly state: S
  readonly trajectory: readonly Moment<S>[]
}

/** What a step is made of. */
type StepOptions<P, S> = Pick<SamplingOptions<P, S>, 'denoise' | 'prediction' | 'sampler' | 'clip' | 'learnedVariance'>

/** The estimate, kept in the image's bounds. */
const kept = (level: NoiseLevel, x: Tensor, raw: Estimate, clip: boolean | ThresholdOptions): Estimate => {
  if (clip === false) return raw
  return clip === true ? clipEstimate(level, x, raw) : thresholdEstimate(level, x, raw, clip)
}

/** The network with these parameters, as what it says of image and noise. */
const estimatorOf = <P, S>(
  { denoise, prediction, sampler: { levels }, clip = true, learnedVariance = false }: StepOptions<P, S>,
  params: P,
): Estimator => {
  if (!Object.hasOwn(parameterizations, prediction))
    throw new RangeError(
      `sampling: the prediction is '${prediction}'; it must be ${Object.keys(parameterizations).join(', ')}`,
    )
  return (x, index, before) => {
    const level = levelAt(levels, index, x)
    const output = denoise(params, x, timeAt(levels, index, x).broadcastTo(x.shape.slice(0, 1)), before)
    const seen = (said: Tensor): Estimate =>
      kept(level, x, parameterizations[prediction].estimate(level, x, said), clip)
    if ('image' in output) {
      if (learnedVariance) throw new TypeError('sampling: CFG++ has no place for a variance: leave learnedVariance out')
      return { x0: seen(output.image).x0, epsilon: seen(output.noise).epsilon }
    }
    if (!learnedVariance) return seen(output)
    const { prediction: said, fraction } = splitVariance(output, x)
    return { ...seen(said), fraction }
  }
}

const stepOptions = ['denoise', 'prediction', 'sampler', 'clip', 'learnedVariance'] as const
const samplingOptions = ['device', 'shape', 'trajectory', ...stepOptions] as const
const walkOptions = ['from', 'onStep'] as const

const stepOf =
  <P, S>(options: StepOptions<P, S>) =>
  (params: P, state: S, key: Key, index: Tensor): S => {
    const { step, image } = options.sampler
    const { shape, dtype } = image(state)
    return step(state, estimatorOf(options, params), index, () =>
      normal(foldIn(foldIn(key, 'step'), index), shape, dtype),
    )
  }

/**
 * One step of the sampler as a pure function of tensors: what is compiled.
 *
 * @example
 * ```ts
 * import { full, key, ones, scalar, type Tensor } from 'fathom'
 * import { cosineSchedule, ddim, samplingStep } from 'fathom/diffusion'
 *
 * const sampler = ddim(cosineSchedule(1000), { steps: 4 })
 * const denoise = (_: object, xt: Tensor): Tensor => full(xt.shape, 0.25) // predicts one image, whatever it sees
 * const step = samplingStep({ denoise, prediction: 'x0', sampler })
 * step({}, ones([1, 2]), key(0), scalar(3, 'u32')) // => [[0.25, 0.25]]
 * ```
 */
export const samplingStep = <P, S>(
  options: StepOptions<P, S>,
): ((params: P, state: S, key: Key, index: Tensor) => S) => {
  requireKnown('samplingStep', options, stepOptions)
  return stepOf(options)
}

/**
 * Compiles a sampler for a batch shape; the result draws batch after batch.
 *
 * @returns `(params, key, options) → images`: the same key draws the same images
 * @example
 * ```ts
 * import { constant, key, type Tensor } from 'fathom'
 * import { cosineSchedule, ddim, sampling } from 'fathom/diffusion'
 *
 * const denoise = (_: object, xt: Tensor): Tensor => constant([0.5, -0.5]).broadcastTo(xt.shape) // knows one image only
 * const sampler = ddim(cosineSchedule(100), { steps: 5 })
 * const draw = sampling({ device, denoise, prediction: 'x0', sampler, shape: [3, 2] })
 * const { x } = await draw({}, key(0))
 * x // => [[0.5, -0.5], [0.5, -0.5], [0.5, -0.5]]
 * ```
 */
export const sampling = <P, S>(
  options: SamplingOptions<P, S>,
): ((params: P, key: Key, walk?: WalkOptions<S>) => Promise<Sampled<S>>) => {
  requireKnown('sampling', options, samplingOptions)
  const { device, sampler, shape, trajectory: keeps = false } = options
  const { levels, init, image, told, holds = false } = sampler
  const indices = range(stepsOf(levels)).map((i) => scalar(i, 'u32')) // made once: a device uploads each once
  const step = stepOf(options)
  const noise = (key: Key): Tensor => normal(foldIn(key, 'start'), shape).mul(startingDeviation(levels))
  const compiled = device.compile((key: Key) => init(noise(key)))
  const start = async (key: Key): Promise<S> => (holds ? init(noise(key)) : compiled(key))
  const lean = device.compile(step, { donate: [1] })
  const full = device.compile((params: P, state: S, key: Key, index: Tensor) => ({
    next: step(params, state, key, index),
    x0: estimatorOf(options, params)(image(state), index, told?.(state)).x0, // the step's first estimate, computed once
  }))

  return async (params, key, walk = {}) => {
    requireKnown('sampling', walk, walkOptions)
    const { from, onStep } = walk
    const first = from?.step ?? 0
    if (!(Number.isInteger(first) && first >= 0 && first < indices.length))
      throw new RangeError(
        `sampling: cannot start at step ${first}; this sampler has the steps 0 … ${indices.length - 1}`,
      )
    const advance = async ({ state, trajectory }: Walked<S>, index: Tensor, i: number): Promise<Walked<S>> => {
      if (!keeps) return { state: await lean(params, state, key, index), trajectory }
      const { next, x0 } = await full(params, state, key, index)
      const moment = { time: levels.time[i] ?? NaN, xt: image(state), x0, state }
      return { state: next, trajectory: [...trajectory, moment] }
    }
    const { state, trajectory } = await indices.slice(first).reduce<Promise<Walked<S>>>(
      async (before, index, i) => {
        const after = await advance(await before, index, first + i)
        onStep?.(i + 1, indices.length - first)
        return after
      },
      Promise.resolve({ state: from === undefined ? await start(key) : from.state, trajectory: [] }),
    )
    return { x: image(state), trajectory }
  }
}

/**
 * {@link sampling} for one batch: compiles, walks once, and returns the images.
 *
 * @example
 * ```ts
 * import { key, zerosLike } from 'fathom'
 * import { cosineSchedule, ddpm, sample } from 'fathom/diffusion'
 *
 * const { trajectory } = await sample({
 *   device,
 *   denoise: (_: object, xt) => zerosLike(xt),
 *   prediction: 'v',
 *   sampler: ddpm(cosineSchedule(3)),
 *   shape: [1, 8, 8, 3],
 *   trajectory: true,
 *   params: {},
 *   key: key(0),
 * })
 * trajectory.map(({ time }) => time) // => [2, 1, 0]
 * ```
 */
export const sample = async <P, S>(
  options: SamplingOptions<P, S> & WalkOptions<S> & { readonly params: P; readonly key: Key },
): Promise<Sampled<S>> => {
  requireKnown('sample', options, ['params', 'key', ...samplingOptions, ...walkOptions])
  const { params, key, from, onStep, ...others } = options
  return sampling<P, S>(others)(params, key, { ...(from && { from }), ...(onStep && { onStep }) })
}
