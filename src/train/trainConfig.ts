/** The configuration of a run: plain data, as config.json holds it. */

import type { ModelConfig } from '../models/registry.ts'

/** Everything that a run is determined by. */
export interface TrainConfig {
  /** The folder of pictures; null trains on procedural seas. */
  readonly folder: string | null
  /** The run directory. */
  readonly out: string
  readonly preset: string
  /** Size of the pictures in pixels. */
  readonly height: number
  readonly width: number
  /** Channels of the pictures: 1 is grey, 4 has opacity. Absent, as in the configurations of runs from before there was a choice, it is 3. */
  readonly channels?: 1 | 3 | 4
  readonly model: ModelConfig
  /** Pictures that go through the network together. */
  readonly batch: number
  /** Batches for each step of the optimizer. */
  readonly accumulate: number
  /** Steps of the optimizer. */
  readonly steps: number
  /** The highest rate, reached after 1 % of the steps (100 at most). */
  readonly learningRate: number
  /** What follows: the same rate, or a half cosine down to 0. */
  readonly rate: 'constant' | 'cosine'
  /** The largest decay of the moving average of the weights, in [0, 1). */
  readonly ema: number
  readonly objective: 'epsilon' | 'x0' | 'v'
  readonly schedule: 'linear' | 'cosine' | 'sigmoid'
  /** γ of the min-SNR weights: times with less noise than this ratio count no more (Hang et al. 2023); null for no bound. */
  readonly minSnr: number | null
  /** What noisy times count: their signal-to-noise ratio, or the ratio plus 1 (Salimans & Ho 2022, section 4). */
  readonly weighting: 'snr' | 'snr+1'
  /** T, the number of noise levels. */
  readonly timesteps: number
  /** Whether pictures are mirrored at random. */
  readonly flip: boolean
  /** A safe integer ≥ 0, from which everything random is drawn. */
  readonly seed: number
  readonly device: string
  /** Steps from one checkpoint, sheet of samples, and measurement on held-out pictures to the next. */
  readonly saveEvery: number
  readonly sampleEvery: number
  readonly heldOutEvery: number
  /** Pictures on a sheet, and steps of the sampler. */
  readonly sampleCount: number
  readonly sampleSteps: number
}

/** Channels of a run's pictures. */
export const channelsOf = ({ channels = 3 }: Pick<TrainConfig, 'channels'>): 1 | 3 | 4 => channels
