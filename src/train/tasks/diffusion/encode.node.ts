/** Encoding a folder of pictures, or procedural seas, before a run needs their latents. */
import { requireKnown } from '../../../prelude/options.ts'
import { range } from '../../../prelude/array.ts'
import { pipe, TE } from '../../../prelude/fp.ts'
import { orDeviceError } from '../../deviceErrors.ts'
import { ensuring } from '../../ensuring.ts'
import { openDevice, type DeviceChoice } from '../../openDevice.ts'
import { openPictures, type PictureConfig } from '../../pictures/openPictures.node.ts'
import type { TrainError } from '../../trainError.ts'
import { loadAutoencoder } from '../autoencoder/loadAutoencoder.node.ts'
import type { Told } from '../../pictures/told.ts'
import { contentsOf, latentsOf, type Latents } from './latents.node.ts'

/** What is encoded, by what, and on which device. */
export interface EncodeOptions extends Pick<PictureConfig, 'folder' | 'height' | 'width' | 'channels'> {
  /** A run of `fathom train-vae`, a folder of diffusers, or a file. */
  readonly autoencoder: string
  /** Of procedural seas; default 0. */
  readonly seed?: number
  readonly device: string
  readonly deviceOptions?: DeviceChoice
  /** Is told how far it is. */
  readonly tell?: Told
}

const optionNames = [
  'autoencoder',
  'seed',
  'device',
  'deviceOptions',
  'tell',
  'folder',
  'height',
  'width',
  'channels',
] as const

/** Latents of pictures, and their scale: near a mean of 0 and a deviation of 1 in each channel, where the autoencoder was measured on such pictures. */
export interface EncodedPictures {
  readonly count: number
  /** Height, width and channels of the latents of one picture. */
  readonly shape: readonly [height: number, width: number, channels: number]
  /** Of each channel. */
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
  /** Where they are kept; undefined where they could not be. */
  readonly file: string | undefined
  /** Whether they were there already. */
  readonly found: boolean
  readonly warnings: readonly string[]
}

/** Mean and deviation of each channel, over all pictures. */
const scaleOf = ({ set }: Latents): Pick<EncodedPictures, 'mean' | 'deviation'> => {
  const { channels, count } = set
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)]
  for (const index of range(count))
    set.pixels(index).forEach((value, i) => {
      const c = i % channels
      sums[c] = (sums[c] ?? 0) + value
      squares[c] = (squares[c] ?? 0) + value * value
    })
  const values = 2 * set.height * set.width * count
  const mean = Array.from(sums, (sum) => sum / values)
  return { mean, deviation: mean.map((m, c) => Math.sqrt(Math.max(0, (squares[c] ?? 0) / values - m * m))) }
}

/**
 * Encodes pictures and their mirror images, once: what is kept is what a run on the same pictures, with the same autoencoder and device, begins with.
 *
 * @returns Left where the pictures or the autoencoder cannot be used
 * @example
 * ```ts
 * import { encodePictures } from 'fathom/train'
 *
 * const options = { folder: null, height: 8, width: 8, autoencoder: 'runs/vae', device: 'wasm' }
 * await encodePictures(options)() // => left({ code: 'WEIGHTS', message: 'runs/vae is not there: …', … })
 * ```
 */
export const encodePictures = (options: EncodeOptions): TE.TaskEither<TrainError, EncodedPictures> => {
  requireKnown('encodePictures', options, optionNames)
  const { autoencoder: place, device: name, deviceOptions, seed = 0, tell = () => undefined, ...pictures } = options
  return pipe(
    loadAutoencoder(place),
    TE.bindTo('autoencoder'),
    TE.bind('opened', () => openPictures({ ...pictures, seed })),
    TE.chain(({ autoencoder, opened }) =>
      pipe(
        openDevice(name, deviceOptions),
        TE.chain((device) =>
          pipe(
            latentsOf(device, opened.set, contentsOf({ ...pictures, seed }, opened), autoencoder, tell),
            orDeviceError(device.name),
            ensuring(() => device.close()),
          ),
        ),
        TE.map((latents): EncodedPictures => {
          const { height, width, channels, count } = latents.set
          return {
            count,
            shape: [height, width, channels],
            ...scaleOf(latents),
            file: latents.file,
            found: latents.found,
            warnings: [...opened.warnings, ...autoencoder.warnings],
          }
        }),
      ),
    ),
  )
}
