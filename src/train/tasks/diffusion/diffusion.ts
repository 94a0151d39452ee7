/** What the configuration of a diffusion model names: the network, the noise schedule and the objective. */
import { requireKnown } from '../../../prelude/options.ts'
import type { LossOptions, NoiseSchedule } from '../../../diffusion/index.ts'
import type { DenoiserInput } from '../../../models/family.ts'
import { modelOf } from '../../../models/registry.ts'
import type { DenoiserParams } from '../../../models/sealed.ts'
import type { Module } from '../../../nn/index.ts'
import type { Device } from '../../../tensor/device.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { channelsOf, type DiffusionConfig, type DiffusionRun } from './diffusionConfig.ts'
import { scheduleOf } from './noiseSchedule.ts'
import { toldTimes } from './toldTimes.ts'
import { spaceOf, type Space } from './space.ts'

/** The parameters of the network. */
export type Params = DenoiserParams

/** An autoencoder, between the latents x that a network works on, [N, h, w, c], and pictures. */
export interface PictureCodec {
  /** x as pictures [N, H, W, C] in [−1, 1]. */
  readonly decoderOn: (device: Device) => (x: Tensor) => Promise<Tensor>
  /** Pictures, u8 [N, H, W, C], as x. */
  readonly encoderOn: (device: Device) => (pictures: Tensor) => Promise<Tensor>
  /** Its file, as a run keeps it. */
  readonly file: Uint8Array
  /** There where it was trained by the features by which `fathom eval` judges. */
  readonly features?: 'seas'
}

/** A network, and what it is trained for. */
export interface Diffusion {
  readonly config: DiffusionRun
  readonly model: Module<Params, DenoiserInput>
  readonly schedule: NoiseSchedule
  /** Where the network works. */
  readonly space: Space
  /** What x is a picture of, where the network works on latents and the autoencoder is at hand. */
  readonly autoencoder?: PictureCodec
  /** What the loss is told: the schedule, what is predicted, and the weights of the times. */
  readonly lossOptions: LossOptions
}

/** A network with weights, and all that is needed to draw from it. */
export interface LoadedWeights extends Pick<Diffusion, 'config' | 'model' | 'schedule' | 'autoencoder'> {
  /** The weights from which to sample; of a run, the averaged ones. */
  readonly average: Params
}

/** What of a diffusion model its configuration does not make. */
export interface Given {
  /** Default: the network of the configuration. */
  readonly model?: Diffusion['model'] | undefined
  readonly autoencoder?: PictureCodec | undefined
}

/** What a configuration names. */
export const diffusionOf = (config: DiffusionRun, given: Given = {}): Diffusion => {
  requireKnown('diffusionTask', given, ['model', 'autoencoder'])
  const { model, autoencoder } = given
  const space = spaceOf(config)
  const schedule = scheduleOf(config)
  return {
    config,
    model: model ?? toldTimes(config, modelOf(config.model, space.shape[2])),
    schedule,
    space,
    ...(autoencoder !== undefined && { autoencoder }),
    lossOptions: {
      schedule,
      prediction: config.objective,
      weighting: config.weighting,
      ...(config.minSnr !== null && { minSnrGamma: config.minSnr }),
    },
  }
}

/** Height, width and channels of a picture. */
export const pictureOf = (config: DiffusionConfig): readonly [number, number, 1 | 3 | 4] => [
  config.height,
  config.width,
  channelsOf(config),
]
