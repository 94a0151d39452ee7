/**
 * The line that every autoencoder must beat: the best linear code of the same size. Each patch of f×f pixels is projected on its c principal
 * components (Pearson 1901, Hotelling 1933), as many numbers as the autoencoder keeps of it. No other linear code has a smaller squared error.
 */
import { range } from '../../prelude/array.ts'
import type { TrainingData } from '../batches.ts'
import { reconstructionQuality, type ReconstructionQuality } from './reconstruction.ts'
import type { PictureSize } from './ssim.ts'
import { symmetricEigen } from './symmetricEigen.ts'

/** How much is kept: `latentChannels` numbers of each patch of `factor`×`factor` pixels. */
export interface CodeSize {
  readonly factor: number
  readonly latentChannels: number
}

/** A linear code of patches: their mean, and the directions that are kept, each a patch [f, f, channels] of length 1. */
export interface LinearProjection {
  readonly size: PictureSize
  readonly factor: number
  readonly mean: Float64Array
  readonly components: readonly Float64Array[]
}

const requireCode = ({ height, width, channels }: PictureSize, { factor, latentChannels }: CodeSize): void => {
  if (!(Number.isInteger(factor) && factor >= 1 && height % factor === 0 && width % factor === 0))
    throw new RangeError(
      `linear projection: patches of ${factor}×${factor} do not tile pictures of ${height}×${width}; the factor must divide both`,
    )
  const most = factor * factor * channels
  if (!(Number.isInteger(latentChannels) && latentChannels >= 1 && latentChannels <= most))
    throw new RangeError(
      `linear projection: a patch has ${most} numbers, of which 1 … ${most} can be kept, not ${latentChannels}`,
    )
}

/** For each number of a patch [f, f, channels], its distance in the picture from the patch's first. */
const offsets = ({ width, channels }: PictureSize, factor: number): readonly number[] =>
  range(factor).flatMap((y) => range(factor * channels).map((x) => y * width * channels + x))

/** Where the patches of a picture begin. */
const corners = ({ height, width, channels }: PictureSize, factor: number): readonly number[] =>
  range(height / factor).flatMap((y) => range(width / factor).map((x) => (y * width + x) * factor * channels))

/** Sums over all patches: of themselves, and of their products pair by pair, of which the half above the diagonal is filled. */
interface Moments {
  readonly sums: Float64Array
  readonly products: readonly Float64Array[]
  readonly count: number
}

const momentsOf = (pictures: Iterable<ArrayLike<number>>, size: PictureSize, factor: number): Moments => {
  const places = offsets(size, factor)
  const starts = corners(size, factor)
  const sums = new Float64Array(places.length)
  const products = places.map(() => new Float64Array(places.length))
  const patch = new Float64Array(places.length)
  let count = 0
  for (const picture of pictures)
    for (const start of starts) {
      places.forEach((place, i) => {
        patch[i] = picture[start + place] ?? NaN
      })
      products.forEach((row, i) => {
        const value = patch[i] ?? NaN
        sums[i] = (sums[i] ?? NaN) + value
        for (let j = i; j < row.length; j++) row[j] = (row[j] ?? NaN) + value * (patch[j] ?? NaN)
      })
      count++
    }
  return { sums, products, count }
}

/**
 * The principal components of the patches of some pictures.
 *
 * @param pictures [height, width, channels] each
 * @throws RangeError for pictures or codes of impossible sizes, or no pictures
 * @example
 * ```ts
 * import { fitLinearProjection, projectLinearly } from 'fathom/data'
 *
 * const size = { height: 1, width: 2, channels: 2 } // two patches of one pixel, whose channels are proportional
 * const fitted = fitLinearProjection([[1, 2, 3, 6]], size, { factor: 1, latentChannels: 1 })
 * fitted.mean // => [2, 4]
 * projectLinearly(fitted, [5, 10, 0, 0]) // => [5.0000, 10.0000, 0.0000, 0.0000]
 * ```
 */
