/**
 * Sampling: the loop that walks a sampler's times on a device.
 *
 * Two functions are compiled: one draws the noise to start from, one makes a step. Parameters, key and the number of
 * the step enter as buffers and x is donated, so that one plan serves every step and every batch.
 */
import { constant, scalar } from '../tensor/create.ts'
import { gather } from '../tensor/combine.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, normal, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Shape } from '../graph/shape.ts'
import { at } from '../prelude/array.ts'
import { clipEstimate, noiseLevel, parameterizations, type Objective } from './prediction.ts'
import type { Sampler, SamplingPlan } from './sampler.ts'
import type { Schedule } from './schedule.ts'

/** What {@link sampling} takes. */
export interface SamplingOptions<P> {
  readonly device: Pick<Device, 'compile'>
  /**
   * The network: its parameters (any tree of tensors, labels included), x_t [N, …] and t [N] i32 to a prediction like
   * x_t.
   */
  readonly denoise: (params: P, xt: Tensor, t: Tensor) => Tensor
  readonly schedule: Schedule
  /** What the network predicts. */
  readonly objective: Objective
  readonly sampler: Sampler
  /** The batch, [N, …]. */
  readonly shape: Shape
  /** Whether estimates of the image are kept in [−1, 1]; default true. */
  readonly clip?: boolean
  /** Whether every x_t and every estimate is kept; default false. */
  readonly trajectory?: boolean
}

/** A step of the way: x_t, and the image that the network saw in it. */
export interface Moment {
  readonly time: number
  readonly xt: Tensor
  readonly x0: Tensor
}

/** What sampling gives. */
export interface Sampled {
  /** The images, [N, …]. */
  readonly x: Tensor
  /** From the noise on; empty unless asked for. */
  readonly trajectory: readonly Moment[]
}

/** How one walk is run. */
export interface WalkOptions {
  /**
   * Where to start instead of at pure noise: x at the time of step `step`. Without a trajectory, x is donated: it
   * cannot be used again.
   */
  readonly from?: { readonly x: Tensor; readonly step: number }
  /** Is told after each step how many of how many are done. */
  readonly onStep?: (done: number, total: number) => void
}

/**
 * One step of the plan as a pure function of tensors: what is compiled.
 *
 * @example
 * ```ts
 * import { full, key, ones, scalar, type Tensor } from 'fathom'
 * import { cosineSchedule, ddim, samplingStep } from 'fathom/diffusion'
 *
 * const schedule = cosineSchedule(1000)
 * const denoise = (_: object, xt: Tensor): Tensor => full(xt.shape, 0.25) // predicts one image, whatever it sees
 * const step = samplingStep({ denoise, schedule, objective: 'x0' }, ddim({ steps: 4 })(schedule))
 * step({}, ones([1, 2]), key(0), scalar(3, 'u32')).x // => [[0.25, 0.25]]
 * ```
 */
export const samplingStep =
  <P>(
    { denoise, schedule, objective, clip = true }: Omit<SamplingOptions<P>, 'device' | 'sampler' | 'shape'>,
    plan: SamplingPlan,
  ) =>
  (params: P, xt: Tensor, key: Key, index: Tensor): { readonly x: Tensor; readonly x0: Tensor } => {
    const time = gather(constant(Int32Array.from(plan.times)), index)
    const level = noiseLevel(schedule, time, xt)
    const output = denoise(params, xt, time.broadcastTo(xt.shape.slice(0, 1)))
    const raw = parameterizations[objective].estimate(level, xt, output)
    const estimate = clip ? clipEstimate(level, xt, raw) : raw
    return {
      x: plan.step(xt, estimate, index, () => normal(foldIn(foldIn(key, 'step'), index), xt.shape, xt.dtype)),
      x0: estimate.x0,
    }
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
 * const draw = sampling({
 *   device, denoise, schedule: cosineSchedule(100), objective: 'x0', sampler: ddim({ steps: 5 }), shape: [3, 2],
 * })
 * const { x } = await draw({}, key(0))
 * x // => [[0.5, -0.5], [0.5, -0.5], [0.5, -0.5]]
 * ```
 */
export const sampling = <P>(
  options: SamplingOptions<P>,
): ((params: P, key: Key, walk?: WalkOptions) => Promise<Sampled>) => {
  const { device, schedule, sampler, shape, trajectory: keeps = false } = options
  const plan = sampler(schedule)
  const indices = plan.times.map((_, i) => scalar(i, 'u32')) // made once: a device uploads each once
  const step = samplingStep(options, plan)
  const start = device.compile((key: Key) => normal(foldIn(key, 'start'), shape))
  const lean = device.compile((params: P, xt: Tensor, key: Key, index: Tensor) => step(params, xt, key, index).x, {
    donate: [1],
  })
  const full = device.compile(step)

  return async (params, key, { from, onStep } = {}) => {
    const first = from?.step ?? 0
    if (!(Number.isInteger(first) && first >= 0 && first < indices.length))
      throw new RangeError(
        `sampling: cannot start at step ${first}; this sampler has the steps 0 … ${indices.length - 1}`,
      )
    const advance = async ({ x, trajectory }: Sampled, index: Tensor, i: number): Promise<Sampled> => {
      if (!keeps) return { x: await lean(params, x, key, index), trajectory }
      const next = await full(params, x, key, index)
      return { x: next.x, trajectory: [...trajectory, { time: at(plan.times, i), xt: x, x0: next.x0 }] }
    }
    return indices.slice(first).reduce<Promise<Sampled>>(
      async (before, index, i) => {
        const after = await advance(await before, index, first + i)
        onStep?.(i + 1, indices.length - first)
        return after
      },
      Promise.resolve({ x: from?.x ?? (await start(key)), trajectory: [] }),
    )
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
 *   schedule: cosineSchedule(3),
 *   objective: 'v',
 *   sampler: ddpm(),
 *   shape: [1, 8, 8, 3],
 *   trajectory: true,
 *   params: {},
 *   key: key(0),
 * })
 * trajectory.map(({ time }) => time) // => [2, 1, 0]
 * ```
 */
export const sample = async <P>({
  params,
  key,
  ...options
}: SamplingOptions<P> & WalkOptions & { readonly params: P; readonly key: Key }): Promise<Sampled> =>
  sampling<P>(options)(params, key, options)
