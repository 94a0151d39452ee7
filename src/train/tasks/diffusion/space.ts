/**
 * Where a diffusion model works: on the pixels of pictures, or on the latents of an autoencoder (Rombach et al. 2022). The network, the loss and
 * the samplers are the same; what differs is the shape of x, how examples become x₀, and whether x₀ has bounds.
 */
import { at } from '../../../prelude/array.ts'
import type { Shape } from '../../../graph/shape.ts'
import { meanPicture, type TrainingData } from '../../../data/batches.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { normalise } from '../../pictures/pixels.ts'
import type { LatentConfig } from './latentConfig.ts'

/** The settings that a space is of. */
interface SpaceConfig {
  readonly height: number
  readonly width: number
  readonly channels?: 1 | 3 | 4
  readonly latent?: LatentConfig
}

/** One example as data hold it: bytes of a picture, or numbers of its latents. */
export type Example = Uint8Array | Float32Array

/** Where a diffusion model works. */
export interface Space {
  /** Height, width and channels of x. */
  readonly shape: readonly [height: number, width: number, channels: number]
  /** Of one example: u8 [H, W, C] of a picture; f32 [2, h, w, c] of latents, those of the picture and of its mirror image. */
  readonly example: { readonly shape: Shape; readonly dtype: 'u8' | 'f32' }
  /** Whether x₀ lies in [−1, 1], so that a sampler keeps its estimates there. */
  readonly bounded: boolean
  /** Examples [N, …] as x₀ [N, h, w, c]. @param mirrored bool [N]; absent for none */
  readonly x0: (examples: Tensor, mirrored?: Tensor) => Tensor
  /** The mean of x₀ over the first examples of the stream, none of them mirrored: [h, w, c]. */
  readonly mean: (data: TrainingData<Example>) => Float32Array
}

const each = (mirrored: Tensor): Tensor => mirrored.reshape([mirrored.size, 1, 1, 1])

const pixels = ({ height, width, channels = 3 }: SpaceConfig): Space => {
  const shape = [height, width, channels] as const
  return {
    shape,
    example: { shape, dtype: 'u8' },
    bounded: true,
    x0: (images, mirrored) => {
      const x = normalise(images)
      return mirrored === undefined ? x : each(mirrored).select(x.reverse([2]), x)
    },
    mean: (data) => meanPicture(data),
  }
}

const latents = ({ height, width }: SpaceConfig, { channels, factor }: LatentConfig): Space => {
  const shape = [height / factor, width / factor, channels] as const
  const side = (x: Tensor, i: number): Tensor => x.slice([], [i, i + 1]).reshape([at(x.shape, 0), ...shape])
  return {
    shape,
    example: { shape: [2, ...shape], dtype: 'f32' },
    bounded: false,
    x0: (examples, mirrored) =>
      mirrored === undefined ? side(examples, 0) : each(mirrored).select(side(examples, 1), side(examples, 0)),
    mean: (data) => meanPicture(data, undefined, (mean) => mean).subarray(0, shape[0] * shape[1] * shape[2]),
  }
}

/** Where a configuration's model works. */
export const spaceOf = (config: SpaceConfig): Space =>
  config.latent === undefined ? pixels(config) : latents(config, config.latent)
