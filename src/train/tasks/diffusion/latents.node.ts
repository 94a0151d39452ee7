/**
 * The latents of pictures: each picture and its mirror image, encoded once and kept in the user's cache, for an encoder costs more than a step on
 * what it gives.
 */
import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { collate, type ImageSet } from '../../../data/index.ts'
import { makeDurableDirectory, readSafetensorsFile, replaceFile, writeSafetensors } from '../../../io/index.ts'
import { toFloat32 } from '../../../io/arrayRecord.ts'
import { userCache } from '../../../prelude/userCache.node.ts'
import { product, range } from '../../../prelude/array.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import type { LoadedAutoencoder } from '../autoencoder/loadAutoencoder.node.ts'
import { trainError, trainErrorOf, type TrainError } from '../../trainError.ts'
import type { OpenedPictures, PictureConfig } from '../../pictures/openPictures.node.ts'
import type { Told } from '../../pictures/told.ts'

/** Latents by number: each f32 [2, h, w, c], those of the picture and of its mirror image. */
export interface Latents {
  readonly set: ImageSet<Float32Array>
  /** Where they are kept; undefined where they could not be. */
  readonly file: string | undefined
  /** Whether they were there already. */
  readonly found: boolean
}

/** A text that changes when the pictures do. */
export const contentsOf = (
  { folder, seed }: Pick<PictureConfig, 'folder' | 'seed'>,
  { fingerprint }: Pick<OpenedPictures, 'fingerprint'>,
): string => (folder === null ? `seas of seed ${seed}` : fingerprint)

/** Height, width and channels of the latents of a set. */
const shapeOf = ({ height, width }: ImageSet, { factor, latentChannels }: LoadedAutoencoder) =>
  [height / factor, width / factor, latentChannels] as const

/** Left where the autoencoder cannot encode these pictures. */
export const requireFitting = (
  set: ImageSet,
  { channels, factor, title }: LoadedAutoencoder,
): E.Either<TrainError, void> => {
  if (set.channels !== channels)
    return E.left(
      trainError(
        'CFG',
        `the pictures have ${set.channels} channels, and the ${title} takes ${channels}: choose --channels ${channels}, or another autoencoder`,
      ),
    )
  const wrong = [set.height, set.width].find((side) => side % factor !== 0)
  return wrong === undefined
    ? E.right(undefined)
    : E.left(trainError('CFG', `image size ${wrong} is not divisible by ${factor}, the factor of the ${title}`))
}

/** The file of these latents. Devices round differently, so each has its own. */
const fileOf = (device: Device, set: ImageSet, contents: string, { fingerprint }: LoadedAutoencoder): string => {
  const what = JSON.stringify([
    'latents',
    contents,
    set.count,
    set.height,
    set.width,
    set.channels,
    fingerprint,
    device.name,
  ])
  return userCache('latents', `${createHash('sha256').update(what).digest('hex').slice(0, 32)}.safetensors`)
}

/** A picture mirrored, row by row. */
const mirrored = (pixels: Uint8Array, width: number, channels: number): Uint8Array => {
  const result = new Uint8Array(pixels.length)
  const row = width * channels
  for (let start = 0; start < pixels.length; start += row)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++)
        result[start + x * channels + c] = pixels[start + (width - 1 - x) * channels + c] ?? 0
  return result
}

/** Pixels that are encoded together: what a small part of a device's memory holds. */
const pixelsAtOnce = 2 ** 16

/** All latents of a set, f32 [count, 2, h, w, c]. */
const encoded = async (
  device: Device,
  set: ImageSet,
  autoencoder: LoadedAutoencoder,
  tell: Told,
): Promise<Float32Array> => {
  const { count, height, width, channels } = set
  const each = product(shapeOf(set, autoencoder))
  const all = new Float32Array(count * 2 * each)
  const size = Math.min(count, Math.max(1, Math.floor(pixelsAtOnce / (height * width))))
  const encode = autoencoder.encoderOn(device)
  for (let first = 0; first < count; first += size) {
    const pictures = range(size).map((i) => set.pixels(Math.min(first + i, count - 1))) // the last batch is filled: one plan serves all
    const sides = [pictures, pictures.map((picture) => mirrored(picture, width, channels))]
    for (const [side, batch] of sides.entries()) {
      const values = await device.read(await encode(tensor(collate(batch), { shape: [size, height, width, channels] })))
      for (const i of range(Math.min(size, count - first)))
        all.set(values.slice(i * each, (i + 1) * each), (2 * (first + i) + side) * each)
    }
    tell('encoded', Math.min(1, (first + size) / count))
  }
  return all
}

const setOf = (set: ImageSet, values: Float32Array, autoencoder: LoadedAutoencoder): ImageSet<Float32Array> => {
  const [height, width, channels] = shapeOf(set, autoencoder)
  const each = 2 * height * width * channels
  return {
    name: `latents of ${set.name}`,
    height,
    width,
    channels,
    count: set.count,
    pixels: (index) => {
      if (!Number.isInteger(index) || index < 0 || index >= set.count)
        throw new RangeError(`latents of ${set.name}: there is no picture ${index} of ${set.count}`)
      return values.subarray(index * each, (index + 1) * each)
    },
  }
}

/** Which of a file's texts tells whether its latents are as they were written. */
const digestName = 'sha256'

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** What a file holds, if it holds these latents as they were written. */
const kept = async (file: string, length: number): Promise<Float32Array | undefined> => {
  const found = await readSafetensorsFile(file)()
  const record = E.isRight(found) ? found.right.tensors.get('latents') : undefined
  if (E.isLeft(found) || record === undefined) return undefined
  if (record.dtype !== 'f32' || product(record.shape) !== length) return undefined
  if (found.right.metadata.get(digestName) !== digestOf(record.bytes)) return undefined
  const values = toFloat32(record)
  return E.isRight(values) ? values.right : undefined
}

/**
 * The latents of a set of pictures, from the cache or encoded now.
 *
 * @param contents a text that changes when the pictures do
 * @returns Left where the autoencoder is not one of such pictures, or gives latents that are no numbers
 */
export const latentsOf =
  (
    device: Device,
    set: ImageSet,
    contents: string,
    autoencoder: LoadedAutoencoder,
    tell: Told,
  ): TE.TaskEither<TrainError, Latents> =>
  async () => {
    const fits = requireFitting(set, autoencoder)
    if (E.isLeft(fits)) return fits
    const shape = [set.count, 2, ...shapeOf(set, autoencoder)]
    const file = fileOf(device, set, contents, autoencoder)
    const before = await kept(file, product(shape))
    if (before !== undefined) return E.right({ set: setOf(set, before, autoencoder), file, found: true })
    const values = await encoded(device, set, autoencoder, tell)
    const bad = values.find((x) => !Number.isFinite(x))
    if (bad !== undefined)
      return E.left(
        trainError('WEIGHTS', `the autoencoder gives latents that are ${bad}: train another, at a lower rate`),
      )
    const raw = new Uint8Array(values.buffer)
    const bytes = writeSafetensors(
      [['latents', { dtype: 'f32', shape, bytes: raw }]],
      new Map([[digestName, digestOf(raw)]]),
    )
    const saved = await pipe(
      makeDurableDirectory(dirname(file)),
      TE.chain(() => replaceFile(file, bytes)),
      TE.mapLeft(trainErrorOf('DATA')),
    )() // a full disk costs the time of encoding again, not the run
    return E.right({ set: setOf(set, values, autoencoder), file: E.isRight(saved) ? file : undefined, found: false })
  }
