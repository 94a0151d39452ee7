/** Opening what a diffusion model is trained on: pictures, or the latents of pictures with their autoencoder. */
import { join } from 'node:path'
import { dataOfEncoded, dataOfSet, type TrainingData } from '../../../data/index.ts'
import { exists } from '../../../io/exists.node.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { keepsLess } from '../autoencoder/keepsLess.ts'
import { loadAutoencoder, type LoadedAutoencoder } from '../autoencoder/loadAutoencoder.node.ts'
import { openPictures, type OpenedPictures } from '../../pictures/openPictures.node.ts'
import { names } from '../../store.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import type { Source } from '../../task.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import type { Told } from '../../pictures/told.ts'
import type { Params } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import { diffusionTask, type Batch, type DiffusionTask } from './diffusionTask.ts'
import type { LatentConfig } from './latentConfig.ts'
import { contentsOf, latentsOf, requireFitting } from './latents.node.ts'
import { previewOf, sheetsOf } from './sheet.ts'
import { spaceOf, type Example } from './space.ts'
import { pictureSource } from './source.ts'
import { watchOf } from './watch.ts'

/** Left where the autoencoder is not the one that the run's configuration names. */
const requireSame = (
  found: LoadedAutoencoder,
  where: string,
  { autoencoder, channels, factor }: LatentConfig,
): E.Either<TrainError, LoadedAutoencoder> => {
  if (autoencoder !== undefined && autoencoder !== found.fingerprint)
    return E.left(
      trainError(
        'WEIGHTS',
        `${where} is another autoencoder than the one whose latents the run is trained on: its latents mean other pictures; restore ${names.autoencoder} from a copy, or begin another run`,
      ),
    )
  return found.latentChannels === channels && found.factor === factor
    ? E.right(found)
    : E.left(
        trainError(
          'CFG',
          `the autoencoder in ${where} has latents of ${found.latentChannels} channels for ${found.factor}×${found.factor} pixels, and the run is of ${channels} for ${factor}×${factor}`,
        ),
      )
}

/** The autoencoder of a run: its own copy, or before it has one that from which it begins. */
export const autoencoderOfRun = (out: string, latent: LatentConfig): TE.TaskEither<TrainError, LoadedAutoencoder> => {
  const from = (where: string): TE.TaskEither<TrainError, LoadedAutoencoder> =>
    pipe(
      loadAutoencoder(where),
      TE.chainEitherK((found) => requireSame(found, where, latent)),
    )
  return async () => {
    const own = join(out, names.autoencoder)
    if (await exists(own)) return from(own)()
    return from(latent.stage === undefined ? (latent.from ?? own) : join(out, names.stage))()
  }
}

/** A text that tells the latents of one autoencoder from those of another. */
const ofAutoencoder = ({ fingerprint }: LoadedAutoencoder): string => `latents of ${fingerprint.slice(0, 16)}`

/** What a configuration's model is trained on, and the pictures that it is of. */
export interface OpenedExamples extends Omit<OpenedPictures, 'set' | 'options' | 'data'> {
  /** Pictures, or their latents. */
  readonly data: TrainingData<Example>
  /** The pictures, of which the same are held out. */
  readonly pictures: TrainingData
  readonly autoencoder?: LoadedAutoencoder
}

const latentsInWords = (config: DiffusionRun, { summary }: Pick<OpenedPictures, 'summary'>): string =>
  `latents ${spaceOf(config).shape.join('×')} of ${summary}`

