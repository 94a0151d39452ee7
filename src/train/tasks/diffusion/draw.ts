/** Pictures from trained weights: a sampler that is chosen by name, from noise that a seed names or from a picture, with a guide or without. */
import {
  autoguidance,
  cfgPlusPlus,
  classifierFree,
  ddpm,
  ddpmBetween,
  defaultSampler,
  guided,
  predictionIn,
  repaint,
  samplerNamed,
  sampling,
  selfConditioned,
  slerp,
  splitVariance,
  startFrom,
  scheduleLevels,
  startingDeviation,
  type AnySampler,
  type Denoiser,
  type Guided,
  type JumpOptions,
  type Sampler,
  type SamplerName,
  type SplitPrediction,
  type Start,
  type WalkLevels,
} from '../../../diffusion/index.ts'
import type { DenoiserInput } from '../../../models/family.ts'
import { learnsVariance, takesEstimate } from '../../../models/registry.ts'
import { range } from '../../../prelude/array.ts'
import { concatenate } from '../../../tensor/combine.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import { foldIn, key, normal, type Key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { E, type TE } from '../../../prelude/fp.ts'
import { diverged, nonFinite } from '../../finite.ts'
import { toByte } from '../../pictures/pixels.ts'
import type { TrainError } from '../../trainError.ts'
import { pictureOf, type Diffusion, type Params } from './diffusion.ts'

/** What pictures begin with. */
export type Beginning =
  /** The noise of one seed for all. */
  | { readonly kind: 'noise' }
  /** Each the noise of a seed of its own, one after the other: that seed alone draws the same picture. */
  | { readonly kind: 'seeds' }
  /** Noises on the way from the seed's to another's. */
  | { readonly kind: 'between'; readonly to: number }
  /** A picture as the network sees it, f32 [h, w, c], with noise for a share of the steps. */
  | { readonly kind: 'picture'; readonly x0: Float32Array; readonly strength: number }
  /** Noise where fill, f32 [h, w, 1], is 1, which is then drawn to fit a picture beside it, f32 [h, w, c]. */
  | { readonly kind: 'fill'; readonly x0: Float32Array; readonly fill: Float32Array; readonly jumps: JumpOptions }

/** How many pictures, in how many steps, from which noise. */
export interface DrawOptions {
  readonly count: number
  readonly steps: number
  readonly seed: number
  /** Default: {@link defaultSampler}. */
  readonly sampler?: SamplerName
  /** Which times it visits, or which σ. */
  readonly walk?: WalkLevels
  /** Pictures that go through the network together; default the batch of training. */
  readonly batch?: number
  /** Default: noise. */
  readonly begin?: Beginning
  /** What the network is told of every picture, f32 [K]; absent for nothing. */
  readonly condition?: Float32Array
  /** Worse weights of the same network, away from which it draws; absent, and with a condition, the network without it is the guide. */
  readonly guide?: Params
  /** w, how far it moves away from the guide; default 1, not at all. */
  readonly guidance?: number
  /** Whether only the image is moved, by CFG++; default false. */
  readonly plusPlus?: boolean
  /** Dynamic thresholding: the share of a picture's values that are kept within bounds; absent, estimates are clipped. */
  readonly threshold?: number
}

/** What is told after each step of the sampler. */
type Told = (done: number, total: number) => void

/** What a step of the sampler is given beside x and t. */
interface Drawing {
  readonly params: Params
  readonly guide?: Params
  /** [N, K]. */
  readonly condition?: Tensor
}

/** The largest range that is scaled back into [−1, 1]: more than networks say. */
const mostRange = 100

/** A network that says of an image and its noise the same, or each by itself. */
type SplitDenoiser<P> = (params: P, x: Tensor, t: Tensor, estimate?: Tensor) => Tensor | SplitPrediction

/** Whether variances that the network has learned are drawn by: by the samplers that have a place for them. */
const drawsVariance = ({ config }: Diffusion, { sampler, begin }: DrawOptions): boolean =>
  learnsVariance(config.model) && (sampler === 'ddpm' || sampler === 'ddpm-respaced') && begin?.kind !== 'fill'

