/** The settings of a diffusion model on pictures, beside those that every run has; how they are decoded, and what they must be to one another. */
import { decodeModel, factorOf, withoutDefaults, type ModelConfig } from '../../../models/registry.ts'
import { expects, oneOf, whole, type Fields } from '../../../prelude/decode.ts'
import { E } from '../../../prelude/fp.ts'
import type { RunConfig } from '../../runConfig.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'

/** What a diffusion model is, and what it is trained for. */
export interface DiffusionConfig {
  /** The task; absent, as in the configurations of runs from before there was a choice, it is this one. */
  readonly task?: 'diffusion'
  /** Size of the pictures in pixels. */
  readonly height: number
  readonly width: number
  /** Channels of the pictures: 1 is grey, 4 has opacity. Absent, as in the configurations of runs from before there was a choice, it is 3. */
  readonly channels?: 1 | 3 | 4
  readonly model: ModelConfig
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
  /** Pictures on a sheet, and steps of the sampler. */
  readonly sampleCount: number
  readonly sampleSteps: number
}

/** The configuration of a run that trains a diffusion model. */
export type DiffusionRun = RunConfig & DiffusionConfig

/** Channels of a run's pictures. */
export const channelsOf = ({ channels = 3 }: Pick<DiffusionConfig, 'channels'>): 1 | 3 | 4 => channels

/** What each setting must be. */
export const diffusionFields: Fields<Omit<DiffusionConfig, 'task'>> = {
  height: whole(1, 8192),
  width: whole(1, 8192),
  channels: (x) => (x === undefined || x === 1 || x === 3 || x === 4 ? E.right(x ?? 3) : expects('1, 3 or 4')),
  model: decodeModel,
  objective: oneOf('epsilon', 'x0', 'v'),
  schedule: oneOf('linear', 'cosine', 'sigmoid'),
  minSnr: (x) =>
    x === null || (typeof x === 'number' && x > 0) ? E.right(x) : expects('a number above 0, for instance 5, or null'),
  weighting: oneOf('snr', 'snr+1'),
  timesteps: whole(2, 100_000),
  flip: (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false')),
  sampleCount: whole(1, 1024),
  sampleSteps: whole(1),
}

const fits = (n: number, factor: number): string => {
  const below = n - (n % factor)
  return below === 0 ? `use ${factor}` : `use ${below} or ${below + factor}`
}

/** Bytes of a sheet of samples at most: it is encoded as one picture. */
const largestSheet = 2 ** 30

/** The pictures that cannot be halved as often as the model does, as an error. */
const indivisible = ({ height, width, model }: DiffusionConfig): TrainError | undefined => {
  const factor = factorOf(model)
  const halvings = Math.log2(factor)
  const wrong = [height, width].find((side) => side % factor !== 0)
  if (wrong === undefined) return undefined
  const what = height === width ? 'image size' : `image ${wrong === height ? 'height' : 'width'}`
  return trainError(
    'CFG',
    `${what} ${wrong} is not divisible by ${factor} (${halvings} halving${halvings === 1 ? '' : 's'}): ${fits(wrong, factor)}`,
  )
}

/** What the values must be to one another. */
export const checkDiffusion = (config: DiffusionRun): E.Either<TrainError, DiffusionRun> => {
  const { height, width, batch, accumulate, sampleCount, sampleSteps, timesteps } = config
  const channels = channelsOf(config)
  if (config.folder === null && channels !== 3)
    return E.left(settingError({ path: 'channels', expected: '3 for procedural seas', got: String(channels) }))
  const refused = indivisible(config)
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
  const pictures = Math.floor(2 ** 32 / (channels * height * width))
  if (batch * accumulate > pictures) {
    const expected = `at most ${pictures} pictures of ${size} (a step draws no more than 2³² numbers of noise)`
    return E.left(settingError({ path: 'batch × accumulate', expected, got: `${batch} × ${accumulate}` }))
  }
  return E.right(config)
}

/** Runs that were written before there was a choice weigh by the ratio, and say nothing of the kind of their network, nor of channels, which were 3. */
export const withDiffusionChoices = (input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
  const { channels, ...others } = input
  const model = 'model' in input && { model: withoutDefaults(input['model']) }
  return { weighting: 'snr', ...others, ...model, ...(channels !== undefined && channels !== 3 && { channels }) }
}
