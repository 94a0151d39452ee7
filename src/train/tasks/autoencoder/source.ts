/** Pictures as the data of an autoencoder: crops to train on, whole held-out pictures to measure on and to show, and the file that stands for what it has learned. */
import { posteriorMode } from '../../../models/autoencoder/posterior.ts'
import type { BuiltAutoencoder } from '../../../models/autoencoder/registry.ts'
import type { TrainingData } from '../../../data/batches.ts'
import { range } from '../../../prelude/array.ts'
import { TE } from '../../../prelude/fp.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { deviceErrorOf } from '../../deviceErrors.ts'
import { changedPictures } from '../../pictures/changedPictures.ts'
import { normalise } from '../../pictures/pixels.ts'
import { names } from '../../store.ts'
import type { Source } from '../../task.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'
import { cropsAt } from './crops.ts'
import { scalingOf } from './latentScale.ts'
import type { AutoencoderTaskParams } from './learning.ts'
import { asBytes, eachPicture, heldOutOf, linearPsnrOf, pairsSheet, qualityOf } from './reconstructing.ts'
import { encodeAutoencoder } from './trainedAutoencoder.ts'

/** Pictures, and what a person should know of them. */
export interface Opened {
  readonly data: TrainingData
  /** Files that are kept with the run. */
  readonly files?: ReadonlyMap<string, Uint8Array>
  readonly fingerprint: string
  readonly summary: string
  readonly warnings: readonly string[]
}

/** Pictures by which the scale of latents is measured, at most. */
const measuredPictures = 2048

/** What the source is of. */
interface Parts<Enc, Dec> {
  readonly config: AutoencoderRun
  readonly built: BuiltAutoencoder<Enc, Dec>
  readonly data: TrainingData
}

/** Whole pictures through both halves. */
const reconstructorOn = <Enc, Dec>(device: Device, { built: { autoencoder }, data }: Parts<Enc, Dec>) => {
  const { encoder, decoder } = autoencoder
  const run = device.compile((own: Pick<AutoencoderTaskParams<Enc, Dec>, 'encoder' | 'decoder'>, batch: Tensor) =>
    decoder.apply(own.decoder, posteriorMode(encoder.apply(own.encoder, normalise(batch)))),
  )
  return (params: AutoencoderTaskParams<Enc, Dec>, pictures: readonly Uint8Array[]) =>
    eachPicture(device, data, pictures, (batch) => run({ encoder: params.encoder, decoder: params.decoder }, batch))
}

/** The measurement: the linear code is fitted once. */
const measuring =
  <Enc, Dec>(parts: Parts<Enc, Dec>): NonNullable<Source<AutoencoderTaskParams<Enc, Dec>, Tensor>['measure']> =>
  (device) => {
    const { data, built } = parts
    const { factor, latentChannels } = built.autoencoder
    const reconstruct = reconstructorOn(device, parts)
    const pictures = heldOutOf(data)
    const linearPsnr = linearPsnrOf(data, factor, latentChannels)
    return Promise.resolve(async (params) => ({
      ...qualityOf(data, pictures, await reconstruct(params, pictures)),
      linearPsnr,
    }))
  }

/** A promise's failure, as the run's. */
const orRunError = <A>(device: Device, what: string, promise: () => Promise<A>): TE.TaskEither<TrainError, A> =>
  TE.tryCatch(
    promise,
    (reason) => deviceErrorOf(reason, device.name) ?? trainError('WEIGHTS', `${what}: ${String(reason)}`),
  )

/** Sheets of held-out pictures beside their reconstructions. */
const showing =
  <Enc, Dec>(parts: Parts<Enc, Dec>): NonNullable<Source<AutoencoderTaskParams<Enc, Dec>, Tensor>['sheets']> =>
  (device) => {
    const { config, data } = parts
    const { height, width, channels = 3 } = config
    const pictures = heldOutOf(data).slice(0, config.sampleCount)
    const reconstruct = reconstructorOn(device, parts)
    return (params) =>
      orRunError(device, 'the sheet of reconstructions cannot be made', async () =>
        pairsSheet({ height, width, channels }, pictures, (await reconstruct(params, pictures)).map(asBytes)),
      )
  }

/** The file of the averaged autoencoder, with the scale of its latents as measured now. */
const keeping =
  <Enc, Dec>(parts: Parts<Enc, Dec>): NonNullable<Source<AutoencoderTaskParams<Enc, Dec>, Tensor>['kept']> =>
  (device) => {
    const { config, data, built } = parts
    const { encoder, latentChannels } = built.autoencoder
    const encode = device.compile((params: Enc, batch: Tensor) =>
      posteriorMode(encoder.apply(params, normalise(batch))),
    )
    let pictures: readonly Uint8Array[] | undefined // made once, for procedural ones cost more than encoding them
    return (average) =>
      orRunError(device, `${names.autoencoder} cannot be made`, async () => {
        pictures ??= range(Math.min(measuredPictures, data.count)).map((i) => data.picture(i))
        const latents = await eachPicture(device, data, pictures, (batch) => encode(average.encoder, batch))
        const scaling = scalingOf(latents, latentChannels)
        const judged = config.features === 'seas' ? { features: config.features } : {}
        const description = { config: config.autoencoder, scaling, ...judged }
        const own = { encoder: average.encoder, decoder: average.decoder }
        return new Map([[names.autoencoder, await encodeAutoencoder(device, description, own)]])
      })
  }

/** Pictures as the data of an autoencoder. */
export const autoencoderSource = <Enc, Dec>(
  config: AutoencoderRun,
  built: BuiltAutoencoder<Enc, Dec>,
  { data, ...known }: Opened,
): Source<AutoencoderTaskParams<Enc, Dec>, Tensor> => {
  const { crop, seed } = config
  const parts = { config, built, data }
  return {
    ...known,
    examples: (first, count) =>
      tensor(cropsAt(data, seed, crop, first, count), { shape: [count, crop, crop, data.channels] }),
    measure: measuring(parts),
    sheets: showing(parts),
    kept: keeping(parts),
    changes: (then, before) => changedPictures(then, known.fingerprint, config.folder, before),
  }
}
