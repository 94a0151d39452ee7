/** The settings of a diffusion model on pictures, beside those that every run has; how they are decoded, and what they must be to one another. */
import {
  decodeModel,
  factorOf,
  factorReasonOf,
  learnsVariance,
  sizeOf,
  timesOf,
  type ModelConfig,
} from '../../../models/registry.ts'
import { expects, number, oneOf, optional, show, whole, type Fields } from '../../../prelude/decode.ts'
import { augmentationNames } from '../../../data/augment.ts'
import { product } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import { labelNames } from '../../pictures/labelNames.ts'
import { runFields, type RunConfig } from '../../runConfig.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'
import { decodeLatent, type LatentConfig } from './latentConfig.ts'
import { mismatchedNoise, noiseFields, type NoiseConfig } from './noiseConfig.ts'
import { spaceOf } from './space.ts'

/** What a diffusion model is, and what it is trained for. */
export interface DiffusionConfig extends NoiseConfig {
  /** The task; absent, as in the configurations of runs from before there was a choice, it is this one. */
  readonly task?: 'diffusion'
  /** Size of the pictures in pixels. */
  readonly height: number
  readonly width: number
  /** Channels of the pictures: 1 is grey, 4 has opacity. Absent, as in the configurations of runs from before there was a choice, it is 3. */
  readonly channels?: 1 | 3 | 4
  /** Where the model works on latents: of which autoencoder. Absent, it works on pixels. */
  readonly latent?: LatentConfig
  readonly model: ModelConfig
  /** Whether pictures are mirrored at random. */
  readonly flip: boolean
  /** `groups` holds near-duplicates out together, so that held out means held out. Absent, as in runs from before there was a choice, each picture is split alone. */
  readonly split?: 'groups'
  /** By how much more than its size a photograph is decoded, for random parts at random scales to be trained on; absent for the middle part alone. */
  readonly margin?: number
  /** How probable each change of a picture is of which the network is told: mirrored, scaled, turned, moved. Absent for none. */
  readonly augment?: number
  /** What pictures are told to show, as the folders in which they lie; the network is given them as its condition. Absent for nothing. */
  readonly labels?: readonly string[]
  /** How often a picture's labels are kept from the network, so that it also learns to draw without; default 0.1. */
  readonly labelDropout?: number
  /** Pictures on a sheet, and steps of the sampler. */
  readonly sampleCount: number
  readonly sampleSteps: number
  /** Whether copies are counted among the pictures of each sheet, where photographs are trained on. Absent, as in runs from before there was a watch, not. */
  readonly watch?: 'on' | 'off'
}

/** The configuration of a run that trains a diffusion model. */
export type DiffusionRun = RunConfig & DiffusionConfig

/** Channels of a run's pictures. */
export const channelsOf = ({ channels = 3 }: Pick<DiffusionConfig, 'channels'>): 1 | 3 | 4 => channels

const share = number('a number in [0, 1]', (x) => x >= 0 && x <= 1)

/**
 * How many numbers the network is told of each picture: its labels, and how it was changed.
 */
export const conditionsOf = ({ labels = [], augment }: Pick<DiffusionConfig, 'labels' | 'augment'>): number =>
  labels.length + (augment === undefined ? 0 : augmentationNames.length)

