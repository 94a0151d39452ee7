/** Pictures from trained weights: a sampler that is chosen by name, from noise that a seed names. */
import { defaultSampler, samplerNamed, sampling, type SamplerName } from '../diffusion/index.ts'
import { range } from '../prelude/array.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, key, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fail } from './failure.ts'
import { diverged, nonFinite } from './finite.ts'
import type { Params, Recipe } from './recipe.ts'
import { channelsOf } from './trainConfig.ts'

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

/**
 * Compiles the sampler; the result draws the same pictures from the same parameters.
 *
 * @returns `count` pictures, each bytes [H, W, C]; out of the loop (`fail`) as diverged where they are no numbers
 * @throws RangeError for steps that the sampler cannot take, such as more than the schedule has
 */
export const drawerOn = (
  device: Device,
  recipe: Recipe,
  { count, steps, seed, sampler: name = defaultSampler, batch = recipe.config.batch }: DrawOptions,
): ((params: Params, onStep?: Told) => Promise<readonly Uint8Array[]>) => {
  const { config, model, schedule } = recipe
  const size = Math.min(batch, count)
  const batches = Math.ceil(count / size)
  const draw = samplerNamed(
    name,
    schedule,
    steps,
  )((sampler) => {
    const walk = sampling({
      device,
      denoise: (params: Params, x, t) => model.apply(params, { x, t }),
      prediction: config.objective,
      sampler,
      shape: [size, config.height, config.width, channelsOf(config)],
    })
    return (params: Params, key: Key, onStep: Told): Promise<Tensor> => walk(params, key, { onStep }).then(({ x }) => x)
  })
  const each = config.height * config.width * channelsOf(config)
  return async (params, onStep) => {
    const pictures: Uint8Array[] = []
    for (const b of range(batches)) {
      const x = await draw(params, foldIn(foldIn(key(seed), 'sample'), b), (done, total) =>
        onStep?.(b * total + done, batches * total),
      )
      const values = await device.read(x)
      const bad = nonFinite(values)
      if (bad !== undefined) fail(diverged(config, `the samples are ${bad}`))
      const bytes = Uint8Array.from(values, toByte)
      pictures.push(...range(size).map((i) => bytes.subarray(i * each, (i + 1) * each)))
    }
    return pictures.slice(0, count)
  }
}
