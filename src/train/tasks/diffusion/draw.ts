/** Pictures from trained weights: a sampler that is chosen by name, from noise that a seed names. */
import { defaultSampler, samplerNamed, sampling, type SamplerName } from '../../../diffusion/index.ts'
import { range } from '../../../prelude/array.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, key, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { E, type TE } from '../../../prelude/fp.ts'
import { diverged, nonFinite } from '../../finite.ts'
import { toByte } from '../../pictures/pixels.ts'
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

/** A batch of pictures from the noise that a key names. */
type DrawBatch = (params: Params, key: Key, onStep: Told) => Promise<Tensor>

/** From what the network draws to pictures in [−1, 1]. @throws TypeError where it draws latents, and no autoencoder is at hand */
const picturesOn = (device: Device, { space, autoencoder }: Diffusion): ((x: Tensor) => Promise<Tensor>) => {
  if (space.example.dtype === 'u8') return (x) => Promise.resolve(x)
  if (autoencoder === undefined)
    throw new TypeError('drawing from latents takes the autoencoder that they are of: give it with the model')
  return autoencoder.decoderOn(device)
}

/** Compiles the sampler. */
const batchesOn = (
  device: Device,
  { config, model, schedule, space }: Diffusion,
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
      shape: [size, ...space.shape],
      clip: space.bounded,
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
  const picturesOf = picturesOn(device, diffusion)
  const each = pictureOf(config).reduce((a, b) => a * b)
  return (params, onStep) => async () => {
    const pictures: Uint8Array[] = []
    for (const b of range(batches)) {
      const x = await draw(params, foldIn(foldIn(key(seed), 'sample'), b), (done, total) =>
        onStep?.(b * total + done, batches * total),
      )
      const values = await device.read(await picturesOf(x))
      const bad = nonFinite(values)
      if (bad !== undefined) return E.left(diverged(config, `the samples are ${bad}`))
      const bytes = Uint8Array.from(values, toByte)
      pictures.push(...range(size).map((i) => bytes.subarray(i * each, (i + 1) * each)))
    }
    return E.right(pictures.slice(0, count))
  }
}
