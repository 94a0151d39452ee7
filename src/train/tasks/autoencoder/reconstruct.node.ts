/** What the autoencoder of a run keeps of the pictures that the run has not seen. */
import { requireKnown } from '../../../prelude/options.ts'
import type { TrainingData } from '../../../data/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { readConfig } from '../../configFile.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import { ensuring } from '../../ensuring.ts'
import { openDevice, type DeviceChoice } from '../../openDevice.ts'
import { openPictures } from '../../pictures/openPictures.node.ts'
import { storeIn } from '../../store.node.ts'
import type { Sheet } from '../../task.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'
import type { DiffusionRun } from '../diffusion/diffusionConfig.ts'
import { isDiffusion, type TrainConfig } from '../registry.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'
import { loadAutoencoder, type LoadedAutoencoder } from './loadAutoencoder.node.ts'
import { scalingOf } from './latentScale.ts'
import { asBytes, eachPicture, heldOutOf, linearPsnrOf, pairsSheet, qualityOf } from './reconstructing.ts'

/** How to reconstruct. */
export interface ReconstructOptions {
  /** Pictures that are given back with their reconstructions, at most as many as are held out; default 16. All that are held out are measured. */
  readonly count?: number
  /** Default: the device of training. */
  readonly device?: string
  /** How it is opened. */
  readonly deviceOptions?: DeviceChoice
}

/** Held-out pictures, their reconstructions, and how good those are. */
export interface Reconstructions {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3 | 4
  /** The first of them, bytes [height, width, channels] each. */
  readonly pictures: readonly Uint8Array[]
  readonly reconstructions: readonly Uint8Array[]
  /** The same as a sheet, each picture beside its reconstruction. */
  readonly sheet: Sheet
  /** How many were measured. */
  readonly measured: number
  /** Of the mean squared error of all bytes, in dB. */
  readonly psnr: number
  /** The mean of each picture's. */
  readonly meanPsnr: number
  /** What the best linear code with as many numbers reaches on the same pictures, fitted to the training pictures, in dB as `psnr`. */
  readonly linearPsnr: number
  /** Structural similarity; absent for pictures smaller than its window of 11×11. */
  readonly ssim?: number
  /** Height, width and channels of the latents of a picture. */
  readonly latentShape: readonly [height: number, width: number, channels: number]
  /** Mean and deviation of each channel on the scale on which latents are diffused: about 0 and 1, as they were made over training pictures. */
  readonly latents: { readonly mean: readonly number[]; readonly deviation: readonly number[] }
  /** Sentences for the user. */
  readonly warnings: readonly string[]
}

/** Left for a run without an autoencoder. */
const requireAutoencoder = (
  directory: string,
  config: TrainConfig,
): E.Either<TrainError, DiffusionRun | AutoencoderRun> =>
  config.task === 'autoencoder' || (isDiffusion(config) && config.latent !== undefined)
    ? E.right(config)
    : E.left(
        trainError(
          'RUN-NONE',
          `${directory} is a run of ${isDiffusion(config) ? 'a diffusion model on pixels' : 'another kind'}, which has no autoencoder: name a run of \`fathom train-vae\`, or one on its latents`,
        ),
      )

const requireCount = (count: number): E.Either<TrainError, void> =>
  Number.isSafeInteger(count) && count >= 1 && count <= 1024
    ? E.right(undefined)
    : E.left(settingError({ path: 'count', expected: 'a whole number from 1 to 1024', got: String(count) }))

/** All held-out pictures through the autoencoder, on a device. */
const reconstructed = async (
  device: Device,
  data: TrainingData,
  channels: 1 | 3 | 4,
  { factor, latentChannels, encoderOn, decoderOn, warnings }: LoadedAutoencoder,
  count: number,
): Promise<Reconstructions> => {
  const [encode, decode] = [encoderOn(device), decoderOn(device)]
  const pictures = heldOutOf(data)
  const made = await eachPicture(device, data, pictures, async (batch) => decode(await encode(batch)))
  const { mean = [], deviation = [] } = scalingOf(await eachPicture(device, data, pictures, encode), latentChannels)
  const { heldOut: _, ...quality } = qualityOf(data, pictures, made)
  const { height, width } = data
  const shown = { pictures: pictures.slice(0, count), reconstructions: made.slice(0, count).map(asBytes) }
  return {
    height,
    width,
    channels,
    ...shown,
    sheet: pairsSheet({ height, width, channels }, shown.pictures, shown.reconstructions),
    measured: pictures.length,
    ...quality,
    linearPsnr: linearPsnrOf(data, factor, latentChannels),
    latentShape: [height / factor, width / factor, latentChannels],
    latents: { mean, deviation },
    warnings,
  }
}

/**
 * Puts the held-out pictures of a run through its autoencoder and back: of a run that trains one, or that works on the latents of one.
 *
 * @returns Left where the run has no autoencoder, or has not saved one yet
 * @example
 * ```ts
 * import { autoencoderConfigOf, reconstruct, train } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const small = { height: 16, width: 16, crop: 16, batch: 2, steps: 1, saveEvery: 1, sampleCount: 1 }
 * const autoencoder = { widths: [4, 4, 4], groups: 2, latentChannels: 2 }
 * const shape = pipe(
 *   TE.fromEither(autoencoderConfigOf({ out: 'vae', ...small, autoencoder })),
 *   TE.chain((config) => train(config)),
 *   TE.chain(() => reconstruct('vae', { count: 2 })),
 *   TE.map(({ latentShape, reconstructions }) => [latentShape, reconstructions.length]),
 * )
 * await shape() // => right([[4, 4, 2], 2])
 * await reconstruct('nothing')() // => left({ code: 'RUN-NONE', … })
 * ```
 */
export const reconstruct = (
  directory: string,
  options: ReconstructOptions = {},
): TE.TaskEither<TrainError, Reconstructions> => {
  requireKnown('reconstruct', options, ['count', 'device', 'deviceOptions'])
  const { count = 16, device: wanted, deviceOptions } = options
  return pipe(
    TE.fromEither(requireCount(count)),
    TE.chain(() => readConfig(storeIn(directory))),
    TE.chainEitherK((config) => requireAutoencoder(directory, config)),
    TE.bindTo('config'),
    TE.bind('autoencoder', () => loadAutoencoder(directory)),
    TE.bind('pictures', ({ config }) => openPictures(config)),
    TE.bind('device', ({ config }) => openDevice(wanted ?? config.device, deviceOptions)),
    TE.chain(({ config, autoencoder, pictures: { data }, device }) =>
      pipe(
        TE.fromTask<Reconstructions, TrainError>(() =>
          reconstructed(device, data, config.channels ?? 3, autoencoder, count),
        ),
        orDeviceError(device.name),
        ensuring(() => device.close()),
      ),
    ),
  )
}
