/** Opening what a diffusion model is trained on: pictures, or the latents of pictures with their autoencoder. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { dataOfEncoded, dataOfSet } from '../../../data/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { loadAutoencoder, type LoadedAutoencoder } from '../autoencoder/loadAutoencoder.node.ts'
import { openPictures } from '../../pictures/openPictures.node.ts'
import { names } from '../../store.ts'
import type { Source } from '../../task.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import type { Told } from '../subject.ts'
import type { Params } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import { diffusionTask, type Batch, type DiffusionTask } from './diffusionTask.ts'
import type { LatentConfig } from './latentConfig.ts'
import { latentsOf } from './latents.node.ts'
import { previewOf, sheetsOf } from './sheet.ts'
import { pictureSource } from './source.ts'

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
    const isThere = await access(own).then(
      () => true,
      () => false,
    )
    if (isThere) return from(own)()
    return from(latent.stage === undefined ? (latent.from ?? own) : join(out, names.stage))()
  }
}

/** A text that tells the latents of one autoencoder from those of another. */
const ofAutoencoder = ({ fingerprint }: LoadedAutoencoder): string => `latents of ${fingerprint.slice(0, 16)}`

/** Latents as training data: the same pictures are held out as would be of the pictures themselves. */
const onLatents = (
  config: DiffusionRun,
  latent: LatentConfig,
  device: Device,
  tell: Told,
): TE.TaskEither<TrainError, Source<Params, Batch>> =>
  pipe(
    TE.Do,
    TE.bind('autoencoder', () => autoencoderOfRun(config.out, latent)),
    TE.bind('pictures', () => openPictures(config)),
    TE.bind('latents', ({ autoencoder, pictures: { set, fingerprint } }) => {
      const contents = config.folder === null ? `seas of seed ${config.seed}` : fingerprint
      return latentsOf(device, set, contents, autoencoder, tell)
    }),
    TE.map(({ autoencoder, pictures, latents }) => {
      const task = diffusionTask(config, { autoencoder })
      const data = dataOfEncoded(latents.set, config.seed, pictures.options)
      const shown = dataOfSet(pictures.set, config.seed, pictures.options)
      return {
        ...pictureSource(task, {
          data,
          fingerprint: `${pictures.fingerprint}, ${ofAutoencoder(autoencoder)}`,
          summary: `latents ${data.height}×${data.width}×${data.channels} of ${pictures.summary}`,
          warnings: [...pictures.warnings, ...autoencoder.warnings],
        }),
        preview: previewOf(task, shown),
        sheets: sheetsOf(task),
        files: new Map([[names.autoencoder, autoencoder.file]]),
      }
    }),
  )

const onPixels = (config: DiffusionRun, task: DiffusionTask): TE.TaskEither<TrainError, Source<Params, Batch>> =>
  pipe(
    openPictures(config),
    TE.map((opened) => ({ ...pictureSource(task, opened), preview: previewOf(task, opened.data) })),
  )

/** Opens what a configuration's model is trained on. @param tell of the pictures that are encoded */
export const openSource = (
  config: DiffusionRun,
  task: DiffusionTask,
  device: Device,
  tell: Told,
): TE.TaskEither<TrainError, Source<Params, Batch>> =>
  config.latent === undefined ? onPixels(config, task) : onLatents(config, config.latent, device, tell)
