/** What the configuration of a diffusion model names: the network, the noise schedule and the objective. */
import {
  cosineSchedule,
  linearSchedule,
  sigmoidSchedule,
  type LossOptions,
  type Schedule,
} from '../../../diffusion/index.ts'
import type { DenoiserInput } from '../../../models/family.ts'
import { modelOf, type DenoiserParams } from '../../../models/registry.ts'
import type { Module } from '../../../nn/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { channelsOf, type DiffusionConfig, type DiffusionRun } from './diffusionConfig.ts'

/** The parameters of the network. */
export type Params = DenoiserParams

/** A network, and what it is trained for. */
export interface Diffusion {
  readonly config: DiffusionRun
  readonly model: Module<Params, DenoiserInput>
  readonly schedule: Schedule
  /** What the loss is told: the schedule, what is predicted, and the weights of the times. */
  readonly lossOptions: LossOptions
}

/** A network with weights, and all that is needed to draw from it. */
export interface LoadedWeights extends Pick<Diffusion, 'config' | 'model' | 'schedule'> {
  /** The weights from which to sample; of a run, the averaged ones. */
  readonly average: Params
}

const schedules: { readonly [K in DiffusionConfig['schedule']]: (steps: number) => Schedule } = {
  linear: (steps) => linearSchedule(steps),
  cosine: (steps) => cosineSchedule(steps),
  sigmoid: (steps) => sigmoidSchedule(steps),
}

/** What a configuration names. @param model default: the network of the configuration */
export const diffusionOf = (
  config: DiffusionRun,
  model: Diffusion['model'] = modelOf(config.model, channelsOf(config)),
): Diffusion => {
  const schedule = schedules[config.schedule](config.timesteps)
  return {
    config,
    model,
    schedule,
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

/** Bytes 0 … 255 as numbers in [−1, 1]. @param images u8 [N, H, W, C] */
export const normalise = (images: Tensor): Tensor =>
  images
    .cast('f32')
    .mul(1 / 127.5)
    .sub(1)
