/**
 * A trained autoencoder at hand: what encodes pictures for a diffusion model on latents and decodes what it draws, and the file that it is kept in.
 * What its parameters are is closed in: nobody else needs to know.
 */
import { recordsOf, treeFrom } from '../../../io/params.ts'
import { readSafetensors, writeSafetensors, type Safetensors } from '../../../io/safetensors.ts'
import type { AutoencoderParams } from '../../../models/autoencoder/autoencoder.ts'
import { posteriorMode } from '../../../models/autoencoder/posterior.ts'
import {
  autoencoderOf,
  decodeAutoencoder,
  type AutoencoderConfig,
  type BuiltAutoencoder,
} from '../../../models/autoencoder/registry.ts'
import { scaleLatents, unscaleLatents, type LatentScaling } from '../../../models/autoencoder/scaling.ts'
import { show } from '../../../prelude/decode.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { isRecord } from '../../../prelude/record.ts'
import type { Device } from '../../../tensor/device.ts'
import { key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { latentShapeOf } from './autoencoderConfig.ts'
import { nonFiniteAmong } from '../../finite.ts'
import { normalise } from '../../pictures/pixels.ts'
import { showSettingError, trainError, type TrainError } from '../../trainError.ts'

/** A function on a device, compiled for the first batch that it is given. */
type OnDevice = (device: Device) => (x: Tensor) => Promise<Tensor>

/** A trained autoencoder. */
export interface TrainedAutoencoder {
  /** What a person calls it. */
  readonly title: string
  /** Channels of its pictures, and of its latents. */
  readonly channels: number
  readonly latentChannels: number
  /** Pixels of a picture's side for one latent. */
  readonly factor: number
  /** The most probable latents of pictures, on the scale on which they are diffused: u8 [N, H, W, channels] → f32 [N, h, w, latentChannels]. */
  readonly encoderOn: OnDevice
  /** What latents are of: f32 [N, h, w, latentChannels] → [N, H, W, channels] in about [−1, 1]. */
  readonly decoderOn: OnDevice
  /** Its file, from which it is read again. */
  readonly file: Uint8Array
  /** There where it was trained by the features by which `fathom eval` judges. */
  readonly features?: 'seas'
}

/** Compiles functions that hold their parameters on the device from the first call on. */
const holding =
  <P>(params: P, f: (params: P, x: Tensor) => Tensor): OnDevice =>
  (device) => {
    const compiled = device.compile(f)
    let held: Promise<P> | undefined
    return async (x) => compiled(await (held ??= device.realize(params)), x)
  }

/** The autoencoder with parameters. */
const trained = <Enc, Dec>(
  { autoencoder, title }: BuiltAutoencoder<Enc, Dec>,
  { encoder, decoder }: AutoencoderParams<Enc, Dec>,
  channels: number,
  scaling: LatentScaling,
  file: Uint8Array,
): TrainedAutoencoder => ({
  title,
  channels,
  latentChannels: autoencoder.latentChannels,
  factor: autoencoder.factor,
  encoderOn: holding(encoder, (params, pictures) =>
    scaleLatents(scaling, posteriorMode(autoencoder.encoder.apply(params, normalise(pictures)))),
  ),
  decoderOn: holding(decoder, (params, x) => autoencoder.decoder.apply(params, unscaleLatents(scaling, x))),
  file,
})

/** What the file says of itself beside its tensors. */
interface Description {
  readonly config: AutoencoderConfig
  /** The scale on which its latents are diffused. */
  readonly scaling: LatentScaling
  /** There where it was trained by the features by which `fathom eval` judges. */
  readonly features?: 'seas'
}

/** Which of a file's texts holds the description. */
const descriptionName = 'autoencoder'

/**
 * The bytes of a file that `trainedAutoencoder` reads: weights, and what network they are of.
 *
 * @param params on the device, or yet to be computed
 */
export const encodeAutoencoder = async <Enc, Dec>(
  device: Device,
  description: Description,
  params: AutoencoderParams<Enc, Dec>,
): Promise<Uint8Array> =>
  writeSafetensors(
    await recordsOf(device, params),
    new Map([
      ['format', 'fathom'],
      [descriptionName, JSON.stringify(description)],
    ]),
  )

const isFiniteNumber = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x)

/** Absent, or one number for each channel. */
const isOfChannels = (x: unknown, channels: number, is: (n: number) => boolean): boolean =>
  x === undefined || (Array.isArray(x) && x.length === channels && x.every((n) => isFiniteNumber(n) && is(n)))

/** Whether latents of so many channels can be scaled so, and back. */
const isScaling = (x: unknown, channels: number): x is LatentScaling =>
  isRecord(x) &&
  isFiniteNumber(x['factor']) &&
  x['factor'] !== 0 &&
  (x['shift'] === undefined || isFiniteNumber(x['shift'])) &&
  isOfChannels(x['mean'], channels, () => true) &&
  isOfChannels(x['deviation'], channels, (s) => s > 0)

/** What a file says of itself; Left with what is wrong. */
export const descriptionIn = ({ metadata }: Safetensors): E.Either<string, Description> => {
  const text = metadata.get(descriptionName)
  if (text === undefined)
    return E.left(
      'it does not say what autoencoder it is of: name a run of `fathom train-vae`, a folder of diffusers, or a file that such a run keeps',
    )
  return pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => 'its description is not JSON',
    ),
    E.filterOrElse(isRecord, () => 'its description is no record'),
    E.chain(({ config, scaling, features }) =>
      pipe(
        decodeAutoencoder(config),
        E.mapLeft(({ inside = { path: 'autoencoder', got: show(config) }, ...fault }) =>
          showSettingError({ ...fault, ...inside }),
        ),
        E.chain((known) => {
          const { channels } = latentShapeOf(known)
          return isScaling(scaling, channels)
            ? E.right({ config: known, scaling, ...(features === 'seas' && { features }) })
            : E.left(
                `it does not say how its latents are scaled: by a factor that is not 0, and where there are means and deviations, one for each of ${channels} channels, deviations above 0`,
              )
        }),
      ),
    ),
  )
}

/** The autoencoder of a configuration with the tensors of a file under its own names. */
const autoencoderWith = (
  { config, scaling, features }: Description,
  { tensors }: Pick<Safetensors, 'tensors'>,
  file: Uint8Array,
): E.Either<string, TrainedAutoencoder> => {
  const bad = nonFiniteAmong('autoencoder', tensors)
  if (bad !== undefined) return E.left(`its weights are no numbers: ${bad}`)
  return autoencoderOf(config)((built) => {
    const { autoencoder } = built
    const [a, b] = [key(0), key(1)]
    return pipe(
      treeFrom({ encoder: autoencoder.encoder.init(a), decoder: autoencoder.decoder.init(b) }, tensors),
      E.bimap(
        ({ message }) => message,
        (params) => ({
          ...trained(built, params, config.channels, scaling, file),
          ...(features !== undefined && { features }),
        }),
      ),
    )
  })
}

/** The autoencoder in a file that `encodeAutoencoder` has made. @param path what the file is called in errors */
export const trainedAutoencoder = (path: string, file: Uint8Array): E.Either<TrainError, TrainedAutoencoder> =>
  pipe(
    readSafetensors(file),
    E.mapLeft(({ message }) => message),
    E.chain((found) =>
      pipe(
        descriptionIn(found),
        E.chain((description) => autoencoderWith(description, found, file)),
      ),
    ),
    E.mapLeft((why) => trainError('WEIGHTS', `${path}: ${why}`)),
  )
