/**
 * The loss on pictures that training never sees, with the same noise and times at every measurement, beside that of the best
 * predictor that does not look at its input.
 *
 * That predictor returns the mean target of each time and pixel. Targets are linear in image and noise, and the noise has mean 0, so it
 * is the target of the mean image: −√(1 − ᾱ)·mean for v, 0 for ε, the mean image for x₀.
 */
import { diffusionLosses, noiseLevel, parameterizations, type Denoise } from '../../../diffusion/index.ts'
import type { Shape } from '../../../graph/shape.ts'
import { at, range } from '../../../prelude/array.ts'
import { hostFold, hostKey, hostPermutationIndex } from '../../../prelude/threefry.ts'
import { collate, type TrainingData } from '../../../data/batches.ts'
import { scalar, tensor, zerosLike } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, key, normal, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { predictionOf, everySecond } from './denoise.ts'
import type { Diffusion, Params } from './diffusion.ts'
import type { Example } from './space.ts'

/** A measurement on held-out pictures. */
export interface HeldOut {
  /** The mean training loss, with its weights, of the raw parameters. */
  readonly loss: number
  /** That loss as a multiple of the best constant predictor's: 1 is nothing learned. */
  readonly relative: number
}

/** Draws of (picture, time, noise) in a measurement: every held-out picture at least twice, 128 times spread evenly at least. */
const drawsFor = (pictures: number): number => pictures * Math.max(2, Math.ceil(128 / pictures))

/** Some draws as arguments of a compiled function. */
export interface Chunk {
  readonly images: Tensor
  /** What the network is told of them, f32 [size, K]; absent for nothing. */
  readonly condition?: Tensor
  /** Of which the network is told its estimate, [size] bool; absent where it has no place for one. */
  readonly estimated?: Tensor
  readonly t: Tensor
  readonly key: Key
  readonly index: Tensor
  /** Draws that count; the rest only fill the last chunk. */
  readonly count: number
}

/** What of a chunk a network is given. */
type Told = Omit<Chunk, 'key' | 'count'>

/** The draws of a measurement; their noise is {@link noiseOf}. */
export const chunksOf = ({ config, space }: Diffusion, data: TrainingData<Example>): readonly Omit<Chunk, 'key'>[] => {
  const total = drawsFor(data.heldOutCount)
  const size = Math.min(config.batch, total)
  const order = hostFold(hostKey(config.seed), 0)
  const timeOf = (i: number): number =>
    Math.floor(((hostPermutationIndex(order, total, i % total) + 0.5) / total) * config.timesteps)
  const shape = [size, ...space.example.shape]
  const pictures = range(data.heldOutCount).map((i) => data.heldOut(i))
  return range(Math.ceil(total / size)).map((c) => {
    const draws = range(size).map((i) => c * size + i)
    const estimated = everySecond(
      { config },
      draws.map((i) => (i % pictures.length) + Math.floor(i / pictures.length)),
    )
    return {
      ...(estimated !== undefined && { estimated }),
      images: tensor(collate(draws.map((i) => at(pictures, i % pictures.length))), { shape }),
      ...conditionIn(data, draws),
      t: tensor(Int32Array.from(draws, timeOf)),
      index: scalar(c, 'u32'),
      count: Math.min(size, total - c * size),
    }
  })
}

/** The conditions of held-out pictures. */
const conditionIn = (
  { conditions = 0, heldOutCount, heldOutCondition }: TrainingData<Example>,
  draws: readonly number[],
): Pick<Chunk, 'condition'> => {
  if (heldOutCondition === undefined) return {}
  const all = collate(draws.map((i) => heldOutCondition(i % heldOutCount)))
  return { condition: tensor(all, { shape: [draws.length, conditions] }) }
}

/** The noise of a chunk's draws, like its images. @param key of the seed; @param index of the chunk */
export const noiseOf = (key: Key, index: Tensor, shape: Shape): Tensor =>
  normal(foldIn(foldIn(key, 'held out'), index), shape)

/** The losses of a chunk's draws, [size], for a network. */
const chunkLosses =
  ({ space, lossOptions }: Diffusion) =>
  (denoise: Denoise, images: Tensor, t: Tensor, key: Key, index: Tensor): Tensor => {
    const x0 = space.x0(images)
    return diffusionLosses(lossOptions)(denoise, x0, t, noiseOf(key, index, x0.shape))
  }

/** The network that knows the mean image alone. @param mean [H, W, C] in [−1, 1] */
const constantPredictor =
  ({ config, schedule }: Diffusion, mean: Tensor): Denoise =>
  (xt, t) =>
    parameterizations[config.objective].target(noiseLevel(schedule, t, xt), mean.broadcastTo(xt.shape), zerosLike(xt))

/**
 * Prepares the measurement: draws are made and the constant predictor is measured once.
 *
 * @returns a function from raw parameters to the measurement
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { dataOfSet, seas } from 'fathom/data'
 * import { diffusionTask, heldOutOn, presets } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const task = diffusionTask({ ...presets.tiny, ...names, height: 8, width: 8, model })
 * const pixels = seas({ seed: 0, size: 8 }).image
 * const data = dataOfSet({ name: 'twenty seas', height: 8, width: 8, channels: 3, count: 20, pixels }, 0)
 * const measure = await heldOutOn(device, task, data)
 * const { relative } = await measure(task.init(key(0)))
 * relative > 1 // => true
 * ```
 */
export const heldOutOn = async (
  device: Device,
  diffusion: Diffusion,
  data: TrainingData<Example>,
): Promise<(params: Params) => Promise<HeldOut>> => {
  const chunks = chunksOf(diffusion, data)
  const seed = key(diffusion.config.seed)
  const losses = chunkLosses(diffusion)
  const network = device.compile((params: Params, { images, condition, estimated, t, index }: Told, seed: Key) =>
    losses(predictionOf(diffusion, params, { condition, estimated }), images, t, seed, index),
  )
  const constant = device.compile((mean: Tensor, images: Tensor, t: Tensor, seed: Key, index: Tensor) =>
    losses(constantPredictor(diffusion, mean), images, t, seed, index),
  )
  const average = async (of: (chunk: Omit<Chunk, 'key'>) => Promise<Tensor>): Promise<number> => {
    let [sum, count] = [0, 0]
    for (const chunk of chunks) {
      const values = (await device.read(await of(chunk))).slice(0, chunk.count)
      for (const value of values) sum += value
      count += values.length
    }
    return sum / count
  }
  const { space } = diffusion
  const mean = tensor(space.mean(data), { shape: space.shape })
  const best = await average(({ images, t, index }) => constant(mean, images, t, seed, index))
  return async (params) => {
    const loss = await average(({ images, condition, t, index }) => {
      const told = { images, t, index, ...(condition !== undefined && { condition }) }
      return network(params, told, seed)
    })
    return { loss, relative: loss / best }
  }
}
