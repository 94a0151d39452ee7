/** Pictures from trained weights: a sampler that is chosen by name, from noise that a seed names. */
import { defaultSampler, samplerNamed, sampling, type SamplerName } from '../../../diffusion/index.ts'
import { range } from '../../../prelude/array.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, key, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { E, type TE } from '../../../prelude/fp.ts'
import { diverged, nonFinite } from '../../finite.ts'
import type { TrainError } from '../../trainError.ts'
import { pictureOf, type Diffusion, type Params } from './diffusion.ts'

/** How many pictures, in how many steps, from which noise. */
export interface DrawOptions {
  readonly count: number
  readonly steps: number
  readonly seed: number
  /** Default: {@link defaultSampler}. */
  readonly sampler?: SamplerName
  /** Pictures that go through the network together; default the batch of training. */
  readonly batch?: number
}

/** What is told after each step of the sampler. */
type Told = (done: number, total: number) => void

/** A number in [−1, 1] as a byte. */
const toByte = (x: number): number => Math.round((Math.min(1, Math.max(-1, x)) + 1) * 127.5)

/** A batch of pictures from the noise that a key names. */
type DrawBatch = (params: Params, key: Key, onStep: Told) => Promise<Tensor>

/** Compiles the sampler. */
const batchesOn = (
  device: Device,
  { config, model, schedule }: Diffusion,
  { steps, sampler: name = defaultSampler }: DrawOptions,
  size: number,
): DrawBatch =>
  samplerNamed(
    name,
    schedule,
    steps,
  )((sampler) => {
    const walk = sampling({
      device,
      denoise: (params: Params, x, t) => model.apply(params, { x, t }),
      prediction: config.objective,
      sampler,
      shape: [size, ...pictureOf(config)],
    })
    return (params, key, onStep) => walk(params, key, { onStep }).then(({ x }) => x)
  })

/**
 * Compiles the sampler; the result draws the same pictures from the same parameters.
 *
 * @returns `count` pictures, each bytes [H, W, C]; Left as diverged where they are no numbers
 * @throws RangeError for steps that the sampler cannot take, such as more than the schedule has
 */
export const drawerOn = (
  device: Device,
  diffusion: Diffusion,
  options: DrawOptions,
): ((params: Params, onStep?: Told) => TE.TaskEither<TrainError, readonly Uint8Array[]>) => {
  const { config } = diffusion
  const { count, seed, batch = config.batch } = options
  const size = Math.min(batch, count)
  const batches = Math.ceil(count / size)
  const draw = batchesOn(device, diffusion, options, size)
  const each = pictureOf(config).reduce((a, b) => a * b)
  return (params, onStep) => async () => {
    const pictures: Uint8Array[] = []
    for (const b of range(batches)) {
      const x = await draw(params, foldIn(foldIn(key(seed), 'sample'), b), (done, total) =>
        onStep?.(b * total + done, batches * total),
      )
      const values = await device.read(x)
      const bad = nonFinite(values)
      if (bad !== undefined) return E.left(diverged(config, `the samples are ${bad}`))
      const bytes = Uint8Array.from(values, toByte)
      pictures.push(...range(size).map((i) => bytes.subarray(i * each, (i + 1) * each)))
    }
    return E.right(pictures.slice(0, count))
  }
}
