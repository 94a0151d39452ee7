/** The settings of an autoencoder's training, beside those that every run has; how they are decoded, and what they must be to one another. */
import { autoencoderOf, decodeAutoencoder, type AutoencoderConfig } from '../../../models/autoencoder/registry.ts'
import { expects, number, oneOf, optional, record, whole, type Fields } from '../../../prelude/decode.ts'
import { E } from '../../../prelude/fp.ts'
import { runFields, type RunConfig } from '../../runConfig.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'

/** What each loss counts, the reconstruction's being 1; 0 leaves a loss out. */
export interface LossWeights {
  /** Of details by scale. */
  readonly pyramid: number
  /** Of the divergence of latents from a standard normal distribution. */
  readonly kl: number
}

/** What an autoencoder is, and what it is trained for. */
export interface AutoencoderTaskConfig {
  readonly task: 'autoencoder'
  /** Size of the pictures in pixels. */
  readonly height: number
  readonly width: number
  readonly channels?: 1 | 3 | 4
  readonly autoencoder: AutoencoderConfig
  /** Side of the crops that it is trained on, in pixels. It is measured on whole pictures. */
  readonly crop: number
  readonly weights: LossWeights
  /** Whether pictures are mirrored at random. */
  readonly flip: boolean
  /** Pictures on a sheet of reconstructions. */
  readonly sampleCount: number
}

/** The configuration of a run that trains an autoencoder. */
export type AutoencoderRun = RunConfig & AutoencoderTaskConfig

const weight = number('a number ≥ 0', (x) => x >= 0 && Number.isFinite(x))

/** What each setting must be. */
export const autoencoderFields: Fields<AutoencoderRun> = {
  ...runFields,
  task: oneOf('autoencoder'),
  height: whole(1, 8192),
  width: whole(1, 8192),
  channels: optional((x) => (x === 1 || x === 3 || x === 4 ? E.right(x) : expects('1, 3 or 4'))),
  autoencoder: decodeAutoencoder,
  crop: whole(1, 8192),
  weights: record<LossWeights>({ pyramid: weight, kl: weight }),
  flip: (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false')),
  sampleCount: whole(1, 1024),
}

const factorOf = (config: AutoencoderConfig): number => autoencoderOf(config)(({ autoencoder }) => autoencoder.factor)

/** What the values must be to one another. */
export const checkAutoencoder = (config: AutoencoderRun): E.Either<TrainError, AutoencoderRun> => {
  const { height, width, crop, channels = 3, autoencoder } = config
  const factor = factorOf(autoencoder)
  const wrong = [height, width].find((side) => side % factor !== 0)
  if (wrong !== undefined)
    return E.left(
      trainError('CFG', `image size ${wrong} is not divisible by ${factor}, the pixels of a side for one latent`),
    )
  if (crop % factor !== 0 || crop > Math.min(height, width))
    return E.left(
      settingError({
        path: 'crop',
        expected: `a multiple of ${factor}, at most ${Math.min(height, width)}`,
        got: String(crop),
      }),
    )
  if (autoencoder.channels !== channels)
    return E.left(
      settingError({
        path: 'autoencoder.channels',
        expected: `${channels}, as the pictures have`,
        got: String(autoencoder.channels),
      }),
    )
  return E.right(config)
}
