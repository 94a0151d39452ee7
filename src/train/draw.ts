/** Pictures from trained weights: DDIM from noise that a seed names. */
import { ddim, sampling } from '../diffusion/index.ts'
import { range } from '../prelude/array.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, key } from '../tensor/random.ts'
import { fail } from './failure.ts'
import { diverged, nonFinite } from './finite.ts'
import type { Params, Recipe } from './recipe.ts'
import { channelsOf } from './trainConfig.ts'

/** How many pictures, in how many steps, from which noise. */
export interface DrawOptions {
  readonly count: number
  readonly steps: number
  readonly seed: number
  /** Pictures that go through the network together; default the batch of training. */
  readonly batch?: number
}

/** A number in [−1, 1] as a byte. */
const toByte = (x: number): number => Math.round((Math.min(1, Math.max(-1, x)) + 1) * 127.5)

/**
 * Compiles the sampler; the result draws the same pictures from the same parameters.
 *
 * @returns `count` pictures, each bytes [H, W, C]; out of the loop (`fail`) as diverged where they are no numbers
 * @throws RangeError for more steps than the schedule has
 */
export const drawerOn = (
  device: Device,
  recipe: Recipe,
  { count, steps, seed, batch = recipe.config.batch }: DrawOptions,
): ((params: Params, onStep?: (done: number, total: number) => void) => Promise<readonly Uint8Array[]>) => {
  const { config, model, schedule } = recipe
  const size = Math.min(batch, count)
  const batches = Math.ceil(count / size)
  const draw = sampling<Params>({
    device,
    denoise: (params, x, t) => model.apply(params, { x, t }),
    schedule,
    objective: config.objective,
    sampler: ddim({ steps }),
    shape: [size, config.height, config.width, channelsOf(config)],
  })
  const each = config.height * config.width * channelsOf(config)
  return async (params, onStep) => {
    const pictures: Uint8Array[] = []
    for (const b of range(batches)) {
      const { x } = await draw(params, foldIn(foldIn(key(seed), 'sample'), b), {
        onStep: (done, total) => onStep?.(b * total + done, batches * total),
      })
      const values = await device.read(x)
      const bad = nonFinite(values)
      if (bad !== undefined) fail(diverged(config, `the samples are ${bad}`))
      const bytes = Uint8Array.from(values, toByte)
      pictures.push(...range(size).map((i) => bytes.subarray(i * each, (i + 1) * each)))
    }
    return pictures.slice(0, count)
  }
}
