/** The settings of an autoencoder's training, beside those that every run has; how they are decoded, and what they must be to one another. */
import { autoencoderOf, decodeAutoencoder, type AutoencoderConfig } from '../../../models/autoencoder/registry.ts'
import {
  expects,
  number,
  oneOf,
  optional,
  record,
  text,
  whole,
  type Decoder,
  type Fields,
} from '../../../prelude/decode.ts'
import { E } from '../../../prelude/fp.ts'
import { isRecord } from '../../../prelude/record.ts'
import { learningRate, runFields, type RunConfig } from '../../runConfig.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'

/** What each loss counts, the reconstruction's being 1; 0 leaves a loss out. */
export interface LossWeights {
  /** Of details by scale. */
  readonly pyramid: number
  /** Of the divergence of latents from a standard normal distribution; it rises over the first tenth of the steps. */
  readonly kl: number
  /** Of latents that shrink and turn as pictures do, after the first tenth of the steps. */
  readonly equivariance: number
  /** Of how a trained network sees reconstructions, from a fifth of the steps on; absent is 0. */
  readonly features?: number
  /** How large the adversary's gradient may be at the decoder's last layer, as a share of the others'. */
  readonly adversary: number
}

/** A network by whose features an autoencoder is trained: that of another run, which the run keeps a copy of. */
export interface RunFeatures {
  /** SHA-256 of its weights and settings. */
  readonly fingerprint: string
  /** The run from which it was copied when this one began. */
  readonly from?: string
}

/** The setting `features`: the network that was trained on procedural seas and comes with fathom, or that of a run of one's own. */
export type FeaturesConfig = 'seas' | RunFeatures

/** What the decoder is trained against in the last part of a run, where its weight is not 0. */
export interface AdversaryConfig {
  readonly loss: 'hinge' | 'vanilla'
  /** Share of the steps after which it begins, and the encoder rests. */
  readonly from: number
  /** Of decoder and adversary from then on. */
  readonly learningRate: number
  /** Half of γ, the weight of its steepness at real pictures. */
  readonly penalty: number
  /** Channels of its first layer. */
  readonly width: number
  /** Convolutions that halve. */
  readonly layers: number
  readonly norm: 'group' | 'none'
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
  /** What sees, where the weight of features is not 0. */
  readonly features?: FeaturesConfig
  readonly adversary: AdversaryConfig
  /**
   * The fewest steps that the run was ever planned for, by which its phases go; absent where that is its steps. So what has begun stays begun when
   * the run goes on for more steps: an encoder that rests moves no more, and latents that were made of it stay what they are.
   */
  readonly phaseSteps?: number
  /** Whether pictures are mirrored at random. */
  readonly flip: boolean
  /** `groups` holds near-duplicates out together; absent, each picture is split alone. */
  readonly split?: 'groups'
  /** Pictures on a sheet of reconstructions. */
  readonly sampleCount: number
}

/** The configuration of a run that trains an autoencoder. */
export type AutoencoderRun = RunConfig & AutoencoderTaskConfig

/** The configuration for so many steps in all. */
export const withSteps = ({ phaseSteps, ...config }: AutoencoderRun, steps: number): AutoencoderRun => {
  const fewest = Math.min(phaseSteps ?? config.steps, steps)
  return { ...config, steps, ...(fewest < steps && { phaseSteps: fewest }) }
}

const weight = number('a number ≥ 0', (x) => x >= 0 && Number.isFinite(x))

const features: Decoder<FeaturesConfig> = (x) =>
  isRecord(x) ? record<RunFeatures>({ fingerprint: text, from: optional(text) })(x) : oneOf('seas')(x)

