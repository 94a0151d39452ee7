/** Pictures through an autoencoder and back, on a device: what is measured, and what a person is shown. */
import type { TrainingData } from '../../../data/batches.ts'
import { linearProjectionQuality } from '../../../data/quality/linearProjection.ts'
import { decibels } from '../../../data/quality/psnr.ts'
import { reconstructionQuality } from '../../../data/quality/reconstruction.ts'
import { collate } from '../../../data/batches.ts'
import { imageGrid } from '../../../io/imageGrid.ts'
import { encodePng } from '../../../io/png.ts'
import { at, range } from '../../../prelude/array.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Device } from '../../../tensor/device.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { toByte } from '../../pictures/pixels.ts'
import type { Measured, Sheet } from '../../task.ts'

/** Pixels that go through a network together: what a small part of a device's memory holds. */
const pixelsAtOnce = 2 ** 16

/** How many pictures of a size go through a network together. */
const picturesAtOnce = ({ height, width }: Pick<TrainingData, 'height' | 'width'>, count: number): number =>
  Math.min(count, Math.max(1, Math.floor(pixelsAtOnce / (height * width))))

/**
 * Calls a function of some pictures for all of them, in batches of one size, for which one plan serves: the last is filled with its last picture.
 *
 * @param f from u8 [n, height, width, channels]
 * @returns what it gives for each picture
 */
export const eachPicture = async (
  device: Pick<Device, 'read'>,
  { height, width, channels }: Pick<TrainingData, 'height' | 'width' | 'channels'>,
  pictures: readonly Uint8Array[],
  f: (batch: Tensor) => Promise<Tensor>,
): Promise<readonly Float32Array[]> => {
  const size = picturesAtOnce({ height, width }, pictures.length)
  const results: Float32Array[] = []
  for (let first = 0; first < pictures.length; first += size) {
    const batch = range(size).map((i) => at(pictures, Math.min(first + i, pictures.length - 1)))
    const values = Float32Array.from(
      await device.read(await f(tensor(collate(batch), { shape: [size, height, width, channels] }))),
    )
    const each = values.length / size
    for (const i of range(Math.min(size, pictures.length - first)))
      results.push(values.subarray(i * each, (i + 1) * each))
  }
  return results
}

/** A picture in about [−1, 1] as bytes. */
export const asBytes = (picture: Float32Array): Uint8Array => Uint8Array.from(picture, toByte)

/** √(d² + 10⁻⁶) of numbers in [−1, 1]: Charbonnier's loss, the mean. */
const lossOf = (picture: Uint8Array, made: Float32Array): number =>
  made.reduce((sum, y, i) => sum + Math.sqrt((y - (picture[i] ?? NaN) / 127.5 + 1) ** 2 + 1e-6), 0) / made.length

/** The held-out pictures of some data. */
export const heldOutOf = (data: TrainingData): readonly Uint8Array[] =>
  range(data.heldOutCount).map((i) => data.heldOut(i))

/** How good reconstructions are; decibels and similarity of the bytes that a person would see. */
export interface Quality extends Measured {
  /** Charbonnier's loss. */
  readonly heldOut: number
  /** Of the mean squared error over all pictures, in dB. */
  readonly psnr: number
  /** The mean of each picture's. */
  readonly meanPsnr: number
}

/** How good reconstructions of pictures are. @param made in about [−1, 1] */
export const qualityOf = (
  size: Pick<TrainingData, 'height' | 'width' | 'channels'>,
  pictures: readonly Uint8Array[],
  made: readonly Float32Array[],
): Quality => {
  const pairs = pictures.map((picture, i) => [picture, at(made, i)] as const)
  const { psnr, meanPsnr, ssim } = reconstructionQuality(
    pairs.map(([picture, reconstruction]) => [picture, asBytes(reconstruction)] as const),
    size,
  )
  const heldOut = pairs.reduce((sum, [picture, y]) => sum + lossOf(picture, y), 0) / pairs.length
  return { heldOut, psnr, meanPsnr, ...(ssim !== undefined && { ssim }) }
}

/** PSNR of the best linear code with as many numbers, on the held-out pictures. */
export const linearPsnrOf = (data: TrainingData, factor: number, latentChannels: number): number => {
  const most = factor * factor * data.channels // a code that keeps all loses nothing
  return latentChannels >= most ? decibels(0) : linearProjectionQuality(data, { factor, latentChannels }).psnr
}

/** Pictures, each beside its reconstruction, two pairs in a row. */
export const pairsSheet = (
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: 1 | 3 | 4 },
  pictures: readonly Uint8Array[],
  made: readonly Uint8Array[],
): Sheet => ({
  extension: 'png',
  bytes: encodePng(
    imageGrid(
      pictures.flatMap((picture, i) => [picture, at(made, i)]),
      { height, width, channels, columns: pictures.length === 1 ? 2 : 4 },
    ),
  ),
})
