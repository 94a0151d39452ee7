/**
 * The loss by level of noise, on pictures of training and on as many that are held out: where along the way from noise to picture a model has
 * begun to learn its pictures by heart. One mean over all levels hides it, because most levels are easy.
 */
import { requireKnown } from '../../../prelude/options.ts'
import { diffusionLosses } from '../../../diffusion/index.ts'
import { at, range } from '../../../prelude/array.ts'
import { collate, type TrainingData } from '../../../data/batches.ts'
import { scalar, tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, key, normal, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { predictionOf, everySecond } from './denoise.ts'
import type { Diffusion, Params } from './diffusion.ts'
import type { Example } from './space.ts'

/** How it is measured. */
export interface LossByLevelOptions {
  /** Equal parts of the schedule's times; default 8. */
  readonly levels?: number
  /** Pictures of each kind at each level; default 64, or all held out where there are fewer. */
  readonly pictures?: number
}

/** What a network is given of some pictures. */
interface Told {
  readonly images: Tensor
  readonly t: Tensor
  readonly estimated: Tensor | undefined
}

/** The mean loss at one level. */
export interface LossAtLevel {
  /** The middle of the level's times over all times: 0 is the picture, 1 pure noise. */
  readonly noise: number
  /** Of pictures of training, with the weights of the objective. */
  readonly training: number
  /** Of pictures held out, with the same times and noise. */
  readonly heldOut: number
}

/** The pictures of one kind as batches of one size; the last is filled up with its first. */
const batchesOf = (pictures: readonly Example[], size: number): readonly Example[] =>
  range(Math.ceil(pictures.length / size)).map((b) =>
    collate(range(size).map((i) => pictures[b * size + i] ?? at(pictures, b * size))),
  )

/** The times of a level's pictures, spread evenly over it. */
const timesOf = (level: number, levels: number, count: number, timesteps: number): readonly number[] =>
  range(count).map((i) => Math.min(timesteps - 1, Math.floor(((level + (i + 0.5) / count) / levels) * timesteps)))

/**
 * Prepares the measurement: the network is compiled once for all levels.
 *
 * @returns a function from parameters, usually the averaged ones, which are sampled from, to the losses, from the picture to noise
 * @throws RangeError for levels or pictures that are no whole numbers ≥ 1
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { dataOfSet, seas } from 'fathom/data'
 * import { diffusionTask, lossByLevelOn, presets } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const task = diffusionTask({ ...presets.tiny, ...names, height: 8, width: 8, model })
 * const pixels = seas({ seed: 0, size: 8 }).image
 * const data = dataOfSet({ name: 'twenty seas', height: 8, width: 8, channels: 3, count: 20, pixels }, 0)
 * const measure = lossByLevelOn(device, task, data, { levels: 2 })
 * const levels = await measure(task.init(key(0)))
 * levels.map(({ noise }) => noise) // => [0.25, 0.75]
 * ```
 */
export const lossByLevelOn = (
  device: Device,
  diffusion: Diffusion,
  data: TrainingData<Example>,
  options: LossByLevelOptions = {},
): ((params: Params) => Promise<readonly LossAtLevel[]>) => {
  requireKnown('lossByLevelOn', options, ['levels', 'pictures'])
  const { levels = 8, pictures = 64 } = options
  for (const [name, n] of Object.entries({ levels, pictures }))
    if (!Number.isSafeInteger(n) || n < 1)
      throw new RangeError(`lossByLevelOn: ${name} is ${n}: give a whole number ≥ 1`)
  const { config, lossOptions, space } = diffusion
  const count = Math.min(pictures, data.heldOutCount)
  const size = Math.min(config.batch, count)
  const shape = [size, ...space.example.shape]
  const losses = diffusionLosses(lossOptions)
  const network = device.compile((params: Params, { images, estimated, t }: Told, seed: Key, index: Tensor) =>
    losses(
      predictionOf(diffusion, params, { estimated }),
      space.x0(images),
      t,
      normal(foldIn(seed, index), [size, ...space.shape]),
    ),
  )
  const kinds = [range(count).map((i) => data.picture(i)), range(count).map((i) => data.heldOut(i))].map((kind) =>
    batchesOf(kind, size),
  )
  const seed = foldIn(key(config.seed), 'by level')
  const meanOf = async (params: Params, batches: readonly Example[], level: number): Promise<number> => {
    const times = timesOf(level, levels, count, config.timesteps)
    let sum = 0
    for (const [b, bytes] of batches.entries()) {
      const own = range(size).map((i) => times[b * size + i] ?? at(times, b * size))
      const index = scalar(level * batches.length + b, 'u32')
      const estimated = everySecond(
        diffusion,
        range(size).map((i) => b * size + i + level),
      )
      const values = await device.read(
        await network(
          params,
          { images: tensor(bytes, { shape }), t: tensor(Int32Array.from(own)), estimated },
          seed,
          index,
        ),
      )
      for (const value of values.slice(0, count - b * size)) sum += value
    }
    return sum / count
  }
  return async (params) => {
    const found: LossAtLevel[] = []
    for (const level of range(levels)) {
      const training = await meanOf(params, at(kinds, 0), level)
      const heldOut = await meanOf(params, at(kinds, 1), level)
      found.push({ noise: (level + 0.5) / levels, training, heldOut })
    }
    return found
  }
}