/** What each setting must be. */
export const autoencoderFields: Fields<AutoencoderRun> = {
  ...runFields,
  task: oneOf('autoencoder'),
  height: whole(1, 8192),
  width: whole(1, 8192),
  channels: optional((x) => (x === 1 || x === 3 || x === 4 ? E.right(x) : expects('1, 3 or 4'))),
  autoencoder: decodeAutoencoder,
  crop: whole(1, 8192),
  weights: record<LossWeights>({
    pyramid: weight,
    kl: weight,
    equivariance: weight,
    features: optional(weight),
    adversary: weight,
  }),
  features: optional(features),
  adversary: record<AdversaryConfig>({
    loss: oneOf('hinge', 'vanilla'),
    from: number('a share of the steps, 0 … 1', (x) => x >= 0 && x <= 1),
    learningRate,
    penalty: weight,
    width: whole(1, 1024),
    layers: whole(1, 8),
    norm: oneOf('group', 'none'),
  }),
  phaseSteps: optional(whole(1, 1e9)),
  flip: (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false')),
  split: optional(oneOf('groups')),
  sampleCount: whole(1, 1024),
}

/** Channels of an autoencoder's latents, and pixels of a picture's side for one of them. */
export const latentShapeOf = (config: AutoencoderConfig): { readonly channels: number; readonly factor: number } =>
  autoencoderOf(config)(({ autoencoder: { latentChannels, factor } }) => ({ channels: latentChannels, factor }))

/** What the sides of a crop must be divisible by: latents are quartered where they should shrink as pictures do, and pictures halved for details. */
const divisorOf = ({ autoencoder, weights }: AutoencoderRun): number =>
  Math.max(latentShapeOf(autoencoder).factor * (weights.equivariance > 0 ? 4 : 1), weights.pyramid > 0 ? 8 : 1)

/** The least side of a picture that an adversary of so many halvings judges. */
export const leastJudged = (layers: number): number => 3 * 2 ** layers

/** The least side of a crop. */
const leastCrop = ({ weights, features: sees, adversary: { layers } }: AutoencoderRun): number =>
  Math.max(weights.adversary > 0 ? leastJudged(layers) : 1, sees === 'seas' ? 8 : 1)

/** What is wrong with the crops. */
const faultOfCrop = (config: AutoencoderRun): TrainError | undefined => {
  const { height, width, crop } = config
  const [divisor, most] = [divisorOf(config), Math.min(height, width)]
  const least = divisor * Math.ceil(leastCrop(config) / divisor)
  if (most < least)
    return trainError(
      'CFG',
      `image size ${most} is too small for crops of which this autoencoder can learn: they have a side of ${least} at least`,
    )
  return crop % divisor === 0 && crop >= least && crop <= most
    ? undefined
    : settingError({
        path: 'crop',
        expected: `a multiple of ${divisor}, from ${least} to ${most}`,
        got: String(crop),
      })
}

/** What is wrong with what sees, and how much it counts. */
const faultOfFeatures = ({ weights, features: sees, channels = 3 }: AutoencoderRun): TrainError | undefined => {
  const counts = (weights.features ?? 0) > 0
  if (counts === (sees !== undefined))
    return sees === 'seas' && channels !== 3
      ? settingError({ path: 'channels', expected: '3 for the features of seas', got: String(channels) })
      : undefined
  return counts
    ? settingError({ path: 'features', expected: "seas or a run's where weights.features is above 0", got: 'none' })
    : settingError({ path: 'weights.features', expected: 'above 0 where features are named', got: '0' })
}

/** What the values must be to one another. */
export const checkAutoencoder = (config: AutoencoderRun): E.Either<TrainError, AutoencoderRun> => {
  const { folder, height, width, channels = 3, autoencoder } = config
  if (folder === null && channels !== 3)
    return E.left(settingError({ path: 'channels', expected: '3 for procedural seas', got: String(channels) }))
  const { factor } = latentShapeOf(autoencoder)
  const wrong = [height, width].find((side) => side % factor !== 0)
  if (wrong !== undefined)
    return E.left(
      trainError('CFG', `image size ${wrong} is not divisible by ${factor}, the pixels of a side for one latent`),
    )
  const fault = faultOfCrop(config) ?? faultOfFeatures(config)
  if (fault !== undefined) return E.left(fault)
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
