/** The scale on which latents are diffused: their spread is made about 1, and is undone before decoding. */
import { constant } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** How latents are scaled: (z − shift)·factor, or for every channel (z − mean)·factor / deviation; as diffusers' configuration has it. */
export interface LatentScaling {
  readonly factor: number
  /** Subtracted from all latents, default 0. */
  readonly shift?: number
  /** Mean of each channel. */
  readonly mean?: readonly number[]
  /** Standard deviation of each channel. */
  readonly deviation?: readonly number[]
}

/** How latents are that nobody has measured. */
export const unscaled: LatentScaling = { factor: 1 }

const requireChannels = (what: string, values: readonly number[], z: Tensor): Tensor => {
  if (values.length !== z.shape.at(-1))
    throw new RangeError(
      `the latents have ${z.shape.at(-1)} channels, and ${what} of ${values.length} are given: one for each channel is needed`,
    )
  return constant(values, { dtype: z.dtype })
}

const centreOf = ({ shift = 0, mean }: LatentScaling, z: Tensor): Tensor | number =>
  mean === undefined ? shift : requireChannels('means', mean, z)

const scaleOf = ({ factor, deviation }: LatentScaling, z: Tensor): Tensor | number =>
  deviation === undefined
    ? factor
    : requireChannels(
        'deviations',
        deviation.map((s) => factor / s),
        z,
      )

/**
 * Latents of an encoder as they are diffused: (z − centre)·scale.
 *
 * @throws RangeError for means or deviations of another number of channels
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { scaleLatents } from 'fathom/models'
 *
 * scaleLatents({ factor: 0.5 }, tensor([[2, 4]])) // => [[1, 2]]
 * scaleLatents({ factor: 1, mean: [1, 2], deviation: [1, 2] }, tensor([[2, 4]])) // => [[1, 1]]
 * ```
 */
export const scaleLatents = (scaling: LatentScaling, z: Tensor): Tensor =>
  z.sub(centreOf(scaling, z)).mul(scaleOf(scaling, z))

/**
 * Diffused latents as a decoder takes them: the inverse of {@link scaleLatents}.
 *
 * @throws RangeError for means or deviations of another number of channels
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { unscaleLatents } from 'fathom/models'
 *
 * unscaleLatents({ factor: 0.5, shift: 1 }, tensor([[1, 2]])) // => [[3, 5]]
 * ```
 */
export const unscaleLatents = (scaling: LatentScaling, z: Tensor): Tensor =>
  z.div(scaleOf(scaling, z)).add(centreOf(scaling, z))