/** Latents as training data: the same pictures are held out as would be of the pictures themselves. */
const encodedExamples = (
  config: DiffusionRun,
  latent: LatentConfig,
  device: Device,
  tell: Told,
): TE.TaskEither<TrainError, OpenedExamples> =>
  pipe(
    TE.Do,
    TE.bind('autoencoder', () => autoencoderOfRun(config.out, latent)),
    TE.bind('opened', () => openPictures(config, tell)),
    TE.bind('latents', ({ autoencoder, opened }) =>
      latentsOf(device, opened.set, contentsOf(config, opened), autoencoder, tell),
    ),
    TE.map(({ autoencoder, opened, latents }) => {
      const data = dataOfEncoded(latents.set, config.seed, opened.options)
      const pictures = dataOfSet(opened.set, config.seed, opened.options)
      return {
        data,
        pictures,
        originals: config.folder === null ? opened.originals : pictures,
        autoencoder,
        fingerprint: `${opened.fingerprint}, ${ofAutoencoder(autoencoder)}`,
        summary: latentsInWords(config, opened),
        warnings: [...opened.warnings, ...autoencoder.warnings],
      }
    }),
  )

/** Opens what a configuration's model is trained on. @param tell of the pictures that are encoded */
export const openExamples = (
  config: DiffusionRun,
  device: Device,
  tell: Told,
): TE.TaskEither<TrainError, OpenedExamples> =>
  config.latent === undefined
    ? pipe(
        openPictures(config, tell),
        TE.map((opened) => ({ ...opened, pictures: opened.data })),
      )
    : encodedExamples(config, config.latent, device, tell)

/** What a person reads of the examples of a configuration, before any picture is encoded, and before an autoencoder is trained that is yet to be. */
export const surveyExamples = (
  config: DiffusionRun,
  tell: Told,
): TE.TaskEither<TrainError, Pick<OpenedExamples, 'summary' | 'warnings'>> => {
  const { latent, out } = config
  if (latent === undefined) return openPictures(config, tell)
  return pipe(
    latent.stage === undefined ? autoencoderOfRun(out, latent) : TE.right(undefined),
    TE.bindTo('autoencoder'),
    TE.bind('opened', () => openPictures(config, tell)),
    TE.chainFirstEitherK(({ autoencoder, opened }) =>
      autoencoder === undefined ? E.right(undefined) : requireFitting(opened.set, autoencoder),
    ),
    TE.map(({ autoencoder, opened }) => ({
      summary: latentsInWords(config, opened),
      warnings: [...opened.warnings, ...(autoencoder?.warnings ?? [])],
    })),
  )
}

/** What a run that begins on the latents of a given autoencoder should know of it; nothing for one that trained its own, or goes on. */
const ofGiven = (
  { latent, out }: DiffusionRun,
  device: Device,
  { autoencoder, pictures }: Pick<OpenedExamples, 'autoencoder' | 'pictures'>,
): TE.TaskEither<TrainError, readonly string[]> =>
  autoencoder === undefined || latent?.stage !== undefined
    ? TE.right([])
    : pipe(
        TE.fromTask<string | undefined, TrainError>(async () =>
          (await exists(join(out, names.autoencoder))) ? undefined : keepsLess(device, pictures, autoencoder),
        ),
        orDeviceError(device.name),
        TE.map((sentence) => (sentence === undefined ? [] : [sentence])),
      )

/** The same as the source of a run. */
export const openSource = (
  config: DiffusionRun,
  task: DiffusionTask,
  device: Device,
  tell: Told,
): TE.TaskEither<TrainError, Source<Params, Batch>> =>
  pipe(
    openExamples(config, device, tell),
    TE.bindTo('examples'),
    TE.bind('further', ({ examples }) => ofGiven(config, device, examples)),
    TE.map(({ examples: { autoencoder, pictures, originals, ...opened }, further }) => {
      const watch = watchOf(config, originals)
      const diffusion = autoencoder === undefined ? task : diffusionTask(config, { autoencoder })
      return {
        ...pictureSource(task, { ...opened, warnings: [...opened.warnings, ...further] }),
        preview: previewOf(task, pictures),
        sheets: sheetsOf(diffusion, watch),
        watches: watch !== undefined,
        ...(autoencoder !== undefined && { files: new Map([[names.autoencoder, autoencoder.file]]) }),
      }
    }),
  )