/** A denoiser that is moved away from its guide by its prediction alone: the variance that it says stays its own. */
const withOwnVariance =
  <P>({ both }: Guided<P>, away: Denoiser<P>): Denoiser<P> =>
  (params, x, t, estimate) => {
    const [own] = both(params, x, t, estimate) // the same nodes as those that are moved
    const { fraction } = splitVariance(own, x)
    return concatenate([predictionIn(away(params, x, t, estimate), x), fraction.mul(2).sub(1)], -1)
  }

/** The network, moved away from its guide. */
const denoiserOf = (diffusion: Diffusion, options: DrawOptions): SplitDenoiser<Drawing> => {
  const { guidance: weight = 1, plusPlus = false, guide, condition: told } = options
  const varies = drawsVariance(diffusion, options)
  const moved = <P>(pair: Guided<P>): SplitDenoiser<P> => {
    if (plusPlus) return cfgPlusPlus(pair, { weight })
    const away = guided(pair, { weight })
    return varies && weight !== 1 ? withOwnVariance(pair, away) : away
  }
  const said = (params: Params, input: DenoiserInput): Tensor => {
    const output = diffusion.model.apply(params, input)
    return varies ? output : predictionIn(output, input.x)
  }
  const network: Denoiser<Drawing> = ({ params, condition }, x, t, estimate) =>
    said(params, { x, t, condition, estimate })
  if (guide !== undefined) {
    const away = moved(autoguidance(network, network))
    return ({ params, guide: worse = params, ...same }, x, t, estimate) =>
      away({ params: { params, ...same }, guide: { params: worse, ...same } }, x, t, estimate)
  }
  if (told === undefined) return network
  const free = classifierFree((params: Params, x, t, condition, estimate) =>
    said(params, { x, t, condition, estimate }),
  )
  const away = moved(free)
  return ({ params, condition }, x, t, estimate) =>
    condition === undefined ? network({ params }, x, t, estimate) : away({ params, condition }, x, t, estimate)
}

/** From what the network draws to pictures in [−1, 1]. @throws TypeError where it draws latents, and no autoencoder is at hand */
const picturesOn = (device: Device, { space, autoencoder }: Diffusion): ((x: Tensor) => Promise<Tensor>) => {
  if (space.example.dtype === 'u8') return (x) => Promise.resolve(x)
  if (autoencoder === undefined)
    throw new TypeError('drawing from latents takes the autoencoder that they are of: give it with the model')
  return autoencoder.decoderOn(device)
}

/** The key of a batch of the pictures of a seed. */
const batchKey = (seed: number, batch: number): Key => foldIn(foldIn(key(seed), 'sample'), batch)

/** The noise of the first picture of a seed: [1, h, w, c]. */
const noiseOfSeed = (seed: number, shape: readonly number[]): Tensor =>
  normal(foldIn(batchKey(seed, 0), 'start'), [1, ...shape])

/** Where the walks of a batch start; undefined at the noise of its key. */
const startOf = <S>(
  sampler: Sampler<S>,
  { space }: Diffusion,
  { begin = { kind: 'noise' }, count, seed }: DrawOptions,
  size: number,
): ((batch: number) => Start<S> | undefined) => {
  const deviation = startingDeviation(sampler.levels)
  const at = (noises: readonly Tensor[]): Start<S> => ({
    state: sampler.init(concatenate([...noises], 0).mul(deviation)),
    step: 0,
  })
  const numbers = (batch: number): readonly number[] => range(size).map((i) => Math.min(batch * size + i, count - 1))
  switch (begin.kind) {
    case 'noise':
      return () => undefined
    case 'fill':
      return (batch) => ({
        state: sampler.init(normal(foldIn(batchKey(seed, batch), 'start'), [size, ...space.shape]).mul(deviation)),
        step: 0,
      })
    case 'seeds':
      return (batch) => at(numbers(batch).map((i) => noiseOfSeed(seed + i, space.shape)))
    case 'between': {
      const [from, to] = [noiseOfSeed(seed, space.shape), noiseOfSeed(begin.to, space.shape)]
      return (batch) => at(numbers(batch).map((i) => slerp(from, to, count === 1 ? 0 : i / (count - 1))))
    }
    case 'picture': {
      const x0 = tensor(begin.x0, { shape: [1, ...space.shape] }).broadcastTo([size, ...space.shape])
      return (batch) => startFrom(sampler, x0, normal(foldIn(batchKey(seed, batch), 'start'), x0.shape), begin.strength)
    }
  }
}