/** What each setting must be. */
export const diffusionFields: Fields<Omit<DiffusionRun, 'task'>> = {
  ...runFields,
  ...noiseFields,
  height: whole(1, 8192),
  width: whole(1, 8192),
  channels: (x) => (x === undefined || x === 1 || x === 3 || x === 4 ? E.right(x ?? 3) : expects('1, 3 or 4')),
  latent: optional(decodeLatent),
  model: decodeModel,
  flip: (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false')),
  split: optional(oneOf('groups')),
  margin: optional(number('a number above 1 and at most 4, for instance 1.25', (x) => x > 1 && x <= 4)),
  augment: optional(share),
  labels: optional(labelNames),
  labelDropout: optional(share),
  sampleCount: whole(1, 1024),
  sampleSteps: whole(1),
  watch: optional(oneOf('on', 'off')),
}

const fits = (n: number, factor: number): string => {
  const below = n - (n % factor)
  return below === 0 ? `use ${factor}` : `use ${below} or ${below + factor}`
}

/** Bytes of a sheet of samples at most: it is encoded as one picture. */
const largestSheet = 2 ** 30

/** So many halvings, in words. */
const halvings = (factor: number): string => `${Math.log2(factor)} halving${factor === 2 ? '' : 's'}`

/** Why pictures must be divisible by what they must: the autoencoder halves them, and then the model halves or cuts what it is given. */
const divisibleFor = (model: ModelConfig, ofLatents: number): string => {
  const reason = factorReasonOf(model)
  if (reason === undefined) return halvings(factorOf(model) * ofLatents)
  return ofLatents === 1 ? reason : `${halvings(ofLatents)}, then ${reason}`
}

/** The pictures that cannot be made as small as autoencoder and model do, as an error. */
const indivisible = ({ height, width, model, latent }: DiffusionConfig): TrainError | undefined => {
  const ofLatents = latent?.factor ?? 1
  const factor = factorOf(model) * ofLatents
  const wrong = [height, width].find((side) => side % factor !== 0)
  if (wrong === undefined) return undefined
  const what = height === width ? 'image size' : `image ${wrong === height ? 'height' : 'width'}`
  return trainError(
    'CFG',
    `${what} ${wrong} is not divisible by ${factor} (${divisibleFor(model, ofLatents)}): ${fits(wrong, factor)}`,
  )
}

/** A network that is told more or less than there is to be told, and changes that latents cannot have, as an error. */
const misconditioned = (config: DiffusionConfig): TrainError | undefined => {
  const { latent, model, augment, margin, flip } = config
  const [told, expected] = [model.conditions ?? 0, conditionsOf(config)]
  if (latent !== undefined && (augment !== undefined || margin !== undefined))
    return trainError(
      'CFG',
      `${augment === undefined ? 'margin' : 'augment'} changes pictures, and a run on latents encodes each once: train the autoencoder on crops, and leave it out here`,
    )
  if (augment !== undefined && flip)
    return settingError({
      path: 'flip',
      expected: 'false with augment, which mirrors too and tells the network',
      got: 'true',
    })
  return told === expected
    ? undefined
    : settingError({
        path: 'model.conditions',
        expected: `${expected}, for the labels and changes that the network is told`,
        got: String(told),
      })
}

/** A network that takes one size, of other pictures or latents, as an error. */
const ofAnotherSize = (config: DiffusionConfig): TrainError | undefined => {
  const { height, width, model, latent } = config
  const [rows, columns] = [height, width].map((side) => side / (latent?.factor ?? 1))
  const size = sizeOf(model)
  if (size === undefined || (size[0] === rows && size[1] === columns)) return undefined
  const what = latent === undefined ? 'pictures' : 'latents'
  return settingError({
    path: 'model.size',
    expected: `[${rows}, ${columns}], the size of the ${what}, or absent`,
    got: show(size),
  })
}

/** A network that cannot be told all times of the run, as an error. */
const timeless = ({ model, timesteps }: DiffusionConfig): TrainError | undefined => {
  const most = timesOf(model)
  return timesteps <= most
    ? undefined
    : settingError({ path: 'timesteps', expected: `at most ${most}, the times of the model`, got: String(timesteps) })
}

/** Variances that cannot be learned, as an error. */
const unvaried = ({ model, schedule, latent }: DiffusionConfig): TrainError | undefined => {
  if (!learnsVariance(model) || (schedule !== 'flow' && latent === undefined)) return undefined
  const why =
    latent === undefined
      ? 'on a flow, which is no chain of steps whose variance there is to learn'
      : 'on latents, which have no levels whose likelihood it is learned by'
  return settingError({ path: 'model.learnedVariance', expected: `false ${why}`, got: 'true' })
}

/** What parts of a configuration must be to one another. */
const parts = [indivisible, ofAnotherSize, misconditioned, timeless, mismatchedNoise, unvaried]

/** What the values must be to one another. */
export const checkDiffusion = (config: DiffusionRun): E.Either<TrainError, DiffusionRun> => {
  const { height, width, batch, accumulate, sampleCount, sampleSteps, timesteps } = config
  const channels = channelsOf(config)
  if (config.folder === null && channels !== 3)
    return E.left(settingError({ path: 'channels', expected: '3 for procedural seas', got: String(channels) }))
  const refused = parts.map((mismatch) => mismatch(config)).find((error) => error !== undefined)
  if (refused !== undefined) return E.left(refused)
  const size = `${height}×${width}`
  const sheet = sampleCount * height * width * channels
  if (sheet > largestSheet) {
    const most = Math.max(1, Math.floor((largestSheet * sampleCount) / sheet))
    const expected = `at most ${most} for pictures of ${size}`
    return E.left(settingError({ path: 'sampleCount', expected, got: String(sampleCount) }))
  }
  if (sampleSteps > timesteps) {
    const expected = `at most timesteps, ${timesteps}`
    return E.left(settingError({ path: 'sampleSteps', expected, got: String(sampleSteps) }))
  }
  const pictures = Math.floor(2 ** 32 / product(spaceOf(config).shape))
  if (batch * accumulate > pictures) {
    const expected = `at most ${pictures} pictures of ${size} (a step draws no more than 2³² numbers of noise)`
    return E.left(settingError({ path: 'batch × accumulate', expected, got: `${batch} × ${accumulate}` }))
  }
  return E.right(config)
}