export const fitLinearProjection = (
  pictures: Iterable<ArrayLike<number>>,
  size: PictureSize,
  code: CodeSize,
): LinearProjection => {
  requireCode(size, code)
  const { sums, products, count } = momentsOf(pictures, size, code.factor)
  if (count === 0) throw new RangeError('linear projection: there are no pictures to fit it to')
  const mean = sums.map((sum) => sum / count)
  const covariance = products.map((row, i) => row.map((sum, j) => sum / count - (mean[i] ?? NaN) * (mean[j] ?? NaN)))
  const { vectors } = symmetricEigen(covariance)
  return { size, factor: code.factor, mean, components: vectors.slice(0, code.latentChannels) }
}

/**
 * A picture from its code: of each patch, the nearest that mean and components can make.
 *
 * @throws RangeError for a picture of another size
 * @example
 * ```ts
 * import { fitLinearProjection, projectLinearly, seas } from 'fathom/data'
 *
 * const data = seas({ seed: 1, size: 8 })
 * const all = { factor: 2, latentChannels: 12 } // all of 2·2·3 numbers
 * const fitted = fitLinearProjection([data.image(0), data.image(1)], { height: 8, width: 8, channels: 3 }, all)
 * const again = projectLinearly(fitted, data.image(7))
 * data.image(7).every((byte, i) => Math.abs(byte - (again[i] ?? NaN)) < 1e-9) // => true
 * ```
 */
export const projectLinearly = (
  { size, factor, mean, components }: LinearProjection,
  picture: ArrayLike<number>,
): Float64Array => {
  if (picture.length !== size.height * size.width * size.channels)
    throw new RangeError(
      `projectLinearly: ${picture.length} numbers are no picture of ${size.height}×${size.width} with ${size.channels} channels`,
    )
  const places = offsets(size, factor)
  const result = new Float64Array(picture.length)
  for (const start of corners(size, factor)) {
    const patch = mean.map((m, i) => (picture[start + (places[i] ?? NaN)] ?? NaN) - m)
    const made = mean.slice()
    for (const component of components) {
      const weight = component.reduce((sum, v, i) => sum + v * (patch[i] ?? NaN), 0)
      component.forEach((v, i) => {
        made[i] = (made[i] ?? NaN) + weight * v
      })
    }
    places.forEach((place, i) => {
      result[start + place] = made[i] ?? NaN
    })
  }
  return result
}

/** How many training pictures the line is fitted to at most: patches are many, and the components of 500 pictures are those of 5,000. */
const mostPictures = 512

/**
 * How well the best linear code of a size reconstructs the held-out pictures of some data, fitted to those that training draws (512 at
 * most). Reconstructions are cut to 0 … 255, as those of a network are.
 *
 * @throws RangeError for codes of impossible sizes
 * @example
 * ```ts
 * import { dataOfSeas, linearProjectionQuality } from 'fathom/data'
 *
 * const data = dataOfSeas({ seed: 1, size: 16 })
 * const { psnr } = linearProjectionQuality(data, { factor: 4, latentChannels: 4 })
 * psnr > 20 && psnr < 30 // => true
 * linearProjectionQuality(data, { factor: 3, latentChannels: 4 }) // throws RangeError: linear projection: patches of 3×3 do not tile pictures of 16×16; the factor must divide both
 * ```
 */
export const linearProjectionQuality = (data: TrainingData, code: CodeSize): ReconstructionQuality => {
  const pictures = function* () {
    for (let i = 0; i < Math.min(mostPictures, data.count); i++) yield data.picture(i)
  }
  const fitted = fitLinearProjection(pictures(), data, code)
  const pairs = range(data.heldOutCount).map((i) => {
    const picture = data.heldOut(i)
    const made = projectLinearly(fitted, picture)
    return [picture, made.map((x) => Math.min(255, Math.max(0, x)))] as const
  })
  return reconstructionQuality(pairs, data)
}