/** A batch of pictures, of those of a seed. */
type DrawBatch = (drawing: Drawing, batch: number, onStep: Told) => Promise<Tensor>

/** The sampler that is asked for, or the one that fills in. */
const samplerOf = (diffusion: Diffusion, options: DrawOptions, size: number): AnySampler => {
  const { schedule, space } = diffusion
  const { steps, sampler: name = defaultSampler, walk = {}, begin } = options
  if (drawsVariance(diffusion, options)) {
    const learned = { variance: 'learned' } as const
    return (use) =>
      use(name === 'ddpm' ? ddpm(schedule, learned) : ddpmBetween(scheduleLevels(schedule, steps, walk), learned))
  }
  if (begin?.kind !== 'fill') return samplerNamed(name, schedule, steps, walk)
  const [h, w] = space.shape
  const picture = tensor(begin.x0, { shape: [1, ...space.shape] }).broadcastTo([size, ...space.shape])
  const fill = tensor(begin.fill, { shape: [1, h, w, 1] }).broadcastTo([size, h, w, 1])
  return (use) => use(repaint(scheduleLevels(schedule, steps, walk), { picture, fill, ...begin.jumps }))
}

/** Compiles the sampler. */
const batchesOn = (device: Device, diffusion: Diffusion, options: DrawOptions, size: number): DrawBatch => {
  const { config, space } = diffusion
  const { seed, threshold } = options
  const batches = <S>(sampler: Sampler<S>): DrawBatch => {
    const walk = sampling({
      device,
      denoise: denoiserOf(diffusion, options),
      prediction: config.objective,
      sampler,
      shape: [size, ...space.shape],
      clip: threshold === undefined ? space.bounded : { ratio: threshold, most: mostRange },
      learnedVariance: drawsVariance(diffusion, options),
    })
    const start = startOf(sampler, diffusion, options, size)
    return async (drawing, batch, onStep) => {
      const from = start(batch)
      const { x } = await walk(drawing, batchKey(seed, batch), { onStep, ...(from !== undefined && { from }) })
      return x
    }
  }
  const any = samplerOf(diffusion, options, size)
  return any((sampler) => (takesEstimate(config.model) ? batches(selfConditioned(sampler)) : batches(sampler)))
}

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
  const { count, condition, guide, batch = config.batch } = options
  const size = Math.min(batch, count)
  const batches = Math.ceil(count / size)
  const draw = batchesOn(device, diffusion, options, size)
  const picturesOf = picturesOn(device, diffusion)
  const each = pictureOf(config).reduce((a, b) => a * b)
  const told =
    condition &&
    tensor(
      range(size).flatMap(() => [...condition]),
      { shape: [size, condition.length] },
    )
  return (params, onStep) => async () => {
    const drawing = { params, ...(guide !== undefined && { guide }), ...(told !== undefined && { condition: told }) }
    const pictures: Uint8Array[] = []
    for (const b of range(batches)) {
      const x = await draw(drawing, b, (done, total) => onStep?.(b * total + done, batches * total))
      const values = await device.read(await picturesOf(x))
      const bad = nonFinite(values)
      if (bad !== undefined) return E.left(diverged(config, `the samples are ${bad}`))
      const bytes = Uint8Array.from(values, toByte)
      pictures.push(...range(size).map((i) => bytes.subarray(i * each, (i + 1) * each)))
    }
    return E.right(pictures.slice(0, count))
  }
}
